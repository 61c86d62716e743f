"""Standardised chances from a logistic model: what goes together with what, in plain shares.

A logistic model of the outcome by a day is fitted to those of whom it is known, weighted for those
who are censored (`censoring_weights`). Each person's chance is then predicted as if all had started
the measure, and as if none had, and the means are compared: risk difference and odds ratio of the
standardised risks (not the model's coefficient, which depends on what else is in the model).

Errors sum influence by cluster. With s a person's weighted score and H the information, the mean
chance r moves by (p - r) + D' H^-1 s, D the mean derivative of p in the coefficients; residuals are
divided by 1 less their leverage, which is what leaving the person out would give, and what keeps
intervals honest with many coefficients to few events (Mancl & DeRouen 2001, Biometrics 57:126).
Estimating the censoring weights is allowed for.

*By another way* (`split_ways`): with a yes/no mediator M, the difference in standardised chance is
split into what goes through M and what does not, by the mediation formula

    E[Y(a, M(a'))] = mean of sum over m of P(Y | a, m, x) P(M = m | a', x)

(Pearl 2001; VanderWeele & Vansteelandt 2010, Am J Epidemiol 172:1339). Read causally it supposes
that nothing unmeasured drives measure and outcome, measure and mediator, or mediator and outcome,
and that nothing the measure changes drives both the mediator and the outcome; without the last it
is an interventional effect at best (VanderWeele, Vansteelandt & Robins 2014, Epidemiology 25:300).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators.censoring_weights import CensoringWeights
from revictimisation.estimators.inference import Estimate, stack
from revictimisation.estimators.influence import label_clusters
from revictimisation.estimators.logistic import (
    Columns,
    LogisticFit,
    Units,
    fit_logistic,
    standardise_columns,
)

LARGEST_LEVERAGE = 0.9


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model, and what each person adds to its score: `residual` times the row.

    `units`: what its columns were given in; `weights`: the censoring weights it was fitted with, if
    any.
    """

    columns: Columns
    units: Units
    fit: LogisticFit
    residual: Floats
    weights: CensoringWeights | None

    def move(self, derivative: Floats) -> Floats:
        """How each person moves what has this derivative in the coefficients."""
        direction = np.einsum("ij,j->i", self.fit.covariance, derivative)
        moved = self.residual * self.columns.times(direction)
        if self.weights is None:
            return moved
        return moved + self.weights.correct_scores(moved[:, None])[:, 0]

    def predict(self, values: Mapping[int, float]) -> tuple[Floats, Floats]:
        """Each person's chance with columns set to values; and their derivatives' weights."""
        inside = self._enter(values)
        held = self.fit.coef.copy()
        held[list(inside)] = 0.0
        line = self.columns.times(held) + sum(self.fit.coef[k] * inside[k] for k in inside)
        chance = 1.0 / (1.0 + np.exp(-line))
        return chance, chance * (1 - chance)

    def mean_derivative(self, slope: Floats, values: Mapping[int, float]) -> Floats:
        """Mean over people of slope times the row, with these columns set."""
        n = len(slope)
        total = self.columns.sum_rows(slope)
        for column, value in self._enter(values).items():
            total[column] = value * slope.sum()
        return total / n

    def _enter(self, values: Mapping[int, float]) -> dict[int, float]:
        """Values of columns in the units that these were fitted in."""
        centre, scale = self.units.centre, self.units.scale
        return {k: (value - centre[k]) / scale[k] for k, value in values.items()}


def fit_model(
    columns: Columns, is_event: npt.ArrayLike, weights: CensoringWeights | None, *,
    is_firth: bool, counted: Flags | None = None, start: Floats | None = None,
    is_small_sample: bool = True,
) -> Model:  # fmt: skip
    """Fit a weighted logistic model, keeping what each person adds to its score.

    Numbers among the columns are kept in units of their own (0 and 1 stay as they are), so that
    neither coefficients nor errors lose digits to a unit or a zero far away.

    Args:
        columns: a row per person. weights: None: everybody counts once.
        counted: who counts at all (None: all).
        start: coefficients of an earlier model of the same columns to start the search from.
        is_small_sample: divide residuals by 1 less their leverage; without it errors are those of
            the infinitesimal jackknife.

    Raises:
        NotEstimableError: no events, or nothing but events.
    """
    event = np.asarray(is_event, dtype=np.float64)
    weight = np.ones(len(event)) if weights is None else weights.weight
    if counted is not None:
        weight = np.where(counted, weight, 0.0)
    columns, units = standardise_columns(columns)
    fit = fit_logistic(columns, event, weight, is_firth=is_firth, start=start)
    residual = weight * (event - fit.chance)
    if is_small_sample:
        residual = residual / (1.0 - np.minimum(fit.leverage, LARGEST_LEVERAGE))
    return Model(columns, units, fit, residual, weights)


def standardise(model: Model, column: int) -> Estimate:
    """The mean chance with a column at 1 and at 0; influence by person."""
    return standardise_at(model, ({column: 1.0}, {column: 0.0}))


def standardise_at(model: Model, settings: Sequence[Mapping[int, float]]) -> Estimate:
    """The mean chance with columns set to values, a number a setting; influence by person.

    The mean is over all rows of the model's columns, those that did not count in its fit as well.
    """
    found = []
    for values in settings:
        chance, slope = model.predict(values)
        found.append(_average(chance, model.move(model.mean_derivative(slope, values))))
    return stack(found)


def split_ways(outcome: Model, mediator: Model, column: int, middle: int) -> dict[str, Estimate]:
    """Split a standardised difference into what goes through a yes/no mediator and the rest.

    Args:
        outcome: its model, with the measure in `column` and the mediator in `middle`.
        mediator: its model, with the measure in the same `column`.

    Returns:
        Pairs, as `standardise`. `through`: all with the measure, the mediator as with against as
        without it; `other`: the mediator as without the measure, all with against all without.
        Their differences add up to the whole.
    """
    means: dict[tuple[int, int], Estimate] = {}
    for a in (0, 1):
        has, has_not = {column: a, middle: 1}, {column: a, middle: 0}
        (yes, slope_yes), (no, slope_no) = outcome.predict(has), outcome.predict(has_not)
        for b in (0, 1):
            share, slope_share = mediator.predict({column: b})
            by_outcome = outcome.mean_derivative(slope_yes * share, has)
            by_outcome += outcome.mean_derivative(slope_no * (1 - share), has_not)
            by_mediator = mediator.mean_derivative((yes - no) * slope_share, {column: b})
            moved = outcome.move(by_outcome) + mediator.move(by_mediator)
            means[a, b] = _average(yes * share + no * (1 - share), moved)
    return {
        "through": stack([means[1, 1], means[1, 0]]), "other": stack([means[1, 0], means[0, 0]])
    }  # fmt: skip


def _average(values: Floats, moved: Floats) -> Estimate:
    """The mean of predicted values that the models' coefficients move as well."""
    return Estimate(values.mean(), (values - values.mean()) / len(values) + moved)


def sum_by_cluster(estimate: Estimate, cluster: npt.ArrayLike) -> Estimate:
    """With the influence by cluster, times the root of n / (n - 1), of influence by person."""
    assert estimate.influence is not None
    summed = estimate.by_cluster(label_clusters(cluster, len(estimate.influence)))
    assert summed.influence is not None
    n = len(summed.influence)
    return replace(summed, influence=np.sqrt(n / max(n - 1, 1)) * summed.influence)
