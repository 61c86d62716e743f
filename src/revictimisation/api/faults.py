"""What the researcher's face raises beside `ValueError`: the data hold no answer."""

from revictimisation.estimators.faults import NotEstimableError

__all__ = ["NotEstimableError"]
