"""Question 4."""
def expect_courts(reading): return {}
