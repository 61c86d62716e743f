"""The study's questions, each an analysis from the study's data to rows of results."""
