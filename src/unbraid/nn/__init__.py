"""Networks, distributions and likelihoods: the mathematics that models share."""
