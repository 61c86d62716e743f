"""What an estimator is told of a study's gates: limits by name, wherever they were written down."""

from __future__ import annotations

from typing import Protocol


class Gates(Protocol):
    """The limits that a comparison must keep (`revictimisation.plan.Gates` says what each means).

    >>> from revictimisation.plan import Gates as Written
    >>> gates: Gates = Written()
    >>> gates.exposed_victims
    15.0
    """

    @property
    def largest_standardised_difference(self) -> float: ...  # noqa: D102
    @property
    def effective_sample_size(self) -> float: ...  # noqa: D102
    @property
    def events_per_arm(self) -> float: ...  # noqa: D102
    @property
    def share_outside_support(self) -> float: ...  # noqa: D102
    @property
    def minimum_detectable_difference(self) -> float: ...  # noqa: D102
    @property
    def exposed_victims(self) -> float: ...  # noqa: D102
    @property
    def failed_replicates(self) -> float: ...  # noqa: D102
    @property
    def largest_disagreement(self) -> float: ...  # noqa: D102
    @property
    def same_day_starts(self) -> float: ...  # noqa: D102
