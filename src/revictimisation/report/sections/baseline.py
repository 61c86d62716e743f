"""Page 07: who is compared by strategy, before and after weighting, and how far they are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from revictimisation.core.codes import MISSING
from revictimisation.report.described import (
    NOTHING,
    Cell,
    Folded,
    LovePlot,
    LoveRow,
    Piece,
    Text,
    join,
)
from revictimisation.report.page import DASH, SHARE, Page
from revictimisation.report.sections.referees import describe_joint
from revictimisation.report.trials import ARMS, Check, find_started, list_balance, list_checks
from revictimisation.report.verdicts import name_measure

SHARES = "share_weighted"
COLUMNS = ("everyone", "before_start", "before_no_start", "after_start", "after_no_start")


@dataclass(frozen=True)
class Level:
    """A level among those eligible for a measure: how many there are, how many started in time."""

    name: str
    people: float
    started: float


def list_levels(page: Page, measure: str, group: str) -> list[Level]:
    """The levels of a grouping with their counts; empty where any of them is not told."""
    found = []
    for level in page.levels("q3", group):
        if level not in page.release.single_levels.get(group, ()):
            continue
        number = find_started(page, measure, group, level)
        if number.n_people is None or number.n_events is None:
            return []
        found.append(Level(level, number.n_people, number.n_events))
    return found


def show_table_one(page: Page) -> Piece:
    """Table 1 by strategy, before and after weighting; a folded table for each measure."""
    tables = [_table_one(page, measure) for measure in page.plan.measure_names]
    shown = [table for table in tables if table]
    return join(shown) if shown else page.text("referees.none")


def _table_one(page: Page, measure: str) -> Piece:
    weighted = _read_shares(page, measure)
    rows = [row for group in page.plan.subgroups
            for row in _list_rows(page, measure, group, weighted)]  # fmt: skip
    if not rows:
        return NOTHING
    heads = [page.say("common.group"), *(page.say(f"referees.baseline_{one}") for one in COLUMNS)]
    caption = page.say("referees.baseline_caption", measure=name_measure(page, measure))
    return Folded(name_measure(page, measure), page.table(caption, heads, rows))


def _read_shares(page: Page, measure: str) -> dict[tuple[str, str, str], Check]:
    """The weighted shares of a measure's arms by arm, grouping and level."""
    return {
        (check.arm, check.of.group, check.of.level): check
        for check in list_checks(page, measure) if check.name == SHARES
    }  # fmt: skip


def _list_rows(
    page: Page, measure: str, group: str, weighted: dict[tuple[str, str, str], Check]
) -> list[list[Cell | str]]:
    levels = list_levels(page, measure, group)
    people, started = (sum(getattr(level, one) for level in levels)
                       for one in ("people", "started"))  # fmt: skip
    rows: list[list[Cell | str]] = []
    for level in levels:
        before = (
            level.people / people if people else None,
            level.started / started if started else None,
            (level.people - level.started) / (people - started) if people > started else None,
        )
        after = (weighted.get((arm, group, level.name)) for arm in ARMS)
        values = [*before, *(check.known if check else None for check in after)]
        name = f"{page.labels.group(group)}: {page.labels.level(group, level.name)}"
        rows.append([name, *(show_share(page, value) for value in values)])
    return rows


def show_missing(page: Page) -> Piece:
    """What part of those compared has no value of a covariate, by strategy, before weighting."""
    groups = [group for group in page.plan.subgroups
              if MISSING in page.release.single_levels.get(group, ())]  # fmt: skip
    rows = []
    for measure in page.plan.measure_names:
        cells = [cell for group in groups for cell in _show_missing(page, measure, group)]
        rows.append([name_measure(page, measure), *cells])
    if not groups or not rows:
        return page.text("referees.missing_none")
    heads = [
        page.say("referees.missing_head", group=page.labels.group(group),
                 who=page.say(f"referees.baseline_{one}").lower())
        for group in groups for one in COLUMNS[:3]
    ]  # fmt: skip
    table = page.table(page.say("referees.missing_caption"), [page.say("common.measure"), *heads],
                       rows)  # fmt: skip
    return join([page.text("referees.missing_text"), table])


