"""Drawing: outlines, and the stamping of whole batches of them into images; numpy alone."""
