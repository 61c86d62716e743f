"""The pages 01_does_it_fall and honour: the answer in words, limits of chance, what changed."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from revictimisation.report.described import Course, Figure
from revictimisation.report.pages import list_outlines
from revictimisation.report.rendering import draw
from revictimisation.report.sections.course import (
    describe_course,
    show_districts,
    show_honour,
    show_lead,
    show_quarters,
    show_years,
)
from revictimisation.report.sections.honour import if_about_honour, show_again, show_several

from .conftest import make_page

YEARS = range(2011, 2015)
QUARTERS = [f"{year}-Q{quarter}" for year in YEARS for quarter in range(1, 5)]
SAME = {"question": "course", "outcome": "same_suspect", "estimator": "standardised_logistic"}
HIDDEN = {"status": "not_estimable", "reason": "follow_up_too_short"}


def tell(share: float | None, n: int = 200, **keys) -> dict:
    if share is None:
        return {**SAME, "estimand": "share", **HIDDEN, **keys}
    counts = {"n_people": n, "n_events": round(n * share)}
    return {**SAME, "estimand": "share", "estimate": share, "se": 0.028, "ci_low": share - 0.05,
            "ci_high": share + 0.05, **counts, **keys}  # fmt: skip


def change(low: float, high: float, **keys) -> list[dict]:
    same = {**SAME, "n_people": 3000, "n_events": 700, **keys}
    middle = (low + high) / 2
    p = 0.001 if low * high > 0 else 0.4
    return [{**same, "estimand": "yearly_change", "estimate": middle, "se": 0.01, "ci_low": low,
             "ci_high": high},
            {**same, "estimand": "p_value", "estimate": p}]  # fmt: skip


def make_rows(shares: dict[str, float | None], low: float = -0.02, high: float = 0.01):
    rows = []
    for day in (182, 365):
        for level, share in shares.items():
            lower = None if share is None else share - 0.05 * (day == 182)
            rows.append(tell(lower, subgroup="index_quarter", level=level, time_days=day))
        for year in YEARS:
            rows.append(tell(0.2, 800, subgroup="index_year", level=str(year), time_days=day))
        rows += change(low, high, time_days=day)
    return rows


EVEN = dict.fromkeys(QUARTERS, 0.22)


@pytest.mark.parametrize(
    ("low", "high", "bold", "line"),
    [
        (-0.02, 0.01, "Det är oklart om färre anmäler igen.", "Oklart: "),
        (-0.04, -0.01, "Andelen som anmäler igen minskar", "Ja, "),
        (0.01, 0.03, "Andelen som anmäler igen ökar", "Nej, "),
    ],
)
def test_the_answer_is_one_clear_sentence(low, high, bold, line):
    page = make_page("sv", make_rows(EVEN, low, high))
    assert f"**{bold}**" in show_lead(page).parts[0].told
    years = "20,0 % (2011), 20,0 % (2012), 20,0 % (2013) och 20,0 % (2014)"
    assert years in show_lead(page).parts[0].told.replace("\xa0", " ")
    told = describe_course(page)
    assert told.startswith(line)
    assert len(told.split()) <= 20


def test_where_there_is_no_number_there_is_no_answer():
    row = {**SAME, "estimand": "yearly_change", "time_days": 365, **HIDDEN}
    page = make_page("en", [row])
    assert describe_course(page) == "No answer: follow-up is too short."
    assert (
        "No answer on whether fewer are reporting again**: follow-up is too short"
        in show_lead(page).told
    )
    assert "Too few" in show_quarters(page).told
    assert not show_honour(page)


def find_course(page) -> tuple[Course, str]:
    figure = next(one for one in show_quarters(page).walk() if isinstance(one, Figure))
    return figure.picture, figure.caption


def test_a_quarter_outside_what_chance_gives_is_named():
    picture, caption = find_course(make_page("sv", make_rows(EVEN)))
    assert caption == "Inget av 16 kvartal skiljer sig mer än slumpen ger"
    # three errors at the mean, and half a step of rounding
    low, high = picture.series[-1].limits[0]
    assert (low, high) == pytest.approx((0.22 - 0.084 - 0.0125, 0.22 + 0.084 + 0.0125))
    picture, caption = find_course(make_page("sv", make_rows({**EVEN, "2013-Q2": 0.42})))
    assert caption.startswith("1 av 16 kvartal")
    assert "2013, kvartal 2" in caption
    assert [picture.series[-1].is_outside(place) for place in (8, 9)] == [False, True]


def test_what_changed_is_marked_where_it_did():
    page = make_page("sv", make_rows(EVEN))
    picture, _ = find_course(page)
    told = "\n".join(part.told for part in show_quarters(page).walk() if hasattr(part, "told"))
    assert "**A** 1 oktober 2011: besöksförbud blir kontaktförbud" in told
    assert [letter for _, letter in picture.marks] == ["A", "B", "C", "D", "E"]
    # of what only the year is known no day is told
    assert "**C** 2013: resurscentrum Origo öppnar\n" in told
    assert picture.marks[0][0] == pytest.approx(QUARTERS.index("2011-Q4"))
    wide, narrow = draw(picture)
    for svg in (wide, narrow):
        assert svg.startswith(b"<svg") and b">A<" in svg and b">2013<" in svg
        boxes = [float(x) for x in re.findall(r'<rect x="([\d.]+)"[^>]* rx=', svg.decode())]
        wide_ones = [after - before for before, after in pairwise(boxes)]
        assert len(boxes) == 5 and min(wide_ones) >= 24  # letters never touch


def test_too_short_a_follow_up_is_said_and_not_drawn():
    shares = {**EVEN, "2014-Q3": None, "2014-Q4": None}
    picture, caption = find_course(make_page("sv", make_rows(shares)))
    assert caption.startswith("Inget av 14 kvartal")
    assert picture.short == (14.0, "uppföljningen är för kort")
    assert picture.series[-1].points[14:] == [None, None]
    assert "uppföljningen".encode() in draw(picture)[0]


def test_years_stand_beside_the_unadjusted_share():
    page = make_page("en", make_rows(EVEN))
    table = show_years(page)
    names = [str(row[0]) for row in table.rows]
    assert names == [*map(str, YEARS), "Change per year, percentage points"]
    assert table.columns[1:3] == ["Within 6 months", "Within 1 year"]


def test_districts_are_tested_together():
    rows = make_rows(EVEN)
    for level, (low, high) in {"city": (-0.05, -0.01), "nacka": (-0.02, 0.03)}.items():
        rows += change(low, high, subgroup="police_district", level=level, time_days=365)
    rows.insert(0, tell(0.25, subgroup="police_district:index_year", level="nacka:2012",
                        time_days=365))  # fmt: skip
    table = show_districts(make_page("en", rows)).tables[0]
    assert table.caption.startswith("In 1 of 2 districts the change")
    (_, *city, _), (_, *nacka, _) = table.rows
    assert table.columns[1:-1] == [str(year) for year in YEARS]
    assert [cell.value for cell in (*city, *nacka)] == [None] * 5 + [0.25, None, None]
    rows[-3]["estimate"] = 0.04  # with two districts that is not enough
    assert show_districts(make_page("en", rows)).tables[0].caption.startswith("In none of 2")


def test_the_rest_is_no_district():
    rows = make_rows(EVEN)
    for level in ("city", "nacka", "other"):
        rows += change(-0.02, 0.03, subgroup="police_district", level=level, time_days=365)
    table = show_districts(make_page("sv", rows)).tables[0]
    assert table.caption.startswith("I inget av 2 distrikt och övriga är förändringen")
    assert [str(row[0]) for row in table.rows] == ["City", "Nacka", "Övrigt"]


def test_honour_related_cases_stand_beside_the_others():
    rows = make_rows(EVEN)
    for level, (low, high) in {"true": (0.01, 0.05), "false": (-0.02, 0.03)}.items():
        rows += change(low, high, subgroup="is_honour", level=level, time_days=365)
        rows += [tell(0.25, subgroup="is_honour:index_year", level=f"{level}:{year}",
                      time_days=365) for year in YEARS]  # fmt: skip
    figure = show_honour(make_page("sv", rows)).parts[1]
    assert figure.caption == "Hedersrelaterade ärenden: ökar. Övriga: kan inte avgöras"
    assert "utan uppgift om heder" in figure.table.notes[0]
    assert [len([p for p in one.points if p]) for one in figure.picture.series] == [4, 4]


HONOUR = "name: mini\neligibility: {honour: only}\noutcome: {who: any_kin}\n"


def test_the_page_on_honour_is_made_where_the_study_is_about_it():
    for study, is_made in ((HONOUR, True), ("name: mini", False)):
        assert if_about_honour(make_page(study=study).plan, False) is is_made
    outline = next(one for one in list_outlines() if one.name == "honour")
    assert not outline.in_menu
    for language in ("sv", "en"):
        told = outline.describe(make_page(language, study=HONOUR)).html
        assert len(re.findall(r"[^\W\d_]+", re.sub("<[^>]+>", " ", told))) < 500


def test_reports_against_the_family_stand_beside_those_against_the_suspect():
    rows = [
        {"question": "q2", "analysis": analysis, "outcome": who, "estimator": "aalen_johansen",
         "estimand": "cumulative_incidence", "time_days": day, "estimate": share, "ci_low": 0.1,
         "ci_high": 0.5, "n_people": 600, "n_events": 100}
        for analysis in ("main", "by_person")
        for who, share in (("same_suspect", 0.3), ("any_kin", 0.4))
        for day in (365, 1461)
    ]  # fmt: skip
    several = {"question": "q1", "analysis": "suspects", "outcome": "several_suspects",
               "estimator": "description", "estimand": "share", "estimate": 0.2, "ci_low": 0.15,
               "ci_high": 0.25, "n_people": 500, "n_events": 100}  # fmt: skip
    page = make_page("en", [*rows, several], HONOUR)
    assert [row[0] for row in show_again(page).rows] == [
        "The same suspect, within 1 year", "The same suspect, within 4 years",
        "The same suspect or a relative, within 1 year",
        "The same suspect or a relative, within 4 years",
    ]  # fmt: skip
    assert "**20 in 100 people" in show_several(page).told
