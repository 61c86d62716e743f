"""Does a predicted risk hold in people it was not learnt from, at a day, with others competing.

Somebody else's model says that a person has risk p of the outcome by a day. Here p is held against
what happened to people whom the model never saw; death and emigration compete (who has left has not
had the outcome by the day), and some are not followed to the day. Those of whom it is known stand
for those alike who were censored (`censoring_weights`), so without censoring everything is what it
is for a plain yes or no. What is asked of a predicted risk with competing events, and in which
order, follows van Geloven, Giardiello, Bonneville, Teece, Ramspek, van Smeden, Snell, van Calster,
Pohar-Perme, Riley, Putter & Steyerberg (2022), BMJ 377:e069249:

- **in the large**: the share that had the outcome (Aalen-Johansen) less the mean predicted, and the
  one over the other;
- **intercept and slope**: logit P(outcome by the day) = a + b logit p (Cox 1958); a with b held at
  1, then both. They let a risk *recalibrated* be given. Logistic with these weights, in place of
  that paper's pseudo-observations with a complementary log-log link: the scale that a risk by a day
  is modelled on here (Blanche, Holt & Scheike 2023), so a slope of 1 is what the model says;
- **curve**: the same with a restricted cubic spline of logit p (Harrell 2015; of a complementary
  log-log in Austin, Putter, Giardiello & van Klaveren 2022, Diagn Progn Res 6:2), and, without any
  model, Aalen-Johansen in groups of people by their predicted risk;
- **discrimination**: the chance that who had the outcome by the day was predicted a higher risk
  than who had not, those who left before it among the latter (Blanche, Dartigues & Jacqmin-Gadda
  2013, Stat Med 32:5381, definition ii); equal predictions count a half. Not a c-index, which a
  wrong risk of a given day may maximise (Blanche, Kattan & Gerds 2019, Biostatistics 20:347);
- **Brier score** (Gerds & Schumacher 2006) and the share of it that the predictions save.

Errors sum influence by victim (`standardised_odds.sum_by_cluster`) and allow for the weights' being
estimated; the predictions themselves count as known, whoever's they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.estimators.curves import aalen_johansen
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.outcome_by_day import OutcomeByDay, observe
from revictimisation.estimators.splines import bend, place_knots

# So near to 0 or 1 a predicted risk is taken as this: its logit must be a number.
EDGE = 1e-6
N_KNOTS = 4
STEPS, DONE = 100, 1e-12


@dataclass(frozen=True, eq=False)
class Predictions:
    """People's predicted risks of the outcome by a day, and what became of them.

    Attributes:
        risk: predicted, within `EDGE` of 0 and 1. outcome: who had it, of whom it is known.
    """

    risk: Floats
    outcome: OutcomeByDay

    @cached_property
    def line(self) -> Floats:
        """The logit of each risk."""
        return _logit(self.risk)


def hold_against(
    risk: npt.ArrayLike,
    stop: npt.ArrayLike,
    cause: npt.ArrayLike,
    day: int,
    cluster: npt.ArrayLike | None = None,
) -> Predictions:
    """Put predicted risks beside what happened.

    Args:
        risk: 0..1, of the outcome on or before `day`. The others: as in `observe`.

    Raises:
        NotEstimableError: as `observe`. ValueError: a risk that is no share.
    """
    predicted = np.asarray(risk, np.float64)
    if not ((predicted >= 0) & (predicted <= 1)).all():
        raise ValueError("a predicted risk lies between 0 and 1")
    return Predictions(np.clip(predicted, EDGE, 1 - EDGE), observe(stop, cause, day, cluster))


def calibrate_in_the_large(people: Predictions) -> Estimate:
    """Observed less predicted, the logarithm of observed over predicted, and both: four numbers.

    In this order: difference, logarithm of the ratio, observed (the Aalen-Johansen risk), predicted
    (the mean over all, those censored among them).

    >>> people = hold_against([0.2, 0.2, 0.4, 0.4], [9, 3, 9, 5], [0, 1, 0, 1], 9)
    >>> calibrate_in_the_large(people).value.round(3).tolist()
    [0.2, 0.511, 0.5, 0.3]
    """
    observed, seen = people.outcome.average(people.outcome.is_event.astype(np.float64))
    predicted = float(people.risk.mean())
    said = (people.risk - predicted) / len(people.risk)
    value = [observed - predicted, np.log(observed / predicted), observed, predicted]
    moved = [seen - said, seen / observed - said / predicted, seen, said]
    return people.outcome.sum_up(value, np.column_stack(moved))


@dataclass(frozen=True, eq=False)
class Recalibration:
    """logit P(outcome) = shift + slope x logit p: `coefficients` are shift and slope.

    With `has_slope` false the slope is 1 and moves with nobody.
    """

    coefficients: Estimate
    has_slope: bool

    def apply(self, risk: npt.ArrayLike) -> Estimate:
        """Recalibrated risks, with the influence of those whom it was recalibrated on.

        >>> whole = Recalibration(Estimate(np.array([0.0, 2.0]), np.zeros((1, 2))), True)
        >>> whole.apply([0.5, 0.2]).value.round(4)
        array([0.5   , 0.0588])
        """
        line = _logit(np.clip(np.asarray(risk, np.float64), EDGE, 1 - EDGE))
        moved = self.coefficients.influence
        assert moved is not None
        shift, slope = self.coefficients.value
        found = _expit(shift + slope * line)
        by_line = moved[:, :1] + moved[:, 1:] * line
        return Estimate(found, by_line * (found * (1 - found)))


def recalibrate(people: Predictions, *, has_slope: bool) -> Recalibration:
    """The calibration intercept with the slope held at 1, or both.

    A shift above 0: more have the outcome than predicted. A slope below 1: high risks were
    predicted too high and low ones too low.

    Raises:
        NotEstimableError: with a slope, all were predicted the same (`risks_alike`), or the model
            does not settle (`not_converged`).

    Example:
        >>> people = hold_against([0.5] * 4, [9, 3, 4, 5], [0, 1, 1, 1], 9)
        >>> float(recalibrate(people, has_slope=False).coefficients.value[0].round(4))  # log 3
        1.0986
    """
    if not has_slope:
        shift = _find_shift(people)
        chance = _expit(people.line + shift)
        moved = people.outcome.move((people.outcome.is_event - chance)[:, None])
        moved /= (people.outcome.weight * chance * (1 - chance)).sum()
        whole = np.column_stack([moved, np.zeros(len(moved))])
        return Recalibration(people.outcome.sum_up([shift, 1.0], whole), has_slope=False)
    _refuse_alike(people)
    fit, moved = people.outcome.fit(people.line[:, None])
    return Recalibration(people.outcome.sum_up(fit.coef, moved), has_slope=True)


def _refuse_alike(people: Predictions) -> None:
    if np.ptp(people.line[people.outcome.weight > 0]) <= EDGE:
        raise NotEstimableError("risks_alike")


def _find_shift(people: Predictions) -> float:
    """By Newton's method, from the ratio of odds on."""
    weight, event, shift = people.outcome.weight, people.outcome.is_event, 0.0
    for _ in range(STEPS):
        chance = _expit(people.line + shift)
        score = (weight * (event - chance)).sum()
        step = score / (weight * chance * (1 - chance)).sum()
        shift += float(np.clip(step, -2.0, 2.0))
        if abs(step) < DONE:
            break
    return shift


