"""What a mapping did: rows in and out, codes without a line, what could not be read.

Of values only codes are shown: words of the dictionary, and others as often as the disclosure
threshold asks that look like no name or sentence; the rest is counted together. Dates, numbers,
identifiers and free text are told by row number alone.
"""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from revictimisation.dictionary import Dictionary
from revictimisation.extract.sources.faults import list_rows
from revictimisation.extract.validation.findings import SEVERITY_LABELS


@dataclass(frozen=True)
class Remark:
    """One thing to say about a column or a source, in the dictionary's words for its rule.

    `count` is how many rows it concerns, `rows` the numbers of the first of them. `values` are
    codes that may be shown, with how often each occurs; `n_rare` others have `n_rare_rows` rows.
    `sought` is what the mapping file asks for and the source, which has `names`, does not have.
    """

    rule: str
    severity: str
    table: str
    column: str = ""
    source: str = ""
    count: int = 0
    rows: tuple[int, ...] = ()
    values: tuple[tuple[str, int], ...] = ()
    n_rare: int = 0
    n_rare_rows: int = 0
    names: tuple[str, ...] = ()
    sought: str = ""


@dataclass(frozen=True)
class TableReport:
    """A table of the extract: the rows that each place of the source gave, and the rows written.

    `n_merged` rows were wholly like another, where the mapping says that such are one.
    """

    name: str
    rows_in: tuple[tuple[str, int], ...]
    rows_out: int
    n_merged: int
    unfilled: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class MappingReport:
    """All tables of an extract that was made, or what kept it from being made."""

    tables: tuple[TableReport, ...]
    remarks: tuple[Remark, ...]

    @property
    def has_refused(self) -> bool:
        """Whether something kept the extract from being written at all."""
        return any(
            remark.severity == "error" and remark.rule in REFUSING for remark in self.remarks
        )

    @property
    def is_complete(self) -> bool:
        """Whether all codes and values found their place."""
        return all(remark.severity != "error" for remark in self.remarks)


# Rules after which nothing is written; after others the value stands as it was, for validation.
CODES = "unmapped_code"
# Rules that tell a heading of the source's, or the place of one.
OF_HEADINGS = ("hidden_heading", "unnamed_column", "date_overflow")
REFUSING = frozenset(
    {
        *("unreadable_file", "empty_file", "locked_file", "misnamed_file", "missing_file"),
        *("missing_sheet", "unclear_sheet", "unclear_heading", "missing_source_column"),
        *("packed_file", "other_encoding", "date_overflow", "rows_disagree", "rounded_number"),
        *("ragged_row", "identity_number_moved", "text_moved", "hidden_heading"),
        "database_address",
        *("database_away", "database_refused", "database_missing", "database_forbidden"),
        *("database_no_table", "database_read_only", "database_query"),
    }
)


def render_report(report: MappingReport, dictionary: Dictionary) -> str:
    """The report as plain text in Swedish and English, the gravest first."""
    order = list(SEVERITY_LABELS)
    remarks = sorted(report.remarks, key=lambda one: order.index(one.severity))
    parts = [] if report.has_refused else [_render_table(table) for table in report.tables]
    parts += [render_remark(remark, dictionary) for remark in remarks]
    return "\n\n".join([_render_end(report, dictionary), *parts])


def _render_end(report: MappingReport, dictionary: Dictionary) -> str:
    if report.has_refused:
        return "Inget uttag skrevs (slutkod 3).\nNo extract was written (exit code 3)."
    if not report.is_complete:
        return (
            "Uttaget är skrivet, men det som står som FEL nedan måste rättas (slutkod 3): "
            "värden utan plats står kvar som de var.\n"
            "The extract is written, but what is told as FEL below must be corrected "
            "(exit code 3): values without a place stand as they were."
        )
    return "\n".join(filter(None, (_render_done(report), _name_warnings(report, dictionary))))


def _name_warnings(report: MappingReport, dictionary: Dictionary) -> str:
    """The warnings beside codes without a place, each once with its columns."""
    found = [
        remark for remark in report.remarks if remark.severity == "warning" and remark.rule != CODES
    ]
    lines = []
    for rule in dict.fromkeys(one.rule for one in found):
        words = dictionary.rules[rule].label
        places = [
            f"{one.table}.{one.column}" if one.column else one.table or ", ".join(one.names)
            for one in found
            if one.rule == rule
        ]
        listed = ", ".join(dict.fromkeys(places))
        lines.append(f"VARNING: {words.sv} / {words.en} [{rule}]: {listed}")
    return "\n".join(lines)


