"""Makes a text file readable for the engine, whatever wrote it.

Text is UTF-8, UTF-16 or Windows-1252, or what a mapping file says. The engine reads only UTF-8, so
another file is rewritten into a protected temporary folder, which is deleted afterwards.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from revictimisation.extract.sources.faults import MAX_ROWS_TOLD, UnreadableFileError

CHUNK_BYTES = 1 << 20
BYTE_ORDER_MARK = "\ufeff"
# Encodings that a mapping file may name beside those that are found by themselves.
ENCODINGS = (
    *("utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15"),
    *("cp850", "cp437", "cp865", "mac-roman"),
)
WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Bytes that no text holds but that every spreadsheet and picture does; to ask for each is quicker.
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")
CONTROL_BYTES = bytes([*range(0x09), *range(0x0E, 0x20)])
# The end mark of DOS, and what fills a block after it.
END_MARK = re.compile(rb"\x1a[\x00\x1a\s]*\Z")
# "å" or "é" written in UTF-8; in Windows-1252 these two bytes are a capital and a symbol.
UTF8_LETTER = re.compile(rb"[\xc3][\x80-\xbf]")
# å ä ö inside a word in the code pages of DOS; in Windows-1252 these bytes are quotation marks.
DOS_LETTER = re.compile(rb"[A-Za-z][\x84\x86\x94][a-z]")
WINDOWS_LETTER = re.compile(rb"[\xe5\xe4\xf6\xc5\xc4\xd6]")
# What a decomposed letter has after its base: a combining mark, U+0300 to U+036F.
COMBINING = re.compile(rb"\xcc[\x80-\xbf]|\xcd[\x80-\xaf]")


@dataclass(frozen=True)
class TextFile:
    """A text file ready to be read: as UTF-8, with one kind of line end, without an end mark.

    `n_lines` counts its lines by their ends, also those inside quotation marks. Where not
    `has_quotes` there is no quotation mark, where not `has_gaps` no blank line after the first,
    where not `has_spaces` no padded cell. `is_decomposed`: letters may be written as two signs.
    """

    path: Path
    is_mixed: bool
    n_lines: int
    has_quotes: bool
    has_gaps: bool
    has_spaces: bool
    is_decomposed: bool


@dataclass
class _Survey:
    """What a first pass over the bytes of a text file saw."""

    is_utf8: bool = True
    is_ascii_so_far: bool = True
    has_controls: bool = False
    has_utf8_letters: bool = False
    has_dos_letters: bool = False
    has_windows_letters: bool = False
    has_quotes: bool = False
    has_blank: bool = False
    has_spaces: bool = False
    is_decomposed: bool = False
    is_ended: bool = True
    ends: dict[str, int] = field(default_factory=lambda: {"pair": 0, "feed": 0, "return": 0})

    @property
    def has_mixed_ends(self) -> bool:
        """Line ends of several kinds, or returns alone."""
        return bool(self.ends["return"]) or all((self.ends["pair"], self.ends["feed"]))


def prepare_text(path: Path, workspace: Path, encoding: str = "") -> TextFile:
    """Make a text file readable as UTF-8 with one kind of line end.

    Rewrites it into `workspace` only if it must. Raises `UnreadableFileError` for what is no text,
    with the numbers of its lines where they are few, and `other_encoding` where letters show that
    it was written on another system and no `encoding` is given.
    """
    try:
        end, given = _find_end(path)
        wide = encoding or _find_wide(path)
        ready = path
        if wide:
            if encoding and not encoding.startswith("utf-16"):
                _refuse_foreign(path, end, encoding)
            ready = _rewrite(path, workspace / "decoded.txt", wide, end)
            end = ready.stat().st_size
        seen = _survey(ready, end)
        _refuse_controls(ready, seen, end)
        if not seen.is_utf8:
            _refuse_other(ready, seen, end)
        if not seen.is_utf8 or end < given or seen.has_mixed_ends:
            name = "utf-8" if seen.is_utf8 else "cp1252"
            ready = _rewrite(ready, workspace / "rewritten.txt", name, end)
    except UnicodeError:
        raise UnreadableFileError from None
    return TextFile(
        ready,
        not seen.is_utf8 and seen.has_utf8_letters,
        sum(seen.ends.values()) + (not seen.is_ended),
        seen.has_quotes,
        seen.has_blank,
        seen.has_spaces,
        seen.is_decomposed,
    )


def _find_end(path: Path) -> tuple[int, int]:
    """Where the text ends, before an end mark and what fills a block after it; the file's size."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(size - (1 << 16), 0))
        tail = stream.read()
    mark = END_MARK.search(tail)
    return size - (len(mark.group()) if mark else 0), size


def _find_wide(path: Path) -> str:
    """The encoding with two or four bytes a letter, by its mark or by the noughts of plain text."""
    with path.open("rb") as stream:
        start = stream.read(256)
    for mark, name in WIDE_MARKS.items():
        if start.startswith(mark):
            return name
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if half > 1 and not even and 2 * odd > half:
        return "utf-16-le"
    return "utf-16-be" if half > 1 and not odd and 2 * even > half else ""


