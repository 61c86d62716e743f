"""What pages, figures, notebooks and table files carry beside, or against, the released tables."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from html import unescape
from html.parser import HTMLParser
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from revictimisation.core import files
from revictimisation.core.results import COUNTS, KEYS, NUMBERS, OK
from revictimisation.disclosure.attack.findings import make_findings
from revictimisation.disclosure.attack.release import TABLES, Release

Row = dict[str, Any]
Floats = npt.NDArray[np.float64]
EMBEDDED = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
NUMBER = re.compile(r"\d+[.,]\d+|\d+")
CHUNK = 4096
HIDES = re.compile(
    r"<script|<template|<\w+(?:\s+[\w:-]+(?:=\"[^\"]*\")?)*?\s+"
    r"(?:hidden[\s>=/]|style=\"[^\"]*(?:display\s*:\s*none|visibility\s*:\s*hidden))"
)
STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
DATA = re.compile(r"\sdata-[\w-]+=\"([^\"]*)\"")
ALT = re.compile(r"\salt=\"([^\"]*)\"")
TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
CELLS = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
HEADS = re.compile(r"<th scope=\"col\"[^>]*>(.*?)</th>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# Headings below which pages hold counts of people and cases.
COUNTED = re.compile(
    r"number|follow-ups|people left|rows left|left out|cases|assessments|people in the group"
    r"|antal|uppföljningar|personer kvar|rader kvar|bortfall|ärenden|bedömningar",
    re.IGNORECASE,
)
PERCENT = re.compile(r"(\d+)\s*%")
SPAN = re.compile(r"(\d+)\s*(day|dag|week|veck|month|mån|year|år)", re.IGNORECASE)
DAYS = {"day": 1, "dag": 1, "mon": 365.25 / 12, "mån": 365.25 / 12, "yea": 365.25, "år": 365.25}
TAKEN = "site/figures/"
INVENTED = ("06_how_we_know", "08_validation")  # of counties of known truth, no extract
WRITTEN = re.compile(r"-?(\d+(?:\.\d+)?)")
RUN, IDENTITY = b"revictimisation_run", re.compile(rb"[0-9a-f]{64}")  # which run it is of
DRAWN = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
SAID = re.compile(r"<(?:desc|title)[^>]*>(.*?)</", re.DOTALL)
KEPT = re.compile(r"<!--(.*?)-->|<metadata>(.*?)</metadata>", re.DOTALL)
VERTEX = re.compile(r"[ML]\s*(-?[\d.]+)\s+(-?[\d.]+)")
# lines and ticks as `report.drawing` writes them, and as matplotlib does (in notebooks)
LINES = (
    re.compile(r'<path d="([^"]+)"[^>]*class="curve"'),
    re.compile(r'<g id="line2d_\d+">\s*<path d="([^"]+)" clip-path'),
)
NAMED = re.compile(
    r'<g class="tick ([xy])"><path d="M(-?[\d.]+) (-?[\d.]+)[^>]*>(?:</path>)?'
    r"<text[^>]*>([^<]*)</text>"
)
TICK = re.compile(
    r'<g id="([xy])tick_\d+">(.*?)<text[^>]*>([^<]*)</text>', re.DOTALL
)  # fmt: skip
PLACE = re.compile(r'<use [^>]*x="(-?[\d.]+)" y="(-?[\d.]+)"')
PNG = b"\x89PNG\r\n\x1a\n"
CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"pHYs", b"cHRM", b"sBIT"}
CLOSE = 2e-4  # of a share that is read off a figure
LEAST_POINTS = 8


class _Element(HTMLParser):
    """The text of the first element of what is fed, up to where it closes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []
        with suppress(StopIteration):
            for start in range(0, len(text), CHUNK):
                self.feed(text[start : start + CHUNK])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last such element and all that is open inside it."""
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]
        if not self._open:
            raise StopIteration

    def handle_data(self, data: str) -> None:
        """Text inside."""
        self.texts.append(data)


def list_hidden(text: str) -> list[str]:
    """Comments, values of data attributes but heads of columns, and what hiding elements hold."""
    bare = STYLE.sub("", text)
    heads = {unescape(TAG.sub("", head)).strip() for head in HEADS.findall(bare)}
    data = (value for value in DATA.findall(bare) if value)
    found = [*COMMENT.findall(bare),
             *(value for value in data if unescape(value).rstrip(": ") not in heads)]  # fmt: skip
    for hiding in HIDES.finditer(bare):
        found += _Element(bare[hiding.start() :]).texts
    return found


def list_tables(text: str) -> Iterator[list[list[str]]]:
    """The tables of a page as rows of texts."""
    for table in TABLE.findall(text):
        yield [
            [unescape(TAG.sub("", cell)).strip() for cell in CELLS.findall(row)]
            for row in table.split("<tr")[1:]
        ]


class Known:
    """What the released tables tell: their numbers as text, rows by key, shares by day."""

    def __init__(self, release: Release) -> None:
        self.release = release

    @cached_property
    def numbers(self) -> Floats:
        """Every released number, in order, and as per cent and the rest of 1."""
        found = [np.array([0.0, 1.0])]
        for table in self.release.tables.values():
            for name in table.select_dtypes("number").columns:
                value = np.abs(np.unique(table[name].dropna().astype(float)))
                found += [value, 100 * value, 1 - value, 100 - 100 * value]
        return np.unique(np.concatenate(found))

    def is_told(self, text: str) -> bool:
        """Whether a number as it is written is a released one, rounded or not."""
        whole, _, decimals = text.replace(",", ".").partition(".")
        if not decimals:
            return int(whole) in self.counts
        value = float(f"{whole}.{decimals}")
        place = np.searchsorted(self.numbers, value)
        near = self.numbers[max(place - 1, 0) : place + 1]
        return bool((np.abs(near - value) <= 0.5001 * 10.0 ** -len(decimals)).any())

    @cached_property
    def counts(self) -> set[int]:
        """Every released count."""
        found = {0, 1}
        for table in self.release.tables.values():
            for name in [name for name in table.columns if name.startswith("n_")]:
                found |= {int(value) for value in table[name].dropna()}
        return found

    @cached_property
    def shares(self) -> dict[int, Floats]:
        """By each day of a row the shares, and their limits, that some row shows."""
        rows = self.release.estimates
        rows = rows[rows["time_days"].notna()]
        names = ["estimate", "ci_low", "ci_high"]
        values = rows[names].where(rows["status"].eq(OK)).assign(day=rows["time_days"])
        values = values.melt("day")[["day", "value"]].astype(float)
        found = {0: np.zeros(1)}
        for day, mine in values.groupby(values["day"].to_numpy(np.int64)):
            found[cast(int, day)] = np.unique(mine["value"].dropna().to_numpy(float))
        return found


def read_carriers(release: Release) -> pd.DataFrame:
    """`hidden`: numbers in comments, hidden elements, data of pages and descriptions of pictures.

    `page_table`, `page_count`: a number in a table of a page or notebook that the release does not
    show, or of a file beside it. `figure`: a point drawn that no row shows. `metadata`,
    `statistics`, `columns`, `disagree`: what pictures and table files carry besides, or against,
    each other.
    """
    known = Known(release)
    rows: list[Row] = []
    for path in release.paths:
        if path.endswith((".html", ".svg")):
            rows += _read_page(path, release.read(path), known)
        elif path.endswith(".ipynb"):
            rows += _read_notebook(path, release.read(path), known)
        elif path.endswith(".png"):
            rows += _read_dots(path, release.read(path))
        elif path.startswith(TAKEN) and path.endswith(".csv"):
            rows += _read_taken(path, release.read(path), known)
    rows += _read_tables(release)
    return make_findings(rows, kind="carriers")


def _read_page(path: str, data: bytes, known: Known) -> Iterator[Row]:
    yield from _read_figures(path, data, known)
    text = data.decode("utf-8", "replace")
    if path.endswith(".svg"):
        return
    text = EMBEDDED.sub("", text)
    yield from _read_hidden(path, list_hidden(text), known)
    yield from _read_hidden(path, ALT.findall(text), known, least=2, seen=_list_seen(text))
    for place, table in enumerate(list_tables(text)):
        yield from _read_table(path, place, table, known)


def _list_seen(text: str) -> frozenset[str]:
    """The numbers that anybody sees on a page: those of invented counties are in no release."""
    return frozenset(NUMBER.findall(TAG.sub(" ", COMMENT.sub("", STYLE.sub("", text)))))


def _read_hidden(
    path: str,
    texts: Iterable[str],
    known: Known,
    least: int = 0,
    seen: frozenset[str] = frozenset(),
) -> Iterator[Row]:
    """Numbers of at least so many decimals that neither the release nor what is `seen` tells."""
    for place, text in enumerate(texts):
        numbers = {*NUMBER.findall(text)} - seen
        if any(
            len(number.replace(",", ".").partition(".")[2]) >= least and not known.is_told(number)
            for number in numbers
        ):
            yield {"what": "hidden", "place": path, "row": f"[{place + 1}]"}


def _read_table(path: str, place: int, table: list[list[str]], known: Known) -> Iterator[Row]:
    """A table that names columns of `estimates` is held against it; counts against their steps."""
    if len(table) < 2:
        return
    head, body = table[0], [row for row in table[1:] if len(row) == len(table[0])]
    names = [name for name in head if name in (*KEYS, *NUMBERS, *COUNTS, "status")]
    if "estimate" in names and len(set(names) & set(KEYS)) >= 2 and len(set(head)) == len(head):
        yield from _hold_rows(path, place, pd.DataFrame(body, columns=head)[names], known)
    counted = [k for k, name in enumerate(head) if COUNTED.fullmatch(name)]
    r = known.release.rules.rounding
    for number, row in enumerate(body):
        for k in counted:
            digits = re.sub(r"[\s,\u00a0\u202f]", "", row[k])
            if digits.isdecimal() and int(digits) % r and int(digits) not in known.counts:
                where = f"table {place + 1}: {number + 1}"
                told = {"column": head[k], "low": int(digits), "high": int(digits)}
                yield {"what": "page_count", "place": path, "row": where, **told}


def _hold_rows(path: str, place: int, shown: pd.DataFrame, known: Known) -> Iterator[Row]:
    """Rows of a table of numbers whose keys are those of rows that are not shown, or of none."""
    keys = [name for name in KEYS if name in shown]
    rows = known.release.estimates
    ok = rows[rows["status"].eq(OK)]
    texts = pd.DataFrame({name: _to_text(ok[name]) for name in keys})
    by_key = texts.assign(value=ok["estimate"].astype(float)).groupby(keys)["value"].agg(list)
    for number, row in enumerate(shown.to_dict("records")):
        try:
            value = float(row["estimate"].replace("−", "-"))
        except ValueError:
            continue
        if np.isnan(value):
            continue
        key = tuple(
            "" if row[name] in ("nan", "NaN", "<NA>", "None") else row[name] for name in keys
        )
        told = by_key.get(key[0] if len(keys) == 1 else key, [])
        decimals = len(row["estimate"].partition(".")[2])
        if not any(abs(value - one) <= 0.51 * 10.0**-decimals for one in told):
            yield {"what": "page_table", "place": path, "row": f"table {place + 1}: {number + 1}",
                   "column": "estimate", "low": value, "high": value}  # fmt: skip


def _to_text(column: pd.Series) -> pd.Series:
    return column.astype(str).replace({"<NA>": "", "nan": "", "None": ""})


def _read_figures(path: str, data: bytes, known: Known) -> Iterator[Row]:
    """Curves in pictures, read by their axes; and what a picture says of itself."""
    whole = data.decode("utf-8", "replace")
    pictures = [whole] if path.endswith(".svg") else DRAWN.findall(whole)
    for text in EMBEDDED.findall(whole):
        with suppress(binascii.Error):
            pictures.append(base64.b64decode(text).decode("utf-8", "replace"))
    for number, text in enumerate(pictures):
        kept = [TAG.sub(" ", one or other) for one, other in KEPT.findall(text)]
        yield from _read_hidden(f"{path}, figure {number + 1}", kept, known)
        said = [TAG.sub(" ", one) for one in SAID.findall(text)]
        yield from _read_hidden(f"{path}, figure {number + 1}", said, known, least=2)
        for curve in _read_curves(text):
            points = [(day, share) for day, share in curve if round(day) in known.shares]
            n_odd = sum(
                np.abs(known.shares[round(day)] - share).min(initial=1.0) > CLOSE
                for day, share in points
            )
            if len(points) >= LEAST_POINTS and n_odd:
                yield {"what": "figure", "place": path, "row": f"figure {number + 1}"}


def _read_curves(text: str) -> Iterator[list[tuple[float, float]]]:
    """Lines over days and per cent, as days and shares; none where the axes are of other things."""
    if text.count('<g id="axes_') > 1:
        return
    ticks: dict[str, list[tuple[float, float]]] = {"x": [], "y": []}
    for axis, x, y, label in _list_ticks(text):
        value = _read_tick(axis, unescape(label))
        if value is not None:
            ticks[axis].append((x if axis == "x" else y, value))
    if min(len(found) for found in ticks.values()) < 2:
        return
    scales = {
        axis: np.polyfit([place for place, _ in found], [value for _, value in found], 1)
        for axis, found in ticks.items()
    }
    for path in (path for line in LINES for path in line.findall(text)):
        points = [(float(x), float(y)) for x, y in VERTEX.findall(path)]
        yield [
            (float(np.polyval(scales["x"], x)), float(np.polyval(scales["y"], y)))
            for x, y in points
        ]


def _list_ticks(text: str) -> Iterator[tuple[str, float, float, str]]:
    """The axis, place and words of each tick, as our pages and as matplotlib write it."""
    for axis, x, y, label in NAMED.findall(text):
        yield axis, float(x), float(y), label
    for axis, inside, label in TICK.findall(text):
        place = PLACE.search(inside)
        if place:
            yield axis, float(place[1]), float(place[2]), label


def _read_tick(axis: str, label: str) -> float | None:
    if axis == "y":
        found = PERCENT.search(label)
        return int(found[1]) / 100 if found else None
    if label.strip() == "0":
        return 0.0
    span = SPAN.search(label)
    if not span:
        return None
    unit = span[2].lower()
    per = next((days for name, days in DAYS.items() if unit.startswith(name)), None)
    return int(span[1]) * per if per else None


def _read_dots(path: str, data: bytes) -> Iterator[Row]:
    """What a picture of dots carries beside them: texts, times, places."""
    at = len(PNG)
    while data.startswith(PNG) and at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name not in CHUNKS:
            yield {"what": "metadata", "place": path, "row": name.decode("latin-1")}
        at += size + 12
    if not data.startswith(PNG) or at != len(data):
        yield {"what": "metadata", "place": path, "row": "n"}


def _read_taken(path: str, data: bytes, known: Known) -> Iterator[Row]:
    """Numbers with decimals that no row shows, counts that are not rounded as all are."""
    if path.removeprefix(TAKEN).startswith(INVENTED):
        return
    text = data.decode("utf-8-sig", "replace")
    is_swedish = ";" in text.partition("\n")[0]
    rows = [*csv.reader(io.StringIO(text), delimiter=";" if is_swedish else ",")]
    r = known.release.rules.rounding
    for place, row in enumerate(rows[1:], start=2):
        for head, cell in zip(rows[0], row, strict=False):
            number = WRITTEN.fullmatch(cell.replace(",", ".") if is_swedish else cell)
            if number is None:
                continue
            value = float(number[1])
            is_odd = value != round(value) and not known.is_told(number[1])
            if COUNTED.fullmatch(head):
                is_odd |= value % r > 0 and value not in known.counts
            if is_odd:
                yield {"what": "page_table", "place": path, "row": f"{place}", "column": head,
                       "low": value, "high": value}  # fmt: skip


def _read_notebook(path: str, data: bytes, known: Known) -> Iterator[Row]:
    """Tables, pictures and data in the outputs of a notebook."""
    try:
        cells = json.loads(data)["cells"]
    except (ValueError, KeyError, TypeError):
        return
    for number, cell in enumerate(cells):
        for output in cell.get("outputs", []):
            found = output.get("data", {})
            for kind in ("text/html", "image/svg+xml"):
                if kind in found:
                    text = "".join(found[kind])
                    place = f"{path}, cell {number + 1}"
                    for row in _read_page(place, text.encode(), known):
                        yield {**row, "place": path, "row": f"cell {number + 1}, {row['row']}"}
            if "application/json" in found:
                said = json.dumps(found["application/json"])
                yield from _read_hidden(path, [said], known)


def _read_tables(release: Release) -> Iterator[Row]:
    """The files of each table: what Parquet carries besides, and where CSV says another thing."""
    import pyarrow.parquet as pq

    inside = release.folder.relative_to(release.root)
    for name in TABLES:
        parquet, text = (inside / f"{name}.{kind}" for kind in ("parquet", "csv"))
        if parquet.as_posix() not in release.paths:
            continue
        file = pq.ParquetFile(release.root / parquet)
        yield from _read_metadata(parquet.as_posix(), file)
        if text.as_posix() in release.paths:
            beside = files.read_kept_table(release.root / text)
            kept = file.read().to_pandas(ignore_metadata=True)
            yield from _compare(text.as_posix(), kept, beside)


def _read_metadata(path: str, file: Any) -> Iterator[Row]:
    said = dict(file.schema_arrow.metadata or {})
    pandas = json.loads(said.pop(b"pandas", b"{}"))
    said.pop(b"ARROW:schema", None)
    if IDENTITY.fullmatch(said.get(RUN, b"")):
        said.pop(RUN)
    indexes = [one for one in pandas.get("index_columns", []) if not isinstance(one, dict)]
    if said or pandas.get("attributes") or indexes:
        yield {"what": "metadata", "place": path, "row": "schema"}
    for field in file.schema_arrow:
        if {key for key in (field.metadata or {}) if not key.startswith(b"PARQUET:")}:
            yield {"what": "metadata", "place": path, "row": field.name}
    table, groups = file.read(), file.metadata
    for column, name in enumerate(file.schema_arrow.names):
        for group in range(groups.num_row_groups):
            told = groups.row_group(group).column(column).statistics
            if told is None or not told.has_min_max:
                continue
            values = table.column(name).drop_null().to_pandas()
            if groups.num_row_groups == 1 and (
                values.empty or told.min != values.min() or told.max != values.max()
            ):
                yield {"what": "statistics", "place": path, "row": name}


def _compare(path: str, kept: pd.DataFrame, text: pd.DataFrame) -> Iterator[Row]:
    """Where the two files of a table differ; columns that only one has."""
    for name in sorted({*kept.columns} ^ {*text.columns}):
        yield {"what": "columns", "place": path, "row": str(name)}
    if len(kept) != len(text):
        yield {"what": "disagree", "place": path, "row": "n"}
        return
    for name in [name for name in kept.columns if name in text]:
        one, other = kept[name], text[name]
        if pd.api.types.is_numeric_dtype(one.dtype):
            sides = [pd.to_numeric(side, errors="coerce").astype(float) for side in (one, other)]
            is_same = np.isclose(sides[0], sides[1], rtol=1e-12, atol=1e-12, equal_nan=True)
        else:
            is_same = (one.fillna("").astype(str) == other.fillna("").astype(str)).to_numpy()
        for row in np.flatnonzero(~is_same):
            yield {"what": "disagree", "place": path, "row": str(row + 2), "column": str(name)}
