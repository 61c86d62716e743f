"""What a text is as a Swedish identity number: all written forms to one of twelve digits.

Forms: `YYMMDD-NNNC`, `YYYYMMDDNNNC` and what lies between, with `-`, `+`, blanks or nothing; the
date also as `YYYY-MM-DD`. A coordination number has 60 added to the day. The check digit is Luhn's
over the ten-digit form. Works on columns: a million distinct texts take seconds.

Source: the population registration act (1991:481), section 18, as summarised by the Tax Agency;
the package `personnummer` (3.2) is the independent implementation it is tested against.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revictimisation.core.arrays import Flags, Whole

Integers = Whole
Truths = Flags

VALID, COMPLETED = "valid", "completed"
WRONG_CHECK, IMPOSSIBLE = "wrong_check_digit", "impossible"
DIGIT_MISSING, RESERVE, NO_NUMBER = "digit_missing", "reserve_number", "no_number"
ROUNDED = "rounded"  # by a spreadsheet: 1.98501E+11
# In the order in which they are told; the words stand in the dictionary's list identity_status.
STATUSES = (VALID, COMPLETED, WRONG_CHECK, IMPOSSIBLE, DIGIT_MISSING, ROUNDED, RESERVE, NO_NUMBER)
PERSON = (VALID, COMPLETED)

_ROUNDED = r"^\d[.,]?\d*E\+?(0?9|1[01])$"
EARLIEST_CENTURY, LATEST_CENTURY = 18, 20
FULL_CENTURY = 100  # from the year a person turns this old, the sign is a plus
COORDINATION_DAYS = 60
_PARTS = (
    r"^(?P<century>\d{2})?(?P<year>\d{2})(?P<month>\d{2})(?P<day>\d{2})"
    r"(?P<sign>[-+]?)(?P<serial>\d{3})(?P<check>\d?)$"
)


@dataclass(frozen=True)
class NumberSeries:
    """Series that are known to be no ordinary numbers, as patterns on the twelve-digit form.

    `tests`: pattern and first year of birth it holds for; `reserves`: patterns on the text without
    blanks, in capitals.
    """

    tests: tuple[tuple[str, int], ...] = ()
    reserves: tuple[str, ...] = ()

    @staticmethod
    def from_list(frame: pd.DataFrame) -> NumberSeries:
        """Take the series from the dictionary's list `identity_number_series`."""
        tests = frame[frame["kind"].eq("test")]
        years = [int(year or 0) for year in tests["born_from_year"]]
        reserves = frame.loc[frame["kind"].eq("reserve"), "pattern"]
        return NumberSeries(tuple(zip(tests["pattern"], years, strict=True)), tuple(reserves))


def parse_numbers(
    texts: Sequence[str] | pa.Array, reference_on: dt.date, series: NumberSeries | None = None
) -> pd.DataFrame:
    """Say of each text what it is; a row per text, in their order.

    `status` is one of `STATUSES`; `number` the twelve digits, empty unless the text is a number
    (`valid`, or `completed`: only the check digit was missing); `comparable` the text that means
    the same in whatever way it was written (twelve digits, or capitals without blanks).
    `is_coordination` and `is_test` are true of numbers only; `is_born_after` where the birth
    lies after `reference_on`; `has_century` where the text itself tells the century.

    Ten digits: without a plus, the latest year of birth whose day is not after `reference_on`;
    with one, the latest year that is at least 100 before that of `reference_on`. Nine digits
    with no sign have lost their first zero or their check digit, and which can't be told.

    >>> found = parse_numbers(["850709-9805", "19850709 9805", "850709-9806"], dt.date(2018, 1, 1))
    >>> found["comparable"].tolist(), found["status"].tolist()
    (['198507099805', '198507099805', '198507099806'], ['valid', 'valid', 'wrong_check_digit'])
    """
    series = series or NumberSeries()
    compact = _compact(pa.array(texts, pa.string()) if not isinstance(texts, pa.Array) else texts)
    found = pc.extract_regex(compact, _PARTS)
    has_form = _truths(pc.is_valid(found))
    digits = {
        name: _integers(pc.struct_field(found, name))
        for name in ("century", "year", "month", "day", "serial", "check")
    }
    has_century, has_check = digits["century"] >= 0, digits["check"] >= 0
    sign = pc.fill_null(pc.struct_field(found, "sign"), "")
    is_old = _truths(pc.equal(sign, "+"))
    century = np.where(has_century, digits["century"], _guess_century(digits, is_old, reference_on))
    birth = _Birth(century * 100 + digits["year"], digits["month"], digits["day"])
    check = _luhn(digits)
    has_lost = has_form & ~has_century & ~has_check & _truths(pc.equal(sign, ""))
    is_number = has_form & birth.exists & (digits["serial"] > 0) & ~has_lost
    is_number &= (century >= EARLIEST_CENTURY) & (century <= LATEST_CENTURY)
    status = np.full(len(compact), NO_NUMBER, dtype=object)
    status[has_form] = IMPOSSIBLE
    status[has_lost] = DIGIT_MISSING
    is_right = has_check & (digits["check"] == check)
    status[is_number] = WRONG_CHECK
    status[is_number & ~has_check] = COMPLETED
    status[is_number & is_right] = VALID
    is_person = is_number & (is_right | ~has_check)
    twelve = _join(birth, digits["serial"], np.where(has_check, digits["check"], check))
    comparable = pc.if_else(pa.array(has_form & ~has_lost), twelve, compact)
    status[_truths(pc.match_substring_regex(compact, _ROUNDED))] = ROUNDED
    status[~is_person & _match_any(comparable, series.reserves)] = RESERVE
    return pd.DataFrame(
        {
            "status": status,
            "number": pc.if_else(pa.array(is_person), comparable, "").to_pandas(),
            "comparable": comparable.to_pandas(),
            "is_coordination": is_person & (digits["day"] > COORDINATION_DAYS),
            "is_test": is_person & _is_test(comparable, birth.year, series),
            "is_born_after": is_person & (birth.as_integer > _as_integer(reference_on)),
            "has_century": has_form & (has_century | is_old),
        }
    )


