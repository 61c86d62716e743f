"""Ways in which files go wrong on their way from a system to a study, applied at random.

A mutation takes a generator and the bytes of one CSV file and gives other bytes. What it gives may
still conform: then every row of it must be accounted for.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
Mutation = Callable[[Rng, bytes], bytes]
Extract = dict[str, bytes]  # file name: its bytes
DATE = re.compile(rb"\d{4}-\d{2}-\d{2}")
ABSURD = (
    b"0000-00-00", b"9999-12-31", b"1899-12-31", b"2013-02-30", b"31/12/2013", b"20130427",
    b"2013-04-27 08:15:00", b"44927", b"-1", b"2013-W05-1", b"99999999999999999999",
)  # fmt: skip
ODD_CELLS = (
    b"NULL", b"NA", b"nan", b"inf", b"-", b"0", b"1e309", b"'; DROP TABLE reports; --", b"=1+1",
    b"{column}", b"%s", b"\xf0\x9f\x98\x80", "å".encode("cp1252"), "å".encode(),
    b"\xe2\x80\x8b", b"19900101-9802", b"true", b" ", b"\t", b"\\N", b'""',
)  # fmt: skip
ENDS = (b"\n", b"\r\n", b"\r")


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines() or [b""]


def _join(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


def _pick(rng: Rng, n_rows: int, most: int = 5) -> list[int]:
    """Some data rows (the header is row 0); none if there are none."""
    if n_rows < 2:
        return []
    return sorted(set(rng.integers(1, n_rows, rng.integers(1, most + 1)).tolist()))


def flip_bytes(rng: Rng, content: bytes) -> bytes:
    cells = bytearray(content or b"\0")
    for place in rng.integers(0, len(cells), rng.integers(1, 9)):
        cells[place] = int(rng.integers(0, 256))
    return bytes(cells)


def flip_bits_of_text(rng: Rng, content: bytes) -> bytes:
    cells = bytearray(content or b"a")
    for place in rng.integers(0, len(cells), rng.integers(1, 9)):
        cells[place] ^= 1 << int(rng.integers(0, 7))
    return bytes(cells)


def shuffle_columns(rng: Rng, content: bytes) -> bytes:
    """All columns in another order: conforms as before."""
    rows = [line.split(b",") for line in _lines(content)]
    order = rng.permutation(len(rows[0]))
    return _join([b",".join(r[at] for at in order) if len(r) == len(order) else b",".join(r)
                  for r in rows])  # fmt: skip


def shuffle_headings(rng: Rng, content: bytes) -> bytes:
    """The names in another order than their columns: what is read is something else."""
    head, *rows = _lines(content)
    names = head.split(b",")
    return _join([b",".join(names[at] for at in rng.permutation(len(names))), *rows])


def swap_dates(rng: Rng, content: bytes) -> bytes:
    """Two dates of a row in each other's place."""
    lines = _lines(content)
    for at in _pick(rng, len(lines), 20):
        found = DATE.findall(lines[at])
        if len(found) > 1:
            turned = iter(found[::-1])
            lines[at] = DATE.sub(lambda _, turned=turned: next(turned), lines[at])
    return _join(lines)


def write_absurd_dates(rng: Rng, content: bytes) -> bytes:
    lines = _lines(content)
    for at in _pick(rng, len(lines)):
        absurd = ABSURD[int(rng.integers(len(ABSURD)))]
        lines[at] = DATE.sub(lambda _, absurd=absurd: absurd, lines[at], count=1)
    return _join(lines)


def _set_cells(rng: Rng, content: bytes, values: tuple[bytes, ...], most: int = 5) -> bytes:
    lines = _lines(content)
    for at in _pick(rng, len(lines), most):
        cells = lines[at].split(b",")
        cells[int(rng.integers(len(cells)))] = values[int(rng.integers(len(values)))]
        lines[at] = b",".join(cells)
    return _join(lines)


def write_odd_cells(rng: Rng, content: bytes) -> bytes:
    return _set_cells(rng, content, ODD_CELLS)


def empty_cells(rng: Rng, content: bytes) -> bytes:
    return _set_cells(rng, content, (b"",), 30)


def empty_column(rng: Rng, content: bytes) -> bytes:
    rows = [line.split(b",") for line in _lines(content)]
    at = int(rng.integers(len(rows[0])))
    for row in rows[1:]:
        if at < len(row):
            row[at] = b""
    return _join([b",".join(row) for row in rows])


def mix_encodings(rng: Rng, content: bytes) -> bytes:
    """Letters in UTF-8 in some rows and in Windows-1252 in others."""
    return _set_cells(rng, content, ("Åsa Öström".encode(), "Åsa Öström".encode("cp1252")), 10)


def encode_otherwise(rng: Rng, content: bytes) -> bytes:
    name = ("utf-16", "utf-8-sig", "utf-32", "cp500")[int(rng.integers(4))]
    return content.decode("utf-8", "replace").encode(name, "replace")


def double_rows(rng: Rng, content: bytes) -> bytes:
    lines = _lines(content)
    return _join([*lines, *(lines[at] for at in _pick(rng, len(lines), 20))])


