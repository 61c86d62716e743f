"""Cells, tables and figures: a suppressed number is a dash with a note, never a nought."""

from __future__ import annotations

import re

import pytest

from revictimisation.report.described import (
    Cell,
    Dots,
    DotSeries,
    Figure,
    Folded,
    Group,
    Scale,
    Table,
    Text,
    join,
)
from revictimisation.report.formats import Formats
from revictimisation.report.quantities import SEPARATE, list_readings, read_written
from revictimisation.report.release import Number
from revictimisation.report.rendering import draw
from revictimisation.report.sections import (
    baseline,
    citing,
    cohort,
    court_numbers,
    courts,
    effects,
    estimators,
    for_whom,
    graphs,
    group_numbers,
    how_we_know,
    lists,
    measure,
    method,
    models,
    protocol,
    reach,
    referees,
    start,
    strategies,
)
from revictimisation.report.site import make_page as make_page_of
from revictimisation.report.takeaway import taking, write_as_told, write_csv
from tests.cases import for_each

from .conftest import make_page

SUPPRESSED = Number(status="suppressed", reason="small_number")
# these have nothing to say where the release has no rows for them
OPTIONAL = [
    *(reach.show_codes, estimators.show_ways, strategies.show_strategies, models.show_in_force),
    *(models.show_recurrent, models.show_competing, models.show_variants),
    *(referees.show_controls, for_whom.show_claims, for_whom.show_exploration),
    *(start.show_measures, measure.show_what, measure.show_who, measure.show_effect),
    *(measure.show_sure, measure.show_for_whom, measure.show_change, measure.show_unsaid),
    *(group_numbers.show_tests, group_numbers.show_own_and_pooled, group_numbers.show_contrasts),
]
SECTIONS = [
    *(cohort.show_measure_flow, cohort.show_at_risk, baseline.show_table_one),
    *(cohort.show_unseen, reach.show_lead, reach.show_who, reach.show_way, reach.show_soon),
    *(reach.show_shared, reach.show_together),
    *(courts.show_lead, courts.show_ladder, courts.show_states, courts.show_denominators),
    *(courts.show_association, court_numbers.show_decisions, court_numbers.show_paths),
    *(models.show_ratios, effects.show_incidence),
    *(effects.show_reference, effects.show_by_risk, how_we_know.show_lead),
    *(how_we_know.show_simple, how_we_know.show_wanted, how_we_know.show_limits),
    *(how_we_know.show_reading, protocol.show_estimand, protocol.show_protocol),
    *(protocol.show_measures, graphs.show_graphs, lists.show_lists),
    *(citing.show_works, citing.show_citing, estimators.show_estimates, estimators.show_crude),
    *(referees.show_overview, referees.show_weights, baseline.show_balance),
    *(referees.show_support, referees.show_detectable, method.show_grid),
    *(method.show_all_checks, method.show_method, start.show_lead),
    *(for_whom.show_lead, for_whom.show_measures, for_whom.show_limits),
    *(start.show_questions, measure.show_state, *OPTIONAL),
]


def test_numbers_as_people_write_them():
    sv, en = Formats("sv"), Formats("en")
    assert sv.percent(0.388) == "38,8\xa0%" and en.percent(0.388) == "38.8%"
    assert sv.count(1250) == "1\xa0250" and en.count(1250) == "1,250"
    assert sv.points(-0.04) == "−4,0" and sv.points(0) == "0,0" and en.points(0.0551) == "+5.5"
    assert sv.range(-1.5, 0.5, 1) == "−1,5 till 0,5"
    assert sv.period(1461) == "4 år" and sv.period(31) == "1 månad" and sv.days(1) == "1 dag"


@for_each("show", ["show_count", "show_events", "show_share", "show_ratio"])
def test_suppressed_is_a_dash_and_not_estimable_is_words(show):
    page = make_page()
    assert str(getattr(page, show)(SUPPRESSED)) == "–"
    assert str(getattr(page, show)(Number())) == "går inte att beräkna"
    assert str(getattr(page, show)(Number(status="withheld"))) == "hålls inne"


def test_a_table_with_a_dash_says_what_it_means():
    page = make_page()
    numbers = [Number(1.0, status="ok"), SUPPRESSED, Number(), Number(status="withheld")]
    shown = [page.table("", [""], [["row", page.show_share(one)]], ["own"]) for one in numbers]
    assert [len(table.notes) for table in shown] == [1, 2, 2, 2]
    assert "Det betyder inte noll" in shown[1].notes[0] and shown[1].notes[-1] == "own"
    assert len(page.table("", [""], [[page.show_count(one) for one in numbers]]).notes) == 3


