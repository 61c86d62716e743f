"""Question 4: what followed in court."""
