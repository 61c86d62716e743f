"""What validation found: where, which rule, how often, in which rows, and what to do.

A finding never holds a value from the data.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from revictimisation.dictionary import Dictionary, Text
from revictimisation.dictionary.model import Severity
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD, list_rows

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "notice")
SEVERITY_LABELS = {
    "error": Text("FEL", "ERROR"),
    "warning": Text("VARNING", "WARNING"),
    "notice": Text("UPPLYSNING", "NOTICE"),
}
NO_TEXT = Text("", "")


@dataclass(frozen=True)
class Finding:
    """One rule broken in one place.

    `count` is how many rows break it (or files or columns, for rules on those) and `rows` the
    numbers of the first ten: in CSV the header is row 1, in Parquet the first row is row 1.
    """

    table: str
    column: str
    rule: str
    severity: Severity
    count: int
    rows: tuple[int, ...]
    text: Text
    repair: Text


def make_finding(
    dictionary: Dictionary,
    rule: str,
    severity: Severity,
    table: str,
    columns: Sequence[str] = (),
    *,
    shown: str | None = None,
    other: str = "",
    count: int = 1,
    rows: Iterable[int] = (),
    periods: Text = NO_TEXT,
    advice: str = "",
) -> Finding:
    """Make a finding with the dictionary's words for its rule.

    `columns` fill `{column}` and, if there are two and `other` is not given, `{other}`; `shown`
    is the finding's own column if it is not the first. `periods` fill `{periods}`. `advice` names a
    rule whose advice fits better than the rule's own.
    """
    words = dictionary.rules[rule]
    first = columns[0] if columns else ""
    second = other or (columns[1] if len(columns) > 1 else "")
    known = {"table": table, "column": first, "other": second, "count": count}

    def fill(text: Text) -> Text:
        return Text(
            text.sv.format(**known, periods=periods.sv), text.en.format(**known, periods=periods.en)
        )

    return Finding(
        table=table,
        column=first if shown is None else shown,
        rule=rule,
        severity=severity,
        count=count,
        rows=tuple(sorted(rows))[:MAX_ROWS_TOLD],
        text=fill(words.text),
        repair=fill(dictionary.rules[advice].repair if advice else words.repair),
    )


def sort_findings(findings: Iterable[Finding], tables: Sequence[str]) -> tuple[Finding, ...]:
    """Put the gravest first, then in the order of the dictionary's tables."""
    place = {name: number for number, name in enumerate(tables)}
    return tuple(
        sorted(
            findings,
            key=lambda one: (
                SEVERITIES.index(one.severity),
                place.get(one.table, len(place)),
                one.column,
                one.rule,
            ),
        )
    )


def count_findings(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many findings there are of each severity."""
    found = list(findings)
    return {name: sum(one.severity == name for one in found) for name in SEVERITIES}


def frame_findings(findings: Iterable[Finding]) -> pd.DataFrame:
    """The findings as a table, a row per finding; `rows` is text such as `2, 5, 9`."""
    import pandas as pd

    columns = ["table", "column", "rule", "severity", "count", "rows"]
    texts = ["text_sv", "text_en", "repair_sv", "repair_en"]
    return pd.DataFrame(
        [
            (
                *(finding.table, finding.column, finding.rule, finding.severity, finding.count),
                ", ".join(map(str, finding.rows)),
                *(finding.text.sv, finding.text.en, finding.repair.sv, finding.repair.en),
            )
            for finding in findings
        ],
        columns=[*columns, *texts],
    )


def render_findings(findings: Iterable[Finding], languages: Sequence[str] = ("sv", "en")) -> str:
    """The findings as plain text for a terminal, in one language or several, gravest first.

    Says so if there is nothing to say.
    """
    found = list(findings)
    parts = [_render_total(found, language) for language in languages]
    blocks = [_render_one(one, languages) for one in found]
    return "\n".join(["\n".join(parts), *(f"\n{block}" for block in blocks)])


def _render_total(findings: list[Finding], language: str) -> str:
    counts = count_findings(findings)
    if not findings:
        return Text("Uttaget följer dataordlistan.", "The extract conforms to the dictionary.")[
            language
        ]
    names = {
        "error": Text("fel", "error(s)"),
        "warning": Text("varning(ar)", "warning(s)"),
        "notice": Text("upplysning(ar)", "notice(s)"),
    }
    listed = ", ".join(f"{counts[key]} {names[key][language]}" for key in SEVERITIES)
    return Text(f"Kontrollen fann {listed}.", f"Validation found {listed}.")[language]


def _render_one(one: Finding, languages: Sequence[str]) -> str:
    place = f"{one.table}.{one.column}" if one.column else one.table
    head = SEVERITY_LABELS[one.severity][languages[0]]
    lines = [f"{head}  {place or '-'}  [{one.rule}]{_render_rows(one, languages[0])}"]
    for language in languages:
        words = f"{one.text[language]} {one.repair[language]}"
        lines += textwrap.wrap(words, 88, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)


def _render_rows(one: Finding, language: str) -> str:
    if not one.rows:
        return ""
    listed = list_rows(one.rows, one.count)
    words = Text(f"  {one.count} rader: {listed}", f"  {one.count} rows: {listed}")
    return words[language]
