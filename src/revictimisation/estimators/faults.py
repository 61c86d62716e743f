"""What the estimators raise when the data hold no answer."""

from __future__ import annotations

from revictimisation.core.errors import RevictimisationError


class NotEstimableError(RevictimisationError):
    """The data do not determine what was asked (no people, no events).

    A stage that catches it writes a row with status `not_estimable` and the message as its reason.
    Wrongly shaped arguments are a `ValueError` instead: a fault of the caller, not of the data.
    """
