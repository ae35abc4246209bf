"""Drawing: outlines, strokes, people, letters and their placing, for whole batches of images at a time."""
