"""A draft of a mapping file, from what a source shows of itself and the dictionary's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from revictimisation.dictionary import Dictionary
from revictimisation.extract.mapping.draft_column import CHECK, NEEDED, draft_column, quote_text
from revictimisation.extract.mapping.headings import looks_like_data
from revictimisation.extract.mapping.making import Drafting
from revictimisation.extract.mapping.matching import TableMatch, match_table
from revictimisation.extract.mapping.profile import ColumnProfile, profile_columns
from revictimisation.extract.mapping.secrecy import is_prose
from revictimisation.extract.sources.faults import UnreadableFileError, show_name
from revictimisation.extract.sources.formats import TEXT, WORKBOOK, find_format
from revictimisation.extract.sources.heading_line import guess_text_heading
from revictimisation.extract.sources.opening import Place, Source, list_unread, stage_place
from revictimisation.extract.sources.staging import Staged
from revictimisation.extract.sources.workbook import guess_heading

# With so many headings that are words of the dictionary a row is one of headings.
LEAST_SURE = 2
# A row of fewer cells is a note and no heading, and is not quoted.
LEAST_NAMES = 2
HEAD = """\
# Utkast till mappning: källans tabeller, kolumner och koder, och vilka av dataordlistans de är.
# Läs, rätta, och kör sedan: revictimisation map KÄLLA --to MAPP --mapping DENNA_FIL
# Rader med "kontrollera" är gissningar på ord och innehåll. Det som inte står här förs inte över.
# Draft of a mapping: the source's tables, columns and codes, and which of ours they are.
# Read, correct, then run: revictimisation map SOURCE --to DIR --mapping THIS_FILE
# Lines with "check" are guesses by words and content. What does not stand here is not carried over.
"""


@dataclass(frozen=True)
class _Seen:
    """A place of the source, or why it can't be read."""

    title: str
    profiles: tuple[ColumnProfile, ...]
    found: TableMatch | None
    lines: tuple[str, ...] = ()
    fault: UnreadableFileError | None = None


@dataclass(frozen=True)
class Draft:
    """The text of a draft, and of the files that it says can't be read those with rows at fault."""

    text: str
    faults: tuple[UnreadableFileError, ...]


def draft_mapping(
    drafting: Drafting, places: Sequence[Place], begin: Callable[[str, int, int], None]
) -> Draft:
    """A draft: every table that places of a source seem to hold, column by column.

    Of values only codes are shown, of columns with few different ones that are neither dates,
    numbers of people, names nor free text: those that the dictionary or the source's own labels
    know, and others that occur at least `threshold` times and look like no name or sentence. The
    rest is counted together. Where a place has no `header_row` it is looked for. `begin` hears of
    each place, and of a wide one how many columns are done and of how many. Raises
    `UnreadableFileError` where nothing of the source can be read.
    """
    dictionary, source = drafting.dictionary, drafting.source
    seen = [_look(drafting, place, begin) for place in places]
    faults = [one.fault for one in seen if one.fault]
    if faults and len(faults) == len(seen):
        raise faults[0]
    markers = sorted({marker for some in seen for marker in _find_markers(some)})
    lines = [HEAD.rstrip()]
    if markers:
        listed = ", ".join(quote_text(marker) for marker in markers)
        lines.append(
            f"missing: [{listed}]  # betyder att uppgift saknas / mean not stated {CHECK[1:]}"
        )
    lines.append("tables:")
    for table in dictionary.tables_by_direction("in"):
        parts = [one for one in seen if one.found and one.found.table.name == table.name]
        if parts:
            lines.append(f"  {table.name}:")
            lines += [line for part in parts for line in part.lines]
    missed = [one for one in dictionary.tables_by_direction("in") if not one.is_optional]
    held = {one.found.table.name for one in seen if one.found}
    lines += [
        f"  # {one.name} behövs också; syns inte i källan / needed as well; not seen in the source"
        for one in missed
        if one.name not in held
    ]
    lines += [line for one in seen if not one.found for line in _describe_unused(one, dictionary)]
    for unread in list_unread(source):
        words = dictionary.rules[f"unread_{unread.why}"].label
        lines.append(f"# {unread.name}: {words.sv} / {words.en}")
    return Draft("\n".join(lines) + "\n", tuple(fault for fault in faults if fault.rows))


