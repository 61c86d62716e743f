"""From what agencies hand out to clean, linked, pseudonymised tables of the contract."""
