"""The answers of many specifications to one question: do they agree, and what makes them differ.

A specification curve (Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4:1208) shows every
answer that a sound set of choices gives. They rest on the same people and go together, so none of
them, nor how many are significant, can be judged one at a time. Simonsohn et al. force the null on
the data and estimate every specification anew in each resample. Here each is asymptotically linear:
estimate less truth = sum over victims of their influence. With no effect in any specification the
estimates are therefore drawn, jointly, as sums of influence times one number a victim of mean 0 and
variance 1 that is the same in all of them (the multiplier bootstrap: van der Vaart & Wellner 1996,
section 2.9; Chernozhukov, Chetverikov & Kato 2013). With normal multipliers such sums are normal
with the covariance that the influence has, from which they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.intervals import NO_ERROR, normal_quantile

STATISTICS = ("median", "n_significant", "mean_z")
BAND = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class NullTest:
    """A curve held against no effect in any of its specifications.

    Attributes:
        observed: of the curve, as STATISTICS: the median estimate; how many are significant on the
            side where more are; the mean of estimate / error.
        largest: what 95 of 100 curves without any effect stay within, in absolute size.
        p: share of curves without an effect at least as far out, the observed one among them.
        band: 2 x specifications, the 2.5 and 97.5 % limits of the sorted estimates of such curves.
    """

    observed: Floats
    largest: Floats
    p: Floats
    band: Floats


def compare_with_null(estimates: Estimate, *, n_draws: int = 9999, seed: int = 1) -> NullTest:
    """Hold a curve against what chance alone gives its specifications together.

    Args:
        estimates: one a specification, with the influence of each victim (0 who is not in it).
        n_draws: curves without an effect. seed: of these.

    Raises:
        ValueError: an estimate without an error: nothing says what chance alone gives.

    Example:
        >>> pull = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]]) / 4
        >>> found = compare_with_null(Estimate(np.array([-1.2, -1.1]), pull), n_draws=999)
        >>> found.observed.round(2), bool((found.p < 0.1).all())
        (array([-1.15,  2.  , -2.3 ]), True)
    """
    se = estimates.se
    if not (se > NO_ERROR).all():
        raise ValueError("each estimate needs an error of its own")
    size, directions = np.linalg.eigh(estimates.covariance)
    root = np.sqrt(np.maximum(size, 0.0))[:, None] * directions.T
    multipliers = np.random.default_rng(seed).standard_normal((n_draws, len(se)))
    drawn = np.einsum("dk,kj->dj", multipliers, root)
    observed = _describe(estimates.value[None], se)[0]
    null = np.abs(_describe(drawn, se))
    is_out = null >= np.abs(observed) * (1 - NO_ERROR)
    return NullTest(
        observed,
        np.quantile(null, 0.95, axis=0),
        (1 + is_out.sum(axis=0)) / (1 + n_draws),
        np.quantile(np.sort(drawn, axis=1), BAND, axis=0),
    )


def _describe(estimates: Floats, se: Floats) -> Floats:
    """Curves (rows) x STATISTICS."""
    z, limit = estimates / se, normal_quantile()
    sides = (z > limit).sum(axis=1), (z < -limit).sum(axis=1)
    return np.column_stack([np.median(estimates, axis=1), np.maximum(*sides), z.mean(axis=1)])


def explain_choices(estimates: Estimate, choices: pd.DataFrame) -> pd.DataFrame:
    """What each choice does to the estimate, the other choices held.

    The estimates are taken as sums of a term for each level of each choice (least squares). A term
    is a linear combination of the estimates and so has an error, which knows that all are of the
    same people.

    Args:
        estimates: as `compare_with_null` has them. choices: a row a specification, a column a
            choice; the level that stands first is the one that others are held against.

    Returns:
        A row per choice and level: choice, level, n (specifications), difference (from the first
        level; 0 there), se, share (of the spread of the estimates, the sum of squares, that only
        this choice explains; the same in all rows of a choice). NaN where specifications are
        missing so that a level cannot be told from other choices.

    Example:
        >>> choices = pd.DataFrame({"lag": [1, 1, 30, 30], "who": ["a", "b", "a", "b"]})
        >>> found = explain_choices(Estimate.with_error([1, 2, 4, 5], [1, 1, 1, 1]), choices)
        >>> found[["choice", "level", "difference", "share"]].round(6)
          choice level  difference  share
        0    lag     1         0.0    0.9
        1    lag    30         3.0    0.9
        2    who     a         0.0    0.1
        3    who     b         1.0    0.1
    """
    names = [str(name) for name in choices.columns if choices[name].nunique(dropna=False) > 1]
    levels = {name: pd.factorize(choices[name], use_na_sentinel=False) for name in names}
    columns = {
        (name, k): (codes == k).astype(np.float64)
        for name, (codes, known) in levels.items()
        for k in range(1, len(known))
    }
    value = estimates.value
    whole = np.column_stack([np.ones(len(value)), *columns.values()])
    terms = np.linalg.pinv(whole)
    is_known = np.isclose(terms @ whole, np.eye(whole.shape[1])).all(axis=1)[1:]
    place = {column: k for k, column in enumerate(columns)}
    spread = float(((value - value.mean()) ** 2).sum())
    rows = []
    for name, (codes, known) in levels.items():
        rest = [column for (of, _), column in columns.items() if of != name]
        alone = _find_rest(value, np.column_stack([np.ones(len(value)), *rest]))
        is_apart = all(is_known[k] for (of, _), k in place.items() if of == name)
        share = (alone - _find_rest(value, whole)) / spread if is_apart and spread else np.nan
        for k, level in enumerate(known):
            found = {"choice": name, "level": level, "n": int((codes == k).sum()), "share": share}
            if k and is_known[place[name, k]]:
                term = terms[1 + place[name, k]]
                found["difference"] = float(term @ value)
                found["se"] = float(np.sqrt(term @ estimates.covariance @ term))
            rows.append({"difference": np.nan if k else 0.0, "se": np.nan if k else 0.0, **found})
    told = ["choice", "level", "n", "difference", "se", "share"]
    return pd.DataFrame(rows, columns=told)


def _find_rest(value: Floats, columns: Floats) -> float:
    """The sum of squares that columns leave."""
    fitted = columns @ (np.linalg.pinv(columns) @ value)
    return float(((value - fitted) ** 2).sum())
