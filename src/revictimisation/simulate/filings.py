"""Reports before they are written down: a row per report and suspect, of every kind there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from revictimisation.simulate.course import Course, date_days, number_filings
from revictimisation.simulate.in_force import mark_in_force
from revictimisation.simulate.kernel import KIND_OTHER, KIND_REPORT, MOST_SUSPECTS
from revictimisation.simulate.offences import (
    BREACH_GROUP,
    GROUP_SHARES,
    MINOR_GROUPS,
    settle_groups,
)
from revictimisation.simulate.randoms import Integers, draw_category, draw_chance, draw_exponential

COLUMNS = ["victim", "unit", "filing", "suspect", "relation", "day", "offence_group", "source"]
ORDER = 0  # position of the non-contact order among the study measures
NO_SUSPECT = -1
LAG_SHARE = 0.015  # a second report on day 1: the same case, too early to be an outcome
UNKNOWN = "unknown"
OUTSIDE_RELATIONS = ("acquaintance", "stranger", UNKNOWN)
OUTSIDE_SHARES = (0.55, 0.25, 0.20)
EARLIER_SAME_SHARE = 0.5  # of earlier reports that can be against the index suspect, are
EARLIER_FROM_ON = np.datetime64("2009-01-01")
CLEAR_DAYS = 400  # beyond any washout, so that the index report stays eligible
CHAIN_SHARE = 0.35  # two earlier reports of which the later is in the accrual, washed out


def number_suspects(units: Integers | pd.Series[int], index: np.ndarray | int) -> Any:
    """Number the suspect of a victim: the victim's own first, second and third."""
    return units * 4 + index


def collect_index(course: Course) -> pd.DataFrame:
    """A row per index victim and suspect: the index report."""
    victims = course.setting.victims
    parts = []
    for j in range(MOST_SUSPECTS):
        mine = victims[victims["n_suspects"] > j]
        parts.append(pd.DataFrame({
            "victim": mine.index, "unit": mine["unit"], "suspect": number_suspects(mine["unit"], j),
            "relation": mine[f"relation_{j}"], "offence_group": mine["offence_group"],
        }))  # fmt: skip
    rows = pd.concat(parts, ignore_index=True).assign(day=0, source="index")
    rows["filing"] = number_filings(rows["unit"].to_numpy(), rows["day"].to_numpy(), False)
    return rows[COLUMNS]


def find_in_force(course: Course, rows: pd.DataFrame, measure: int) -> np.ndarray:
    """Say for each row whether the victim's measure is in force on that day: start < day <= end."""
    return mark_in_force(course.setting.given.running, course.events, rows, measure)


def collect_repeats(course: Course) -> pd.DataFrame:
    """A row per later report against an index suspect; some during an order are its mere breach."""
    victims, events = course.setting.victims, course.events
    rows = events[events["kind"] == KIND_REPORT].reset_index(drop=True)
    rows["unit"] = victims["unit"].to_numpy()[rows["victim"]]
    rows["suspect"] = number_suspects(rows["unit"].to_numpy(), rows["index"].to_numpy())
    relations = victims[[f"relation_{j}" for j in range(MOST_SUSPECTS)]].to_numpy()
    rows["relation"] = relations[rows["victim"], rows["index"]]
    rows["filing"] = number_filings(rows["unit"].to_numpy(), rows["day"].to_numpy(), False)
    filings = rows["filing"].to_numpy()
    groups, shares = zip(*GROUP_SHARES.items(), strict=True)
    group = np.array(groups, dtype=object)[
        draw_category(course.seed, filings, "repeat_group", shares)
    ]
    is_breach = find_in_force(course, rows, ORDER) & draw_chance(
        course.seed, filings, "breach", course.scenario.breach_share
    )
    on = date_days(course, rows["victim"].to_numpy(), rows["day"].to_numpy())
    group = settle_groups(group, on.astype("datetime64[s]"))
    rows["offence_group"] = np.where(is_breach, BREACH_GROUP, group)
    return rows.assign(source="repeat")[COLUMNS]


def collect_same_case(course: Course) -> pd.DataFrame:
    """A row per second report on day 1, which the outcome's lag leaves out."""
    victims = course.setting.victims
    units = victims["unit"].to_numpy()
    mine = victims[draw_chance(course.seed, units, "same_case", LAG_SHARE)]
    rows = pd.DataFrame({
        "victim": mine.index, "unit": mine["unit"], "suspect": number_suspects(mine["unit"], 0),
        "relation": mine["relation_0"], "day": 1, "source": "same_case",
    })  # fmt: skip
    minor = draw_category(course.seed, rows["unit"].to_numpy(), "same_case_group", (1, 1, 1))
    rows["offence_group"] = np.array(MINOR_GROUPS)[minor]
    rows["filing"] = number_filings(rows["unit"].to_numpy(), rows["day"].to_numpy(), False)
    return rows[COLUMNS]


def draw_outside(seed: int, filings: Integers) -> np.ndarray:
    """Draw the relation of a suspect outside the close ones, ``UNKNOWN`` where nobody is named."""
    return np.array(OUTSIDE_RELATIONS)[draw_category(seed, filings, "outside", OUTSIDE_SHARES)]


