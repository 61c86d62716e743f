"""What a fitted Cox model leaves: its baseline hazard, and how well it orders the events."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Codes, Floats
from revictimisation.estimators.cox_data import Episodes


def estimate_baseline(risk: Floats, episodes: Episodes) -> pd.DataFrame:
    """The baseline hazard by Efron's method: a row per stratum and day with events.

    Columns: stratum (its number, 0 without strata), day, hazard, cumulative_hazard. `risk`: the
    hazard ratio of each episode against the baseline. Of d events on a day the k-th has k / d of
    the tied ones no longer at risk; each has their mean weight. R's `basehaz(fit, centered=FALSE)`.

    Example:
        >>> one, events = np.ones(3), np.array([True, True, False])
        >>> rows = Episodes(np.zeros(3, int), np.array([2, 2, 3]), events, one, None, None)
        >>> estimate_baseline(one, rows)["cumulative_hazard"].round(4).tolist()  # 1/3 + 1/2
        [0.8333]
    """
    amount, strata = episodes.weights * risk, _read_strata(episodes)
    parts = []
    for stratum in np.unique(strata[episodes.is_event & (episodes.weights > 0)]):
        mine = (strata == stratum) & (episodes.weights > 0)
        own, happened = episodes.take(mine), amount[mine][episodes.is_event[mine]]
        days, tie = np.unique(own.stop[own.is_event], return_inverse=True)
        n_tied, tied = np.bincount(tie), np.bincount(tie, happened)
        weight = np.bincount(tie, own.weights[own.is_event]) / n_tied
        at_risk = _sum_from(own.stop, amount[mine], days) - _sum_from(own.start, amount[mine], days)
        event = np.repeat(np.arange(len(days)), n_tied)
        k = np.arange(len(event)) - np.repeat(np.cumsum(n_tied) - n_tied, n_tied)
        left = at_risk[event] - k / n_tied[event] * tied[event]
        hazard = np.bincount(event, weight[event] / left)
        parts.append(pd.DataFrame({"stratum": stratum, "day": days, "hazard": hazard,
                                   "cumulative_hazard": np.cumsum(hazard)}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def find_concordance(risk: Floats, episodes: Episodes) -> float:
    """Harrell's C: how often, of two at risk on the day of an event, it falls on the higher risk.

    A pair is somebody with an event and anybody of the stratum at risk on that day without one,
    censored on it or later; equal risks count half, a pair as the product of its weights. NaN
    without a pair. R's `concordance`.

    Example:
        >>> three = np.array([1, 2, 3])
        >>> rows = Episodes(np.zeros(3, int), three, three < 3, np.ones(3), None, None)
        >>> round(find_concordance(np.array([2.0, 1.0, 1.0]), rows), 4)  # (1 + 1 + .5) / 3
        0.8333
    """
    rank = np.unique(risk, return_inverse=True)[1].astype(np.int64)
    weights, is_event, earliest = episodes.weights, episodes.is_event, episodes.start.min(initial=0)
    span = episodes.stop.max(initial=0) - earliest + 1
    stop, start = (
        _read_strata(episodes) * span + day - earliest for day in (episodes.stop, episodes.start)
    )
    asked, every = np.flatnonzero(is_event), np.ones(len(rank), np.bool_)
    on, below = stop[asked], rank[asked]
    ended = (on // span + 1) * span  # the last day of the stratum is over
    bounds = below, below + 1, np.full_like(below, rank.max(initial=0) + 1)
    pairs = np.zeros(3)
    # at risk: not over before the day, less not yet begun, less those with an event on it
    parts = (stop, every, ended, 1), (start, every, ended, -1), (stop, is_event, on + 1, -1)
    for day, chosen, until, sign in parts:
        order = np.flatnonzero(chosen)[np.argsort(day[chosen], kind="stable")]
        places = np.searchsorted(day[order], on), np.searchsorted(day[order], until)
        found = [_sum_below(rank[order], weights[order], *places, bound) for bound in bounds]
        pairs += [sign * float((weights[asked] * one).sum()) for one in found]
    lower, not_higher, total = pairs
    return float((lower + not_higher) / (2 * total)) if total > 0 else float("nan")


def _read_strata(episodes: Episodes) -> Codes:
    return np.zeros(len(episodes.stop), np.int64) if episodes.strata is None else episodes.strata


def _sum_from(day: Codes, amount: Floats, asked: Codes) -> Floats:
    """The amounts of all whose day is one of those asked for or later."""
    order = np.argsort(day, kind="stable")
    total = np.append(np.cumsum(amount[order][::-1])[::-1], 0.0)
    return np.asarray(total[np.searchsorted(day[order], asked)])


def _sum_below(rank: Codes, weight: Floats, first: Codes, last: Codes, least: Codes) -> Floats:
    """Of the rows first..last - 1 the weight of those of a lower rank than `least`, each time.

    Bit by bit, the highest first; rows are parted by each bit in turn (a wavelet matrix).
    """
    found, low, high = np.zeros(len(least)), first.copy(), last.copy()
    for bit in reversed(range(int(max(rank.max(initial=0), least.max(initial=0))).bit_length())):
        is_one = (rank >> bit) & 1 == 1
        zeros = np.append(0, np.cumsum(~is_one))
        summed = np.append(0.0, np.cumsum(np.where(is_one, 0.0, weight)))
        has_bit = (least >> bit) & 1 == 1
        found += np.where(has_bit, summed[high] - summed[low], 0.0)
        low = np.where(has_bit, zeros[-1] + low - zeros[low], zeros[low])
        high = np.where(has_bit, zeros[-1] + high - zeros[high], zeros[high])
        rank, weight = (np.append(part[~is_one], part[is_one]) for part in (rank, weight))
    return found
