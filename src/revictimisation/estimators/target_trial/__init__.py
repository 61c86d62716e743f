"""A target trial by clones, censoring and weights: start within the grace time, or do not."""
