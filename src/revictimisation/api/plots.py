"""Plots on the caller's axes, or on new ones: intervals of ratios, curves with their bands."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


DASHES = ("-", "--", "-.", ":")


def draw_ratios(table: pd.DataFrame, level: float, ax: Axes | None) -> Axes:
    """A dot and its interval a row (hazard_ratio, ci_low, ci_high), the first on top.

    What has no number keeps its line, without a dot.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    ax = _open(ax)
    numbers = table[["hazard_ratio", "ci_low", "ci_high"]].to_numpy(np.float64)
    is_known = np.isfinite(numbers).all(axis=1)
    shown, place = table[is_known], np.arange(len(table))
    ratio = shown["hazard_ratio"].to_numpy()
    apart = np.vstack([ratio - shown["ci_low"], shown["ci_high"] - ratio])
    ax.errorbar(ratio, place[is_known], xerr=apart, fmt="o", capsize=3)
    ax.axvline(1.0, color="grey", linewidth=1, linestyle="--", zorder=0)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks(place, [str(name) for name in table.index])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.set_xlabel(f"hazard ratio ({100 * level:g} % interval)")
    return ax


def draw_curves(
    curves: Mapping[str, pd.DataFrame],
    ylabel: str,
    ax: Axes | None,
    *,
    of: str | None = None,
    label: str = "",
) -> Axes:
    """A step curve with its band for each table (time_days, estimate, ci_low, ci_high).

    They differ in colour and in dashes. `of`: what tells them apart, over their names; `label`:
    what tells them from other curves on these axes, before their names.
    """
    ax = _open(ax)
    for (name, table), dash in zip(curves.items(), cycle(DASHES), strict=False):
        days = table["time_days"].to_numpy(np.float64)
        told = ", ".join(part for part in (label, name) if part)
        (line,) = ax.step(days, table["estimate"], where="post", linestyle=dash, label=told)
        low, high = table["ci_low"].to_numpy(), table["ci_high"].to_numpy()
        ax.fill_between(days, low, high, step="post", alpha=0.2, color=line.get_color(), lw=0)
    ax.set_xlabel("days")
    ax.set_ylabel(ylabel)
    ax.set_ylim(bottom=0)
    if len(curves) > 1 or label:
        ax.legend(title=of)
    return ax


def choose_days(event_days: npt.ArrayLike, last: int, most: int = 200) -> list[int]:
    """The days on which a curve steps, with day 0 and the last; of many, some evenly spread.

    >>> choose_days([5, 3, 5], 9), len(choose_days(range(1000), 1000, 100))
    ([0, 3, 5, 9], 100)
    """
    days = np.unique(np.append(np.asarray(event_days, dtype=np.int64), [0, last]))
    days = days[(days >= 0) & (days <= last)]
    chosen = np.linspace(0, len(days) - 1, min(most, len(days))).round().astype(np.int64)
    return [int(day) for day in days[chosen]]


def _open(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def draw_specifications(table: pd.DataFrame, ax: Axes | None) -> Axes:
    """A dot and its interval a specification, in the order given; behind them the null's band."""
    ax = _open(ax)
    place = np.arange(len(table))
    ax.fill_between(
        place, table["null_low"], table["null_high"], color="0.88", zorder=0,
        label="95 of 100 curves without an effect",
    )  # fmt: skip
    ax.vlines(place, table["ci_low"], table["ci_high"], color="0.6", linewidth=1)
    ax.plot(place, table["estimate"], "o", markersize=3.5, color="black", label="estimate, 95 %")
    ax.axhline(0.0, color="black", linewidth=1)
    ax.set_xlim(-0.6, len(table) - 0.4)
    ax.set_xlabel("specifications, by their estimates")
    return ax
