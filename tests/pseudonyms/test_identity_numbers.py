"""All written forms of an identity number come to one; agrees with the package `personnummer`."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from personnummer import personnummer

from revictimisation.dictionary import load_dictionary
from revictimisation.extract.identity_numbers import STATUSES, NumberSeries, parse_numbers
from tests.cases import for_each

SERIES = NumberSeries.from_list(load_dictionary().codes("identity_number_series"))
REFERENCE = dt.date(2018, 12, 31)


def parse(text: str, reference_on: dt.date = REFERENCE):
    return parse_numbers([text], reference_on, SERIES).iloc[0]


# 19811218-9876, 640823-3234 and the coordination number 701063-2391 stand in the Tax Agency's
# leaflets and in Wikipedia's article; 121212-1212 is the example of many forms.
@for_each(
    "text",
    [
        *("811218-9876", "8112189876", "198112189876", "19811218-9876", "811218 9876"),
        *(" 19811218 9876 ", "1981-12-18-9876", "811218–9876", "81 12 18 98 76", "8112189876.0"),
        *("19811218\u00a09876", "811218\u22129876", "19811218+9876", "81-12-18-9876"),
    ],
)
def test_every_written_form_comes_to_one(text):
    found = parse(text)
    assert (found.status, found.number, found.comparable) == ("valid", *["198112189876"] * 2)


@for_each(
    ("text", "status", "comparable"),
    [
        ("811218-9875", "wrong_check_digit", "198112189875"),
        ("811218-987", "completed", "198112189876"),
        ("19811218987", "completed", "198112189876"),
        ("811218987", "digit_missing", "811218987"),
        ("811318-9876", "impossible", "198113189876"),
        ("810229-1234", "impossible", "198102291234"),
        ("811218-0007", "impossible", "198112180007"),
        ("811218-98", "no_number", "811218-98"),
        ("811218-98761", "no_number", "811218-98761"),
        ("21811218-9876", "impossible", "218112189876"),
        ("811218-T987", "reserve_number", "811218-T987"),
        ("19811218-98a6", "reserve_number", "19811218-98A6"),
        ("992004391013", "reserve_number", "992004391013"),
        ("klient 12", "no_number", "KLIENT12"),
        ("", "no_number", ""),
    ],
)
def test_what_is_no_valid_number_says_why(text, status, comparable):
    found = parse(text)
    assert (found.status, found.comparable) == (status, comparable)
    assert found.number == (comparable if status == "completed" else "")
    assert status in set(load_dictionary().codes("identity_status")["code"])


def test_every_status_has_its_words():
    assert {*STATUSES, "empty"} == set(load_dictionary().codes("identity_status")["code"])


@for_each(
    ("text", "reference_on", "year"),
    [
        ("121212-1212", dt.date(2018, 12, 31), 2012),
        ("121212+1212", dt.date(2018, 12, 31), 1912),
        ("121212-1212", dt.date(2012, 12, 12), 2012),
        ("121212-1212", dt.date(2012, 12, 11), 1912),  # not yet born: the year one turns 100
        ("121212+1212", dt.date(2012, 1, 1), 1912),
        ("121212+1212", dt.date(2011, 12, 31), 1812),
        ("121212-1212", dt.date(2011, 12, 31), 1912),
        ("191212121212", dt.date(2018, 12, 31), 1912),
        ("121212+1212", dt.date(2112, 1, 1), 2012),
    ],
)
def test_the_century_is_told_from_the_reference_day(text, reference_on, year):
    assert parse(text, reference_on).comparable[:4] == str(year)


def test_coordination_numbers_have_a_day_of_their_own():
    found = parse("701063-2391")
    assert (found.status, found.number, found.is_coordination) == ("valid", "197010632391", True)
    assert not parse("811218-9876").is_coordination
    assert parse("701092-2391").status == "impossible"


@for_each(
    ("text", "is_test"),
    [("190001019801", True), ("200001052380", True), ("640823-3234", False)],
)
def test_series_of_test_numbers_are_flagged_and_still_numbers(text, is_test):
    found = parse(text)
    assert (found.status, bool(found.is_test)) == ("valid", is_test)


def test_a_county_serial_of_old_is_not_taken_for_a_test_number():
    """238 and 239 were ordinary birth numbers before 1990."""
    old = luhn_complete("19610108238")
    assert not parse(old).is_test and parse(luhn_complete("19910108238")).is_test


def luhn_complete(eleven: str) -> str:
    return eleven + str(personnummer._luhn(eleven[2:]))


def test_a_birth_after_the_reference_day_is_told():
    assert parse(luhn_complete("20190102123")).is_born_after
    assert not parse(luhn_complete("20181231123")).is_born_after


numbers = st.builds(
    lambda day, serial, check, is_coordination: (
        f"{day.year}{day.month:02}{day.day + 60 * is_coordination:02}{serial:03}",
        check,
    ),
    st.dates(dt.date(1850, 1, 1), dt.date(2018, 12, 31)),
    st.integers(0, 999),
    st.integers(0, 9) | st.none(),
    st.booleans(),
)


@given(number=numbers, sign=st.sampled_from(["", "-", "+"]), is_short=st.booleans())
def test_agrees_with_the_package(number, sign, is_short):
    """Same judgment and, where valid, same twelve digits; ten digits as of the same year.

    The check digit is right unless one is drawn. The package's day is set to the reference day; it
    tells centuries by the year alone, which the last day of a year makes the same.
    """
    eleven, drawn = number
    twelve = luhn_complete(eleven) if drawn is None else eleven + str(drawn)
    digits = twelve[2:] if is_short else twelve
    text = f"{digits[:-4]}{sign}{digits[-4:]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(personnummer, "_get_current_date", lambda: REFERENCE)
        is_valid = personnummer.valid(text)
        theirs = personnummer.parse(text).format(long_format=True) if is_valid else ""
    ours = parse(text)
    assert (ours.status == "valid") == is_valid
    assert ours.number == theirs


@settings(max_examples=25)
@given(
    eleven=st.from_regex(r"19[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}", fullmatch=True)
)
def test_the_check_digit_finds_every_single_wrong_digit(eleven):
    right = luhn_complete(eleven)
    wrong = [right[:-1] + str(digit) for digit in range(10) if str(digit) != right[-1]]
    if eleven[-3:] != "000":
        assert set(parse_numbers(wrong, REFERENCE)["status"]) == {"wrong_check_digit"}
        assert parse(right).status == "valid"


def test_a_column_is_parsed_as_its_cells_are():
    texts = ["811218-9876", "x", "", "701063-2391", "811218-9875", "811218987"] * 3
    whole = parse_numbers(texts, REFERENCE, SERIES)
    for place, text in enumerate(texts):
        assert whole.iloc[place].to_dict() == parse(text).to_dict()
