"""Whether people had the outcome by a day, where some are not followed to it and others compete.

Who has left (died, emigrated) before the day has not had it. Those of whom it is known stand for
those alike who were censored before (`censoring_weights`); without censoring this is a plain yes or
no. Whatever is a function of the weights moves with each person by the own outcome and through the
weights of others, which are estimated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.censoring_weights import CensoringWeights, weigh_known
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.logistic import LogisticFit, build_columns, fit_logistic
from revictimisation.estimators.standardised_odds import sum_by_cluster


@dataclass(frozen=True, eq=False)
class OutcomeByDay:
    """Who had the outcome by a day, of whom it is known.

    Attributes:
        is_event: the outcome on or before the day. known: weights of those of whom it is known.
        stop, cause: the end of follow-up, 0 censored, 1 the outcome, more: what competes.
        cluster: the victim of each. day: the day.
    """

    is_event: Flags
    known: CensoringWeights
    stop: Whole
    cause: Whole
    cluster: npt.NDArray[np.generic]
    day: int

    @property
    def weight(self) -> Floats:
        """0 where it is not known whether the outcome had come by the day."""
        return self.known.weight

    def take(self, chosen: Flags) -> OutcomeByDay:
        """Those chosen, weighed among themselves; raises as `observe`."""
        return observe(self.stop[chosen], self.cause[chosen], self.day, self.cluster[chosen])

    def move(self, slope: Floats) -> Floats:
        """What each person adds to numbers with these derivatives in each weight: people x numbers.

        By the own outcome, and through the weights of others.
        """
        scores = self.weight[:, None] * slope
        return scores + self.known.correct_scores(scores)

    def sum_up(self, value: npt.ArrayLike, moved: Floats) -> Estimate:
        """Numbers with their influence by victim."""
        return sum_by_cluster(Estimate(np.asarray(value, np.float64), moved), self.cluster)

    def average(self, amount: Floats) -> tuple[float, Floats]:
        """The weighted mean of an amount, and how each person moves it.

        Of the outcome itself it is the Aalen-Johansen risk.
        """
        total = self.weight.sum()
        mean = float((self.weight * amount).sum() / total)
        return mean, self.move(((amount - mean) / total)[:, None])[:, 0]

    def fit(self, terms: Floats) -> tuple[LogisticFit, Floats]:
        """The outcome on terms (people x terms), and what each adds to each coefficient.

        Raises:
            NotEstimableError: the model does not settle (`not_converged`).
        """
        fit = fit_logistic(build_columns(terms), self.is_event, self.weight)
        if not fit.is_converged:
            raise NotEstimableError("not_converged")
        rows = np.column_stack([np.ones(len(terms)), terms])
        moved = self.move((self.is_event - fit.chance)[:, None] * rows)
        return fit, np.einsum("ij,jk->ik", moved, fit.covariance)


def observe(
    stop: npt.ArrayLike, cause: npt.ArrayLike, day: int, cluster: npt.ArrayLike | None = None
) -> OutcomeByDay:
    """Find who had the outcome by a day.

    Args:
        stop, cause: as in `curves.aalen_johansen`; who is censored on the day itself is known to
            have been without. cluster: the victim of each; None: each row is one.

    Raises:
        NotEstimableError: nobody is followed to the day (`beyond_follow_up`), no events, or nothing
            but events, among those of whom it is known.

    Example:
        >>> observe([2, 5, 9, 9], [1, 0, 1, 0], 9).is_event.tolist()
        [True, False, True, False]
    """
    end, kind = np.asarray(stop, np.int64), np.asarray(cause, np.int64)
    known = weigh_known(end, kind, day)
    happened = (kind == 1) & (end <= day)
    if not happened.any():
        raise NotEstimableError("no_events")
    if happened[known.weight > 0].all():
        raise NotEstimableError("nothing_but_events")
    who = np.arange(len(end)) if cluster is None else np.asarray(cluster)
    return OutcomeByDay(happened, known, end, kind, who, day)
