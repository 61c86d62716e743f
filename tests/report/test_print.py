"""The site in print: two documents a language, tagged, titled, whole, the same bytes every time."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from revictimisation.disclosure.attack.documents import read_document
from revictimisation.report.brief import describe_brief
from revictimisation.report.colours import PAPER, RISKS
from revictimisation.report.described import (
    Cell,
    Content,
    Dots,
    DotSeries,
    Figure,
    Folded,
    Heading,
    IconArray,
    Items,
    Periods,
    Scale,
    Table,
    Terms,
    Text,
)
from revictimisation.report.described import Item as One
from revictimisation.report.formats import Formats, start_upper
from revictimisation.report.print import count_pages, print_all, print_brief
from revictimisation.report.trials import list_main
from revictimisation.report.typesetting import set_text, typeset
from revictimisation.report.verdicts import name_measure

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
    return print_all(make_page(), "Studien", "foten", {"index": BODY, "other": BODY}, BODY)


def test_each_language_has_a_brief_and_a_report(printed):
    assert {*printed} == {"brief_sv.pdf", "report_sv.pdf"}
    assert printed == print_all(
        make_page(), "Studien", "foten", {"index": BODY, "other": BODY}, BODY
    )


def test_print_is_tagged_titled_and_of_no_day(printed):
    for made in printed.values():
        told = read_document(made)
        assert b"/MarkInfo" in made and "<pdfuaid:part>1<" in told and ">sv-SE<" in told
        assert "Studien" in told and b"CreationDate" not in made and "CreateDate" not in told


def test_the_report_says_all_that_the_pages_say(printed):
    told = read_document(printed["report_sv.pdf"])
    assert [said for said in (*SAID, "Innehåll", "foten") if said not in told] == []


def test_a_brief_that_is_too_long_gives_up_its_last_parts():
    """What matters stands first and stays."""
    long = [Text(f"Del {number}. {'Mening. ' * 400}") for number in range(6)]
    made = print_brief(make_page(), "Studien", "foten", Content((*BODY.parts[:3], *long)))
    told = read_document(made)
    assert count_pages(made) == 2 and "En upptäckt" in told and "Del 0" in told
    assert "Del 5" not in told


def test_the_brief_of_a_study_says_every_measure_why_not_and_what_can_be_decided():
    page = make_page()
    made = print_brief(page, "Vad hjälper?", "foten", describe_brief(page))
    told = " ".join(read_document(made).split())
    names = [start_upper(name_measure(page, one)) for one in list_main(page)]
    kept = ("Går att besluta", "Går inte att besluta", "index.html", "Domar")
    assert names and [one for one in (*names, *kept) if one not in told] == []
    assert count_pages(made) == 2


def test_long_tables_for_referees_are_left_to_the_files_and_no_others():
    page = make_page()
    body = Content((Heading("Sida", 1), replace(NUMBERS, cut="", rows=[[f"rad {one}", "x"]
                    for one in range(20)])))  # fmt: skip
    for referees, last in (((), True), (("other",), False)):
        made = print_all(page, "S", "f", {"other": body}, BODY, for_referees=referees)
        told = read_document(made["report_sv.pdf"])
        assert ("rad 19" in told) == last == ("20 rader" not in told) and "Tal" in told


def test_dots_and_intervals_carry_their_colours_with_them():
    """Nothing in print reads a page's style sheet: whatever is drawn names its own ink."""
    icons = IconArray(((16, "snart"), (24, "senare")), "ingen", "Hundra prickar")
    told = typeset(icons)
    fills = Counter(re.findall(r'fill=\\"(#\w+)\\"', told))
    assert [fills[RISKS[one].colour] for one in ("high", "low")] == [17, 25]
    assert fills[PAPER] == 61 and "class=" not in told and '#"16"' in told
    cell = Cell("2 färre", -0.02, -0.06, 0.02, span=(-0.08, 0.08), spoken="2 färre")
    row = typeset(Table("T", ["a", "b"], [["x", cell]], kind="answers"))
    assert "stroke=" in row and "class=" not in row and '#"2 färre"' in row


def test_nothing_in_a_text_is_taken_for_markup():
    assert set_text('#x "y" \\ $z$ <a>') == '#"#x \\"y\\" \\\\ $z$ <a>";'
    assert typeset(Table("T", ["a", "b"], [["x"]])).count("[],") == 1
