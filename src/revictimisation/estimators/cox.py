"""The Cox model for (start, stop] episodes, fitted from per-day tables.

Ours, because for start-stop data the libraries at hand are wrong or too slow (measured on R's
`bladder2`, Andersen-Gill, rx): lifelines 0.30.3 `CoxPHFitter(entry_col, cluster_col)` gives a
robust error of 0.2105 where R gives 0.2656, its `CoxTimeVaryingFitter` has none and takes 15 s at
10,000 people; statsmodels 0.15 `PHReg(entry=)` counts a person as at risk at exactly the entry time
(-0.4570 where -0.4647 is right) and gives NaN with strata and groups.

Days are integers, so a Newton step needs only sums per event day over those who enter and leave; no
sweep over risk sets (see `kernels`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole
from revictimisation.estimators import kernels
from revictimisation.estimators.cox_data import CoxData, check_episodes, prepare_data
from revictimisation.estimators.cox_leverage import correct_column
from revictimisation.estimators.design import Design
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import LEVEL, normal_quantile, t_quantile
from revictimisation.estimators.newton import Search, State, maximise


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model; arrays in the order of `names`.

    Attributes:
        names: columns of the design.
        coef: log hazard ratios; NaN where aliased, plus or minus infinity where infinite.
        se_model, se_robust: standard errors from the information, and from Lin and Wei's sandwich
            summed by cluster (None without `cluster`); NaN where the coefficient is not `ok`.
        vcov_model, vcov_robust: their covariance matrices.
        loglik_null, loglik: log partial likelihood at zero and at the estimate.
        n_rows, n_events: episodes and events of positive weight, unweighted.
        n_clusters: clusters with an episode of positive weight; None without `cluster`.
        n_iterations: Newton steps. is_converged: whether the last one changed nothing that matters.
        coef_status: `ok`, `aliased` (depends on the columns before it) or `infinite` (the
            likelihood rises for ever: no events, or all of them, among the exposed).
        aliases: for each aliased column the columns it depends on. What they say is then a
            choice of coding, not a finding.
        corrected: of the columns that were asked for, the error by the jackknife of clusters and
            its degrees of freedom (`small_sample`); of others the robust one stands.
    """

    names: tuple[str, ...]
    coef: Floats
    se_model: Floats
    se_robust: Floats | None
    vcov_model: Floats
    vcov_robust: Floats | None
    loglik_null: float
    loglik: float
    n_rows: int
    n_events: int
    n_clusters: int | None
    n_iterations: int
    is_converged: bool
    coef_status: tuple[str, ...]
    aliases: dict[str, tuple[str, ...]]
    corrected: dict[str, tuple[float, float]]

    def estimate(self, column: str) -> tuple[Estimate, Floats]:
        """A coefficient, and how many of its robust (else model) errors a 95 % interval reaches.

        1.96, or Student's quantile of the jackknife's errors where it is corrected for few.
        """
        place = self.names.index(column)
        se = (self.se_model if self.se_robust is None else self.se_robust)[[place]]
        jackknife, freedom = self.corrected.get(column, (se, np.inf))
        quantile = t_quantile([freedom])
        ratio = np.divide(jackknife, se, out=np.ones_like(se), where=se > 0)
        return Estimate.with_error(self.coef[[place]], se), quantile * ratio

    def to_frame(self, level: float = LEVEL) -> pd.DataFrame:
        """A row per coefficient: name, coef, se_model, se_robust, ci_low, ci_high, status.

        The interval is Wald's on the log scale, with the robust error where there is one.
        """
        robust = self.se_model if self.se_robust is None else self.se_robust
        wald = Estimate.with_error(self.coef, robust).interval(quantile=normal_quantile(level))
        return pd.DataFrame(
            {
                "name": list(self.names),
                "coef": self.coef,
                "se_model": self.se_model,
                "se_robust": np.nan if self.se_robust is None else self.se_robust,
                "ci_low": wald.low,
                "ci_high": wald.high,
                "status": list(self.coef_status),
            }
        )


