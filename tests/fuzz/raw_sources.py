"""Raw files as systems, spreadsheets and people leave them, made at random, and what `map` did.

A file has one table of case numbers among columns of noise. It may have titles above its headings,
special signs anywhere, any line end, mark, encoding, width and quoting, rows of nothing, a line
that tells the separator, or be a workbook; one of five is damaged in a row. `try_source` holds
what came out against what went in, by a reader that is not the program's.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import openpyxl

from revictimisation.core.engine import Engine
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.mapping import make_extract, read_mapping
from revictimisation.extract.mapping.making import Making
from revictimisation.extract.sources.opening import open_source
from tests.sources.sheet_files import write_sheet

Rng = np.random.Generator
SIGNS = (
    *('"', '5"', '"ord"', "'", ";", ",", "|", "\t", "\\", "\\n", "#", "%", "*", "[1]", "{a}"),
    *(
        "å",
        "Ö",
        "é",
        "–",
        "€",
        "<b>",
        "&",
        "=A1",
        "-",
        "--",
        "/*",
        "$",
        "  två  ",
        "(x)",
        "?",
        "$1",
    ),
)
LINES = ("rad\nrad", "rad\r\nrad", "\n", 'a"b\n"c')
ENCODINGS = {
    "utf-8": "", "utf-8-sig": "", "utf-16": "", "utf-16-le": "", "utf-16-be": "", "utf-32": "",
    "cp1252": "", "cp850": "cp850", "mac-roman": "mac-roman", "iso-8859-1": "iso-8859-1",
}  # fmt: skip
TEXT, SHEETS = "csv", ("xlsx", "xls", "xlsb", "ods")
DAMAGES = ("open_quote", "more_fields", "fewer_fields", "control", "text_after_quote")
WIDE = 200


@dataclass
class RawFile:
    """A raw file: its mapping, the case numbers in it by another reader, what was done to it."""

    name: str
    content: bytes
    mapping: str
    expected: list[str]
    traits: list[str]
    damaged_row: int | None = None


@dataclass
class Outcome:
    """What came of a file: `end` is `read` or the rules that refused it; every fault of ours."""

    number: int
    traits: list[str]
    end: str = ""
    n_rows: int = 0
    faults: list[str] = field(default_factory=list)


def make_source(seed: int, number: int, folder: Path) -> RawFile:
    """The file of a number: a text file four times of five, else a workbook."""
    rng = np.random.default_rng([seed, number])
    names, rows = _make_table(rng, is_sheet := rng.random() < 0.2)
    titles = [_make_text(rng, "Uttag") for _ in range(rng.integers(0, 4))] * (rng.random() < 0.4)
    if is_sheet:
        return _make_sheet(rng, folder, names, rows, titles)
    return _make_text_file(rng, names, rows, titles)


def _make_text(rng: Rng, start: str, may_break: bool = False) -> str:
    """Some words with special signs between them."""
    pool = SIGNS + LINES if may_break else SIGNS
    parts = [start, *(pool[int(rng.integers(len(pool)))] for _ in range(rng.integers(0, 3)))]
    rng.shuffle(parts)
    return (" " if rng.random() < 0.5 else "").join(parts)


def _make_table(rng: Rng, is_sheet: bool) -> tuple[list[str], list[list[str]]]:
    """Headings and rows; case numbers stand in the first column, later moved to any."""
    widths = [2, 3, 7, 30, 30 if is_sheet else WIDE]
    width = int(rng.choice(widths, p=[0.3, 0.3, 0.3, 0.06, 0.04]))
    n_rows = int(rng.choice([0, 1, 2, 12, 60], p=[0.03, 0.1, 0.17, 0.6, 0.1]))
    may_break = rng.random() < 0.3
    names = [_make_text(rng, f"Rubrik{place}", may_break) for place in range(width)]
    rows = [
        [_make_text(rng, f"k{row}", may_break), *(_make_noise(rng, may_break) for _ in names[1:])]
        for row in range(n_rows)
    ]
    return names, rows


def _make_noise(rng: Rng, may_break: bool) -> str:
    return "" if rng.random() < 0.4 else _make_text(rng, str(rng.integers(100)), may_break)


def _clean(cell: str) -> str:
    """A cell as the extract holds it: letters of one sign, one kind of line end, no padding."""
    whole = unicodedata.normalize("NFC", cell).replace("\r\n", "\n").replace("\r", "\n")
    return whole.strip(" \u00a0\t\r\n")


def _write_mapping(file: str, heading: str, header_row: int | None, more: str = "") -> str:
    row = f"header_row: {header_row}, " if header_row else ""
    name = json.dumps(heading, ensure_ascii=False)
    return (
        f"tables: {{reports: {{file: {file}, {row}{more}columns:"
        f" {{report_id: {{from: {name}}}, victim_id: {{constant: x}},"
        " reported_on: {constant: '2013-01-01'}}}}"
    )


def _make_sheet(
    rng: Rng, folder: Path, names: list[str], rows: list[list[str]], titles: list[str]
) -> RawFile:
    kind = SHEETS[int(rng.integers(len(SHEETS)))]
    path = folder / f"raw.{kind}"
    signs = [[_clean(cell) or None for cell in row] for row in (names, *rows)]
    blank: list[str | None] = [None] * len(names)
    has_blank = kind != "xlsx" or rng.random() < 0.5
    below = [blank] * int(rng.integers(0, 3)) * has_blank
    cells = [*([title, *blank[1:]] for title in titles), *signs, *below]
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row, found in enumerate(cells, start=1):
            for place, cell in enumerate(found, start=1):
                one = book.active.cell(row, place)
                one.value, one.data_type = cell, "s" if cell else "n"
        book.save(path)
    else:
        write_sheet(path, cells)
    header_row = len(titles) + 1 if titles else None
    told = _write_mapping(path.name, names[0], header_row)
    expected = [_clean(row[0]) for row in rows]
    return RawFile(path.name, path.read_bytes(), told, expected, [kind, *["title"] * bool(titles)])


def _make_text_file(
    rng: Rng, names: list[str], rows: list[list[str]], titles: list[str]
) -> RawFile:
    encoding = [*ENCODINGS][int(rng.integers(len(ENCODINGS)))]
    cut = ";\t,|"[int(rng.integers(4))]
    end = ("\n", "\r\n", "\r")[int(rng.integers(3))]
    is_mixed, quoting = rng.random() < 0.1, int(rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    damage = (
        DAMAGES[int(rng.integers(len(DAMAGES)))] if len(rows) > 1 and rng.random() < 0.2 else ""
    )
    traits = [encoding, {"\t": "tab"}.get(cut, cut), {"\n": "lf", "\r\n": "crlf", "\r": "cr"}[end],
              "all quoted" if quoting == csv.QUOTE_ALL else "quoted where needed"]  # fmt: skip
    lines, more, above = [], "", list(titles)
    if rng.random() < 0.1:
        above.insert(0, f"sep={cut}")
        traits.append("sep=")
    elif rng.random() < 0.1:
        above = ["", *above]
    if above:
        traits.append("lines above")
    lines += [_write_row(row, cut, quoting) for row in (names, *rows)]
    damaged = None
    if damage:
        at = int(rng.integers(1, len(rows) + 1))
        lines[at], damaged = _damage(lines[at], damage, cut), at
        traits.append(damage)
    if len(names) > 1 and rng.random() < 0.2:
        lines += [cut * (len(names) - 1)] * int(rng.integers(1, 4))
        traits.append("rows of separators")
    if rng.random() < 0.2:
        lines += [""] * int(rng.integers(1, 4))
        traits.append("blank lines below")
    ends = [end if not is_mixed else ("\n", "\r\n", "\r")[int(rng.integers(3))] for _ in range(999)]
    whole = [*above, *lines]
    text = "".join(line + ends[at] for at, line in enumerate(whole))
    if rng.random() < 0.2:
        text = text.removesuffix(ends[len(whole) - 1])
        traits.append("no end of the last line")
    if rng.random() < 0.1 and encoding.startswith("utf"):
        text = unicodedata.normalize("NFD", text)
        traits.append("letters of two signs")
    content = text.encode(encoding, "replace")
    text = content.decode(encoding)
    if rng.random() < 0.1 and not encoding.startswith(("utf-16", "utf-32")):
        content += b"\x1a" + bytes(int(rng.integers(0, 3)))
        traits.append("end mark")
    if ENCODINGS[encoding]:
        more = f"encoding: {encoding}, "
    header_row = len(above) + 1 if titles else None
    if not titles and rng.random() < 0.5:
        more += f"separator: {json.dumps(cut)}, "
    heading, expected = _read_again(text, len(above), cut, traits)
    told = _write_mapping("raw.csv", heading, header_row, more)
    row = _find_damage(text, damage, len(above) + 1 + damaged) if damaged is not None else None
    return RawFile("raw.csv", content, told, expected, traits, row)


def _write_row(cells: list[str], cut: str, quoting: int) -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=cut, quoting=quoting).writerow(cells)
    return made.getvalue().removesuffix("\r\n")


def _damage(line: str, damage: str, cut: str) -> str:
    return {
        "open_quote": f'"{line}' if not line.startswith('"') else f"x{line}",
        "more_fields": f"{line}{cut}x{cut}y",
        "fewer_fields": "x",
        "control": f"x\x02{line}",
        "text_after_quote": f'"x"y{cut}{line}',
    }[damage]


def _find_damage(text: str, damage: str, row: int) -> int:
    """The number by which a damaged row is told: a sign that no text has, by its line."""
    if damage != "control":
        return row
    return len(text[: text.index("\x02")].replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _read_again(text: str, n_above: int, cut: str, traits: list[str]) -> tuple[str, list[str]]:
    """The heading and the case numbers by Python's reader, rows without a value left out."""
    stream = io.StringIO(text.removeprefix("\ufeff"), newline="")
    for _ in range(n_above):
        stream.readline()
    head, *rows = [row for row in csv.reader(stream, delimiter=cut) if row]
    found = [_clean(row[0]) for row in rows if any(cell.strip() for cell in row)]
    return " ".join(unicodedata.normalize("NFC", head[0]).split()), found


