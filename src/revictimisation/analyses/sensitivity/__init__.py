"""What would have to be otherwise for an answer to be wrong."""
