"""Numbers and dates as people write them in Swedish and in English (Babel's locales)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.core import Locale
from babel.dates import format_date

from revictimisation.report.quantities import telling

LOCALES = {"sv": "sv_SE", "en": "en_GB"}
DAYS_A_YEAR, DAYS_A_MONTH = 365.25, 365.25 / 12
UNITS = {
    "sv": {"year": "år", "month": "månad", "months": "månader", "week": "vecka", "weeks": "veckor",
           "day": "dag", "days": "dagar", "years": "år"},
    "en": {"year": "year", "years": "years", "month": "month", "months": "months", "week": "week",
           "weeks": "weeks", "day": "day", "days": "days"},
}  # fmt: skip
OF = {"sv": "av", "en": "in"}
MINUS = "−"
EXACT = 9  # decimals behind which a number holds only what the computer's arithmetic leaves
# a limit of a ratio that rests on next to nothing can have any size
LARGEST = 1_000_000


@cache
def _read_locale(name: str) -> Locale:
    return Locale.parse(name)


@cache
def _find_symbols(name: str) -> Mapping[int, str]:
    """What stands for the comma, the point and the sign that Python writes."""
    symbols = _read_locale(name).number_symbols["latn"]
    return str.maketrans({",": symbols["group"], ".": symbols["decimal"], "-": MINUS})


def round_half_up(number: float, digits: int = 0) -> Decimal:
    """A number as every page rounds it: of two equally near the one farther from 0.

    >>> [str(round_half_up(one)) for one in (12.5, -0.5, 100 * 0.285)], str(round_half_up(2.25, 1))
    (['13', '-1', '29'], '2.3')
    """
    exact = Decimal(str(round(float(number), EXACT)))
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


@dataclass(frozen=True)
class Formats:
    """How numbers are written in one language.

    >>> Formats("sv").percent(0.388).replace("\\xa0", " ")
    '38,8 %'
    >>> Formats("sv").count(1250).replace("\\xa0", " "), Formats("en").count(1250)
    ('1 250', '1,250')
    >>> Formats("sv").of_hundred(0.388), Formats("en").of_hundred(0.388)
    ('39 av 100', '39 in 100')
    """

    language: str

    @property
    def _locale(self) -> Locale:
        return _read_locale(LOCALES[self.language])

    def way(
        self, name: str, digits: int | None = None, words: Iterable[tuple[float, str]] = ()
    ) -> Way:
        """One of these ways to write a number, as data.

        >>> write = Formats("en").way("decimal", 1, [(0.0, "the same")])
        >>> write(0.25), write(0.0)
        ('0.3', 'the same')
        """
        return Way(self.language, name, digits, tuple(words))

    @telling
    def count(self, number: float) -> str:
        """A whole number with its thousands parted."""
        return self._write(number, 0)

    @telling
    def decimal(self, number: float, digits: int) -> str:
        """A number with a fixed number of decimals; beyond `LARGEST` only that it is.

        >>> Formats("en").decimal(2.25, 1), Formats("en").decimal(1e40, 1)
        ('2.3', '>1,000,000')
        >>> Formats("en").decimal(-0.5, 1)
        '−0.5'
        """
        if abs(number) > LARGEST:
            return f"{'>' if number > 0 else '<−'}{self.count(LARGEST)}"
        return self._write(number, digits)

    @telling
    def percent(self, share: float, digits: int = 1) -> str:
        """A share (0..1) in per cent."""
        sign = "\xa0%" if self.language == "sv" else "%"
        return self._write(share * 100, digits) + sign

    def _write(self, number: float, digits: int) -> str:
        told = f"{round_half_up(number, digits):,}"
        return told.translate(_find_symbols(LOCALES[self.language]))

    @telling
    def percent_short(self, share: float) -> str:
        """A share in whole per cent, below one with a decimal.

        >>> [Formats("en").percent_short(share) for share in (0, 0.0047, 0.388)]
        ['0%', '0.5%', '39%']
        """
        return self.percent(share, 1 if 0 < share < 0.01 else 0)

    @telling
    def percent_range(self, low: float, high: float, digits: int = 1) -> str:
        """An interval of shares, with one sign for both ends.

        >>> Formats("sv").percent_range(0.34, 0.47, digits=0).replace("\\xa0", " ")
        '34–47 %'
        """
        return f"{self.decimal(low * 100, digits)}–{self.percent(high, digits)}"

    @telling
    def range(self, low: float, high: float, digits: int) -> str:
        """An interval of numbers; `to` between them where one is negative."""
        mark = "–" if low >= 0 else (" till " if self.language == "sv" else " to ")
        return f"{self.decimal(low, digits)}{mark}{self.decimal(high, digits)}"

    @telling
    def points(self, difference: float, digits: int = 1) -> str:
        """A difference of shares in percentage points, with its sign; none where it rounds to 0.

        >>> [Formats("en").points(one) for one in (0.031, -0.0004, -0.02)]
        ['+3.1', '0.0', '−2.0']
        """
        told = self.decimal(abs(difference) * 100, digits)
        if told == self.decimal(0, digits):
            return told
        return f"{'+' if difference > 0 else '−'}{told}"

    @telling
    def of_hundred(self, share: float) -> str:
        """A share as people out of a hundred."""
        return f"{self.count(share * 100)} {OF[self.language]} 100"

    def date(self, day: dt.date) -> str:
        """A day with the month in letters."""
        return format_date(day, format="d MMMM y", locale=self._locale)

    @telling
    def days(self, days: float) -> str:
        """A number of days, in days."""
        units = UNITS[self.language]
        return f"{self.count(days)} {units['day'] if round(days) == 1 else units['days']}"

    def period(self, days: int) -> str:
        """A length of time in the largest unit that fits it to about a day.

        >>> [Formats("en").period(days) for days in (14, 182, 365, 364, 1461, 100)]
        ['2 weeks', '6 months', '1 year', '52 weeks', '4 years', '100 days']
        """
        years, months = round(days / DAYS_A_YEAR), round(days / DAYS_A_MONTH)
        if years and abs(days - years * DAYS_A_YEAR) <= 1:
            return self._unit(years, "year")
        if months and abs(days - months * DAYS_A_MONTH) <= 1:
            return self._unit(months, "month")
        if days % 7 == 0 and days:
            return self._unit(days // 7, "week")
        return self.days(days)

    def _unit(self, number: int, unit: str) -> str:
        return f"{number} {UNITS[self.language][unit if number == 1 else unit + 's']}"


@dataclass(frozen=True)
class Way:
    """How numbers are written, as data: a method of `Formats` by its name; `words` for some."""

    language: str
    name: str
    digits: int | None = None
    words: tuple[tuple[float, str], ...] = ()

    def __call__(self, number: float) -> str:
        """The number as it is written."""
        for known, told in self.words:
            if known == number:
                return told
        given = () if self.digits is None else (self.digits,)
        write: Callable[..., str] = getattr(Formats(self.language), self.name)
        return write(number, *given)


def start_upper(told: str) -> str:
    """The same with a capital first.

    >>> start_upper("hög risk")
    'Hög risk'
    """
    return told[:1].upper() + told[1:]


def start_lower(told: str) -> str:
    """A label within a sentence: small, but what is written in capitals.

    >>> start_lower("Kön"), start_lower("SIP")
    ('kön', 'SIP')
    """
    return told if told[:2].isupper() else told[:1].lower() + told[1:]
