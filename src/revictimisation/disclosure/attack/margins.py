"""Counts that follow from others: margins, denominators, limits, twins, neighbours on a curve."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.disclosure.attack.cells import CELL, COUNTED, Cells, Whole, list_cells
from revictimisation.disclosure.attack.findings import make_findings, name_rows
from revictimisation.disclosure.attack.ranges import MOST, narrow, solve
from revictimisation.disclosure.attack.release import Release


def recover_counts(release: Release) -> pd.DataFrame:
    """Suppressed counts left fewer values than the threshold, and rounded ones left a single one.

    `margins`: by sums and parts; `curves`: by the days before and after; `twins`: another row
    shows the count itself; `limits`: shares and their limits leave one count.
    """
    cells = list_cells(release.estimates, release.rules, release.plan)
    threshold = release.rules.threshold
    table = bound_cells(cells, threshold)
    return pd.concat(
        [judge_counts(table, threshold), find_short_steps(table, threshold)], ignore_index=True
    )


def find_short_steps(table: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Days between which a curve that is shown at both had 1 to threshold - 1 events."""
    is_curve = table["kind"].eq("events") & table["group"].eq("risk") & table["time_days"].ne("")
    is_curve &= table["is_shown"].astype(bool) & table["estimand"].eq("cumulative_incidence")
    names = [name for name in CELL if name != "time_days"]
    curves = table[is_curve].assign(day=table.loc[is_curve, "time_days"].astype(int))
    curves = curves.sort_values([*names, "day"])
    before = curves.shift()
    is_next = curves[names].eq(before[names]).all(axis=1)
    low, high = curves["low"] - before["high"], curves["high"] - before["low"]
    is_short = is_next & low.ge(1) & high.lt(threshold)
    found = curves.assign(low=low, high=high, row=name_cell(curves))[is_short]
    return make_findings(found, kind="curves", what="step", place="estimates", column="n_events")


def name_cell(table: pd.DataFrame) -> pd.Series:
    """A cell by its keys; people of a level by what all that count them have in common."""
    people = table["key"].str.split("|").map(lambda parts: " · ".join(filter(None, parts)))
    return name_rows(table, CELL).mask(table["kind"].eq("people"), people)


def bound_cells(cells: Cells, threshold: int) -> pd.DataFrame:
    """The table of cells with the ranges that all of them together leave."""
    table = cells.table
    low, high = (table[name].to_numpy(np.int64) for name in ("low", "high"))
    least, most, is_false = narrow(low, high, cells.relations)
    chosen = (table["is_hidden"] & ~table["is_shown"]).to_numpy(bool) & ~is_false
    if not is_false.any():
        least, most = solve(least, most, cells.relations, chosen, threshold)
    told_low, told_high = _add_reasons(cells, least, most, threshold)
    told_low, told_high, is_untrue = narrow(told_low, told_high, cells.relations)
    is_untrue |= is_false
    own_low, own_high = np.where(is_false, low, least), np.where(is_false, high, most)
    return table.assign(own_width=high - low, low=own_low, high=own_high, is_false=is_false,
                        told_low=np.where(is_untrue, own_low, told_low),
                        told_high=np.where(is_untrue, own_high, told_high))  # fmt: skip


def _add_reasons(cells: Cells, low: Whole, high: Whole, threshold: int) -> tuple[Whole, Whole]:
    """What the reason of a suppressed row tells: few events, or few without; or neither.

    The former is only used where the latter can't be.
    """
    table, low, high = cells.table, low.copy(), high.copy()
    pairs = cells.rows[cells.rows["group"].isin(COUNTED)].drop_duplicates("events")
    people = np.full(len(table), -1)
    people[pairs["events"].to_numpy(np.int64)] = pairs["people"].to_numpy(np.int64)
    has = people >= 0
    least_people, most_people = low[people], high[people]
    is_few = has & table["is_small"].to_numpy(bool) & (least_people >= threshold)
    is_low = is_few & (high < least_people - threshold + 1)
    high[is_low] = np.minimum(high[is_low], threshold - 1)
    is_other = has & table["is_complement"].to_numpy(bool)
    low[is_other] = np.maximum(low[is_other], threshold)
    high[is_other] = np.minimum(high[is_other], most_people[is_other] - threshold)
    return low, high


def judge_counts(table: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The findings among cells whose ranges are known."""
    width = table["high"] - table["low"]
    is_hidden = table["is_hidden"].astype(bool)
    is_shown, is_events = table["is_shown"].astype(bool), table["kind"].eq("events")
    is_twin = is_hidden & is_shown & is_events
    is_close = is_hidden & ~is_shown & ~table["is_false"] & width.lt(threshold)
    told = table["told_high"] - table["told_low"]
    is_told = is_hidden & ~is_shown & ~is_close & told.le((threshold - 1) // 2)
    is_single = (
        is_shown & ~is_hidden & width.eq(0) & table["own_width"].ge(0) & table["high"].lt(MOST)
    )
    is_single &= ~table["is_exact"]
    is_curve = table["time_days"].ne("") & table["group"].eq("risk")
    kind = np.select(
        [is_twin, is_single, (is_close | is_told) & is_curve],
        ["twins", "limits", "curves"],
        "margins",
    )
    low, high = (table[end].mask(is_told, table[f"told_{end}"]) for end in ("low", "high"))
    what = np.where(is_twin, "shown_elsewhere", np.where(low.eq(high), "exact", "within"))
    what = np.where(is_told, np.char.add("reason_", what.astype(str)), what)
    found = table.assign(
        low=low, high=high,
        kind_of=table["kind"], kind=kind, what=what, place="estimates", row=name_cell(table),
        column="n_" + table["kind"],
    )  # fmt: skip
    return make_findings(found[is_twin | is_close | is_told | is_single])
