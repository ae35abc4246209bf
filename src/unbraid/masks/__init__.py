"""Random masks over any number of dimensions, whole batches at a time and on the device where they are used."""
