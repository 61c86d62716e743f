"""Made identity numbers and names: nobody's.

Numbers have the birth numbers 980 to 999, the series that Skatteverket keeps for test numbers
(*testpersonnummer*; open data, catalog 9 dataset 147 at skatteverket.entryscape.net): no living or
dead person has one. They are valid, check digit and all, and even for women, odd for men. A
mistyped number has one digit wrong, so that its check digit never holds and it is no possible
number at all. Names are put together from syllables.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from revictimisation.simulate.randoms import Integers, draw_category, draw_days

FIRST_BIRTH_NUMBER, DAYS_A_YEAR, NUMBERS_A_DAY = 980, 365, 10
SLOTS = DAYS_A_YEAR * NUMBERS_A_DAY
STRIDE = 1009  # no common factor with SLOTS: walks through them all
OLDEST_IN_TEN_DIGITS = 1930  # written with ten digits, an older person might be a child
FORMS = ("long", "long_hyphen", "short_hyphen", "short")
FORM_SHARES = (0.55, 0.20, 0.20, 0.05)
ONSETS = ("Al", "Be", "Da", "E", "Fi", "Ga", "Ha", "I", "Jo", "Ka", "Le", "Ma", "No", "O", "Ra",
          "Sa", "Ta", "U", "Vi", "Ze")  # fmt: skip
MIDDLES = ("da", "li", "mi", "na", "ri", "so", "ve", "ke")
FEMALE_ENDS, MALE_ENDS = ("ra", "na", "la", "sa", "ja"), ("n", "r", "l", "k", "ns")
HOUSES = ("Alder", "Berk", "Dahr", "Elm", "Fjäll", "Gran", "Hessel", "Järn", "Kvist", "Lind",
          "Mörk", "Norr", "Ovan", "Palm", "Rask", "Sten", "Tall", "Vass", "Åker",
          "Öst")  # fmt: skip
PLACES = ("mark", "vik", "zell", "holt", "ström", "by", "dal", "rinn", "sund", "mo", "lid", "gård",
          "fors", "hed", "nes", "torp")  # fmt: skip
SLIPS = (("k", "c"), ("v", "w"), ("s", "z"), ("i", "y"), ("ll", "l"), ("r", ""), ("e", "ä"))


def check_digit(nine: str) -> int:
    """The last digit of a number: Luhn's of its nine digits YYMMDDNNN.

    >>> check_digit("900101980")
    2
    """
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(nine)]
    return -sum(one // 10 + one % 10 for one in doubled) % 10


def number_people(people: pd.DataFrame) -> np.ndarray:
    """Give each person (birth_year, sex) a test number of twelve digits, no two alike.

    Raises ``ValueError`` where more than 3,650 people share year of birth and sex.
    """
    is_male = people["sex"].eq("male").to_numpy()
    years = people["birth_year"].to_numpy().astype(np.int64)
    rank = people.groupby([years, is_male]).cumcount().to_numpy()
    if len(rank) and rank.max() >= SLOTS:
        raise ValueError("the test series of identity numbers is too short for so many people")
    slots = (rank * STRIDE + years * 37) % SLOTS
    return np.array(
        [
            _spell(*one)
            for one in zip(years.tolist(), slots.tolist(), is_male.tolist(), strict=True)
        ],
        dtype=object,
    )


def _spell(year: int, slot: int, is_male: bool) -> str:
    born_on = dt.date(year, 1, 1) + dt.timedelta(days=slot // NUMBERS_A_DAY)
    birth_number = FIRST_BIRTH_NUMBER + 2 * (slot % NUMBERS_A_DAY) + int(is_male)
    nine = f"{born_on:%y%m%d}{birth_number}"
    return f"{born_on:%Y}{nine[2:]}{check_digit(nine)}"


def mistype(seed: int, units: Integers, numbers: np.ndarray) -> np.ndarray:
    """Get one of the last four digits wrong: a single wrong digit always breaks the check digit."""
    places = draw_days(seed, units, "mistyped_place", 8, 11)
    shifts = draw_days(seed, units, "mistyped_shift", 1, 9)
    wrong = [
        f"{number[:at]}{(int(number[at]) + by) % 10}{number[at + 1 :]}"
        for number, at, by in zip(numbers, places.tolist(), shifts.tolist(), strict=True)
    ]
    return np.array(wrong, dtype=object)


def reserve(seed: int, units: Integers, years: np.ndarray) -> np.ndarray:
    """Make reserve numbers as a municipality's system does: a year, any day, TF and two digits."""
    days = draw_days(seed, units, "reserve_day", 1, 28)
    tails = draw_days(seed, units, "reserve_tail", 1, 99)
    both = zip(years.tolist(), days.tolist(), tails.tolist(), strict=True)
    return np.array([f"{year:04d}01{day:02d}-TF{tail:02d}" for year, day, tail in both], object)


def write_numbers(seed: int, units: Integers, numbers: np.ndarray, stream: str) -> np.ndarray:
    """Write numbers of twelve digits as systems do: with and without century and hyphen."""
    forms = draw_category(seed, units, f"form_{stream}", FORM_SHARES)
    return np.array(
        [_write(number, FORMS[form]) for number, form in zip(numbers, forms, strict=True)], object
    )


def _write(number: str, form: str) -> str:
    if len(number) != 12 or not number.isdigit():
        return number
    is_old = int(number[:4]) < OLDEST_IN_TEN_DIGITS
    if form == "long" or (is_old and form == "short"):
        return number
    long = f"{number[:8]}-{number[8:]}"
    if form == "long_hyphen" or is_old:
        return long
    return long[2:] if form == "short_hyphen" else number[2:]


def name_people(seed: int, units: Integers, is_male: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make first names and family names; some are much more common than others."""
    common = 1 / np.arange(1, 21)
    parts = [
        np.array(choices, dtype=object)[draw_category(seed, units, stream, shares)]
        for choices, stream, shares in (
            (ONSETS, "name_onset", common**0.5), (MIDDLES, "name_middle", np.ones(8)),
            (FEMALE_ENDS, "name_end", np.ones(5)), (MALE_ENDS, "name_end", np.ones(5)),
            (HOUSES, "name_house", common**0.5), (PLACES, "name_place", np.ones(16)),
        )
    ]  # fmt: skip
    onset, middle, female, male, house, place = parts
    return onset + middle + np.where(is_male, male, female), house + place


def misspell(seed: int, units: Integers, names: np.ndarray) -> np.ndarray:
    """Misspell each name once, most often so that it sounds the same."""
    turns = draw_days(seed, units, "slip", 0, len(SLIPS) - 1)
    return np.array(
        [_slip(name, turn) for name, turn in zip(names, turns.tolist(), strict=True)], object
    )


def _slip(name: str, turn: int) -> str:
    for place in range(len(SLIPS)):
        right, wrong = SLIPS[(turn + place) % len(SLIPS)]
        if right in name[1:]:
            return name[0] + name[1:].replace(right, wrong, 1)
    return name + "h"