def _chunks(path: Path, end: int) -> Iterator[bytes]:
    """The file up to `end` in pieces that never part a carriage return from its line feed."""
    held, left = b"", end
    with path.open("rb") as stream:
        while piece := stream.read(min(CHUNK_BYTES, left)):
            left -= len(piece)
            piece = held + piece
            held = b"\r" if piece.endswith(b"\r") else b""
            yield piece.removesuffix(b"\r")
    if held:
        yield held


def _survey(path: Path, end: int) -> _Survey:
    seen = _Survey()
    decoder = codecs.getincrementaldecoder("utf-8")()
    tail = b""
    for piece in _chunks(path, end):
        seen.has_controls = seen.has_controls or any(byte in piece for byte in CONTROL_BYTES)
        _count_ends(piece, seen.ends)
        seen.has_spaces = seen.has_spaces or b" " in piece
        seen.has_quotes = seen.has_quotes or b'"' in piece
        seen.has_blank = seen.has_blank or _has_gap(piece) or _has_gap(tail + piece[:2])
        tail = piece[-2:]
        seen.is_ended = piece.endswith((b"\n", b"\r"))
        if not (piece.isascii() and seen.is_ascii_so_far):
            seen.is_ascii_so_far = False
            seen.is_utf8 = seen.is_utf8 and _decodes(decoder, piece)
            _look_at_letters(piece, seen)
    seen.is_utf8 = seen.is_utf8 and _decodes(decoder, b"", final=True)
    return seen


def _look_at_letters(piece: bytes, seen: _Survey) -> None:
    seen.has_utf8_letters |= UTF8_LETTER.search(piece) is not None
    seen.has_dos_letters |= DOS_LETTER.search(piece) is not None
    seen.has_windows_letters |= WINDOWS_LETTER.search(piece) is not None
    seen.is_decomposed |= COMBINING.search(piece) is not None


def _count_ends(piece: bytes, ends: dict[str, int]) -> None:
    """Count the kinds of line end; returns only where there are any."""
    n_feeds = piece.count(b"\n")
    n_pairs = piece.count(b"\r\n") if b"\r" in piece else 0
    ends["pair"] += n_pairs
    ends["feed"] += n_feeds - n_pairs
    ends["return"] += piece.count(b"\r") - n_pairs if b"\r" in piece else 0


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


def _refuse_controls(path: Path, seen: _Survey, end: int) -> None:
    """Refuse what is no text; single signs in what begins as text are told by their lines."""
    if not seen.has_controls:
        return
    with path.open("rb") as stream:
        if CONTROLS.search(stream.read(min(end, 256))) and end > 4096:
            raise UnreadableFileError
    raise _name_lines("unreadable_file", path, end, lambda line: bool(CONTROLS.search(line)))


def _refuse_other(path: Path, seen: _Survey, end: int) -> None:
    """Refuse text in a code page of DOS, and letters that are none in Windows-1252."""
    if seen.has_dos_letters and not (seen.has_windows_letters or seen.has_utf8_letters):
        raise _name_lines("other_encoding", path, end, lambda line: bool(DOS_LETTER.search(line)))
    _refuse_foreign(path, end, "cp1252")


def _refuse_foreign(path: Path, end: int, encoding: str) -> None:
    """Refuse a file with letters that an encoding does not have, by their lines."""
    fault = _name_lines("unreadable_file", path, end, lambda line: _is_foreign(line, encoding))
    if fault.rows:
        raise fault


def _is_foreign(line: bytes, encoding: str) -> bool:
    return not _decodes(codecs.getincrementaldecoder(encoding)(), line, final=True)


def _name_lines(
    kind: str, path: Path, end: int, is_bad: Callable[[bytes], bool]
) -> UnreadableFileError:
    """The fault with the numbers of the first lines that are bad, and how many are."""
    with path.open("rb") as stream:
        parts = io.BytesIO(stream.read(end)) if end < CHUNK_BYTES else stream
        lines = (line for part in parts for line in part.splitlines())
        numbers = (number for number, line in enumerate(lines, start=1) if is_bad(line))
        first = tuple(islice(numbers, MAX_ROWS_TOLD))
        return UnreadableFileError(kind, rows=first, count=len(first) + sum(1 for _ in numbers))


def _rewrite(path: Path, ready: Path, encoding: str, end: int) -> Path:
    """Write the file anew as UTF-8 with line feeds, without its mark, a piece at a time."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    is_first = True
    with ready.open("wb") as out:
        for piece in _chunks(path, end):
            text = decoder.decode(piece)
            out.write(text.removeprefix(BYTE_ORDER_MARK if is_first else "").encode("utf-8"))
            is_first = is_first and not text
        out.write(decoder.decode(b"", True).encode("utf-8"))
    return ready
