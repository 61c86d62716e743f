"""Cells of a sheet that the library gives as empty though they are not: errors and lost results.

A formula that a program wrote but no spreadsheet ever reckoned has no saved result. Told by the
file itself: XML of Excel and of OpenDocument; the binary kinds in `binary_sheets`.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from revictimisation.extract.sources.binary_sheets import (
    find_part,
    list_xls_errors,
    list_xlsb_errors,
)

# Where neither stands in a sheet no cell of it needs to be looked at.
_SUSPECT = re.compile(rb"""\bt=["']e["']|<(\w+:)?f[ />]""")
_OVERLAP = 64
_LETTERS = re.compile(r"[A-Z]+")
_FAULTS = (zipfile.BadZipFile, KeyError, ValueError, OSError, ElementTree.ParseError, IndexError)

Places = dict[int, list[int]]


def find_sheet_flaws(path: Path, sheet: str) -> Places:
    """By place of the column (the first is 0) the numbers of the rows whose cell is such a one.

    Nothing for a file whose parts are not where they use to be: it is then read as it stands.
    """
    readers = {".ods": _list_ods, ".xlsb": list_xlsb_errors, ".xls": list_xls_errors}
    found: Places = {}
    try:
        for row, place in readers.get(path.suffix.lower(), _list_xlsx)(path, sheet):
            found.setdefault(place, []).append(row)
    except _FAULTS:
        return {}
    return found


def _list_xlsx(path: Path, sheet: str) -> Iterator[tuple[int, int]]:
    with zipfile.ZipFile(path) as book:
        root = ElementTree.fromstring(book.read("xl/workbook.xml"))
        named = {
            one.get("name"): next(value for key, value in one.items() if key.endswith("}id"))
            for one in root.iter()
            if _tag(one) == "sheet"
        }
        part = find_part(book, "xl/_rels/workbook.xml.rels", named[sheet])
        with book.open(part) as stream:
            if not _is_suspect(stream):
                return
        with book.open(part) as stream:
            yield from _list_cells(stream)


def _is_suspect(stream: IO[bytes]) -> bool:
    tail = b""
    while piece := stream.read(1 << 20):
        if _SUSPECT.search(tail + piece):
            return True
        tail = piece[-_OVERLAP:]
    return False


def _list_cells(stream: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Errors, and formulas without a result; one whose result is an empty text has one."""
    row, place = 0, -1
    for event, one in ElementTree.iterparse(stream, events=("start", "end")):
        tag = _tag(one)
        if event == "start":
            if tag == "row":
                row, place = int(one.get("r") or row + 1), -1
            elif tag == "c":
                letters = _LETTERS.match(one.get("r") or "")
                place = _place(letters.group()) if letters else place + 1
        elif tag == "c":
            parts = {_tag(part): part.text or "" for part in one}
            kind = one.get("t")
            is_lost = "f" in parts and not parts.get("v") and kind not in ("str", "inlineStr")
            if kind == "e" or is_lost:
                yield row, place
        elif tag == "row":
            one.clear()


def _tag(one: ElementTree.Element) -> str:
    return one.tag.rpartition("}")[2]


def _place(letters: str) -> int:
    """A column's place by its letters: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _list_ods(path: Path, sheet: str) -> Iterator[tuple[int, int]]:
    is_here, row, place = False, 0, 0
    with zipfile.ZipFile(path) as book, book.open("content.xml") as stream:
        for event, one in ElementTree.iterparse(stream, events=("start", "end")):
            tag, given = _tag(one), {name.rpartition("}")[2]: text for name, text in one.items()}
            if tag == "table" and event == "start":
                is_here, row = given.get("name") == sheet, 0
            elif tag == "table-row":
                row, place = row + (event == "start"), 0
                if event == "end":
                    row += int(given.get("number-rows-repeated", 1)) - 1
                    one.clear()
            elif tag in ("table-cell", "covered-table-cell") and event == "end":
                if is_here and _is_flaw_ods(one):
                    yield row, place
                place += int(given.get("number-columns-repeated", 1))


def _is_flaw_ods(one: ElementTree.Element) -> bool:
    kinds = [text for name, text in one.items() if name.endswith("}value-type")]
    has_formula = any(name.endswith("}formula") for name, _ in one.items())
    return "error" in kinds or (has_formula and not kinds)
