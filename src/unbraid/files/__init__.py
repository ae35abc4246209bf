"""Files of data: where they lie, how they are fetched, and how each format is read; nothing is ever unpickled."""
