"""Writes small workbooks of the kinds that no package here writes: .xls, .xlsb and .ods.

A cell is a text, a number, None for an empty one, or `ERROR` for #N/A.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

Cell = str | float | None
ERROR = "#N/A!"  # no spreadsheet writes it so
NOT_AVAILABLE = 0x2A
SECTOR = 512


def write_sheet(path: Path, rows: Sequence[Sequence[Cell]], sheet: str = "Blad1") -> Path:
    """Write one sheet as what the end of the name says."""
    writers = {".xls": _write_xls, ".xlsb": _write_xlsb, ".ods": _write_ods}
    writers[path.suffix](path, rows, sheet)
    return path


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _write_xls(path: Path, rows: Sequence[Sequence[Cell]], sheet: str) -> None:
    name = struct.pack("<BB", len(sheet), 1) + sheet.encode("utf-16-le")
    head = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    start = len(head) + 4 + 6 + len(name) + 4
    book = head + _record(0x85, struct.pack("<IBB", start, 0, 0) + name) + _record(0x0A, b"")
    book += _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    width = max(map(len, rows))
    book += _record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for row, cells in enumerate(rows):
        for place, cell in enumerate(cells):
            at = struct.pack("<HHH", row, place, 0)
            if cell == ERROR:
                book += _record(0x205, at + bytes((NOT_AVAILABLE, 1)))
            elif isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                book += _record(0x204, at + text)
            elif cell is not None:
                book += _record(0x203, at + struct.pack("<d", cell))
    path.write_bytes(_pack_compound(book + _record(0x0A, b"")))


def _pack_compound(stream: bytes) -> bytes:
    """A compound file with one stream: table of sectors, directory, stream."""
    stream += bytes(max(4096, -(-len(stream) // SECTOR) * SECTOR) - len(stream))
    n_sectors = len(stream) // SECTOR
    n_tables = -(-(n_sectors + 3) // 127)
    chain = [0xFFFFFFFD] * n_tables + [0xFFFFFFFE]
    first = n_tables + 1
    chain += [*range(first + 1, first + n_sectors), 0xFFFFFFFE]
    chain += [0xFFFFFFFF] * (n_tables * 128 - len(chain))
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, n_tables, n_tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *range(n_tables), *[0xFFFFFFFF] * (109 - n_tables))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le") if name else b""
        links = struct.pack("<BBIII", kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        rest = bytes(36) + struct.pack("<IQ", start, size)
        return text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links + rest

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0)
    directory += entry("Workbook", 2, 0xFFFFFFFF, first, len(stream))
    directory += entry("", 0, 0xFFFFFFFF, 0, 0) * 2
    return head + struct.pack(f"<{len(chain)}I", *chain) + directory + stream


def _record_xlsb(kind: int, content: bytes = b"") -> bytes:
    def number(value: int) -> bytes:
        made = bytearray()
        while value > 0x7F:
            made.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes((*made, value))

    return number(kind) + number(len(content)) + content


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _write_xlsb(path: Path, rows: Sequence[Sequence[Cell]], sheet: str) -> None:
    width = max(map(len, rows))
    data = _record_xlsb(129) + _record_xlsb(148, struct.pack("<IIII", 0, len(rows), 0, width))
    data += _record_xlsb(145)
    for row, cells in enumerate(rows):
        data += _record_xlsb(0, struct.pack("<IIHHBI", row, 0, 300, 0, 0, 0))
        for place, cell in enumerate(cells):
            at = struct.pack("<II", place, 0)
            if cell == ERROR:
                data += _record_xlsb(3, at + bytes((NOT_AVAILABLE,)))
            elif isinstance(cell, str):
                data += _record_xlsb(6, at + _wide(cell))
            elif cell is not None:
                data += _record_xlsb(5, at + struct.pack("<d", cell))
    data += _record_xlsb(146) + _record_xlsb(130)
    book = _record_xlsb(131) + _record_xlsb(143)
    book += _record_xlsb(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide(sheet))
    book += _record_xlsb(144) + _record_xlsb(132)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"

    def relations(target: str, what: str) -> str:
        return (
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{kind}/{what}"'
            f' Target="{target}"/></Relationships>'
        )

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", relations("xl/workbook.bin", "officeDocument"))
        archive.writestr("xl/workbook.bin", book)
        archive.writestr(
            "xl/_rels/workbook.bin.rels", relations("worksheets/sheet1.bin", "worksheet")
        )
        archive.writestr("xl/worksheets/sheet1.bin", data)


def _write_ods(path: Path, rows: Sequence[Sequence[Cell]], sheet: str) -> None:
    def write(cell: Cell) -> str:
        if cell is None:
            return "<table:table-cell/>"
        if cell == ERROR:
            return (
                '<table:table-cell table:formula="of:=NA()" office:value-type="string"'
                ' office:string-value="" calcext:value-type="error"><text:p>#N/A</text:p>'
                "</table:table-cell>"
            )
        if isinstance(cell, str):
            return (
                '<table:table-cell office:value-type="string">'
                f"<text:p>{escape(cell)}</text:p></table:table-cell>"
            )
        return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'

    body = "".join(
        f"<table:table-row>{''.join(map(write, cells))}</table:table-row>" for cells in rows
    )
    names = "".join(
        f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )
    names += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{names}><office:body>'
        f"<office:spreadsheet><table:table table:name={quoteattr(sheet)}>{body}</table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            "<manifest:manifest"
            ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="/" manifest:media-type="x"/>'
            "</manifest:manifest>",
        )
        archive.writestr("content.xml", content)