@cache
def _dictionary():
    return load_dictionary()


def try_source(con: Engine, folder: Path, seed: int, number: int) -> Outcome:
    """Map the file of a number: its rows are those that went in, or a refusal names one.

    A fault of ours is: an exception; rows that are not those of the other reader; a file without
    damage that is refused; a damaged one that is refused without the number of its row.
    """
    source = folder / "raw"
    source.mkdir()
    made = make_source(seed, number, folder)
    (source / made.name).write_bytes(made.content)
    outcome = Outcome(number, made.traits)
    try:
        mapping = read_mapping(made.mapping, _dictionary())
        making = Making(con, open_source(str(source)), _dictionary(), folder, 5, mapping)
        report, _ = make_extract(making, "csv")
    except Exception as fault:  # whatever it is, it is a fault of ours
        outcome.faults.append(type(fault).__name__)
        return outcome
    errors = [one for one in report.remarks if one.severity == "error"]
    rules = sorted({one.rule for one in errors})
    outcome.end = ", ".join(rules) if report.has_refused or "no_rows" in rules else "read"
    if outcome.end == "read":
        with (folder / "reports.csv").open(encoding="utf-8", newline="") as stream:
            found = [_clean(row["report_id"]) for row in csv.DictReader(stream)]
        outcome.n_rows = len(found)
        if found != made.expected:
            outcome.faults.append(f"{len(found)} rows, {len(made.expected)} by the other reader")
    elif rules == ["no_rows"]:
        if made.expected:
            outcome.faults.append("rows are lost")
    elif made.damaged_row is None:
        outcome.faults.append(f"refused: {outcome.end}")
    elif not any(made.damaged_row in one.rows and one.source == made.name for one in errors):
        told = [one.rows for one in errors]
        outcome.faults.append(f"row {made.damaged_row} is not told: {told}")
    return outcome
