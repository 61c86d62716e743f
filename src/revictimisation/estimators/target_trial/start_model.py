"""The model for starts: pooled logistic regression over the days of the grace time.

The log odds of a start on day k, among those event-free and not started at its beginning, are an
intercept for the day's interval, plus the baseline columns, plus the changing covariates as they
are at the beginning of the day. Under `censor_at_end` the start clone needs a second model: having
started by the end of the grace time among those event-free then (Maringe et al. 2020), on the same
covariates, the changing ones as they are at the beginning of its last day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.estimators.target_trial.pooled_logistic import (
    Maximum,
    Odds,
    find_information,
    find_odds,
    follow_chords,
    invert_information,
    maximise,
)
from revictimisation.estimators.target_trial.trial_data import Pooled, Trial

# Gain predicted of a next step. Steps with an old information matrix shrink evenly, Newton's own
# ever faster: the former are followed further.
QUICK_TOLERANCE, TOLERANCE = 1e-18, 1e-12
QUICK_PASSES, MOST_PASSES = 60, 200
# Where an interval of days has no start its odds begin here (and go on falling).
LEAST_LOG_ODDS = -20.0


@dataclass(frozen=True, eq=False)
class StartModel:
    """A fitted model; `theta` in the order of the loops: intervals, changing covariates, baseline.

    Attributes:
        names: of all coefficients. pooled: its rows. theta: coefficients, standardised columns.
        odds: of a start on a day, by row of the base columns and by cell.
        covariance: inverse information; 0 for columns that can't be told from earlier ones.
        is_aliased: those columns. is_converged: Newton's method settled.
    """

    names: tuple[str, ...]
    pooled: Pooled
    theta: Floats
    odds: Odds
    covariance: Floats
    is_aliased: npt.NDArray[np.bool_]
    is_converged: bool
    centre: Floats
    scale: Floats

    def move(self, found: Maximum) -> StartModel:
        """The same model where another fit of it ended; its covariance is that of this one."""
        return replace(self, theta=found.theta, odds=found.odds, is_converged=found.is_converged)

    def to_frame(self) -> pd.DataFrame:
        """A row per coefficient: name, coef (of the columns as given), se_model, status."""
        n_effects = self.pooled.effects.shape[1]
        coef = self.theta.copy()
        n_marks = n_effects - sum(not name.startswith("day ") for name in self.names[:n_effects])
        coef[n_effects:] /= self.scale
        coef[:n_marks] -= self.centre @ coef[n_effects:]
        status = np.where(self.is_aliased, "aliased", "ok")
        # an intercept is that at the numbers' 0, where its error is another
        turn = np.diag(np.append(np.ones(n_effects), 1 / self.scale))
        turn[:n_marks, n_effects:] = -self.centre / self.scale
        se = np.sqrt(np.maximum(np.diag(turn @ self.covariance @ turn.T), 0.0))
        return pd.DataFrame({"name": self.names, "coef": coef, "se_model": se, "status": status})


def fit_start_model(trial: Trial, given: StartModel | None = None) -> StartModel:
    """Fit the model of a start on each day of the grace time.

    Coefficients `day a-b` are the intercepts of the intervals of days. With `given` nothing is
    fitted: see `fit_pooled`.

    Example:
        >>> from revictimisation.estimators.design import design_from_array
        >>> from revictimisation.estimators.target_trial.trial_data import prepare_trial
        >>> none = design_from_array([[]] * 4, [])
        >>> trial = prepare_trial([9, 5, 9, 9], [0, 1, 1, 0], [0, 2, None, 0], none, grace_days=0)
        >>> fit_start_model(trial).to_frame()["coef"].round(6).tolist()
        [0.0]
    """
    return fit_pooled(trial, trial.pooled, _name_days(trial), trial.changing_names, given)


def fit_law_model(trial: Trial, given: StartModel | None = None) -> StartModel:
    """Fit the model of a start on each day given the baseline columns alone."""
    return fit_pooled(trial, trial.law, _name_days(trial), (), given)


def fit_end_model(trial: Trial) -> StartModel:
    """Fit the model of having started by the end of the grace time, among those event-free then."""
    days = [f"day 0-{trial.grace_days}"]
    return fit_pooled(trial, trial.at_end, days, trial.changing_names)


def _name_days(trial: Trial) -> list[str]:
    ends = [*trial.cut_days[1:], trial.grace_days + 1]
    return [f"day {a}-{b - 1}" for a, b in zip(trial.cut_days, ends, strict=True)]


def fit_pooled(
    trial: Trial,
    pooled: Pooled,
    days: list[str],
    changing: tuple[str, ...],
    given: StartModel | None = None,
) -> StartModel:
    """Fit a pooled logistic model: intercepts `days`, other effects of cells, baseline columns.

    `given` (an oracle, a model fitted elsewhere): its coefficients are taken over by name and count
    as known, with covariance 0. It may have effects of cells that occur nowhere here; the columns
    of the baseline must be the same, for a column that is missing may be missing because everyone
    has it (take rows of one design for both: `replace(design, rows=...)`).

    Raises:
        ValueError: the given model lacks a name, or has other baseline columns.
    """
    names = (*days, *changing, *trial.names)
    if given is not None:
        return _take_over(trial, pooled, names, len(days), given)
    theta = np.zeros(len(names))
    theta[: len(days)] = _crude_log_odds(pooled, len(days))
    ones = np.ones(trial.n_entries)
    ends, is_settled = follow_chords(
        trial, pooled, ones[:, None], theta[:, None], tolerance=QUICK_TOLERANCE, most=QUICK_PASSES
    )
    if is_settled.all():
        theta, is_converged = ends[:, 0], True
    else:
        theta, _, is_converged = maximise(
            trial, pooled, ones, theta, tolerance=TOLERANCE, most=MOST_PASSES
        )
    odds = find_odds(trial, pooled, theta)
    covariance, kept = invert_information(find_information(trial, pooled, ones, odds))
    return StartModel(
        names=names,
        pooled=pooled,
        theta=theta,
        odds=odds,
        covariance=covariance,
        is_aliased=~kept,
        is_converged=is_converged,
        centre=trial.centre,
        scale=trial.scale,
    )


def _take_over(
    trial: Trial, pooled: Pooled, names: tuple[str, ...], n_days: int, given: StartModel
) -> StartModel:
    n_effects = given.pooled.effects.shape[1]
    if not set(names) <= set(given.names) or set(given.names[n_effects:]) != set(trial.names):
        raise ValueError("the given model has other columns")
    known = given.to_frame().set_index("name")["coef"]
    theta = known.loc[list(names)].to_numpy().astype(np.float64)
    base = theta[pooled.effects.shape[1] :]
    theta[:n_days] += trial.centre @ base
    base *= trial.scale
    return StartModel(
        names=names,
        pooled=pooled,
        theta=theta,
        odds=find_odds(trial, pooled, theta),
        covariance=np.zeros((len(names), len(names))),
        is_aliased=np.zeros(len(names), dtype=np.bool_),
        is_converged=given.is_converged,
        centre=trial.centre,
        scale=trial.scale,
    )


def crude_hazards(pooled: Pooled, n_intervals: int) -> Floats:
    """Starts per day at risk in each interval of days, no covariates.

    The intervals' indicators are the first of the cells' effects.
    """
    marks, n_cells = pooled.effects[:, :n_intervals], len(pooled.effects)
    at_risk = np.bincount(pooled.cell, pooled.days, minlength=n_cells) @ marks
    ends = (pooled.first[1:] - 1)[pooled.is_start]
    starts = np.bincount(pooled.cell[ends], minlength=n_cells) @ marks
    hazards: Floats = np.divide(starts, at_risk, out=np.zeros(n_intervals), where=at_risk > 0)
    return hazards


def _crude_log_odds(pooled: Pooled, n_intervals: int) -> Floats:
    least = 1 / (1 + np.exp(-LEAST_LOG_ODDS))
    hazard = np.clip(crude_hazards(pooled, n_intervals), least, 1 - least)
    return np.log(hazard / (1 - hazard))