def _show_missing(page: Page, measure: str, group: str) -> list[Cell | str]:
    """The shares of the row of table 1 that tells of those without a value; dashes without it."""
    name = f"{page.labels.group(group)}: {page.labels.level(group, MISSING)}"
    rows = _list_rows(page, measure, group, {})
    hidden: list[Cell | str] = [DASH, DASH, DASH]
    return next((row[1:4] for row in rows if row[0] == name), hidden)


def show_share(page: Page, share: float | None) -> Cell | str:
    """A share in whole per cent; a dash where it is not told."""
    if share is None:
        return DASH
    return Cell(page.formats.percent(share, 0), share, unit=SHARE)


def measure_before(levels: Sequence[Level]) -> float | None:
    """The largest standardised difference of the starters from all, before weighting.

    In the standard deviation of each level's indicator among all; None where it is not known.

    >>> round(measure_before([Level("a", 100, 30), Level("b", 100, 10)]), 2)
    0.5
    """
    people, started = (sum(getattr(level, one) for level in levels)
                       for one in ("people", "started"))  # fmt: skip
    if not (people and started):
        return None
    gaps = []
    for level in levels:
        share = level.people / people
        spread = math.sqrt(share * (1 - share))
        gaps.append(abs(level.started / started - share) / spread if spread else 0.0)
    return max(gaps)


def show_balance(page: Page) -> Piece:
    """Balance by covariate: the starters before weighting, the worse arm after it."""
    after = {measure: list_balance(page, measure) for measure in page.plan.measure_names}
    after = {measure: found for measure, found in after.items() if found}
    if not after:
        return page.text("referees.balance_none")
    before = {
        (name, measure): measure_before(list_levels(page, measure, name))
        for name in page.plan.adjust_for if name in page.plan.subgroups for measure in after
    }  # fmt: skip
    limit = page.plan.gates.largest_standardised_difference
    rows = [
        LoveRow(
            page.labels.group(name),
            [gap for measure in after if (gap := before.get((name, measure))) is not None],
            [found[name] for found in after.values() if name in found],
        )
        for name in page.plan.adjust_for
    ]
    names = page.say("referees.balance_before"), page.say("referees.balance_after")
    picture = LovePlot(rows, names, limit, page.formats.way("decimal", 1),
                       page.say("referees.balance_axis"))  # fmt: skip
    values = [value for row in rows for value in row.after]
    given = {"n_held": sum(value <= limit for value in values), "n_all": len(values),
             "limit": page.formats.decimal(limit, 2)}  # fmt: skip
    caption, alt = (
        page.say("referees.balance_caption", **given),
        page.say("referees.balance_alt", **given),
    )
    figure = page.figure(picture, alt, caption, _balance_table(page, after, before))
    return join([figure, page.text("referees.balance_text"), Text(describe_joint(page), "note")])


def _balance_table(
    page: Page,
    after: dict[str, dict[str, float]],
    before: dict[tuple[str, str], float | None],
) -> Piece:
    """A row a covariate, a column a measure: after weighting, before it in small print."""
    rows = []
    for name in page.plan.adjust_for:
        cells: list[Cell | str] = []
        for measure, found in after.items():
            value, known = found.get(name), before.get((name, measure))
            cell = DASH if value is None else Cell(page.formats.decimal(value, 2), value)
            if isinstance(cell, Cell) and known is not None:
                told = page.formats.decimal(known, 2)
                cell = cell.above(page.say("referees.balance_was", value=told))
            cells.append(cell)
        rows.append([page.labels.group(name), *cells])
    heads = [page.say("common.group"), *(name_measure(page, measure) for measure in after)]
    return page.table(page.say("referees.balance_table"), heads, rows)