def _draw_outside(course: Course, rows: pd.DataFrame) -> pd.DataFrame:
    """Give each row a suspect who cannot make an index report: no kin, or nobody known."""
    filings = rows["filing"].to_numpy()
    rows["relation"] = draw_outside(course.seed, filings)
    rows["suspect"] = np.where(rows["relation"] == UNKNOWN, NO_SUSPECT, filings)
    return rows


def collect_others(course: Course) -> pd.DataFrame:
    """A row per later report against somebody else, whom no measure of the study is aimed at."""
    events = course.events
    rows = events[events["kind"] == KIND_OTHER][["victim", "day"]].reset_index(drop=True)
    rows["unit"] = course.setting.victims["unit"].to_numpy()[rows["victim"]]
    rows["filing"] = number_filings(rows["unit"].to_numpy(), rows["day"].to_numpy(), True)
    groups = draw_category(course.seed, rows["filing"].to_numpy(), "other_group", (4, 3, 2))
    rows["offence_group"] = np.array(["assault", "threat", "molestation"])[groups]
    return _draw_outside(course, rows).assign(source="other")[COLUMNS]


def _place_earlier(course: Course) -> pd.DataFrame:
    """Lay out the days of the earlier reports: distinct, none before the registers begin."""
    victims = course.setting.victims
    counts = victims["n_earlier"].to_numpy()
    rows = pd.DataFrame({"victim": np.repeat(np.arange(len(victims)), counts)})
    rows["unit"] = victims["unit"].to_numpy()[rows["victim"]]
    rows["turn"] = rows.groupby("victim").cumcount()
    index_on = victims["index_on"].to_numpy().astype("datetime64[D]")
    room = ((index_on - EARLIER_FROM_ON).astype(np.int64) // np.maximum(counts, 1))[rows["victim"]]
    draws = draw_exponential(course.seed, (rows["unit"] * 8 + rows["turn"]).to_numpy(), "gap")
    gaps = 1 + np.minimum(np.floor(draws * 0.45 * room), room - 2).astype(np.int64)
    rows["day"] = -pd.Series(gaps).groupby(rows["victim"]).cumsum()
    return rows


def _find_chains(course: Course, rows: pd.DataFrame) -> pd.DataFrame:
    """Move the two earlier reports of some people so that the later is washed out by the first."""
    victims = course.setting.victims
    first_day = np.datetime64(course.scenario.accrual_from_on)
    since = (victims["index_on"].to_numpy().astype("datetime64[D]") - first_day).astype(np.int64)
    units = victims["unit"].to_numpy()
    is_chain = (
        (victims["n_earlier"].to_numpy() == 2)
        & (since > CLEAR_DAYS + 200)
        & draw_chance(course.seed, units, "chain", CHAIN_SHARE)
    )
    into = 10 + np.floor(draw_exponential(course.seed, units, "chain_into", 60)).clip(max=180)
    day = np.where(rows["turn"] == 0, into[rows["victim"]], -into[rows["victim"]] / 2)
    moved = (np.floor(day) - since[rows["victim"]]).astype(np.int64)
    rows["is_chain"] = is_chain[rows["victim"]]
    rows["day"] = np.where(rows["is_chain"], moved, rows["day"])
    return rows


def collect_earlier(course: Course) -> pd.DataFrame:
    """A row per report before the index report, against the same suspect or somebody else.

    One against the index suspect lies before the accrual and beyond the washout, so that the index
    report stays the first eligible one; the chains are the exception that leaves it so too.
    """
    victims = course.setting.victims
    rows = _find_chains(course, _place_earlier(course))
    rows["filing"] = number_filings(rows["unit"].to_numpy(), rows["day"].to_numpy(), False)
    filings = rows["filing"].to_numpy()
    index_on = victims["index_on"].to_numpy().astype("datetime64[D]")[rows["victim"]]
    on = index_on + rows["day"].to_numpy().astype("timedelta64[D]")
    is_possible = (on < np.datetime64(course.scenario.accrual_from_on)) & (
        rows["day"].to_numpy() < -CLEAR_DAYS
    )
    is_same = is_possible & draw_chance(course.seed, filings, "same", EARLIER_SAME_SHARE)
    is_same |= rows["is_chain"].to_numpy()
    rows = _draw_outside(course, rows)
    rows["suspect"] = np.where(is_same, number_suspects(rows["unit"], 0), rows["suspect"])
    relation = victims["relation_0"].to_numpy()[rows["victim"]]
    rows["relation"] = np.where(is_same, relation, rows["relation"])
    group = draw_category(course.seed, filings, "earlier_group", (5, 3, 2))
    rows["offence_group"] = np.array(["assault", "threat", "molestation"])[group]
    return rows.assign(source="earlier")[COLUMNS]


def collect_filings(course: Course) -> pd.DataFrame:
    """All reports of the index victims, a row per report and suspect.

    Columns: victim (row number), unit, filing (number of the report), suspect (number, -1 unknown),
    relation, day (since the index report), offence_group, source.
    """
    parts = (collect_index, collect_repeats, collect_same_case, collect_others, collect_earlier)
    rows = pd.concat([collect(course) for collect in parts], ignore_index=True)
    return rows[rows["day"] <= course.setting.last_day[rows["victim"]]].reset_index(drop=True)
