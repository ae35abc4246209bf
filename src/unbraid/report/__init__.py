"""Reports: one self-contained HTML file, figures embedded, nothing fetched and nothing executed."""
