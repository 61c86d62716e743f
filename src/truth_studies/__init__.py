"""How the estimators did over many synthetic counties whose truth is known.

Of the researchers' own studies of the method, not of what a user imports: `revictimisation` works
without this package, and asks it in one place (`report.known_truth`). The commands that make the
kept tables lie in `benchmarks/`.
"""
