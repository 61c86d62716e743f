"""The answer first: can the extract be used, who must mend what, and what was delivered."""

from __future__ import annotations

import pandas as pd

from revictimisation.report.delivery import Sheet
from revictimisation.report.described import Group, Heading, Piece, Table, Text, join

IDENTITY_NUMBERS = "personal_identity_number"
ASSEMBLER = "assembler"


def show_verdict(sheet: Sheet) -> Piece:
    """The verdict in a box, whom the page is for, and who needs to do what."""
    kind, name = find_verdict(sheet.delivery.findings)
    counts = sheet.delivery.findings["severity"].value_counts()
    why = sheet.say(
        f"delivery.verdict_{name}_why",
        errors=int(counts.get("error", 0)),
        warnings=int(counts.get("warning", 0)),
    )
    answer = Text(f"**{sheet.say(f'delivery.verdict_{name}')}**\n\n{why}")
    box = Group((answer,), f"answer {kind}")
    who = Heading(sheet.say("delivery.who_heading"), 3)
    return join([box, who, _show_who(sheet), sheet.text("delivery.not_released")])


def find_verdict(findings: pd.DataFrame) -> tuple[str, str]:
    """How the box looks and which verdict it holds."""
    if (findings["rule"] == IDENTITY_NUMBERS).any():
        return "stop", "pseudonyms"
    severities = set(findings["severity"])
    if "error" in severities:
        return "stop", "stop"
    return ("care", "care") if "warning" in severities else ("good", "good")


def _show_who(sheet: Sheet) -> Piece:
    """A line for each agency that has errors or warnings to look at."""
    findings = sheet.delivery.findings
    grave = findings[findings["severity"] != "notice"]
    if grave.empty:
        return sheet.text("delivery.who_none")
    tables = sheet.dictionary.tables
    who = [tables[name].delivered_by if name else ASSEMBLER for name in grave["table"]]
    lines = []
    for code, rows in grave.groupby(pd.Series(who, index=grave.index), sort=False):
        counts = rows["severity"].value_counts()
        label = sheet.dictionary.label("delivered_by", str(code), sheet.language)
        kinds = [
            sheet.say(f"delivery.who_{one}", count=int(counts[one]))
            for one in ("error", "warning")
            if one in counts
        ]
        told = sheet.say(
            "delivery.who_line",
            who=label[0].upper() + label[1:],
            kinds=f" {sheet.say('delivery.who_and')} ".join(kinds),
            what=_describe_what(sheet, rows),
        )
        lines.append(f"- {told}")
    return join([Text("\n".join(lines)), sheet.text("delivery.who_notices")])


def _describe_what(sheet: Sheet, rows: pd.DataFrame) -> str:
    """The rules broken and in which tables, gravest first."""
    told = []
    for rule, mine in rows.groupby("rule", sort=False):
        names = dict.fromkeys(mine["table"])
        where = [
            sheet.dictionary.tables[name].label[sheet.language]
            if name
            else sheet.say("delivery.whole_extract")
            for name in names
        ]
        label = sheet.dictionary.rules[str(rule)].label[sheet.language]
        told.append(sheet.say("delivery.who_what", rule=label, tables=", ".join(where)))
    return "; ".join(told)


def show_tables(sheet: Sheet) -> Piece:
    """What was delivered: rows, first and last period, findings of each severity."""
    heads = [
        sheet.say(f"delivery.head_{one}")
        for one in ("table", "rows", "errors", "warnings", "notices", "from", "to")
    ]
    rows = [_table_row(sheet, one.name) for one in sheet.dictionary.tables_by_direction("in")]
    caption = sheet.say("delivery.tables_caption")
    return join([sheet.heading("delivery.tables_heading"), Table(caption, heads, rows)])


def _table_row(sheet: Sheet, name: str) -> list[str]:
    delivery = sheet.delivery
    volumes = delivery.volumes[delivery.volumes["table"] == name]
    ends = [sheet.name_period(volumes["period"].iloc[at]) for at in (0, -1)] if len(volumes) else []
    mine = delivery.findings[delivery.findings["table"] == name]["severity"].value_counts()
    is_given = name in delivery.row_counts
    n_rows = delivery.row_counts.get(name, 0)
    missing = "absent_allowed" if sheet.dictionary.tables[name].is_optional else "absent"
    told = sheet.show_count(n_rows) if is_given else sheet.say(f"delivery.{missing}")
    counts = [sheet.formats.count(mine.get(one, 0)) for one in ("error", "warning", "notice")]
    return [sheet.name_table(name), told, *counts, *(ends or ["–", "–"])]
