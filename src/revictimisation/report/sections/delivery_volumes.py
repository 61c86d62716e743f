"""Rows over time: a row of bars per table, what stands out in words, and the numbers."""

from __future__ import annotations

import pandas as pd

from revictimisation.report.delivery import YEAR_LETTERS, Sheet
from revictimisation.report.described import Folded, Heading, Periods, Piece, Table, Text, join

HIDDEN = -1


def show_volumes(sheet: Sheet) -> Piece:
    """For each dated table its bars, its marked periods and its numbers."""
    limits, formats = sheet.delivery.plan.validation, sheet.formats
    how = sheet.text(
        "delivery.volumes_how",
        neighbours=limits.neighbours,
        deviations=formats.decimal(limits.volume_deviations, 1),
        change=formats.percent(limits.volume_change, 0),
    )
    parts = [sheet.heading("delivery.volumes_heading"), how]
    if sheet.delivery.volumes["is_hidden"].any():
        parts.append(sheet.text("delivery.volumes_hidden", threshold=sheet.threshold))
    for name, rows in sheet.delivery.volumes.groupby("table", sort=False):
        parts.append(_show_table(sheet, str(name), rows))
    return join(parts)


def _show_table(sheet: Sheet, name: str, rows: pd.DataFrame) -> Piece:
    marked = rows[rows["mark"] != ""]
    lines = [f"- {_describe_mark(sheet, row)}" for row in marked.itertuples()]
    told = Text("\n".join(lines)) if lines else sheet.text("delivery.volumes_none")
    return join(
        [
            Heading(sheet.name_table(name), 3),
            describe_bars(rows, _describe(sheet, name, rows), sheet.threshold),
            told,
            Folded(sheet.say("delivery.volumes_numbers"), _tabulate(sheet, name, rows)),
        ]
    )


def _describe(sheet: Sheet, name: str, rows: pd.DataFrame) -> str:
    return sheet.say(
        "delivery.volumes_picture",
        table=sheet.name_table(name),
        first=sheet.name_period(rows["period"].iloc[0]),
        last=sheet.name_period(rows["period"].iloc[-1]),
        most=sheet.show_count(int(rows["n_rows"].max())),
    )


def _describe_mark(sheet: Sheet, one: object) -> str:
    counts = {
        blank: sheet.show_count(round(getattr(one, column)))
        for blank, column in (("n", "n_rows"), ("usual", "usual"), ("onward", "onward"))
    }
    if getattr(one, "is_hidden", False) and getattr(one, "n_rows", 0) >= sheet.threshold:
        counts["n"] = sheet.say("delivery.hidden")
    period = sheet.name_period(getattr(one, "period", ""))
    mark = getattr(one, "mark", "")
    return sheet.say(f"delivery.mark_{mark}", period=period, **counts)


def describe_bars(rows: pd.DataFrame, alt: str, threshold: int) -> Periods:
    """A bar a period; one that is marked is odd.

    A count from 1 to `threshold` - 1 is drawn as one, another that is hidden as what is usual, and
    pale: a bar must not tell what a number does not.
    """
    most, bars = max(int(rows["n_rows"].max()), 1), []
    for one in rows.itertuples():
        number = int(str(one.n_rows))
        is_beside = bool(one.is_hidden) and number >= threshold
        drawn = float(str(one.usual)) if is_beside else 1 if 0 < number < threshold else number
        kind = "odd" if one.mark else "pale" if is_beside else ""
        bars.append((str(one.period), min(drawn / most, 1), kind))
    return Periods(tuple(bars), alt)


def _tabulate(sheet: Sheet, name: str, rows: pd.DataFrame) -> Piece:
    """A row per year with its months or quarters."""
    is_quarterly = "Q" in rows["period"].iloc[0]
    parts = [str(number) for number in range(1, 5)] if is_quarterly else [
        f"{number:02d}" for number in range(1, 13)
    ]  # fmt: skip
    ends = rows["period"].str.replace("Q", "").str.slice(YEAR_LETTERS + 1)
    told = rows["n_rows"].where(~rows["is_hidden"] | (rows["n_rows"] < sheet.threshold), HIDDEN)
    counts = dict(zip(zip(rows["period"].str[:YEAR_LETTERS], ends, strict=True), told, strict=True))
    heads = [sheet.say("delivery.quarter", number=part) if is_quarterly else part for part in parts]
    cells = [
        [year, *(_count(sheet, counts.get((year, part))) for part in parts)]
        for year in dict.fromkeys(rows["period"].str[:YEAR_LETTERS])
    ]
    return Table(sheet.name_table(name), [sheet.say("delivery.head_year"), *heads], cells)


def _count(sheet: Sheet, number: int | None) -> str:
    if number is None:
        return "–"
    return sheet.say("delivery.hidden") if number == HIDDEN else sheet.show_count(int(number))
