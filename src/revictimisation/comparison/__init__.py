"""A new cohort held against a reference: from what runs left to rows of `comparison`."""