def test_a_table_is_had_as_numbers():
    """What a cell tells keeps its number, interval, unit and status; text has none."""
    page, found = make_page("en"), Number(0.25, 0.2, 0.3, n_people=1200, status="ok")
    row = ["row", page.show_people(found), page.show_share_both(found), page.show_ratio(SUPPRESSED)]
    table = page.table("Caption", ["", "people", "share", "ratio"], [row, ["text", "a", "b", "c"]])
    cells = table.to_cells()
    assert list(cells["column"]) == ["people", "share", "ratio"] * 2
    assert list(cells["written"][:3]) == ["1,200", "25.0% 20.0–30.0%", "–"]
    assert cells.loc[1, ["value", "low", "high", "unit", "status"]].tolist() == [
        0.25, 0.2, 0.3, "share", "ok"
    ]  # fmt: skip
    assert (
        cells.loc[2, "status"] == "suppressed" and cells["value"].isna().tolist()[2:] == [True] * 4
    )
    assert table.to_frame()["share"].tolist() == ["25.0% 20.0–30.0%", "b"]
    inside = join([Text("text"), Group((Folded("more", table),))])
    assert inside.tables == [table] and inside.to_cells().equals(cells)


def test_a_suppressed_share_is_a_dash_where_it_is_shown():
    keys = {"question": "q1", "estimator": "description", "measure": "non_contact_order"}
    keys |= {"outcome": "carried_out", "estimand": "share"}
    row = {**keys, "status": "suppressed", "reason": "small_number"}
    page = make_page(rows=[row])
    shown = reach.show_way(page).html
    assert (
        "</span> –</td>" in shown
        and 'class="bar"' not in shown
        and "Det betyder inte noll" in shown
    )
    assert 'data-told="Fick den:"></span> –</td>' in start.show_measures(page).html


@for_each("section", SECTIONS)
@for_each("language", ["sv", "en"])
@for_each(
    "study",
    ["name: mini", "name: mini\nadjust_for: []\nsubgroups: []", "name: mini\nmeasures: {}"],
)
def test_every_section_stands_without_any_numbers(section, language, study):
    """An extract may lack tables; what rests on them is said in words."""
    shown = section(make_page(language, study=study)).html
    assert re.sub("<[^>]+>", "", shown).strip() or section in OPTIONAL
    assert not re.search(r"\bnan\b|None|[{}]", re.sub('base64,[^"]+|<style>.*?</style>', "", shown))


def test_html_is_escaped():
    assert "<script>" not in Text("<script>alert(1)</script>").html
    cells = ["<b>", Cell("<b>").above("<b>"), Text("<b>")]
    assert Table("<b>", ["<b>"], [cells], ["<b>"]).html.count("&lt;b&gt;") == 8


def test_marks_in_text_are_carried_out():
    told = Text("**a** `b` [c](#d) [e](javascript:f)").html
    assert told == ('<p><strong>a</strong> <code>b</code> <a href="#d">c</a> [e](javascript:f)</p>')


def test_a_table_has_its_caption_and_headings():
    text = Table("Title", ["a", "b"], [["row", "1"]], ["note"]).html
    assert "<caption><span>Title</span></caption>" in text and '<th scope="row">row</th>' in text
    assert text.count('scope="col"') == 2 and '<p class="note">note</p>' in text


SERIES = [DotSeries("one", [(1.0, 0.5, 2.0), None]), DotSeries("two", [None, None])]
SCALE = Scale(Formats("en").way("decimal", 1), [0.5, 1.0, 2.0], "axis", is_log=True, reference=1.0,
              sides=("a", "b"))  # fmt: skip
EXAMPLE = Dots(["first", "second"], SERIES, SCALE)


def test_figures_are_the_same_bytes_every_time_and_load_nothing():
    wide, narrow = draw(EXAMPLE)
    assert (wide, narrow) == draw(EXAMPLE)
    assert wide != narrow
    assert b"<dc:date>" not in wide and b'href="http' not in wide and b"@import" not in wide
    assert b"first" in wide and b"second" in narrow