def _render_done(report: MappingReport) -> str:
    n_open = sum(remark.count for remark in report.remarks if remark.rule == CODES)
    if n_open:
        return (
            f"Uttaget är skrivet, men {n_open} koder fick ingen plats. De är få och listorna öppna,"
            " så de får stå kvar som de är (slutkod 0): se VARNING nedan.\n"
            f"The extract is written, but {n_open} codes found no place. They are few and the"
            " lists open, so they may stand as they are (exit code 0): see VARNING below."
        )
    if any(remark.severity == "warning" for remark in report.remarks):
        return (
            "Uttaget är skrivet, med varningar (slutkod 0): se VARNING nedan.\n"
            "The extract is written, with warnings (exit code 0): see VARNING below."
        )
    return (
        "Uttaget är skrivet och alla koder har en plats (slutkod 0).\n"
        "The extract is written; every code has its place (exit code 0)."
    )


def _render_table(one: TableReport) -> str:
    total = sum(count for _, count in one.rows_in)
    lines = [
        f"{one.name}: {total} rader in, {one.rows_out} ut / {total} rows in, {one.rows_out} out"
    ]
    lines += [f"  {title}: {count}" for title, count in one.rows_in if len(one.rows_in) > 1]
    if one.n_merged:
        lines.append(
            f"  {one.n_merged} rader var helt lika en annan och räknas en gång (unique_rows)"
            f" / {one.n_merged} rows were wholly like another and count once"
        )
    for words, names in (
        ("utan uppgift, tomma / no source, empty", one.unfilled),
        ("inte medtagna / not carried over", one.left_out),
    ):
        if names:
            text = f"{words}: {', '.join(names)}"
            lines += textwrap.wrap(text, 92, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def render_remark(one: Remark, dictionary: Dictionary) -> str:
    """One remark, as findings of validation look."""
    words = dictionary.rules[one.rule]
    place = f"{one.table}.{one.column}" if one.column else one.table
    source = f"  ({one.source})" if one.source and one.source != one.table else ""
    lines = [
        f"{SEVERITY_LABELS[one.severity]['sv']}  {place or '-'}  [{one.rule}]{source}{_rows(one)}"
    ]
    known = {
        "table": one.table or one.source,
        "column": one.column,
        "other": "",
        "count": one.count,
    }
    for language in ("sv", "en"):
        text = f"{words.text[language]} {words.repair[language]}".format(**known)
        lines += textwrap.wrap(text, 92, initial_indent="  ", subsequent_indent="  ")
    lines += _values(one)
    if one.sought:
        said = "rubrik / heading" if one.rule in OF_HEADINGS else "söktes / looked for"
        lines.append(f"  {said}: {one.sought}")
        lines += _nearest(one)
    if one.names:
        said = "" if one.rule.startswith("unread_") else "finns / there are: "
        lines.append(f"  {said}{', '.join(one.names)}")
    return "\n".join(lines)


def _nearest(one: Remark) -> list[str]:
    """The heading that is most like the one that was sought."""
    folded = {name.lower(): name for name in one.names}
    near = difflib.get_close_matches(one.sought.lower(), folded, n=1, cutoff=0.6)
    return [f"  menade du / did you mean: {folded[near[0]]}"] if near else []


def _rows(one: Remark) -> str:
    if not one.count:
        return ""
    listed = f": {list_rows(one.rows, one.count)}" if one.rows else ""
    return f"  {one.count} rader / rows{listed}"


def _values(one: Remark) -> list[str]:
    lines = [f"    {value}: {count}" for value, count in one.values]
    if one.n_rare:
        lines.append(
            f"    {one.n_rare} värden i {one.n_rare_rows} rader visas inte"
            f" / {one.n_rare} values in {one.n_rare_rows} rows not shown"
        )
    return lines


def report_facts(report: MappingReport) -> dict[str, Sequence[object] | bool]:
    """The report for machines: the same facts, by table and remark."""
    from dataclasses import asdict

    return {
        "is_complete": report.is_complete,
        "tables": [asdict(table) for table in report.tables],
        "remarks": [asdict(remark) for remark in report.remarks],
    }
