"""Multiple imputation by chained equations, and Rubin's rules.

Each incomplete column is drawn from a model on all others, in turn, several rounds; the last round
is one imputation (van Buuren & Groothuis-Oudshoorn 2011, J Stat Softw 45:3). Proper in Rubin's
sense: coefficients are drawn from their posterior before values are drawn.

**Categories** by a chain of logistic models, the first level against the rest, the second against
the rest of these, and so on (continuation ratios: a model of any distribution). Coefficients have
a normal prior of standard deviation `PRIOR` on standardised columns, so that a level which one
column tells apart has finite ones (for which White, Daniel & Royston 2010 add rows), and are drawn
from the normal approximation at the posterior's mode. **Numbers** by linear regression with normal
errors (Rubin 1987, example 5.1), each taken to the nearest value that occurs.

The outcome belongs in the models: its indicator and the cumulative hazard at the end of follow-up
(White & Royston 2009, Stat Med 28:1982), the same of competing events (Resche-Rigon, White &
Chevret 2012). Values are taken to be missing at random given all that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import solve_triangular

from revictimisation.core.arrays import Flags, Floats
from revictimisation.core.codes import MISSING
from revictimisation.estimators.intervals import t_quantile

PRIOR = 2.5
MOST_STEPS, DONE = 25, 1e-6


@dataclass(frozen=True)
class Pooled:
    """Rubin's rules: the pooled estimate, its error and the degrees of freedom."""

    estimate: Floats
    se: Floats
    freedom: Floats

    @property
    def ci_low(self) -> Floats:
        """The lower limit of the 95 % interval, by the t distribution."""
        return self.estimate - t_quantile(self.freedom) * self.se

    @property
    def ci_high(self) -> Floats:
        """The upper limit."""
        return self.estimate + t_quantile(self.freedom) * self.se


def pool(estimates: npt.ArrayLike, errors: npt.ArrayLike, complete_freedom: float) -> Pooled:
    """Pool imputations x numbers: the mean, within plus (1 + 1/m) between variance.

    Degrees of freedom of Barnard & Rubin 1999 (Biometrika 86:948); `complete_freedom`: those that
    complete data would have. R: `mice::pool.scalar(..., rule = "rubin1987")`, n = that + 1.

    Example:
        >>> found = pool([[1.0], [2.0], [3.0]], [[1.0], [1.0], [1.0]], 50)
        >>> found.estimate.round(3), found.se.round(4), found.freedom.round(3)
        (array([2.]), array([1.5275]), array([4.722]))
    """
    value, error = np.asarray(estimates, np.float64), np.asarray(errors, np.float64)
    m = len(value)
    within, between = (error**2).mean(axis=0), value.var(axis=0, ddof=1)
    total = within + (1 + 1 / m) * between
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (1 + 1 / m) * between / total
        old = (m - 1) / share**2
        seen = (complete_freedom + 1) / (complete_freedom + 3) * complete_freedom * (1 - share)
        freedom = np.where(share > 0, 1 / (1 / old + 1 / seen), seen)
    return Pooled(value.mean(axis=0), np.sqrt(total), freedom)


def find_cumulative_hazard(stop: npt.ArrayLike, is_event: npt.ArrayLike) -> Floats:
    """Nelson and Aalen's cumulative hazard at the end of each person's own follow-up.

    Example:
        >>> find_cumulative_hazard([3, 5, 5, 8], [1, 1, 0, 0]).round(4)
        array([0.25  , 0.5833, 0.5833, 0.5833])
    """
    last = np.asarray(stop, np.int64)
    n_events = np.bincount(last, np.asarray(is_event, np.float64))
    n_at_risk = np.cumsum(np.bincount(last)[::-1])[::-1]
    hazard: Floats = np.cumsum(n_events / np.maximum(n_at_risk, 1))
    return hazard[last]


def list_incomplete(frame: pd.DataFrame) -> list[str]:
    """The columns of which some values are missing (null, or the word `missing`) and some are not.

    Example:
        >>> list_incomplete(pd.DataFrame({"a": ["x", "missing"], "b": [1.0, 2.0]}))
        ['a']
    """
    gaps = {str(name): _find_gaps(frame[name]) for name in frame}
    return [name for name, gap in gaps.items() if gap.any() and not gap.all()]


def impute(
    frame: pd.DataFrame,
    beside: Mapping[str, npt.ArrayLike],
    *,
    n_imputations: int,
    n_rounds: int,
    seed: int | Sequence[int],
) -> Iterator[pd.DataFrame]:
    """The columns with their gaps filled, once for each imputation.

    Args:
        frame: columns of text or numbers. beside: complete numbers that the models know as well
            (the outcome, who started what). n_rounds: of each imputation, from a random start.
        seed: anything that `default_rng` takes.

    Example:
        >>> frame = pd.DataFrame({"sex": ["m", "f", "missing"], "age": [30.0, 40.0, 60.0]})
        >>> made = next(impute(frame, {}, n_imputations=1, n_rounds=2, seed=1))
        >>> made.loc[2, "sex"] in ("m", "f"), made["age"].tolist()
        (True, [30.0, 40.0, 60.0])
    """
    rng, names = np.random.default_rng(seed), list_incomplete(frame)
    gaps = {name: _find_gaps(frame[name]) for name in names}
    others = [np.asarray(value, np.float64)[:, None] for value in beside.values()]
    fixed = np.hstack([*others, *(_code(frame[name]) for name in frame if name not in names),
                       np.empty((len(frame), 0))])  # fmt: skip
    modes: dict[tuple[str, str], Floats] = {}
    for _ in range(n_imputations):
        made = frame.copy()
        for name, gap in gaps.items():
            known = frame.loc[~gap, name].to_numpy()
            made.loc[gap, name] = rng.choice(known, int(gap.sum()))
        for _ in range(n_rounds):
            for name, gap in gaps.items():
                parts = [_code(made[other]) for other in names if other != name]
                columns = _standardise(np.hstack([fixed, *parts]))
                values = frame.loc[~gap, name].to_numpy()
                made.loc[gap, name] = (
                    _draw_numbers(columns, values, gap, rng)
                    if pd.api.types.is_numeric_dtype(frame[name])
                    else _draw_levels(columns, values, gap, rng, modes, name)
                )
        yield made


