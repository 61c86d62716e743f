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
    def largest_standardised_difference(self) -> float:
        """The largest that covariates of an arm may still differ by when weighted."""

    @property
    def effective_sample_size(self) -> float:
        """The least that the weighted people of an arm may count for."""

    @property
    def events_per_arm(self) -> float:
        """The fewest events on either side."""

    @property
    def share_outside_support(self) -> float:
        """The largest share of people whose like are not in the other arm."""

    @property
    def minimum_detectable_difference(self) -> float:
        """The largest difference that may go unnoticed."""

    @property
    def exposed_victims(self) -> float:
        """The fewest victims with the measure."""

    @property
    def failed_replicates(self) -> float:
        """The largest share of the bootstrap's without an answer."""

    @property
    def largest_disagreement(self) -> float:
        """How many standard errors the ways of estimation may lie apart."""

    @property
    def tolerated_disagreement(self) -> float:
        """Differences between them up to this never count."""

    @property
    def same_day_starts(self) -> float:
        """The largest share of starts on the day of another measure."""
