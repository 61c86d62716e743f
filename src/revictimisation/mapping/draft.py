"""A draft of a mapping file, from what a source shows of itself and the dictionary's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from revictimisation.dictionary import Dictionary
from revictimisation.mapping.matching import Match, TableMatch, match_code, match_table
from revictimisation.mapping.profile import ColumnProfile, list_codes, profile_columns
from revictimisation.mapping.words import code_words, load_words
from revictimisation.sources.faults import UnreadableFileError, show_name
from revictimisation.sources.formats import WORKBOOK, find_format
from revictimisation.sources.opening import Place, Source, list_places, stage_place
from revictimisation.sources.staging import Staged
from revictimisation.sources.workbook import guess_heading

if TYPE_CHECKING:
    from revictimisation.engine import Engine

CHECK = "# kontrollera / check"
# Code lists of figures of one width, whose leading zeros spreadsheets drop.
DIGIT_LISTS = {"municipalities": 4, "offences": 4}
PLAIN = re.compile(
    r"[A-Za-zÅÄÖåäö_][A-Za-zÅÄÖåäö0-9_/.-]*( [A-Za-zÅÄÖåäö0-9_/.(-][A-Za-zÅÄÖåäö0-9_/.()-]*)*"
)
HEAD = """\
# Utkast till mappning: källans tabeller, kolumner och koder, och vilka av dataordlistans de är.
# Läs, rätta, och kör sedan: revictimisation map KÄLLA --to MAPP --mapping DENNA_FIL
# Rader med "kontrollera" är gissningar på ordens likhet. Det som inte står här förs inte över.
# Draft of a mapping: the source's tables, columns and codes, and which of ours they are.
# Read, correct, then run: revictimisation map SOURCE --to DIR --mapping THIS_FILE
# Lines with "check" are guesses by likeness of words. What does not stand here is not carried over.
"""


@dataclass(frozen=True)
class _Seen:
    """A place of the source, or why it can't be read."""

    place: Place
    title: str
    staged: Staged | None
    profiles: tuple[ColumnProfile, ...]
    found: TableMatch | None
    lines: tuple[str, ...] = ()
    fault: str = ""


def draft_mapping(
    con: Engine, source: Source, dictionary: Dictionary, workspace: Path, threshold: int
) -> str:
    """The text of a draft: every table that the source seems to hold, column by column.

    Of values only codes are shown, of columns with few different ones that are neither dates,
    numbers of people, names nor free text, each occurring at least `threshold` times; rarer ones
    are counted together. Raises `UnreadableFileError` where nothing of the source can be read.
    """
    seen = [
        _look(con, source, place, dictionary, workspace, threshold) for place in list_places(source)
    ]
    faults = [one.fault for one in seen if one.fault]
    if faults and len(faults) == len(seen):
        raise UnreadableFileError(faults[0])
    markers = sorted({one for some in seen for one in _find_markers(some)})
    lines = [HEAD.rstrip()]
    if markers:
        listed = ", ".join(_write(one) for one in markers)
        lines.append(
            f"missing: [{listed}]  # betyder att uppgift saknas / mean not stated {CHECK[1:]}"
        )
    lines.append("tables:")
    for table in dictionary.tables_by_direction("in"):
        parts = [one for one in seen if one.found and one.found.table.name == table.name]
        if parts:
            lines.append(f"  {table.name}:")
            lines += [line for one in parts for line in one.lines]
    missed = [one for one in dictionary.tables_by_direction("in") if not one.is_optional]
    held = {one.found.table.name for one in seen if one.found}
    lines += [
        f"  # {one.name} behövs också; syns inte i källan / needed as well; not seen in the source"
        for one in missed
        if one.name not in held
    ]
    lines += [line for one in seen if not one.found for line in _tell_unused(one, dictionary)]
    return "\n".join(lines) + "\n"


def _look(
    con: Engine,
    source: Source,
    place: Place,
    dictionary: Dictionary,
    workspace: Path,
    threshold: int,
) -> _Seen:
    """Stage and profile one place; one file of several that can't be read is a comment."""
    try:
        at = _find_heading(source, place)
        title, staged = next(iter(stage_place(con, source, at, workspace)))
        profiles = tuple(profile_columns(con, staged))
        found = match_table(place.title, profiles, dictionary)
        lines = tuple(_draft_part(con, at, staged, profiles, found, dictionary, threshold))
        return _Seen(at, place.title or title, None, profiles, found, lines)
    except UnreadableFileError as fault:
        if source.folder is None or source.single:
            raise
        return _Seen(place, place.title or source.title, None, (), None, fault=fault.kind)


def _find_heading(source: Source, place: Place) -> Place:
    """In a workbook the heading is looked for, as there often is a title above it."""
    name = place.file or source.single
    if source.folder is None or find_format(source.folder / name) != WORKBOOK:
        return place
    number = guess_heading(source.folder / name, place.sheet)
    return replace(place, header_row=number) if number and number > 1 else place