def _find_gaps(column: pd.Series) -> Flags:
    return (column.isna() | column.astype(object).eq(MISSING)).to_numpy(bool)


def _code(column: pd.Series) -> Floats:
    """A number as it is (nulls as the mean), a text as indicators of all levels but the first."""
    if pd.api.types.is_numeric_dtype(column):
        number = column.astype(float)
        return np.asarray(number.fillna(number.mean()), np.float64)[:, None]
    codes, levels = pd.factorize(column, sort=True)
    return np.asarray(codes[:, None] == np.arange(1, len(levels)), np.float64)


def _standardise(columns: Floats) -> Floats:
    """A constant, then the columns with mean 0 and standard deviation 1, without constant ones."""
    size = columns.std(axis=0)
    kept = columns[:, size > 0]
    standard = (kept - kept.mean(axis=0)) / size[size > 0]
    with_constant: Floats = np.column_stack([np.ones(len(columns)), standard]).astype(np.float64)
    return with_constant


def _draw_levels(
    columns: Floats,
    values: npt.NDArray[np.object_],
    gap: Flags,
    rng: np.random.Generator,
    modes: dict[tuple[str, str], Floats],
    name: str,
) -> npt.NDArray[np.object_]:
    """Levels for the gaps, from a chain of logistic models; `modes`: where each ended before."""
    levels, counts = np.unique(values.astype(str), return_counts=True)
    ordered = levels[np.argsort(-counts, kind="stable")]  # the commonest first: few rows after it
    known, wanted = columns[~gap], columns[gap]
    drawn = np.full(len(wanted), ordered[-1], dtype=object)
    is_open, is_in = np.ones(len(wanted), np.bool_), np.ones(len(known), np.bool_)
    for level in ordered[:-1]:
        is_level = values[is_in] == level
        begin = modes.get((name, str(level)))
        mode, lower = fit_with_prior(known[is_in], is_level, begin)
        modes[name, str(level)] = mode
        coef = mode + solve_triangular(lower.T, rng.standard_normal(len(mode)))
        chance = 1 / (1 + np.exp(-(wanted @ coef)))
        is_it = is_open & (rng.random(len(wanted)) < chance)
        drawn[is_it], is_open[is_it] = level, False
        is_in[is_in] = ~is_level
    return drawn


def fit_with_prior(
    columns: Floats, is_event: Flags, begin: Floats | None = None
) -> tuple[Floats, Floats]:
    """The mode of a logistic model with a normal prior on all but the constant, and its precision.

    The precision at the mode as its lower Cholesky factor. `begin`: where the search begins.
    """
    precision = np.full(columns.shape[1], PRIOR**-2)
    precision[0] = 1e-8
    is_same = begin is not None and len(begin) == columns.shape[1]
    coef = begin if begin is not None and is_same else np.zeros(columns.shape[1])
    for _ in range(MOST_STEPS):
        chance = 1 / (1 + np.exp(-(columns @ coef)))
        score = columns.T @ (is_event - chance) - precision * coef
        information = (columns.T * (chance * (1 - chance))) @ columns + np.diag(precision)
        lower = np.linalg.cholesky(information)
        step = solve_triangular(lower.T, solve_triangular(lower, score, lower=True))
        coef = coef + step / max(1.0, float(np.abs(step).max()) / PRIOR)
        if np.abs(step).max() < DONE:
            break
    return coef, np.asarray(lower, np.float64)


def _draw_numbers(columns: Floats, values: Floats, gap: Flags, rng: np.random.Generator) -> Floats:
    """Numbers for the gaps: linear regression with normal errors, to the nearest that occurs."""
    known, wanted, n_columns = columns[~gap], columns[gap], columns.shape[1]
    value = np.asarray(values, np.float64)
    lower = np.linalg.cholesky(known.T @ known + 1e-6 * len(known) * np.eye(n_columns))
    coef = solve_triangular(lower.T, solve_triangular(lower, known.T @ value, lower=True))
    freedom = max(len(known) - n_columns, 1)
    spread = np.sqrt(((value - known @ coef) ** 2).sum() / rng.chisquare(freedom))
    moved = coef + spread * solve_triangular(lower.T, rng.standard_normal(n_columns))
    drawn = wanted @ moved + spread * rng.standard_normal(len(wanted))
    occurring = np.unique(value)
    middles = (occurring[1:] + occurring[:-1]) / 2
    return occurring[np.searchsorted(middles, drawn)]
