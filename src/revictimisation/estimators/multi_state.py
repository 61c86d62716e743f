"""Where a process stands over time: Aalen-Johansen for any number of states.

Between days nothing moves. On an event day v the share in state h goes to state k in proportion to
dA_hk(v) = dN_hk(v) / Y_h(v), transitions over those at risk in h, so that the shares by day t are

    p(t) = p(0) prod over v <= t of (I + dA(v))                          (Aalen & Johansen 1978).

The derivative of p(t) in the weight of a person is a sum over the person's sojourns. With P(v, t)
the product over the days after v,

    a transition h -> k on day v     p_h(v-) / Y_h(v) (P_k(v, t) - P_h(v, t))
    being at risk in h on day v      - p_h(v-) / Y_h(v) sum over k of dA_hk(v) (P_k - P_h)
    the state on day 0               (1{in h} - p_h(0)) / n  times  P_h(0, t)

so a person costs a look-up per sojourn, whatever the number of days. The infinitesimal jackknife
covariance is the sum over clusters of the squared sums (R: `survfit(Surv(start, stop, state) ~ 1,
id = , istate = , influence = TRUE)`, its influence summed by cluster).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Floats, Whole
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate, sum_clusters
from revictimisation.estimators.influence import label_clusters

ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class StateShares:
    """Shares of people in each state.

    Attributes:
        days: the days asked for.
        share: days x states.
        covariance: days x states x states, by cluster.
    """

    days: Whole
    share: Floats
    covariance: Floats

    def total(self, states: Sequence[int]) -> Estimate:
        """The share in any of these states on each day."""
        pick = np.zeros(self.share.shape[1])
        pick[list(states)] = 1.0
        estimate = self.share @ pick
        # nobody and everybody are exact, whatever rounding has left of them
        for whole in (0.0, 1.0):
            estimate = np.where(np.abs(estimate - whole) < ROUNDING, whole, estimate)
        variance = np.einsum("i,tij,j->t", pick, self.covariance, pick)
        return Estimate.with_error(estimate, np.sqrt(np.maximum(variance, 0.0)))


@dataclass(frozen=True, eq=False)
class _Sojourns:
    """Time in a state, (start, stop]; on `stop` to the state `next`, or -1: censored."""

    person: Whole
    start: Whole
    stop: Whole
    state: Whole
    next: Whole


def follow_states(
    first_state: npt.ArrayLike,
    end_day: npt.ArrayLike,
    person: npt.ArrayLike,
    day: npt.ArrayLike,
    state: npt.ArrayLike,
    *,
    at_days: Sequence[int],
    n_states: int,
    cluster: npt.ArrayLike | None = None,
) -> StateShares:
    """Estimate the share of people in each state on each of some days.

    People are followed from day 0, in `first_state`, to their `end_day`, on which they are
    censored whatever the state. On a day the transitions come first, then the censored leave.

    Args:
        first_state, end_day: by person; the state (0 to `n_states` - 1) at the end of day 0, and
            the last day seen, 0 or later.
        person, day, state: a row per change of state: the person's place, the day (1 or later, not
            after the end; each person's days distinct), the new state.
        at_days: days to report. Past the last day seen the shares stay where they were.
        cluster: labels by person (the victim); None: each person alone.

    Raises:
        NotEstimableError: nobody.
        ValueError: a change outside follow-up, or two of one person on one day.

    Example:
        >>> shares = follow_states([0, 0, 0, 0], [9, 9, 3, 9], [0, 1, 1], [2, 4, 6], [1, 1, 2],
        ...                        at_days=[5, 9], n_states=3)
        >>> shares.share.round(4)
        array([[0.375 , 0.625 , 0.    ],
               [0.375 , 0.3125, 0.3125]])
    """
    first, end = np.asarray(first_state, np.int64), np.asarray(end_day, np.int64)
    if not len(first):
        raise NotEstimableError("no people: shares can't be estimated")
    rows = _build_sojourns(first, end, *(np.asarray(x, np.int64) for x in (person, day, state)))
    groups = label_clusters(cluster, len(first))
    days, step, at_risk = _tabulate(rows, n_states)
    start = np.bincount(first, minlength=n_states) / len(first)
    before = _walk(start, step)
    found = [_at_day(rows, first, groups, days, step, at_risk, before, int(one)) for one in at_days]
    return StateShares(
        np.asarray(at_days, np.int64),
        np.array([one for one, _ in found]).reshape(-1, n_states),
        np.array([one for _, one in found]).reshape(-1, n_states, n_states),
    )


def _build_sojourns(first: Whole, end: Whole, person: Whole, day: Whole, state: Whole) -> _Sojourns:
    """Cut follow-up at each change; the last piece of a person is censored."""
    if len(day) and ((day < 1) | (day > end[person])).any():
        raise ValueError("a change of state lies outside follow-up")
    n = len(first)
    whose = np.concatenate([np.arange(n), person])
    begin = np.concatenate([np.zeros(n, np.int64), day])
    entered = np.concatenate([first, state])
    order = np.lexsort((begin, whose))
    whose, begin, entered = whose[order], begin[order], entered[order]
    is_last = np.append(whose[1:] != whose[:-1], True)
    stop = np.where(is_last, end[whose], np.append(begin[1:], 0))
    if (~is_last & (stop == begin)).any():
        raise ValueError("two changes of state of one person on one day")
    following = np.where(is_last, -1, np.append(entered[1:], -1))
    return _Sojourns(whose, begin, stop, entered, following)


def _tabulate(rows: _Sojourns, n_states: int) -> tuple[Whole, Floats, Floats]:
    """Days with a transition, dA on each (days x states x states), and the numbers at risk."""
    moved = (rows.next >= 0) & (rows.next != rows.state)
    days, place = np.unique(rows.stop[moved], return_inverse=True)
    counts = np.zeros((len(days), n_states, n_states))
    np.add.at(counts, (place, rows.state[moved], rows.next[moved]), 1.0)
    at_risk = np.zeros((len(days), n_states))
    for state in range(n_states):
        mine = rows.state == state
        begun = np.searchsorted(np.sort(rows.start[mine]), days, side="left")
        left = np.searchsorted(np.sort(rows.stop[mine]), days, side="left")
        at_risk[:, state] = begun - left
    step = counts / np.where(at_risk > 0, at_risk, 1.0)[:, :, None]
    own = np.arange(n_states)
    step[:, own, own] = -step.sum(axis=2)
    return days, step, at_risk


def _walk(start: Floats, step: Floats) -> Floats:
    """The shares just before each event day, and after the last."""
    shares = np.empty((len(step) + 1, len(start)))
    shares[0] = start
    for place, change in enumerate(step):
        shares[place + 1] = shares[place] + shares[place] @ change
    return shares


def _at_day(
    rows: _Sojourns, first: Whole, groups: Whole, days: Whole, step: Floats, at_risk: Floats,
    before: Floats, until: int,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Shares on one day, and their covariance."""
    n_days = int(np.searchsorted(days, until, side="right"))
    n_states = before.shape[1]
    after, drift = _look_ahead(step[:n_days], before, at_risk)
    # a person's sums: the state on day 0, time at risk, own transitions
    own = np.eye(n_states)[first] - before[0]
    moved = (own @ after[0]) / len(first)
    low = np.searchsorted(days[:n_days], rows.start, side="right")
    high = np.searchsorted(days[:n_days], rows.stop, side="right")
    spent = drift[low, rows.state] - drift[high, rows.state]
    goes = np.flatnonzero((rows.next >= 0) & (rows.next != rows.state) & (rows.stop <= until))
    at, h, k = high[goes] - 1, rows.state[goes], rows.next[goes]
    weight = before[at, h] / at_risk[at, h]
    spent[goes] += weight[:, None] * (after[at + 1, k] - after[at + 1, h])
    sums = sum_clusters(moved, groups) + sum_clusters(spent, groups[rows.person])
    # einsum adds in order: the result must not hang on a linear algebra library's threads
    return before[n_days], np.einsum("ci,cj->ij", sums, sums)


def _look_ahead(step: Floats, before: Floats, at_risk: Floats) -> tuple[Floats, Floats]:
    """For place d: the product over the days from d on, and the drift of all days before d."""
    n_days, n_states = len(step), before.shape[1]
    after = np.empty((n_days + 1, n_states, n_states))
    after[n_days] = np.eye(n_states)
    for place in range(n_days - 1, -1, -1):
        after[place] = after[place + 1] + step[place] @ after[place + 1]
    # sum over k of dA_hk (P_k - P_h): the diagonal of dA is minus the sum of its row
    pull = step @ after[1:]
    weight = before[:n_days] / np.where(at_risk[:n_days] > 0, at_risk[:n_days], 1.0)
    drift = np.zeros((n_days + 1, n_states, n_states))
    np.cumsum(weight[:, :, None] * pull, axis=0, out=drift[1:])
    return after, drift
