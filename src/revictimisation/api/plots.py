"""Plots on the caller's axes, or on new ones: intervals of ratios, curves with their bands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


# Blue and orange for the two arms, as on the study's pages; apart in grey, and by the dashes.
COLOURS = ("#0a4f7d", "#c8641b", "#1d5c4a", "#9a4fc4", "#88929e", "#b98900")
DASHES = ("-", "--", "-.", ":")
MARKS = ("", "o", "s", "^", "D")  # of the first curves on some axes, of the next ...
N_MARKS = 8  # on a curve
PALER, APART = 0.4, 0.015  # white in the colours of later curves; between the intervals at the end
TICKS, WIDE = (1, 1.5, 2, 3, 5), 10  # on the axis of ratios; of one as wide every second
HEADROOM = 1.3  # of the axis over the highest band, for the legend
CURVE, BAND, END = "curve-", "curves: band", "curves: end"  # what `draw_curves` has drawn


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
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=TICKS if high / low < WIDE else TICKS[::2]))
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
    time: str = "days",
) -> Axes:
    """A step curve with its band for each table (time_days, estimate, ci_low, ci_high).

    They differ in colour and in dashes, the same whenever they are drawn. What is drawn later on
    the same axes keeps these, paler and with marks of its own; bands would then hide each other, so
    that each curve's interval on its last day stands at its end in their place. `of`: what tells
    the curves apart, over their names; `label`: what tells them from others on these axes, before
    their names (`2`, `3` ... where it is not given); the legend has a column for each. `time`: what
    is counted along the axis.
    """
    ax = _open(ax)
    n_before = len({line.get_gid() for line in _own(ax.get_lines(), CURVE)})
    label = label or (str(n_before + 1) if n_before else "")
    styles = zip(cycle(COLOURS), cycle(DASHES), strict=False)
    tops = [ax.get_ylim()[1] / HEADROOM if n_before else 0.0]
    mark = MARKS[n_before % len(MARKS)]
    for place, ((name, table), (hue, dash)) in enumerate(zip(curves.items(), styles, strict=False)):
        colour = _pale(hue, PALER * n_before)
        days, value, low, high = table[
            ["time_days", "estimate", "ci_low", "ci_high"]
        ].T.to_numpy(np.float64)  # fmt: skip
        last, told = days[-1], ", ".join(part for part in (label, name) if part)
        marked = np.searchsorted(days, last * (np.arange(N_MARKS) + 0.5) / N_MARKS)
        ax.step(
            days, value, where="post", color=colour, linestyle=dash, label=told,
            gid=f"{CURVE}{n_before}", marker=mark, markerfacecolor="white",
            markevery=[*np.unique(marked)],
        )  # fmt: skip
        ax.fill_between(days, low, high, step="post", color=colour, alpha=0.2, lw=0, gid=BAND)
        beside = last * (1 + APART * (1 + place + n_before * len(curves)))
        ax.vlines(beside, low[-1], high[-1], color=colour, linestyle=dash, gid=END)
        ax.scatter(beside, value[-1], 36, marker=mark or ".", edgecolor=colour, gid=END,
                   facecolor="white" if mark else colour, zorder=3)  # fmt: skip
        tops.append(float(np.nanmax([*high, *value], initial=0.0)))
    for artist in _own(ax.get_children(), BAND):
        artist.set_visible(not n_before)
    for artist in _own(ax.get_children(), END):
        artist.set_visible(bool(n_before))
    ax.set_xlabel(time if not n_before else f"{time}; at the end the 95 % intervals")
    ax.set_ylabel(ylabel)
    ax.set_ylim(0, max(tops) * HEADROOM or 1.0)
    if len(curves) > 1 or label:
        ax.legend(title=of, loc="upper left", ncols=n_before + 1, frameon=False, fontsize="small")
    return ax


def _own(artists: Iterable[Artist], kind: str) -> list[Artist]:
    """Those that `draw_curves` has drawn."""
    return [one for one in artists if str(one.get_gid()).startswith(kind)]


def _pale(colour: str, share: float) -> tuple[float, float, float]:
    """A colour with a share of white in it."""
    from matplotlib.colors import to_rgb

    red, green, blue = (part + (1 - part) * min(share, 0.6) for part in to_rgb(colour))
    return red, green, blue


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

    return plt.subplots(layout="constrained")[1]


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