def _draft_part(
    con: Engine,
    place: Place,
    staged: Staged,
    profiles: Sequence[ColumnProfile],
    found: TableMatch | None,
    dictionary: Dictionary,
    threshold: int,
) -> Iterator[str]:
    if found is None:
        return
    given = {
        "file": place.file,
        "sheet": place.sheet,
        "table": place.table,
        "header_row": str(place.header_row or ""),
    }
    told = [
        f"{key}: {value if value.isdigit() else _write(value)}"
        for key, value in given.items()
        if value
    ]
    told.append("columns:")
    yield f"    - {told[0]}  # {staged.n_rows} rader / rows"
    yield from (f"      {line}" for line in told[1:])
    by_name = {one.field.name: one for one in found.matches}
    for field in found.table.fields:
        if field.name in by_name:
            yield from _draft_column(con, staged, by_name[field.name], dictionary, threshold)
        else:
            yield f"        # {field.name}: ({field.label.sv}) hittades inte / not found"
    used = {one.profile.place for one in found.matches}
    for one in profiles:
        if one.place not in used:
            yield f"      # inte medtagen / left out: {show_name(one.name, one.place)}{_why(one)}"


def _why(profile: ColumnProfile) -> str:
    if profile.is_identity:
        return "  (ser ut som personnummer / looks like identity numbers)"
    if profile.is_text:
        return "  (namn, adress eller fritext / names, addresses or free text)"
    return ""


def _draft_column(
    con: Engine, staged: Staged, match: Match, dictionary: Dictionary, threshold: int
) -> Iterator[str]:
    field, profile = match.field, match.profile
    check = "" if match.is_sure else f"  {CHECK}"
    heading = show_name(profile.name, profile.place)
    source = _write(heading) if not heading.startswith("#") else heading[1:]
    settings = list(_draft_settings(match))
    codes = list(_draft_codes(con, staged, match, dictionary, threshold))
    if not settings and not codes:
        yield f"        {field.name}: {source}{check}"
        return
    yield f"        {field.name}:{check}"
    yield f"          from: {source}"
    yield from (f"          {line}" for line in (*settings, *codes))


def _draft_settings(match: Match) -> Iterator[str]:
    """How dates, numbers and codes of figures are written, where that is not the usual way."""
    field, profile = match.field, match.profile
    if field.type == "date" and profile.mostly(profile.n_year_last):
        yield _tell_order(profile)
    if field.type == "date" and not profile.is_date and profile.is_number:
        yield "# date: excel_number eller / or sas_number (dagar / days): välj / choose"
    if field.type in ("integer", "number") and profile.n_commas:
        yield 'decimal: ","'
    if field.codes in DIGIT_LISTS and profile.mostly(profile.n_numbers):
        yield f"zeros: {DIGIT_LISTS[field.codes]}"


def _tell_order(profile: ColumnProfile) -> str:
    """The order of day and month, only where the days themselves show it."""
    if profile.n_first_over_12 and not profile.n_second_over_12:
        return "date: day_month_year  # tal över 12 står först / numbers above 12 stand first"
    if profile.n_second_over_12 and not profile.n_first_over_12:
        return "date: month_day_year  # tal över 12 står sedan / numbers above 12 stand second"
    return "# date: day_month_year eller / or month_day_year: välj / choose"


def _draft_codes(
    con: Engine, staged: Staged, match: Match, dictionary: Dictionary, threshold: int
) -> Iterator[str]:
    """A line for each code that may be shown, ours beside it where one is near."""
    known = code_words(match.field, dictionary)
    is_figures = match.field.codes in DIGIT_LISTS and match.profile.mostly(match.profile.n_numbers)
    if not known or is_figures or not match.profile.is_coded:
        return
    shown, n_rare, n_rare_rows = list_codes(con, staged, match.profile.place, threshold)
    lines = [line for code, n in shown for line in _draft_code(code, n, match, dictionary)]
    if n_rare:
        lines.append(
            f"  # {n_rare} ovanligare värden i {n_rare_rows} rader, visas inte"
            f" / {n_rare} rarer values in {n_rare_rows} rows, not shown"
        )
    is_ours = str.lower if match.field.type == "boolean" else str
    is_plain = all(is_ours(code) in known for code, _ in shown)
    if lines and not is_plain:
        yield "codes:"
        yield from lines


def _draft_code(code: str, n: int, match: Match, dictionary: Dictionary) -> Iterator[str]:
    if code.lower() in load_words().missing:
        return
    label = match.profile.labels.get(code, "")
    ours, is_sure = match_code(code, label, match.field, dictionary)
    told = f"  # {label}, {n}" if label else f"  # {n}"
    if not ours:
        yield f"  # {_write(code)}: ?{told}  utan motsvarighet / no match"
    else:
        yield f"  {_write(code)}: {ours}{told}{'' if is_sure else f'  {CHECK[2:]}'}"


def _find_markers(seen: _Seen) -> list[str]:
    """Signs for not stated are proposed as a whole where any column has one."""
    if not seen.found:
        return []
    has_any = any(one.profile.n_missing for one in seen.found.matches)
    return ["-", "saknas", "9999-12-31"] if has_any else []


def _tell_unused(seen: _Seen, dictionary: Dictionary) -> Iterator[str]:
    if seen.fault:
        words = dictionary.rules[seen.fault].label
        yield f"# {seen.title}: {words.sv} / {words.en}"
        return
    yield f"# {seen.title}: hör inte till någon tabell / belongs to no table"


def _write(text: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
