"""Two hazards of one cause, side by side: cause-specific, and Fine & Gray's subdistribution hazard.

The cause-specific hazard is that among people still free of every event; the subdistribution hazard
(Fine & Gray 1999) keeps those who had a competing event at risk, so that it follows the cumulative
incidence. A measure that lowers deaths can raise the second without touching the first: neither is
read alone.

Fitted as a weighted Cox model (Geskus 2011; R `survival::finegray`): after a competing event on day
T a person stays at risk, on day t with the weight G(t-) / G(T-), where G is the Kaplan-Meier curve
of being not yet censored. On a day the events come before the censored leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.design import Block, Design
from revictimisation.estimators.influence import Rows, check_rows, label_clusters, sum_at


def fit_fine_gray(
    design: Design,
    stop: npt.ArrayLike,
    cause: npt.ArrayLike,
    *,
    of_cause: int = 1,
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> CoxFit:
    """Fit Fine and Gray's model for the subdistribution hazard of `of_cause`.

    A row is a person, with covariates known on day 0 (after a competing event nobody knows what
    they would change to). The robust error sums over the rows of a cluster and takes the weights as
    known, as R's `coxph(Surv(fgstart, fgstop, fgstatus) ~ x, weights = fgwt, cluster = id)` on
    `finegray(Surv(time, cause) ~ .)`; equal to it to 1e-8 (tests/golden/recurrent). `se_model`
    ignores that a person has several rows: use `se_robust`. Cost: people, plus those with a
    competing event times the steps of G with an event after them.

    Args:
        design: the columns, a row per person.
        stop: whole days. cause: 0 censored, 1.. the cause of the event on day `stop`.
        of_cause: the cause modelled; all others compete.
        weights: case weights; they count in G as well.
        cluster: labels (the victim); None = each row by itself.

    Raises:
        NotEstimableError: nobody of positive weight, or no event of the cause.
        ValueError: as `influence.check_rows`.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> treated = design_from_array([[1.0], [0.0], [1.0], [0.0], [1.0]], ["treated"])
        >>> fit = fit_fine_gray(treated, [4, 3, 6, 5, 2], [1, 1, 0, 1, 2])
        >>> fit.to_frame()[["name", "coef", "status"]].round(4)
              name    coef status
        0  treated -1.4388     ok
    """
    rows, labels = _check(design, stop, cause, weights, cluster)
    expanded = expand_competing(rows, of_cause)
    return fit_cox(
        _repeat_design(design, expanded.row),
        expanded.start,
        expanded.stop,
        expanded.is_event,
        weights=expanded.weight,
        cluster=labels[expanded.row],
    )


def fit_cause_specific(
    design: Design,
    stop: npt.ArrayLike,
    cause: npt.ArrayLike,
    *,
    of_cause: int = 1,
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> CoxFit:
    """Fit the cause-specific hazard on the same rows: the other causes end follow-up.

    Arguments and errors as `fit_fine_gray`. For measures that change with time give episodes to
    `fit_cox` itself; this one stands beside Fine and Gray's.
    """
    rows, labels = _check(design, stop, cause, weights, cluster)
    is_event = rows.cause == of_cause
    return fit_cox(design, rows.start, rows.stop, is_event, weights=rows.weight, cluster=labels)


@dataclass(frozen=True, eq=False)
class Expanded:
    """Rows of follow-up, continued after a competing event; `row` = the row that each is of."""

    row: Whole
    start: Whole
    stop: Whole
    is_event: Flags
    weight: Floats


def expand_competing(rows: Rows, of_cause: int) -> Expanded:
    """Keep people at risk after a competing event, with weights that fall as others are censored.

    The added rows end on event days: one for each run of event days with the same G, from the
    first after the competing event to the last of all.
    """
    uncensored = _stay_uncensored(rows)
    is_event = rows.cause == of_cause
    event_days = np.unique(rows.stop[is_event & (rows.weight > 0)])
    is_last = np.append(np.diff(uncensored[event_days]) != 0, True)[: len(event_days)]
    until = event_days[is_last]
    is_used = rows.weight > 0
    competing = np.flatnonzero((rows.cause > 0) & (rows.cause != of_cause) & is_used)
    first = np.searchsorted(until, rows.stop[competing], side="right")
    n_more = len(until) - first
    owner = np.repeat(competing, n_more)
    ends = np.cumsum(n_more)
    step = np.arange(int(n_more.sum())) - np.repeat(ends - n_more - first, n_more)
    begin = np.append(0, until)[step]  # the end of the step before
    factor = uncensored[until[step]] / uncensored[rows.stop[owner]]
    return Expanded(
        row=np.concatenate([np.arange(len(rows.stop)), owner]),
        start=np.concatenate([rows.start, np.maximum(begin, rows.stop[owner])]),
        stop=np.concatenate([rows.stop, until[step]]),
        is_event=np.concatenate([is_event, np.zeros(len(owner), np.bool_)]),
        weight=np.concatenate([rows.weight, rows.weight[owner] * factor]),
    )


def _stay_uncensored(rows: Rows) -> Floats:
    """G(t-) by day: Kaplan-Meier of censoring, with the events of a day gone before it."""
    n_days = int(rows.stop.max()) + 1
    leave = sum_at(rows.stop, rows.weight, n_days)
    censored = sum_at(rows.stop, rows.weight * (rows.cause == 0), n_days)
    later = np.append(np.cumsum(leave[::-1])[::-1][1:], 0.0)
    at_risk = later + censored
    hazard = np.divide(censored, at_risk, out=np.zeros(n_days), where=censored > 0)
    stays: Floats = np.append(1.0, np.cumprod(1 - hazard)[:-1])
    return stays


def _check(
    design: Design,
    stop: npt.ArrayLike,
    cause: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
) -> tuple[Rows, Whole]:
    rows = check_rows(stop, cause, weights, None, None)
    if design.n_rows != len(rows.stop):
        raise ValueError(f"stop has {len(rows.stop)} values for {design.n_rows} people")
    return rows, label_clusters(cluster, len(rows.stop))


def _repeat_design(design: Design, rows: Whole) -> Design:
    """The design with its rows taken in the order of `rows`, as often as they are named."""
    own = design.own
    lengths = np.diff(own.indptr)[rows]
    indptr = np.append(0, np.cumsum(lengths)).astype(np.int64)
    shift = np.repeat(own.indptr[:-1][rows] - indptr[:-1], lengths)
    cells = np.arange(int(indptr[-1])) + shift
    block = Block(own.names, indptr, own.indices[cells], own.values[cells])
    return Design(design.base, block, design.rows[rows], design.dropped)
