"""The form of a Swedish identity or coordination number is refused, and only that form."""

from __future__ import annotations

import calendar
import re

from hypothesis import given
from hypothesis import strategies as st

from revictimisation.extract.validation.checks import IDENTITY_NUMBER
from tests.cases import for_each
from tests.validation.extracts import VALID, load

REFUSED = [
    "19121212-1212",
    "191212121212",
    "121212-1212",
    "1212121212",
    "121212+1212",
    "19121212+1212",
    "121272-1212",
    "191212721212",
    "20000229-1234",
    "000229-1234",
    "990191-1234",
    "18991231-0000",
    "121212 1212",
]
ACCEPTED = [
    "v1",
    "",
    "1",
    "12345",
    "121312-1212",
    "120012-1212",
    "121200-1212",
    "121232-1212",
    "121260-1212",
    "121292-1212",
    "120230-1212",
    "120290-1212",
    "120431-1212",
    "120491-1212",
    "21121212-1212",
    "12121212121",
    "121212-121",
    "121212-12123",
    "a121212-1212",
    "121212-1212a",
    "9f86d081884c7d65",
    "121212--1212",
]


@for_each("text", REFUSED)
def test_the_form_is_refused(text):
    assert re.fullmatch(IDENTITY_NUMBER, text)


@for_each("text", ACCEPTED)
def test_other_forms_are_not(text):
    assert not re.fullmatch(IDENTITY_NUMBER, text)


def has_form(text: str) -> bool:
    """Slowly and by the calendar; a day of a leap year will do, as ten digits tell no century."""
    digits = re.sub(r"[-+ ]", "", text)
    if not re.fullmatch(r"(\d{6}|\d{8})[-+ ]?\d{4}", text) or len(digits) not in (10, 12):
        return False
    if len(digits) == 12 and not 16 <= int(digits[:2]) <= 20:
        return False
    month, day = int(digits[-8:-6]), int(digits[-6:-4])
    day -= 60 if day > 60 else 0
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(2000, month)[1]


@given(
    century=st.sampled_from(["", "15", "16", "18", "19", "20", "21"]),
    year=st.integers(0, 99),
    month=st.integers(0, 14),
    day=st.integers(0, 99),
    sign=st.sampled_from(["", "-", "+", " ", "/"]),
    last=st.integers(0, 99999),
)
def test_the_form_agrees_with_the_calendar(century, year, month, day, sign, last):
    text = f"{century}{year:02}{month:02}{day:02}{sign}{last:04}"
    assert bool(re.fullmatch(IDENTITY_NUMBER, text)) == has_form(text)


def test_the_engine_reads_the_form_as_we_do(tmp_path):
    head = VALID["persons"].splitlines()[0]
    given_texts = [text for text in REFUSED + ACCEPTED if text]
    lines = [f"{text},1980,female,0126,,,none" for text in given_texts]
    extract = load(tmp_path, {**VALID, "persons": "\n".join([head, *lines])})
    found = [one for one in extract.errors if one.rule == "personal_identity_number"]
    assert [(one.table, one.count) for one in found] == [("persons", len(REFUSED))]
    assert found[0].rows == tuple(range(2, 12))