def double_all(rng: Rng, content: bytes) -> bytes:
    head, *rows = _lines(content)
    return _join([head, *rows, *rows])


def repeat_header(rng: Rng, content: bytes) -> bytes:
    """The header once more in the midst, as files put together have it."""
    lines = _lines(content)
    lines.insert(int(rng.integers(len(lines) + 1)), lines[0])
    return _join(lines)


def truncate(rng: Rng, content: bytes) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def drop_rows(rng: Rng, content: bytes) -> bytes:
    head, *rows = _lines(content)
    return _join([head, *(row for row in rows if rng.random() < 0.5)])


def empty_file(rng: Rng, content: bytes) -> bytes:
    return (b"", b"\n", b"\n\n\n", b",,,,\n", content.split(b"\n")[0])[int(rng.integers(5))]


def break_header(rng: Rng, content: bytes) -> bytes:
    head, *rows = _lines(content)
    names = head.split(b",")
    at = int(rng.integers(len(names)))
    broken = (names[at].upper(), b" " + names[at] + b" ", b"", names[0], b'"' + names[at], b"x_own",
              names[at] + b"\xc3\xa5")  # fmt: skip
    names[at] = broken[int(rng.integers(len(broken)))]
    return _join([b",".join(names), *rows])


def drop_header(rng: Rng, content: bytes) -> bytes:
    return _join(_lines(content)[1:])


def write_huge_field(rng: Rng, content: bytes) -> bytes:
    size = int(rng.choice([10_000, 200_000, 3_000_000]))
    return _set_cells(rng, content, (b"a" * size,), 1)


def write_nuls(rng: Rng, content: bytes) -> bytes:
    return _set_cells(rng, content, (b"\0", b"r\x001", b"\x1a"), 3)


def change_field_counts(rng: Rng, content: bytes) -> bytes:
    lines = _lines(content)
    for at in _pick(rng, len(lines)):
        lines[at] = (lines[at] + b",", lines[at].rpartition(b",")[0], b"", b",",
                     lines[at] + lines[at])[int(rng.integers(5))]  # fmt: skip
    return _join(lines)


def break_quotes(rng: Rng, content: bytes) -> bytes:
    return _set_cells(
        rng, content, (b'"', b'"a', b'a"b', b'"a""b"', b'"a\nb"', b'"a,b"', b"'a,b'"), 3
    )


def mix_line_ends(rng: Rng, content: bytes) -> bytes:
    return b"".join(line + ENDS[int(rng.integers(3))] for line in _lines(content))


def write_blank_lines(rng: Rng, content: bytes) -> bytes:
    lines = _lines(content)
    for _ in range(int(rng.integers(1, 6))):
        lines.insert(int(rng.integers(len(lines) + 1)), (b"", b" ", b"\t")[int(rng.integers(3))])
    return _join(lines)


def separate_otherwise(rng: Rng, content: bytes) -> bytes:
    return content.replace(b",", (b";", b"\t", b"|", b", ")[int(rng.integers(4))])


def change_case(rng: Rng, content: bytes) -> bytes:
    head, *rows = _lines(content)
    return _join([head, *(row.upper() if rng.random() < 0.1 else row for row in rows)])


def leave(rng: Rng, content: bytes) -> bytes:
    """Nothing: the other mutations of a mutant are on other files."""
    return content


MUTATIONS: dict[str, Mutation] = {
    one.__name__: one
    for one in (
        flip_bytes, flip_bits_of_text, shuffle_columns, shuffle_headings, swap_dates,
        write_absurd_dates, write_odd_cells, empty_cells, empty_column, mix_encodings,
        encode_otherwise, double_rows, double_all, repeat_header, truncate, drop_rows, empty_file,
        break_header, drop_header, write_huge_field, write_nuls, change_field_counts, break_quotes,
        mix_line_ends, write_blank_lines, separate_otherwise, change_case, leave,
    )
}  # fmt: skip
# Those that often leave an extract that conforms: what is not refused must be accounted for.
GENTLE = (
    "shuffle_columns", "drop_rows", "empty_cells", "empty_column", "mix_line_ends", "swap_dates",
    "write_blank_lines", "double_rows", "change_case", "leave",
)  # fmt: skip


def mutate(seed: int, number: int, extract: Extract) -> tuple[Extract, list[str]]:
    """Make one mutant of an extract, and say what was done: the same for the same numbers.

    Every other mutant is made by the gentle mutations alone. One in fifty lacks a file, one in
    fifty has a file too many.
    """
    rng = np.random.default_rng([seed, number])
    known = GENTLE if number % 2 else tuple(MUTATIONS)
    made, done = dict(extract), []
    for _ in range(int(rng.integers(1, 4))):
        name = list(made)[int(rng.integers(len(made)))]
        what = known[int(rng.integers(len(known)))]
        made[name] = MUTATIONS[what](rng, made[name])
        done.append(f"{what} {name}")
    if rng.random() < 0.02:
        name = list(made)[int(rng.integers(len(made)))]
        del made[name]
        done.append(f"delete {name}")
    if rng.random() < 0.02:
        made["notes.csv"] = b"a,b\n1,2\n"
        done.append("add notes.csv")
    return made, done