def test_a_figure_has_alternative_text_caption_and_numbers():
    wide, narrow = draw(EXAMPLE)
    numbers = Table("Numbers", ["a"], [["1"]])
    text = Figure(EXAMPLE, 'what "it" shows', "caption", "behind", numbers).html
    assert ">what &quot;it&quot; shows</desc>" in text
    assert "<figure><figcaption>caption</figcaption>" in text
    assert "<details><summary>behind</summary>" in text and "<span>Numbers</span></caption>" in text
    shown = re.findall(r"<svg.*?</svg>", text)
    assert [len(re.findall("<text", one)) for one in shown] == [
        one.count(b"<text") for one in (wide, narrow)
    ]
    assert text.count('role="img"') == 2 and "download" not in text


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (Cell("2 färre", -0.0203, -0.0612, 0.0249), "-2,-6,2"),
        (Cell("−1,3", -0.0131, -0.0255, 0.0), "-1.3,-2.6,0.0"),  # halves away from 0
        (Cell("1,234", 1234.0, 1000.0, 2000.0), "1234,1000,2000"),
        (Cell("1,23", 1.234, 1.1, 1.5), "1.23,1.10,1.50"),
        (Cell("39 av 100", 0.3949, 0.3, 0.5), "39,30,50"),
        (Cell("12–34 %", None, 0.1212, 0.3434), "12–34 %,12,34"),
    ],
)
def test_a_file_says_a_number_as_the_page_does(cell, written):
    table = Table("T", ["a", "fewer ← → more"], [["x", cell]])
    head, row = write_csv([table])[1:].splitlines()
    assert row == f"x,{written}"
    assert head.startswith("a,fewer – more") and "→" not in head


def test_every_table_of_three_rows_may_be_taken_along_but_prose():
    page = make_page()
    for n_rows, kind, is_taken in ((3, "", True), (2, "", False), (3, "words", False),
                                   (41, "words", True)):  # fmt: skip
        assert bool(page.table("T", ["a"], [["x"]] * n_rows, kind=kind).take) == is_taken


def test_a_page_gives_its_figures_to_take_along():
    rows = [["=1+1", Cell("12 %", 0.1234, 0.1, 0.2), Cell("–", status="suppressed")]] * 41
    figure = Figure(
        EXAMPLE, "alt", "**A** finding", "behind", Table("T", ["a", "b", "c"], rows, cut="cut")
    )
    with taking("page") as taken:
        texts = [figure.html, figure.html]
    assert 'href="figures/page-1.csv"' in texts[0] and 'href="figures/page-2.png"' in texts[1]
    names = re.findall(r'<desc id="([^"]+)"', "".join(texts))
    assert len(set(names)) == 2
    made = taken.finish()
    kept = made["figures/page-1.csv"].splitlines()
    assert (
        kept[0] == "\ufeffa,b (%),b (%) (lower limit 95%),b (%) (upper limit 95%),c"
        and len(kept) == 42
    )
    assert kept[1] == "'=1+1,12,10,20,–"
    assert "<title>A finding</title><desc>alt</desc>" in made["figures/page-1.svg"]
    assert made["figures/page-1.png"].startswith(b"\x89PNG") and made == taken.finish()
    assert texts[0].count("<tr>") == 41


def test_a_file_says_what_its_table_says(content):
    """Each number and limit of a file is written as in its cell: rounded alike, in one unit."""
    page = make_page_of(content, "en")
    n_held = 0
    for name in ("05_convictions", "07_for_researchers", "measure_safety_talk"):
        cells = [cell for table in content.outlines[name].describe(page).tables
                 for row in table.rows for cell in row if isinstance(cell, Cell)]  # fmt: skip
        for cell in cells:
            written = SEPARATE.join([cell.told, *cell.below])
            shown = {one.rounded for one in list_readings(written)}
            ends = [one for one in (cell.value, cell.low, cell.high) if one is not None]
            limits = [] if cell.span or not cell.below else [cell.low, cell.high]
            for one in [cell.value, *limits]:
                if one is not None and shown and read_written(written, tuple(ends)):
                    assert abs(float(write_as_told(cell, one))) in shown, written
                    n_held += 1
    assert n_held > 500


def test_a_difference_of_nothing_keeps_its_interval_in_a_file():
    cell = Cell("0.0", 0.0, -0.0525, 0.0525).above("−5.2 to +5.2")
    assert (
        write_csv([Table("T", ["", "gap"], [["x", cell]])])[1:].splitlines()[1] == "x,0.0,-5.2,5.2"
    )
