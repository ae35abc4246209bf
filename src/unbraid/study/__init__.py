"""Studies: many runs and what they say together, from one file, on one machine or a cluster."""