def _compact(texts: pa.Array) -> pa.Array:
    """Without blanks, in capitals, one kind of dash, the date without dashes."""
    plain = pc.utf8_upper(pc.replace_substring_regex(pc.fill_null(texts, ""), r"[\s\pZ]+", ""))
    plain = pc.replace_substring_regex(plain, r"[\x{2010}-\x{2015}\x{2212}\x{00AD}]", "-")
    plain = pc.replace_substring_regex(plain, r"^(\d{9,12})\.0+$", r"\1")
    return pc.replace_substring_regex(plain, r"^(\d{2}|\d{4})-(\d{2})-(\d{2})([-+]?\d{3,4})$",
                                      r"\1\2\3\4")  # fmt: skip


def _truths(array: Any) -> Truths:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=bool)


def _integers(texts: Any) -> Integers:
    """The digits as whole numbers; -1 where there are none."""
    filled = pc.if_else(pc.equal(pc.fill_null(texts, ""), ""), "-1", pc.fill_null(texts, "-1"))
    return np.asarray(pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False))


@dataclass(frozen=True)
class _Birth:
    """Days of birth as their parts; `day` as written, 60 more in coordination numbers."""

    year: Integers
    month: Integers
    day: Integers

    @property
    def plain_day(self) -> Integers:
        return np.where(self.day > COORDINATION_DAYS, self.day - COORDINATION_DAYS, self.day)

    @property
    def exists(self) -> Truths:
        """Whether the calendar has such a day."""
        lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
        month = np.where((self.month >= 1) & (self.month <= 12), self.month, 0)
        is_leap = (self.year % 4 == 0) & ((self.year % 100 != 0) | (self.year % 400 == 0))
        longest = lengths[month] + ((month == 2) & is_leap)
        return (self.plain_day >= 1) & (self.plain_day <= longest)

    @property
    def as_integer(self) -> Integers:
        return self.year * 10_000 + self.month * 100 + self.plain_day


def _as_integer(day: dt.date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _guess_century(digits: dict[str, Integers], is_old: Truths, reference_on: dt.date) -> Integers:
    """The century of ten digits, as seen from the reference day."""
    last = np.where(is_old, reference_on.year - FULL_CENTURY, reference_on.year)
    year = last - (last - digits["year"]) % 100
    birth = _Birth(year, digits["month"], digits["day"])
    is_unborn = ~is_old & (birth.as_integer > _as_integer(reference_on))
    return (year - 100 * is_unborn) // 100


def _luhn(digits: dict[str, Integers]) -> Integers:
    """The check digit of YYMMDDNNN: every other digit doubled, digits summed, up to the next ten.

    As in ISO/IEC 7812-1, annex B.
    """
    two = [digits[name] for name in ("year", "month", "day")]
    serial = digits["serial"]
    ordered = [part for one in two for part in (one // 10 % 10, one % 10)]
    ordered += [serial // 100 % 10, serial // 10 % 10, serial % 10]
    total = np.zeros(len(serial), dtype=np.int64)
    for place, digit in enumerate(ordered):
        weighed = digit * (2 - place % 2)
        total += weighed - 9 * (weighed > 9)
    return -total % 10


def _join(birth: _Birth, serial: Integers, check: Integers) -> pa.Array:
    """The twelve digits as text."""
    whole = (birth.year * 10_000 + birth.month * 100 + birth.day) * 10_000 + serial * 10 + check
    return pc.utf8_lpad(pc.cast(pa.array(np.maximum(whole, 0)), pa.string()), 12, "0")


def _match_any(texts: pa.Array, patterns: Sequence[str]) -> Truths:
    found = np.zeros(len(texts), dtype=bool)
    for pattern in patterns:
        found |= _truths(pc.match_substring_regex(texts, pattern))
    return found


def _is_test(numbers: pa.Array, years: Integers, series: NumberSeries) -> Truths:
    found = np.zeros(len(numbers), dtype=bool)
    for pattern, born_from in series.tests:
        found |= _match_any(numbers, (pattern,)) & (years >= born_from)
    return found