def _look(drafting: Drafting, place: Place, begin: Callable[[str, int, int], None]) -> _Seen:
    """Stage and profile one place; one file of several that can't be read is a comment."""
    con, source, workspace = drafting.con, drafting.source, drafting.workspace
    title = source.title if source.single else place.title
    begin(title, 0, 0)
    try:
        at = _find_heading(source, place, workspace)
        name, staged = next(iter(stage_place(con, source, at, workspace)))
        profiles = tuple(profile_columns(con, staged, lambda *done: begin(title, *done)))
        found = match_table(place.title, profiles, drafting.dictionary)
        n_sure = sum(match.is_sure for match in found.matches) if found else 0
        if n_sure < LEAST_SURE and looks_like_data(con, staged):
            raise UnreadableFileError("unclear_heading")
        lines = tuple(_draft_part(drafting, at, staged, profiles, found)) if found else ()
        return _Seen(place.title or name, profiles, found, lines)
    except UnreadableFileError as fault:
        if source.folder is None or source.single:
            raise
        fault.source = place.file
        return _Seen(place.title or source.title, (), None, fault=fault)


def _find_heading(source: Source, place: Place, workspace: Path) -> Place:
    """In a workbook or text the heading is looked for, as there often is a title above it."""
    if source.folder is None or place.header_row:
        return place
    path = source.folder / (place.file or source.single)
    kind, number = find_format(path), None
    if kind == WORKBOOK:
        number = guess_heading(path, place.sheet)
    elif kind == TEXT:
        number = guess_text_heading(path, workspace)
    return replace(place, header_row=number) if number and number > 1 else place


def _draft_part(
    drafting: Drafting,
    place: Place,
    staged: Staged,
    profiles: Sequence[ColumnProfile],
    found: TableMatch,
) -> Iterator[str]:
    given = {
        "file": place.file,
        "sheet": place.sheet,
        "table": place.table,
        "header_row": str(place.header_row or ""),
    }
    told = [
        f"{key}: {value if value.isdigit() else quote_text(value)}"
        for key, value in given.items()
        if value
    ]
    told.append("columns:")
    yield f"    - {told[0]}  # {staged.n_rows} rader / rows"
    yield from (f"      {line}" for line in told[1:])
    by_name = {match.field.name: match for match in found.matches}
    for field in found.table.fields:
        if field.name in by_name:
            yield from draft_column(by_name[field.name], drafting.dictionary, drafting.threshold)
        else:
            needed = f"  {NEEDED}" if field.is_required else ""
            yield f"        # {field.name}: ({field.label.sv}) hittades inte / not found{needed}"
    used = {match.profile.place for match in found.matches}
    for profile in profiles:
        if profile.place not in used:
            shown = show_name(profile.name, profile.place)
            yield f"      # inte medtagen / left out: {shown}{_why(profile)}"


def _why(profile: ColumnProfile) -> str:
    if profile.is_identity:
        return "  (ser ut som personnummer / looks like identity numbers)"
    if profile.is_text:
        return "  (namn, adress eller fritext / names, addresses or free text)"
    return ""


def _find_markers(seen: _Seen) -> list[str]:
    """Signs for not stated, those that occur in the columns that are carried over."""
    if not seen.found:
        return []
    return [sign.lower() for match in seen.found.matches for sign in match.profile.markers]


def _describe_unused(seen: _Seen, dictionary: Dictionary) -> Iterator[str]:
    if seen.fault:
        words, told = dictionary.rules[seen.fault.kind].label, seen.fault
        column = f" ({told.column})" if told.column else ""
        rows = f"; rader / rows {', '.join(map(str, told.rows))}" if told.rows else ""
        yield f"# {seen.title}: {words.sv} / {words.en}{column}{rows}"
        return
    said = f"# {seen.title}: hör inte till någon tabell / belongs to no table"
    if len(seen.profiles) < LEAST_NAMES:
        yield said
        return
    yield f"{said}; kolumner / columns:"
    for profile in seen.profiles:
        name = (
            f"#{profile.place + 1}"
            if is_prose(profile.name)
            else show_name(profile.name, profile.place)
        )
        yield f"#   {name}{_why(profile)}"
