"""Makes a text file readable for the engine, whatever wrote it.

Text is UTF-8 or Windows-1252. The engine could read the latter only with a downloaded extension,
so such a file is rewritten into a protected temporary folder, which is deleted afterwards.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from revictimisation.sources.faults import UnreadableFileError

CHUNK_BYTES = 1 << 20
DELIMITERS = (";", ",")
BYTE_ORDER_MARK = "\ufeff"
# Bytes that no text holds but that every spreadsheet, picture or UTF-16 file does.
BINARY = bytes([*range(0x09), *range(0x0E, 0x20)])
# "å" or "é" written in UTF-8; in Windows-1252 these two bytes are a capital and a symbol.
UTF8_LETTER = re.compile(rb"[\xc3][\x80-\xbf]")


@dataclass(frozen=True)
class TextFile:
    """A CSV file ready to be read: as UTF-8, with one kind of line end.

    `blank_rows` are the numbers of rows (the header is 1) that hold nothing at all. Where not
    `has_spaces`, no cell is padded.
    """

    path: Path
    is_mixed: bool
    blank_rows: tuple[int, ...]
    has_spaces: bool = True


@dataclass
class _Survey:
    """What a first pass over the bytes of a text file saw."""

    is_binary: bool = False
    is_utf8: bool = True
    is_ascii_so_far: bool = True
    has_utf8_letters: bool = False
    ends: set[str] = field(default_factory=set)
    has_blank: bool = False
    has_spaces: bool = False


def prepare_text(path: Path, workspace: Path) -> TextFile:
    """Make a CSV file readable as UTF-8 with one kind of line end.

    Rewrites it into `workspace` only if it must. Raises `UnreadableFileError` for what is no text.
    """
    try:
        seen = _survey(path)
        if seen.is_binary:
            raise UnreadableFileError
        is_windows = not seen.is_utf8
        if is_windows or len(seen.ends) > 1:
            ready = workspace / path.name
            _rewrite(path, ready, "cp1252" if is_windows else "utf-8")
        else:
            ready = path
        blank = tuple(_find_blank_rows(ready)) if seen.has_blank else ()
    except UnicodeDecodeError:
        raise UnreadableFileError from None
    return TextFile(ready, is_windows and seen.has_utf8_letters, blank, seen.has_spaces)


def read_header(path: Path, known: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Read a prepared file's separator and column names, in lower case.

    The separator is the one under which more known names are found. No names: the file is empty.
    Raises `UnreadableFileError` if the first row is no row of names.
    """
    best = (DELIMITERS[-1], _split_header(path, DELIMITERS[-1]))
    for delimiter in DELIMITERS[:-1]:
        names = _split_header(path, delimiter)
        if len(set(names) & set(known)) > len(set(best[1]) & set(known)):
            best = (delimiter, names)
    return best


def _split_header(path: Path, delimiter: str) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            names = next(csv.reader(stream, delimiter=delimiter), [])
    except (UnicodeDecodeError, csv.Error):
        raise UnreadableFileError from None
    clean = tuple(name.removeprefix(BYTE_ORDER_MARK).strip().lower() for name in names)
    return clean if any(clean) else ()


def _chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces that never part a carriage return from its line feed."""
    held = b""
    with path.open("rb") as stream:
        while piece := held + stream.read(CHUNK_BYTES):
            if piece == held:
                break
            held = b"\r" if piece.endswith(b"\r") else b""
            yield piece.removesuffix(b"\r")
    if held:
        yield held


def _survey(path: Path) -> _Survey:
    seen = _Survey()
    decoder = codecs.getincrementaldecoder("utf-8")()
    tail = b""
    for piece in _chunks(path):
        seen.is_binary = seen.is_binary or any(one in piece for one in BINARY)
        seen.ends |= _find_ends(piece)
        seen.has_spaces = seen.has_spaces or b" " in piece
        seen.has_blank = seen.has_blank or _has_gap(piece) or _has_gap(tail + piece[:2])
        tail = piece[-2:]
        if b"\xc3" in piece:
            seen.has_utf8_letters |= UTF8_LETTER.search(piece) is not None
        if seen.is_utf8 and not (piece.isascii() and seen.is_ascii_so_far):
            seen.is_ascii_so_far = False
            seen.is_utf8 = _decodes(decoder, piece)
    seen.is_utf8 = seen.is_utf8 and _decodes(decoder, b"", final=True)
    return seen


def _find_ends(piece: bytes) -> set[str]:
    """The kinds of line end; counted only where there is more to tell than line feeds."""
    if b"\r" not in piece:
        return {"feed"} if b"\n" in piece else set()
    n_pairs = piece.count(b"\r\n")
    found = {
        "pair": n_pairs,
        "feed": piece.count(b"\n") - n_pairs,
        "return": piece.count(b"\r") - n_pairs,
    }
    return {kind for kind, count in found.items() if count}


def _has_gap(piece: bytes) -> bool:
    """Whether two line ends follow each other; sought from the end, which takes half as long."""
    if piece.rfind(b"\n\n") >= 0:
        return True
    return b"\r" in piece and (piece.rfind(b"\n\r\n") >= 0 or piece.rfind(b"\r\r") >= 0)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _rewrite(path: Path, ready: Path, encoding: str) -> None:
    """Write the file anew as UTF-8 with line feeds, a piece at a time."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with ready.open("wb") as out:
        for piece in _chunks(path):
            text = decoder.decode(piece)
            out.write(text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8"))
        out.write(decoder.decode(b"", True).encode("utf-8"))


def _find_blank_rows(path: Path) -> Iterator[int]:
    """Numbers of rows without a single character; a line end inside quotes ends no row."""
    number, is_quoted = 0, False
    with path.open(encoding="utf-8", newline=None) as stream:
        for line in stream:
            number += not is_quoted
            if not is_quoted and line == "\n":
                yield number
            is_quoted ^= line.count('"') % 2 == 1