def fit_cox(
    design: Design,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    is_event: npt.ArrayLike,
    *,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    corrected: Collection[str] = (),
) -> CoxFit:
    """Fit a Cox model to episodes (start, stop]; with recurrent events it is Andersen-Gill's.

    A row is an episode of a person with constant covariates. It is at risk on day t if
    start < t <= stop; an event is on its last day. Later entry than day 0 is left truncation. Ties
    by Efron's method, with R's rule for weights (a tied event counts with the mean weight of its
    day and stratum). The robust error sums weighted score residuals over the episodes of
    a cluster (Lin & Wei 1989; Therneau & Grambsch 2000, section 7.2), as R's
    `coxph(Surv(start, stop, event) ~ x + strata(s), weights = w, cluster = id)`; equal to it to
    1e-9 (tests/golden).

    Args:
        design: the columns, `design.n_rows` episodes; none at all is legal.
        start, stop: whole days, start < stop.
        is_event: true or 1 where the episode ends in an event.
        strata: any labels; each has a baseline hazard of its own.
        weights: case weights, 0 or more; episodes of weight 0 are left out.
        cluster: any labels (the victim); None = no robust errors.
        corrected: columns that also have errors for few clusters (`cox_leverage`).

    Raises:
        NotEstimableError: no episodes of positive weight, or no events.
        ValueError: arrays of unequal length, days that are not whole, a stop not after its start,
            negative or missing weights, missing strata or clusters.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> treated = design_from_array([[1.0], [0.0], [1.0], [0.0]], ["treated"])
        >>> fit = fit_cox(treated, [0, 0, 0, 0], [4, 3, 6, 5], [1, 1, 0, 1], cluster=[1, 2, 3, 4])
        >>> fit.to_frame()[["name", "coef", "status"]].round(4)
              name    coef status
        0  treated -0.9406     ok
    """
    episodes = check_episodes(design.n_rows, start, stop, is_event, strata, weights, cluster)
    data = prepare_data(design, episodes)
    return _describe(data, maximise(data), corrected)


def _describe(data: CoxData, search: Search, corrected: Collection[str]) -> CoxFit:
    """Back to the units of the caller; what can't be estimated is marked."""
    state = search.state
    lost = search.is_aliased | search.is_infinite
    coef = np.where(search.is_infinite, np.copysign(np.inf, state.beta), state.beta / data.scale)
    coef[search.is_aliased] = np.nan
    robust, n_clusters = None, None
    if data.cluster is not None:
        robust, n_clusters = _sandwich(data, state, search.covariance, data.cluster)
        robust = _unscale(robust, data.scale, lost)
    model = _unscale(search.covariance, data.scale, lost)
    status = np.where(search.is_aliased, "aliased", np.where(search.is_infinite, "infinite", "ok"))
    return CoxFit(
        names=data.names,
        coef=coef,
        se_model=np.sqrt(np.diag(model)),
        se_robust=None if robust is None else _root_diagonal(robust),
        vcov_model=model,
        vcov_robust=robust,
        loglik_null=search.loglik_null,
        loglik=state.loglik,
        n_rows=len(data.rows),
        n_events=int(data.is_event.sum()),
        n_clusters=n_clusters,
        n_iterations=search.n_iterations,
        is_converged=search.is_converged,
        coef_status=tuple(str(word) for word in status),
        aliases=search.aliases,
        corrected={
            name: correct_column(data, state, search.covariance, place)
            for place, name in enumerate(data.names)
            if data.cluster is not None and name in corrected and not lost[place]
        },
    )


def _root_diagonal(covariance: Floats) -> Floats:
    """Errors from a covariance; none where rounding has left a variance below 0."""
    variance = np.diag(covariance)
    return np.sqrt(np.where(variance >= 0, variance, np.nan))


def _unscale(covariance: Floats, scale: Floats, lost: Flags) -> Floats:
    matrix = covariance / np.outer(scale, scale)
    matrix[lost, :] = np.nan
    matrix[:, lost] = np.nan
    return matrix


def _sandwich(
    data: CoxData, state: State, covariance: Floats, cluster: Whole
) -> tuple[Floats, int]:
    """Lin and Wei's covariance: weighted dfbeta residuals summed by cluster, squared."""
    meat, n_clusters = sum_score_squares(data, state, cluster)
    return np.einsum("ij,jk,kl->il", covariance, meat, covariance), n_clusters


def sum_score_squares(data: CoxData, state: State, cluster: Whole) -> tuple[Floats, int]:
    """The products of weighted score residuals, summed by cluster; and the number of clusters.

    Nothing of it is known where a coefficient has run so far that a hazard is beyond all numbers.
    """
    if not np.isfinite(state.table).all():
        return np.full_like(state.info, np.nan), len(np.unique(cluster))
    slots, table = data.slots, state.table
    h, rho, q0, q1, q2 = (table[:, k, None] for k in range(5))
    tied = np.where(slots.weight_tied > 0, slots.weight_tied, 1.0)[:, None]
    means = slots.sum_forwards(q0 * state.s1 - q1 * state.d1)
    by_slot = (means, q1 * state.s1 - q2 * state.d1, (h * state.s1 - rho * state.d1) / tied)
    is_together = bool((cluster[1:] >= cluster[:-1]).all())
    order = np.empty(0, np.int64) if is_together else np.argsort(cluster, kind="stable")
    episodes = (data.rows, slots.low, slots.high, state.r, data.weights, data.is_event)
    hazard = (state.cumulated, np.ascontiguousarray(table[:, 1]))
    meat, n_clusters = kernels.sum_score_squares(
        order, cluster, *episodes, *hazard, data.base, data.own, data.n_base, by_slot
    )
    return meat, int(n_clusters)