def find_misfit(weak: Recalibration) -> float:
    """The p-value that shift is 0 and slope 1: whether the predictions fit but for chance.

    Wald's, two degrees of freedom; the predictions count as known.
    """
    gap = weak.coefficients.value - [0.0, 1.0]
    statistic = gap @ np.linalg.solve(weak.coefficients.covariance, gap)
    return float(np.exp(-statistic / 2))


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Observed against predicted risk: `observed` at `predicted`, with influence by victim.

    `mean_gap`: the mean over people of how far the curve lies from what was predicted, in either
    direction (the integrated calibration index, Austin & Steyerberg 2019, Stat Med 38:4051).
    """

    predicted: Floats
    observed: Estimate
    mean_gap: float


def draw_curve(people: Predictions, at: npt.ArrayLike) -> CalibrationCurve:
    """The smooth calibration curve at predicted risks.

    A restricted cubic spline of logit p with 4 knots at quantiles of those of whom the outcome is
    known, fewer where predictions are few.

    Raises:
        NotEstimableError: as `recalibrate` with a slope.
    """
    _refuse_alike(people)
    knots = place_knots(people.line[people.outcome.weight > 0], N_KNOTS)

    def spread(line: Floats) -> Floats:
        return np.column_stack([line, bend(line, knots)])

    fit, moved = people.outcome.fit(spread(people.line))
    asked = np.clip(np.asarray(at, np.float64), EDGE, 1 - EDGE)
    rows = np.column_stack([np.ones(len(asked)), spread(_logit(asked))])
    value = _expit(rows @ fit.coef)
    by_line = np.einsum("ij,kj->ik", moved, rows) * (value * (1 - value))
    gap = float(np.abs(fit.chance - people.risk).mean())
    return CalibrationCurve(asked, people.outcome.sum_up(value, by_line), gap)


def observe_groups(people: Predictions, n_groups: int) -> pd.DataFrame:
    """Observed risk in groups of people by their predicted risk, without any model.

    Groups are as large as ties allow: who is predicted the same is in the same group.

    Returns:
        A row per group from the lowest risk: group (from 0), predicted (mean), estimate, ci_low,
        ci_high, se (Aalen-Johansen on the day, clustered by victim), n_people, n_events.
    """
    cuts = np.quantile(people.risk, np.arange(1, n_groups) / n_groups)
    place = np.unique(np.searchsorted(cuts, people.risk, side="left"), return_inverse=True)[1]
    rows = []
    for group in range(int(place.max()) + 1):
        mine = place == group
        curve = aalen_johansen(
            people.outcome.stop[mine], people.outcome.cause[mine], at_days=[people.outcome.day],
            cluster=people.outcome.cluster[mine],
        )  # fmt: skip
        numbers = curve.loc[curve["cause"].eq(1), ["estimate", "ci_low", "ci_high", "se"]]
        rows.append({
            "group": group, "predicted": float(people.risk[mine].mean()),
            **numbers.iloc[0].to_dict(), "n_people": int(mine.sum()),
            "n_events": int(people.outcome.is_event[mine].sum()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def discriminate(people: Predictions) -> Estimate:
    """The area under the curve at the day: one number, 0.5 by chance, 1 perfect.

    >>> people = hold_against([0.1, 0.2, 0.3, 0.3], [9, 3, 9, 5], [0, 1, 0, 1], 9)
    >>> discriminate(people).value.tolist()
    [0.625]
    """
    event, weight = people.outcome.is_event, people.outcome.weight
    codes = np.unique(people.risk, return_inverse=True)[1]
    cases, others = (np.bincount(codes, np.where(mark, weight, 0.0)) for mark in (event, ~event))
    n_cases, n_others = cases.sum(), others.sum()
    below = (np.cumsum(others) - others / 2) / n_others
    above = (n_cases - np.cumsum(cases) + cases / 2) / n_cases
    area = float((cases * below).sum() / n_cases)
    slope = np.where(event, (below[codes] - area) / n_cases, (above[codes] - area) / n_others)
    return people.outcome.sum_up([area], people.outcome.move(slope[:, None]))


def score_brier(people: Predictions) -> Estimate:
    """The Brier score, and the share of it saved against telling everybody the overall risk.

    >>> people = hold_against([0.0, 1.0, 0.0, 1.0], [9, 3, 9, 5], [0, 1, 0, 1], 9)
    >>> score_brier(people).value.round(3).tolist()
    [0.0, 1.0]
    """
    score, moved = people.outcome.average((people.outcome.is_event - people.risk) ** 2)
    share, by_share = people.outcome.average(people.outcome.is_event.astype(np.float64))
    nothing = share * (1 - share)
    by_nothing = by_share * (1 - 2 * share)
    saved = (score / nothing * by_nothing - moved) / nothing
    return people.outcome.sum_up([score, 1 - score / nothing], np.column_stack([moved, saved]))


def _logit(risk: Floats) -> Floats:
    return np.log(risk / (1 - risk))


def _expit(line: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-line))
    return found
