"""Tipping points: what would have to be true for a difference of risks to be another answer.

A *move* is how far a difference has to be taken down: the whole of it, so that nothing is left, or
its nearest limit, so that the answer changes (a clear one becomes unclear, an unclear one clear).
Below R1 and R0 are the risks with and without the measure, R1 - R0 the difference.

**Something unmeasured**, U, moves it by gamma x delta if U raises the risk by gamma in both arms
and is delta commoner in the arm that starts (VanderWeele & Arah 2011, Epidemiology 22:42, result
for differences, without interaction). So U explains a move m if gamma x delta = m: with both alike
the root of m, and against what a measured covariate does the share m / bias of that one.

**What a measured covariate does** is the same formula for its columns, given all the others: in the
linear model of the answer on start and columns, leaving a covariate's out moves the coefficient of
start by exactly the sum of gamma x delta (the omitted-variable formula: Cinelli & Hazlett 2020,
JRSS B 82:39; the covariate as yardstick, their section 4.4).

**Reporting.** If with the measure a new crime is reported rho times as often, crimes come at random
and each is reported by itself, -log(1 - R1) is rho times what it would have been. A move m comes of
rho = log(1 - R1) / log(1 - (R1 - m)).

**Who is lost.** Who leaves the country is followed no longer, and what happens there is not seen. A
move m comes of the share m / L of those who left in one arm having met new crimes unseen, and
nobody of those in the other, where L is the risk of leaving in that arm: with the measure where m
is below 0, else without. Above 1: not even if all had.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from revictimisation.core.arrays import Flags, Floats
from revictimisation.estimators.influence import (
    build_curve,
    check_rows,
    influence_on,
    prepare_spread,
    tabulate,
)

LOST = "lost_share"
LIMIT = "_limit"  # of the move that only changes the answer
NOT_ALIKE = 1e-12  # columns that say this little beyond the others are told by these


def find_nearest_limit(ci_low: npt.ArrayLike, ci_high: npt.ArrayLike) -> Floats:
    """The limit of an interval nearest to no difference: the smallest move that changes the answer.

    Example:
        >>> find_nearest_limit([-0.08, -0.02, 0.01], [-0.01, 0.05, 0.07])
        array([-0.01, -0.02,  0.01])
    """
    low, high = np.asarray(ci_low, np.float64), np.asarray(ci_high, np.float64)
    return np.where(np.abs(low) < np.abs(high), low, high)


def find_even_gap(move: npt.ArrayLike) -> Floats:
    """How much commoner in one arm, and how much more risk, both alike, an unmeasured trait needs.

    Example:
        >>> find_even_gap([-0.04, 0.01])
        array([0.2, 0.1])
    """
    return np.sqrt(np.abs(np.asarray(move, np.float64)))


def find_times(move: npt.ArrayLike, bias: npt.ArrayLike) -> Floats:
    """How many times the bias of a measured covariate makes the move; NaN without such a bias.

    Example:
        >>> find_times([-0.04, 0.01], [0.02, 0.0])
        array([ 2., nan])
    """
    size = np.abs(np.asarray(bias, np.float64))
    return np.abs(np.asarray(move, np.float64)) / np.where(size > 0, size, np.nan)


def find_reporting_ratio(risk_start: npt.ArrayLike, move: npt.ArrayLike) -> Floats:
    """How often crimes are reported with the measure, over without, if that makes the move.

    Above 1: the measure raises reporting, and hides that it protects. NaN: no change of it could.

    Example:
        >>> find_reporting_ratio([0.36, 0.36, 0.36], [-0.04, 0.0, 0.4]).round(3)
        array([0.874, 1.   ,   nan])
    """
    start = np.asarray(risk_start, np.float64)
    without = start - np.asarray(move, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log1p(-start) / np.log1p(-without)
    return np.where((without > 0) & (without < 1), ratio, np.nan)


def find_tipping_points(
    difference: npt.ArrayLike,
    ci_low: npt.ArrayLike,
    ci_high: npt.ArrayLike,
    risk_start: npt.ArrayLike,
    strongest: npt.ArrayLike,
    lost_start: npt.ArrayLike,
    lost_no_start: npt.ArrayLike,
) -> dict[str, Floats]:
    """Every tipping point by its estimand: of the whole difference, and of its nearest limit.

    `strongest`: the largest bias of a measured covariate left out; NaN where none is adjusted for.
    `lost_start`, `lost_no_start`: the risks of leaving the country.

    Example:
        >>> found = find_tipping_points([-0.04], [-0.07], [-0.01], [0.36], [0.02], [0.02], [0.01])
        >>> {name: round(float(value[0]), 3) for name, value in found.items()}
        ... # doctest: +NORMALIZE_WHITESPACE
        {'times_strongest': 2.0, 'even_gap': 0.2, 'reporting_ratio': 0.874, 'lost_share': 2.0,
         'times_strongest_limit': 0.5, 'even_gap_limit': 0.1, 'reporting_ratio_limit': 0.966,
         'lost_share_limit': 0.5}
    """
    whole = np.asarray(difference, np.float64)
    found = {}
    for suffix, move in (("", whole), (LIMIT, find_nearest_limit(ci_low, ci_high))):
        found[f"times_strongest{suffix}"] = find_times(move, strongest)
        found[f"even_gap{suffix}"] = find_even_gap(move)
        found[f"reporting_ratio{suffix}"] = find_reporting_ratio(risk_start, move)
        found[f"{LOST}{suffix}"] = find_lost_share(move, lost_start, lost_no_start)
    return found


def find_lost_share(
    move: npt.ArrayLike, lost_start: npt.ArrayLike, lost_no_start: npt.ArrayLike
) -> Floats:
    """Of those who left in one arm the share that makes the move by crimes unseen; NaN: none left.

    Example:
        >>> find_lost_share([-0.01, 0.01, 0.01], [0.02, 0.02, 0.02], [0.05, 0.05, 0.0])
        array([0.5, 0.2, nan])
    """
    size = np.asarray(move, np.float64)
    lost = np.where(size < 0, lost_start, lost_no_start)
    return np.abs(size) / np.where(lost > 0, lost, np.nan)


def find_answers(stop: npt.ArrayLike, cause: npt.ArrayLike, day: int) -> Floats:
    """Whether the outcome came by a day, for each person: 0 or 1, a pseudo-value if censored.

    The risk plus the number of people times the person's influence on it (Andersen, Klein & Rosthoj
    2003, by the infinitesimal jackknife); without censoring before the day just 0 or 1. cause: 0
    censored, 1 the outcome, others compete.

    Example:
        >>> find_answers([3, 5, 9, 9], [1, 2, 0, 0], 6).round(6) + 0.0
        array([1., 0., 0., 0.])
    """
    rows = check_rows(stop, cause, None, None, 1)
    curve, spread = build_curve(rows, tabulate(rows), [1]), prepare_spread(rows, None)
    place = int(curve.places(day))
    moved = influence_on(spread.alike, curve, place)[spread.place]
    answer: Floats = curve.value[place] + len(rows.stop) * moved
    return answer


def find_left_out_bias(
    answers: Floats, is_started: Flags, columns: Floats, owners: Sequence[str]
) -> dict[str, Floats]:
    """How far leaving out each covariate moves the coefficient of starting, all others kept.

    Least squares of each column of `answers` (rows x days) on `is_started`, the columns (rows x
    columns) and a constant; `owners` names the covariate of each column. A number a day; above 0:
    without the covariate the measure seems to do more harm.

    Example:
        >>> sick = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
        >>> started = np.array([True, True, False, True, False, False])
        >>> answers = 0.1 + 0.6 * sick[:, None]
        >>> found = find_left_out_bias(answers, started, sick[:, None], ["sick"])
        >>> found["sick"].round(6)  # 0.6 times a third: sick are 2 of 3 who started, else 1
        array([0.2])
    """
    centred = np.column_stack([is_started, columns]).astype(np.float64)
    centred -= centred.mean(axis=0)
    size = np.sqrt((centred**2).mean(axis=0))
    centred /= np.where(size > 0, size, 1.0)
    # einsum adds in order: the result must not hang on a linear algebra library's threads
    products = np.einsum("ni,nj->ij", centred, centred) / len(centred)
    moments = np.einsum("ni,nd->id", centred, answers - answers.mean(axis=0)) / len(centred)
    names = np.array(["", *owners])

    def find_slopes(kept: Flags) -> Floats:
        solved = np.linalg.lstsq(products[np.ix_(kept, kept)], moments[kept], rcond=NOT_ALIKE)
        slopes: Floats = solved[0][0] / size[0]
        return slopes

    whole = find_slopes(np.ones(len(names), np.bool_))
    return {name: find_slopes(names != name) - whole for name in dict.fromkeys(owners)}
