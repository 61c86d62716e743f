"""A model of the risk by a day that can be written down, and read for people elsewhere.

    logit P(outcome by the day) = a + sum of b_j (x_j - mean of x_j where it was learnt)

A logistic model of a yes or no that is not known of all (`outcome_by_day`; Scheike, Zhang & Gerds
2008, Biometrika 95:205, "direct binomial"), death and emigration competing: it tells the risk
itself, with no hazard of leaving to be carried along. Each column x_j is a number as it is, or 0/1
for a level of a category. The commonest level is the reference, and a level with few people who had
the outcome, or few who had not, counts as the reference too: of few nothing is told, and elsewhere
they would say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Codes, Flags, Floats
from revictimisation.core.codes import MISSING
from revictimisation.estimators.calibration import Predictions, hold_against
from revictimisation.estimators.design import text_of
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.outcome_by_day import OutcomeByDay


class Column(NamedTuple):
    """A level of a category, as text; level empty: the number itself."""

    term: str
    level: str = ""


@dataclass(frozen=True, eq=False)
class RiskModel:
    """A model as it is written down.

    Attributes:
        columns: its columns. mean: of each where it was learnt. coefficients: the log odds at these
            means, then one for each column; the first moves with who has the outcome there, the
            means held.
    """

    columns: tuple[Column, ...]
    mean: Floats
    coefficients: Estimate

    def predict(self, frame: pd.DataFrame) -> Floats:
        """Each person's risk.

        >>> model = RiskModel((Column("sex", "male"),), np.array([0.5]),
        ...                   Estimate(np.array([0.0, 2.0])))
        >>> model.predict(pd.DataFrame({"sex": ["male", "female"]})).round(3)
        array([0.731, 0.269])
        """
        value = self.coefficients.value
        line = value[0] + (read_columns(frame, self.columns) - self.mean) @ value[1:]
        return np.asarray(1 / (1 + np.exp(-line)))


def read_columns(frame: pd.DataFrame, columns: Sequence[Column]) -> Floats:
    """The columns of people: a missing number is 0, and marked where `missing` is a column."""
    read = np.zeros((len(frame), len(columns)))
    levels = {term: to_levels(frame[term]) for term in {one.term for one in columns if one.level}}
    for place, (term, level) in enumerate(columns):
        if level:
            read[:, place] = levels[term] == level
        else:
            number = frame[term].to_numpy(np.float64, na_value=np.nan)
            read[:, place] = np.nan_to_num(number)
    return read


def to_levels(series: pd.Series) -> pd.Categorical:
    """Each one's level as text, levels in the order of their names; missing is one of its own."""
    codes, labels = pd.factorize(series, use_na_sentinel=True)
    texts = np.array([*(text_of(label) for label in labels), MISSING], dtype=object)
    return pd.Categorical(texts[codes])


def choose_columns(
    frame: pd.DataFrame, terms: Sequence[str], outcome: OutcomeByDay, least: float
) -> tuple[Column, ...]:
    """The columns that have at least so many with the outcome, and so many without.

    Levels in the order of their names; of equally many the first is the reference.
    """
    is_known = outcome.weight > 0
    found: list[Column] = []
    for term in terms:
        is_number = pd.api.types.is_numeric_dtype(frame[term]) and not (
            pd.api.types.is_bool_dtype(frame[term])
        )
        if is_number and frame[term].nunique() > 1:
            found.append(Column(term))
        levels = to_levels(frame[term].isna() if is_number else frame[term])
        n_levels = len(levels.categories)
        commonest = np.bincount(levels.codes, minlength=n_levels).argmax()
        known, events = (np.bincount(levels.codes[mark], minlength=n_levels)
                         for mark in (is_known, outcome.is_event))  # fmt: skip
        for code, level in enumerate(levels.categories):
            is_enough = min(events[code], known[code] - events[code]) >= least
            if is_number and level == "true" and is_enough:
                found.append(Column(term, MISSING))
            elif not is_number and code != commonest and is_enough:
                found.append(Column(term, str(level)))
    return tuple(found)


def fit_risk(
    frame: pd.DataFrame, terms: Sequence[str], outcome: OutcomeByDay, least: float
) -> RiskModel:
    """Learn the risk by the outcome's day from covariates, a row of `frame` per person.

    Raises:
        NotEstimableError: the model does not settle (`not_converged`).
    """
    columns = choose_columns(frame, terms, outcome, least)
    return _fit(read_columns(frame, columns), columns, outcome)


def _fit(rows: Floats, columns: tuple[Column, ...], outcome: OutcomeByDay) -> RiskModel:
    fit, moved = outcome.fit(rows)
    mean = rows.mean(axis=0)
    turn = np.eye(len(fit.coef))
    turn[0, 1:] = mean
    value = turn @ fit.coef
    return RiskModel(columns, mean, outcome.sum_up(value, np.einsum("ij,kj->ik", moved, turn)))


def predict_held_out(
    frame: pd.DataFrame, columns: tuple[Column, ...], outcome: OutcomeByDay, fold: Codes
) -> Predictions:
    """Each one's risk by the model learnt from the other folds: what it is worth in new people.

    Raises:
        NotEstimableError: a fold's others have no event, or their model does not settle.
    """
    rows = read_columns(frame, columns)
    risk = np.zeros(len(rows))
    for one in np.unique(fold):
        others: Flags = fold != one
        model = _fit(rows[others], columns, outcome.take(others))
        value = model.coefficients.value
        line = value[0] + (rows[~others] - model.mean) @ value[1:]
        risk[~others] = 1 / (1 + np.exp(-line))
    if not np.isfinite(risk).all():
        raise NotEstimableError("no_finite_answer")
    return hold_against(risk, outcome.stop, outcome.cause, outcome.day, outcome.cluster)
