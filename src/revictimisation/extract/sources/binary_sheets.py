"""Error cells in the binary workbooks of Excel: `.xlsb` (records in an archive) and `.xls` (BIFF8).

Only what says where an error stands is read; the cells themselves are the library's.
Sources: [MS-XLSB] 2.1.4, 2.4; [MS-XLS] 2.4; [MS-CFB] 2.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

# Records of .xlsb: a row, a cell with an error, a formula with one, a sheet's name.
_ROW, _ERROR, _FORMULA_ERROR, _SHEET = 0, 3, 11, 156
# Records of .xls: a sheet's name and place, truth or error, formula, end of a sheet.
_BOUND, _BOOL_ERROR, _FORMULA, _END = 0x85, 0x205, 0x06, 0x0A
_END_OF_CHAIN = 0xFFFFFFFE
_NAMES = ("Workbook", "Book")


def find_part(book: zipfile.ZipFile, rels: str, relation: str) -> str:
    """The name in the archive of what a workbook's relation leads to."""
    root = ElementTree.fromstring(book.read(rels))
    target = next(one.get("Target", "") for one in root if one.get("Id") == relation)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def list_xlsb_errors(path: Path, sheet: str) -> Iterator[tuple[int, int]]:
    """Row number and place of the column of each cell with an error."""
    with zipfile.ZipFile(path) as book:
        relations = {}
        for kind, content in _list_xlsb_records(book.read("xl/workbook.bin")):
            if kind == _SHEET:
                relation, rest = _take_wide(content[8:])
                relations[_take_wide(rest)[0]] = relation
        part = find_part(book, "xl/_rels/workbook.bin.rels", relations[sheet])
        row = 0
        for kind, content in _list_xlsb_records(book.read(part)):
            if kind == _ROW:
                row = struct.unpack_from("<I", content)[0] + 1
            elif kind in (_ERROR, _FORMULA_ERROR):
                yield row, struct.unpack_from("<I", content)[0]


def _list_xlsb_records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Records: kind and size in bytes of seven bits each, the low ones first."""
    at = 0
    while at < len(data):
        kind, at = _take_number(data, at, 2)
        size, at = _take_number(data, at, 4)
        yield kind, data[at : at + size]
        at += size


def _take_number(data: bytes, at: int, most: int) -> tuple[int, int]:
    number = 0
    for place in range(most):
        number |= (data[at] & 0x7F) << (7 * place)
        at += 1
        if not data[at - 1] & 0x80:
            break
    return number, at


def _take_wide(content: bytes) -> tuple[str, bytes]:
    """A text with its length before it, and what follows."""
    size = 2 * struct.unpack_from("<I", content)[0]
    return content[4 : 4 + size].decode("utf-16-le"), content[4 + size :]


def list_xls_errors(path: Path, sheet: str) -> Iterator[tuple[int, int]]:
    """Row number and place of the column of each cell with an error."""
    data = _open_compound(path.read_bytes())
    start = next(
        struct.unpack_from("<I", content)[0]
        for kind, content in _list_xls_records(data, 0)
        if kind == _BOUND and _name_sheet(content) == sheet
    )
    for kind, content in _list_xls_records(data, start):
        is_error = kind == _BOOL_ERROR and content[7] == 1
        # The last two bytes of a formula's result are ones where it is no number; 2 is an error.
        is_error |= kind == _FORMULA and content[12:14] == b"\xff\xff" and content[6] == 2
        if is_error:
            row, place = struct.unpack_from("<HH", content)
            yield row + 1, place


def _name_sheet(content: bytes) -> str:
    n_signs, is_wide = content[6], content[7] & 1
    return content[8 : 8 + n_signs * (1 + is_wide)].decode("utf-16-le" if is_wide else "latin-1")


def _list_xls_records(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of one stream of sheets, up to its end."""
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        yield kind, data[at + 4 : at + 4 + size]
        if kind == _END:
            return
        at += 4 + size


def _open_compound(data: bytes) -> bytes:
    """The workbook in a compound file: its sectors in the order that the table of them tells."""
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    (first_directory,) = struct.unpack_from("<I", data, 48)
    least, first_mini = struct.unpack_from("<II", data, 56)
    table: list[int] = []
    for sector in _list_table_sectors(data, size):
        at = (sector + 1) * size
        table += struct.unpack_from(f"<{size // 4}I", data, at)
    directory = _join_chain(data, table, first_directory, size)
    entries = [directory[at : at + 128] for at in range(0, len(directory), 128)]
    named = {one[: max(struct.unpack_from("<H", one, 64)[0] - 2, 0)].decode("utf-16-le"): one
             for one in entries}  # fmt: skip
    entry = next(named[name] for name in _NAMES if name in named)
    first, length = struct.unpack_from("<II", entry, 116)
    if length >= least:
        return _join_chain(data, table, first, size)[:length]
    (root_first,) = struct.unpack_from("<I", entries[0], 116)
    small = _join_chain(data, table, root_first, size)
    small_table = _join_chain(data, table, first_mini, size)
    chain = struct.unpack(f"<{len(small_table) // 4}I", small_table)
    return _join_chain(small, chain, first, 64, header=0)[:length]


def _list_table_sectors(data: bytes, size: int) -> Iterator[int]:
    """The sectors that hold the table of sectors: 109 in the head, more in a chain of their own."""
    yield from (one for one in struct.unpack_from("<109I", data, 76) if one < _END_OF_CHAIN - 1)
    more, n_more = struct.unpack_from("<II", data, 68)
    for _ in range(n_more):
        listed = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        yield from (one for one in listed[:-1] if one < _END_OF_CHAIN - 1)
        more = listed[-1]


def _join_chain(
    data: bytes, table: list[int] | tuple[int, ...], first: int, size: int, header: int = 1
) -> bytes:
    parts: list[bytes] = []
    while first < _END_OF_CHAIN - 1 and len(parts) <= len(table):
        at = (first + header) * size
        parts.append(data[at : at + size])
        first = table[first]
    return b"".join(parts)
