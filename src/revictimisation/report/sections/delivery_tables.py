"""Completeness as tables of shades with numbers, and whether the delivery is plausible."""

from __future__ import annotations

import pandas as pd

from revictimisation.dictionary import Field
from revictimisation.report.delivery import Sheet
from revictimisation.report.described import Cell, Folded, Piece, Table, join

OTHER, MISSING, WHOLE = "other", "missing", ""
LAST = {OTHER: 1, MISSING: 2}
SHADES = 5
# A number that is hidden because a small one would else follow from it.
BESIDE = "complement"


def show_completeness(sheet: Sheet) -> Piece:
    """For each table filled cells by year, and folded by district."""
    threshold = sheet.threshold
    parts = [
        sheet.heading("delivery.completeness_heading"),
        sheet.text("delivery.completeness_how"),
        sheet.text("delivery.completeness_note", threshold=threshold),
    ]
    facts = sheet.delivery.facts
    for name, rows in facts.groupby("table", sort=False):
        years = rows[rows["kind"].isin(["filled", "filled_year"])]
        places = rows[rows["kind"].isin(["filled", "filled_place"])]
        key = "year" if "filled_year" in set(years["kind"]) else "all"
        caption = sheet.say(f"delivery.completeness_{key}", table=sheet.name_table(str(name)))
        parts.append(_show_heat(sheet, str(name), years, caption))
        if "filled_place" in set(places["kind"]):
            caption = sheet.say("delivery.completeness_place", table=sheet.name_table(str(name)))
            parts.append(Folded(caption, _show_heat(sheet, str(name), places, caption)))
    return join(parts)


def _show_heat(sheet: Sheet, name: str, rows: pd.DataFrame, caption: str) -> Piece:
    levels = sorted(dict.fromkeys(rows["level"]), key=lambda one: (LAST.get(one, 0), one))
    cells = {(row.column, row.level): row for row in rows.itertuples()}
    fields = [one for one in sheet.dictionary.tables[name].fields if (one.name, WHOLE) in cells]
    heads = [
        sheet.say("delivery.head_column"),
        *(_name_level(sheet, level, rows) for level in levels),
    ]
    body = []
    for field in fields:
        shades = (_shade(sheet, cells.get((field.name, level))) for level in levels)
        body.append([_name_field(sheet, field), *shades])
    return Table(caption, heads, body, kind="heat")


def _name_field(sheet: Sheet, field: Field) -> str:
    star = " *" if field.is_required else ""
    return f"{field.label[sheet.language]}{star}"


def _name_level(sheet: Sheet, level: str, rows: pd.DataFrame) -> str:
    if level == WHOLE:
        return sheet.say("delivery.whole")
    kind = "place" if "filled_place" in set(rows["kind"]) else "year"
    if level == MISSING:
        return sheet.say("delivery.no_place" if kind == "place" else "delivery.no_date")
    if level == OTHER:
        return sheet.say("delivery.other_places" if kind == "place" else "delivery.other_years")
    return sheet.dictionary.label("police_districts", level, sheet.language)


def _shade(sheet: Sheet, cell: object) -> Cell | str:
    """A share with a shade that grows as cells are empty; a hidden one has none."""
    if cell is None:
        return "–"
    total, number = getattr(cell, "total", None), getattr(cell, "n", None)
    if getattr(cell, "status", "") == BESIDE:
        return sheet.say("delivery.hidden")
    if pd.isna(number) or pd.isna(total):
        return f"<{sheet.threshold}"
    if not total:
        return "–"
    share = int(str(number)) / int(str(total))
    shade = 0 if share == 1 else min(SHADES, 1 + int((1 - share) * SHADES))
    per_cent = sheet.formats.decimal(_round_inward(100 * share), 0)
    return Cell(per_cent, 100 * share, unit="%", kind=f"shade s{shade}")


def _round_inward(per_cent: float) -> int:
    """Whole per cent, where 100 and 0 are only all and none."""
    return round(per_cent) if per_cent in (0, 100) else min(99, max(1, round(per_cent)))


def show_plausible(sheet: Sheet) -> Piece:
    """What differs from the last delivery, or else from what the dictionary expects."""
    heading = sheet.heading("delivery.plausible_heading")
    if sheet.delivery.changes is not None:
        return join([heading, _show_changes(sheet, sheet.delivery.changes)])
    return join([heading, _show_expected(sheet)])


def _show_changes(sheet: Sheet, changes: pd.DataFrame) -> Piece:
    limits, formats = sheet.delivery.plan.validation, sheet.formats
    how = sheet.text(
        "delivery.plausible_previous",
        chance=formats.decimal(limits.chance_deviations, 1),
        share=formats.decimal(100 * limits.share_change, 0),
        rate=formats.percent(limits.rate_change, 0),
        compared=formats.count(len(changes)),
    )
    changed = changes[changes["is_changed"]]
    if changed.empty:
        return join([how, sheet.text("delivery.changes_none")])
    heads = [sheet.say(f"delivery.head_{one}") for one in ("figure", "before", "now")]
    rows = [
        [_name_figure(sheet, row), *(_show_value(sheet, row, at) for at in ("before", "now"))]
        for row in changed.itertuples()
    ]
    return join([how, Table(sheet.say("delivery.changes_caption"), heads, rows)])


def _name_figure(sheet: Sheet, one: object) -> str:
    name, kind = getattr(one, "table", ""), getattr(one, "kind", "")
    column, level = getattr(one, "column", ""), getattr(one, "level", "")
    known = dict(table=name, column=sheet.name_column(name, column) if column else "")
    if kind == "code":
        field = sheet.dictionary.tables[name].field(column)
        known["level"] = sheet.dictionary.label(field.codes or "yes_no", level, sheet.language)
        if level == OTHER:
            known["level"] = sheet.say("delivery.other_code")
    return sheet.say(f"delivery.figure_{kind}", **known)


def _show_value(sheet: Sheet, one: object, at: str) -> str:
    value = float(getattr(one, at))
    if getattr(one, "kind", "") in ("filled", "code"):
        return sheet.formats.percent(value, 1)
    return sheet.formats.decimal(value, 1)


def _show_expected(sheet: Sheet) -> Piece:
    expected = sheet.delivery.expected
    how = sheet.text("delivery.plausible_expected")
    known = [sheet.text("common.set_by")] if sheet.delivery.is_synthetic else []
    if expected.empty:
        return join([how, *known, sheet.text("delivery.expected_none")])
    names = ("figure", "now", "expected", "outcome", "confidence")
    heads = [sheet.say(f"delivery.head_{name}") for name in names]
    rows = [
        [
            f"{row.table}: {getattr(row, f'label_{sheet.language}')}",
            *(
                Cell(cell, label=head)
                for head, cell in zip(heads[1:], _expected_cells(sheet, row), strict=True)
            ),
        ]
        for row in expected.itertuples()
    ]
    caption = sheet.say("delivery.expected_caption")
    return join([how, *known, Table(caption, heads, rows, kind="words stacked expected")])


def _expected_cells(sheet: Sheet, one: object) -> list[str]:
    low, high = (_show_value(sheet, one, at) for at in ("minimum", "maximum"))
    outcome = sheet.say(f"delivery.{'outside' if getattr(one, 'is_outside', False) else 'inside'}")
    confidence = str(getattr(one, "confidence", ""))
    return [_show_value(sheet, one, "now"), f"{low} – {high}", outcome, confidence]
