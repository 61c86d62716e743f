"""Whether a column holds, row by row, a part of the row's identity number.

The day of birth in one column and the last four digits in another are the whole number, and would
stay beside the pseudonym that was to replace it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from revictimisation.extract.identity_numbers import COORDINATION_DAYS, parse_numbers
from revictimisation.extract.pseudonyms.records import as_text

# A year of birth is a column of the dictionary's own, and three digits say little by chance.
SHORTEST = 3
SHORTEST_PIECE = 4
# So few equal cells may be chance, unless they are half of all.
FEW, MOSTLY = 3, 0.5
# How many days before 1970 Excel, SAS, Unix and SPSS begin to count days or seconds.
EPOCHS = (25_569, 3_653, 0, 141_428)
SECONDS = 86_400
MONTHS = ("jan", "feb", "mar", "apr", "ma[ij]", "jun", "jul", "aug", "sep", "o[ck]t", "nov", "dec")


def holds_parts(
    cells: pa.ChunkedArray,
    numbers: Sequence[pa.ChunkedArray],
    reference_on: dt.date,
    least_share: float,
) -> bool:
    """Whether more than a share of the cells are a part of the identity number in their row.

    `numbers` are the table's columns of people. Rows count where the cell holds something and the
    number has twelve digits, also if its check digit is wrong. A part is the day of birth in any
    written form, also without its century or day, or as the number of days or seconds by which
    programs keep it; the last four or three digits; or any piece of four digits or more. The year
    of birth alone is none. One or two equal cells are chance unless they are half of all.
    """
    written = _digits(as_text(cells).to_pandas())
    n_equal = n_filled = 0
    for column in numbers:
        twelve = _twelve_digits(as_text(column), reference_on)
        is_filled = written.ne("") & twelve.ne("")
        if not is_filled.any():
            continue
        n_filled += int(is_filled.sum())
        n_equal += int(_are_parts(written[is_filled], twelve[is_filled]).sum())
    share = n_equal / n_filled if n_filled else 0.0
    return share > least_share and (n_equal >= FEW or share >= MOSTLY)


def _digits(texts: pd.Series) -> pd.Series:
    """The digits of each cell, single ones with a zero before; months in words as numbers.

    A time of day is left out, and a cell without a digit is empty.
    """
    found = texts.fillna("").astype(str).str.lower()
    found = found.str.replace(r"(?<=\d)[t ]+\d{1,2}[:.]\d{2}([:.]\d{2}.*)?$", "", regex=True)
    found = found.str.replace(r"\.0+$", "", regex=True)
    if found.str.contains("[a-z]{3}").any():
        for number, month in enumerate(MONTHS, start=1):
            found = found.str.replace(rf"{month}[a-z]*\.?", f" {number:02d} ", regex=True)
    found = found.str.replace(r"(?<!\d)(\d)(?=\D|$)", r"0\1", regex=True)
    return found.str.replace(r"\D", "", regex=True)


def _twelve_digits(texts: pa.ChunkedArray, reference_on: dt.date) -> pd.Series:
    found = parse_numbers(texts.combine_chunks(), reference_on)["comparable"]
    return found.where(found.str.fullmatch(r"\d{12}"), "")


def _are_parts(written: pd.Series, twelve: pd.Series) -> pd.Series:
    """Whether each text of digits is a part of the number beside it; leading zeros may be lost."""
    year = twelve.str[:4]
    is_long = written.str.len() >= SHORTEST
    found = np.strings.find(twelve.to_numpy(np.str_), written.to_numpy(np.str_))
    is_piece = (found >= 0) & (written.str.len() >= SHORTEST_PIECE).to_numpy()
    bare = written.str.lstrip("0")
    for part in _list_parts(twelve):
        is_piece |= bare.eq(part.str.lstrip("0")).to_numpy()
    return pd.Series(is_piece, written.index) & is_long & written.ne(year)


def _list_parts(twelve: pd.Series) -> list[pd.Series]:
    """The last digits, and the day of birth as people and programs write it."""
    year, month, raw_day = twelve.str[:4], twelve.str[4:6], twelve.str[6:8]
    number = raw_day.astype(int)
    plain = number.where(number <= COORDINATION_DAYS, number - COORDINATION_DAYS)
    day = plain.astype(str).str.zfill(2)
    short = year.str[2:]
    orders = [day + month, month + day]
    for one in (year, short):
        orders += [one + month + day, day + month + one, month + day + one]
        orders += [one + month, month + one]
    whole = year + "-" + month + "-" + day
    days = pd.to_datetime(whole, format="%Y-%m-%d", errors="coerce").to_numpy("datetime64[D]")
    since_1970 = np.where(np.isnat(days), np.nan, days.astype(np.int64))
    counts = [since_1970 + epoch for epoch in EPOCHS]
    counts += [count * SECONDS for count in counts]
    kept = [pd.Series(np.abs(count), twelve.index) for count in counts]
    programs = [one.map("{:.0f}".format, na_action="ignore").fillna("-") for one in kept]
    return [twelve.str[8:], twelve.str[8:11], *orders, *programs]
