"""The words of a PDF as our pages are printed: its text, its metadata, its structure's texts.

It reads what `report.print` leaves (Typst: no encryption, streams deflated, fonts with a table from
signs to letters), not every PDF there is: of another it gives the bytes as letters.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping

OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
PAGE = re.compile(rb"/Type\s*/Page\b")
REFERENCE = rb"\s*(\d+) 0 R"
FONT = re.compile(rb"/([\w.]+)" + REFERENCE)
LETTERS = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
CHOSEN = re.compile(rb"/([\w.]+)\s+[\d.]+\s+Tf")
WITHIN = rb"(?:\\.|[^\\()]|%s)*"  # a text in brackets may hold some, in pairs
BRACKETS = rb"\(" + WITHIN.replace(b"%s", rb"\(" + WITHIN.replace(b"|%s", b"") + rb"\)") + rb"\)"
LITERAL = re.compile(BRACKETS + rb"|<[0-9A-Fa-f\s]*>", re.DOTALL)
PART = re.compile(CHOSEN.pattern + rb"|" + LITERAL.pattern + rb"|T[jJ]", re.DOTALL)
ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
SIGNS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
BYTE_ORDER = "\ufeff"
UTF_16 = b"\xfe\xff"


def read_document(data: bytes) -> str:
    """All words of a PDF, parted by line feeds."""
    objects = {int(found[1]): found[2] for found in OBJECT.finditer(data)}
    fonts = {number: _read_letters(objects, body) for number, body in objects.items()
             if b"/ToUnicode" in body}  # fmt: skip
    said = [*_list_said(objects)]
    for body in objects.values():
        if PAGE.search(body):
            said += _read_page(objects, fonts, body)
    return "\n".join(said) if fonts else data.decode("latin-1")


def _follow(objects: Mapping[int, bytes], body: bytes, name: bytes) -> bytes:
    """The object that a name of this one leads to; this one where it does not lead away."""
    found = re.search(rb"/" + name + REFERENCE, body)
    return objects.get(int(found[1]), b"") if found else body


def _inflate(body: bytes) -> bytes:
    found = STREAM.search(body)
    if found is None:
        return b""
    try:
        return zlib.decompress(found[1])
    except zlib.error:
        return found[1]


def _read_letters(objects: Mapping[int, bytes], font: bytes) -> dict[int, str]:
    """By sign of a font the letters that it stands for."""
    table = _inflate(_follow(objects, font, b"ToUnicode"))
    return {
        int(sign, 16): bytes.fromhex(letters.decode()).decode("utf-16-be", "replace")
        for sign, letters in LETTERS.findall(table)
    }


def _list_said(objects: Mapping[int, bytes]) -> Iterator[str]:
    """Texts outside pages: title, contents, alternative texts; and the metadata."""
    for body in objects.values():
        bare = STREAM.sub(b"", body)
        for found in LITERAL.finditer(bare):
            text = _unescape(found[0])
            yield text[2:].decode("utf-16-be", "replace") if text.startswith(
                UTF_16
            ) else text.decode("latin-1")  # fmt: skip
        if b"/Metadata" in bare:
            yield _inflate(body).decode("utf-8", "replace").replace(BYTE_ORDER, "")


def _unescape(literal: bytes) -> bytes:
    """What a text in brackets says."""
    if literal.startswith(b"<"):
        digits = re.sub(rb"\s", b"", literal[1:-1]).decode()
        return bytes.fromhex(digits + "0" * (len(digits) % 2))
    return ESCAPED.sub(_read_escaped, literal[1:-1])


def _read_escaped(found: re.Match[bytes]) -> bytes:
    said = found[1]
    return bytes([int(said, 8) % 256]) if said.isdigit() else SIGNS.get(said, said)


def _read_page(
    objects: Mapping[int, bytes], fonts: Mapping[int, Mapping[int, str]], page: bytes
) -> Iterator[str]:
    """The words of a page, a line for each time that it shows some; letters shown one by one, as
    pictures do, make one.
    """
    resources = _follow(objects, page, b"Resources")
    named = {name: fonts.get(int(number), {}) for name, number in FONT.findall(resources)}
    letters: Mapping[int, str] = {}
    line = single = ""
    for found in PART.finditer(_inflate(_follow(objects, page, b"Contents"))):
        if found[1]:
            letters = named.get(found[1], {})
        elif found[0] in (b"Tj", b"TJ"):
            if len(line) == 1:
                single += line
            else:
                yield from (single, line)
                single = ""
            line = ""
        else:
            signs = _unescape(found[0])
            pairs = (signs[at : at + 2] for at in range(0, len(signs), 2))
            line += "".join(letters.get(int.from_bytes(pair, "big"), "") for pair in pairs)
    yield single
