"""Rows by month or quarter, and where they suddenly drop or jump."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Floats
from revictimisation.extract.validation.complements import hide_within

if TYPE_CHECKING:
    from revictimisation.plan.parts import ValidationLimits

VOLUMES = ("table", "period", "n_rows", "usual", "onward", "mark")
DROP, JUMP, FELL, ROSE = "drop", "jump", "fell", "rose"
# The median absolute deviation of a normal variable, as a part of its standard deviation.
NORMAL_MAD = 1.4826
# Before and after these shares of a table's rows periods are not told: a date long before or
# after all others is a finding of its own, and would else draw years of empty months.
TAILS = (0.002, 0.998)
MONTHS_A_YEAR, MONTHS_A_QUARTER = 12, 3


def find_volumes(facts: pd.DataFrame, limits: ValidationLimits) -> pd.DataFrame:
    """Rows of each dated table by period, what is usual around it, and what stands out.

    A row is a table and a month (`2013-04`), or a quarter (`2013 Q2`) where months have few rows.
    Periods without rows between the first and the last have a row too. `usual` is the median of the
    neighbours on both sides, and `mark` is `drop`, `jump` or empty; where a new level begins it is
    `fell` or `rose`, `usual` the median before and `onward` the median from then on.
    """
    dated = facts[(facts["kind"] == "month") & (facts["level"].str.len() == len("2013-04"))]
    parts = [_follow(str(name), rows, limits) for name, rows in dated.groupby("table", sort=False)]
    return pd.concat(parts) if parts else pd.DataFrame(columns=list(VOLUMES))


def _follow(name: str, rows: pd.DataFrame, limits: ValidationLimits) -> pd.DataFrame:
    """One table's periods."""
    numbers = [_number_month(level) for level in rows["level"]]
    counts = pd.Series(rows["n"].to_numpy(dtype=np.int64), index=numbers).sort_index()
    shares = counts.cumsum() / counts.sum()
    first, last = (int(shares.index[(shares > tail).argmax()]) for tail in TAILS)
    months = counts.reindex(range(first, last + 1), fill_value=0)
    is_quarterly = float(months.median()) < limits.rows_per_month
    if is_quarterly:
        months = months.groupby(months.index // MONTHS_A_QUARTER).sum()
    values = months.to_numpy(dtype=np.float64)
    usual, onward, marks = mark_unusual(values, limits)
    return pd.DataFrame(
        {
            "table": name,
            "period": [_name_period(int(one), is_quarterly) for one in months.index],
            "n_rows": values.astype(np.int64),
            "usual": usual,
            "onward": onward,
            "mark": marks,
        }
    )


def hide_volumes(volumes: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The volumes with small counts null, for those who read them.

    That is from 1 to `threshold` - 1, and the smallest others of the same year until none follows
    from what the year has in all. What is usual is told in whole multiples of `threshold`: an exact
    median would be a neighbour's count, or the mean of two.
    """
    counts = volumes["n_rows"].astype("int64")
    groups = volumes["table"].astype(str) + " " + volumes["period"].astype(str).str[:4]
    apart = volumes.reset_index(drop=True)
    is_small = counts.between(1, threshold - 1).set_axis(apart.index)
    is_hidden = hide_within(apart[["n_rows"]].astype("int64"), is_small, groups, threshold)
    hidden = volumes.astype({"n_rows": "Int64"})
    hidden["n_rows"] = hidden["n_rows"].mask(is_hidden.to_numpy())
    for name in ("usual", "onward"):
        hidden[name] = threshold * (hidden[name].astype(float) / threshold).round()
    return hidden


def _number_month(level: str) -> int:
    year, month = level.split("-")
    return int(year) * MONTHS_A_YEAR + int(month) - 1


def _name_period(number: int, is_quarterly: bool) -> str:
    if is_quarterly:
        quarters = MONTHS_A_YEAR // MONTHS_A_QUARTER
        return f"{number // quarters} Q{number % quarters + 1}"
    return f"{number // MONTHS_A_YEAR}-{number % MONTHS_A_YEAR + 1:02d}"


def mark_unusual(values: Floats, limits: ValidationLimits) -> tuple[Floats, Floats, list[str]]:
    """What is usual around each period, the level from it on, and what stands out there.

    Far is further than `volume_deviations` robust standard deviations (1.4826 times the median
    absolute deviation of the neighbours, Hampel 1974, but no less than the square root of their
    median, as counts have) and than the share `volume_change` of the median. At either end only the
    neighbours that there are count. A new level begins where two levels fit the `neighbours`
    periods before and from there better than one does, by as many deviations (`_find_step`), means
    and medians differ by that share, and the fit gains more than at the periods around; there the
    period itself is not marked.

    >>> from revictimisation.plan.parts import ValidationLimits
    >>> mark_unusual(np.array([50., 52, 49, 51, 3, 50, 48, 51]), ValidationLimits())[2]
    ['', '', '', '', 'drop', '', '', '']
    """
    usual, marks = _hold_against_neighbours(values, limits)
    span = limits.neighbours
    onward = np.array([np.median(values[at : at + span]) for at in range(len(values))])
    steps = np.zeros(len(values))
    noise = _measure_noise(values)
    for at in range(span, len(values) - span + 1):
        steps[at] = _find_step(values[at - span : at], values[at : at + span], noise, limits)
    sizes = np.abs(steps)
    for at in range(len(values)):
        before, after = sizes[max(0, at - span) : at], sizes[at + 1 : at + span + 1]
        if sizes[at] > max(before, default=0) and sizes[at] >= max(after, default=0):
            usual[at] = np.median(values[at - span : at])
            marks[at] = ROSE if steps[at] > 0 else FELL
    return usual, onward, marks


def _hold_against_neighbours(values: Floats, limits: ValidationLimits) -> tuple[Floats, list[str]]:
    """The median of each period's neighbours, and which periods lie far from it."""
    span = limits.neighbours
    usual, marks = values.copy(), [""] * len(values)
    for at, value in enumerate(values):
        around = np.concatenate([values[max(0, at - span) : at], values[at + 1 : at + 1 + span]])
        if len(around) < span:
            continue
        usual[at] = np.median(around)
        if _is_far(value, around, limits):
            marks[at] = DROP if value < usual[at] else JUMP
    return usual, marks


def _scale(values: Floats) -> float:
    middle = float(np.median(values))
    spread = NORMAL_MAD * float(np.median(np.abs(values - middle)))
    return max(spread, middle**0.5, 1.0)


def _is_far(value: float, around: Floats, limits: ValidationLimits) -> bool:
    middle = float(np.median(around))
    distance = abs(value - middle)
    is_large = distance > limits.volume_change * middle
    return is_large and distance > limits.volume_deviations * _scale(around)


def _measure_noise(values: Floats) -> float:
    """How many times a Poisson's the variance is from one period to the next, at least 1.

    By the squares of successive differences (von Neumann 1941), which a few new levels hardly move.
    """
    sums, squares = values[1:] + values[:-1], np.diff(values) ** 2
    is_filled = sums > 0
    return max(1.0, float(np.mean(squares[is_filled] / sums[is_filled]))) if any(is_filled) else 1.0


def _find_step(
    before: Floats,
    held: Floats,
    noise: float,
    limits: ValidationLimits,
) -> float:
    """By how many deviations two Poisson levels fit better than one, signed; 0: no step.

    The root of twice the gain in log-likelihood, over the dispersion (quasi-likelihood, McCullagh &
    Nelder 1989, ch. 9): the greater of the series' own (`noise`) and that within both levels. The
    medians must differ too, so that a single odd period makes no level.
    """
    both = [before, held]
    means = [float(np.mean(one)) for one in both]
    is_far = all(
        abs(new - old) > limits.volume_change * old
        for old, new in (means, [float(np.median(one)) for one in both])
    )
    if not is_far:
        return 0.0
    whole = float(np.mean(np.concatenate(both)))
    gains = [
        len(one) * mean * np.log(mean / whole)
        for one, mean in zip(both, means, strict=True)
        if mean > 0
    ]
    within = [
        float(np.sum((one - mean) ** 2)) / mean
        for one, mean in zip(both, means, strict=True)
        if mean > 0
    ]
    dispersion = max(noise, sum(within) / (len(before) + len(held) - 2))
    gain = float(np.sqrt(2 * sum(gains) / dispersion))
    return float(np.copysign(gain, means[1] - means[0])) if gain > limits.volume_deviations else 0.0


def find_early_ends(facts: pd.DataFrame, limits: ValidationLimits) -> dict[str, int]:
    """The tables whose last rows lie `ends_early_months` or more before the last reports.

    Gives by how many months; the few last rows of a table (`TAILS`) do not count.
    """
    dated = facts[(facts["kind"] == "month") & (facts["level"].str.len() == len("2013-04"))]
    ends = {str(name): _find_end(rows) for name, rows in dated.groupby("table", sort=False)}
    last = ends.get("reports")
    if last is None:
        return {}
    early = {name: last - end for name, end in ends.items()}
    return {name: months for name, months in early.items() if months >= limits.ends_early_months}


def _find_end(rows: pd.DataFrame) -> int:
    ordered = rows.sort_values("level")
    shares = ordered["n"].cumsum() / ordered["n"].sum()
    return _number_month(str(ordered["level"].iloc[int((shares > TAILS[1]).to_numpy().argmax())]))
