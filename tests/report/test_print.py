"""The site in print: two documents a language, tagged, titled, whole, the same bytes every time."""

from __future__ import annotations

import pytest

from revictimisation.disclosure.attack.documents import read_document
from revictimisation.report.described import (
    Cell,
    Content,
    Dots,
    DotSeries,
    Figure,
    Folded,
    Heading,
    Items,
    Periods,
    Scale,
    Table,
    Terms,
    Text,
)
from revictimisation.report.described import Item as One
from revictimisation.report.formats import Formats
from revictimisation.report.print import count_pages, print_all
from revictimisation.report.typesetting import set_text, typeset

from .conftest import make_page

SCALE = Scale(Formats("sv").way("percent_short"), (0.0, 0.5), "andel")
PICTURE = Dots(["alla #[x]"], [DotSeries("", [(0.25, 0.1, 0.4)])], SCALE)
NUMBERS = Table("Tal", ["vem", "andel"], [["alla", Cell("25 %", 0.25).above("10–40 %")]] * 41,
                ["not"], cut="De 40 första.")  # fmt: skip
BODY = Content((
    Heading("Rubrik & *märke*", 1),
    Text("Först **det viktiga** med `kod` och [länk](words.html#x).\n\n- ett\n- två \\ # $"),
    Items((One(("En upptäckt",)),), "findings"),
    Heading("Avsnitt", 2),
    Figure(PICTURE, 'alt "text"', "Vad bilden säger", "Talen", NUMBERS, "Källa: här"),
    Folded("Öppna", Text("Det som låg hopvikt.")),
    Terms((("a", "ordet", "betyder"),), "words"),
    Periods((("2013 Q1", 1.0, ""),), "Staplar över tid"),
))  # fmt: skip
SAID = ("Rubrik & *märke*", "det viktiga", "kod", "två \\ # $", "En upptäckt", "Vad bilden säger",
        "25 %", "10–40 %", "De 40 första.", "Källa: här", "Det som låg hopvikt.", "ordet",
        'alt "text"', "Staplar över tid", "alla #[x]")  # fmt: skip


@pytest.fixture(scope="module")
def printed() -> dict[str, bytes]:
    return print_all(make_page(), "Studien", "foten", {"index": BODY, "other": BODY}, "index")


def test_each_language_has_a_brief_and_a_report(printed):
    assert {*printed} == {"brief_sv.pdf", "report_sv.pdf"}
    assert printed == print_all(
        make_page(), "Studien", "foten", {"index": BODY, "other": BODY}, "index"
    )


def test_print_is_tagged_titled_and_of_no_day(printed):
    for made in printed.values():
        told = read_document(made)
        assert b"/MarkInfo" in made and "<pdfuaid:part>1<" in told and ">sv-SE<" in told
        assert "Studien" in told and b"CreationDate" not in made and "CreateDate" not in told


def test_the_report_says_all_that_the_pages_say(printed):
    told = read_document(printed["report_sv.pdf"])
    assert [said for said in (*SAID, "Innehåll", "foten") if said not in told] == []


def test_the_brief_has_two_pages_of_what_matters_first(printed):
    made = printed["brief_sv.pdf"]
    told = read_document(made)
    assert count_pages(made) <= 2 and "En upptäckt" in told and "Det som låg hopvikt." not in told
    long = Content((Heading("Sida", 1), Text("Mening. " * 900), Heading("Mer", 2)))
    bodies = {"index": BODY, **{f"page{number}": long for number in range(3)}}
    assert count_pages(print_all(make_page(), "S", "f", bodies, "index")["brief_sv.pdf"]) == 2


def test_nothing_in_a_text_is_taken_for_markup():
    assert set_text('#x "y" \\ $z$ <a>') == '#"#x \\"y\\" \\\\ $z$ <a>";'
    assert typeset(Table("T", ["a", "b"], [["x"]])).count("[],") == 1
