"""The first page and the page of a measure: their words, what they tell, and what they never do."""

from __future__ import annotations

import dataclasses
import re

import pytest

from revictimisation.report.page import Page
from revictimisation.report.pages import MEASURE
from revictimisation.report.sections import measure, start
from tests.cases import for_each

from .conftest import LANGUAGES, make_page
from .reading import count_words, read_main
from .test_answers import ALARM, SHELTER, STUDY, TALK, hidden, row, trial
from .test_evidence import ENOUGH, add_checks, answer_rows
from .test_site import NAMES
from .test_withheld import list_other_ways

MOST_WORDS = {"index": 250, "measure": 300}
INCIDENCE = {"question": "q2", "outcome": "same_suspect", "estimator": "aalen_johansen",
             "estimand": "cumulative_incidence"}  # fmt: skip


def read(html: str) -> str:
    return read_main(html).replace("\xa0", " ")


def about(page: Page, name: str) -> str:
    """The page of a measure, as HTML."""
    outline = MEASURE.about(name)
    return outline.describe(page).html


@for_each("path", [f"{name}{ending}.html" for name in NAMES for ending in ("", "_en")
                   if name.split("_")[0] in MOST_WORDS])  # fmt: skip
def test_a_page_for_those_who_decide_is_short(pages, path):
    name = path.removesuffix(".html").split("_")[0]
    assert 100 < count_words(pages[path]) <= MOST_WORDS[name]


def test_words_are_counted_as_they_are_read():
    folded = "<main>ett två<details><summary>tre</summary><p>fyra</p></details></main> fem"
    assert count_words(folded) == 3 and count_words("<main>40 − 3 %</main>") == 0


@for_each(
    ("rows", "sv"),
    [
        (trial(TALK, 0.39, 0.4), "Ingen av tre åtgärder har visats minska nya anmälningar, och"),
        ([], "Ingen av tre åtgärder har ett svar som håller för att visas."),
        (answer_rows(), "Minskar troligen nya anmälningar: skyddat boende. För 2 är svaret oklart eller"),
        ([row(TALK, -0.01, 0.0, 0.01), *trial(TALK, 0.405, 0.4, estimator="g_formula"),
          row(TALK, -0.01, 0.0, 0.01, analysis="weights_truncated")],
         "Gör liten eller ingen skillnad: skyddssamtal. För 2 är"),
    ],
)  # fmt: skip
def test_the_first_sentence_says_what_is_known(rows, sv):
    shown = [one for one in rows if one.get("estimand") != "number_needed_to_treat"]
    assert sv in read(start.show_lead(make_page("sv", shown, STUDY)).html)


def test_a_hundred_dots_are_as_many_as_the_sentence_says():
    rows = [row("", 0.35, 0.396, 0.43, **INCIDENCE),
            row("", 0.1, 0.155, 0.2, **{**INCIDENCE, "time_days": 182})]  # fmt: skip
    shown = start.show_lead(make_page("sv", rows, STUDY)).html
    drawn = re.search(r"<svg.*?</svg>", shown)[0]
    assert [drawn.count(f'class="{kind}"') for kind in ("part0", "part1", "rest")] == [16, 24, 60]
    told = read(shown)
    assert "40 av 100 anmälningar följs av en ny" in told and "16 redan inom 6 månader" in told
    assert 'aria-label="Hundra prickar: 40 är fyllda' in drawn


def test_a_row_says_how_many_the_interval_the_words_and_the_steps():
    share = {"question": "q1", "outcome": "carried_out", "estimator": "description",
             "estimand": "share", "time_days": None}  # fmt: skip
    rows = [*answer_rows(), row(SHELTER, 0.1, 0.13, 0.16, **share),
            hidden(ALARM, "withheld", "few_events")]  # fmt: skip
    page = add_checks(make_page("sv", rows, STUDY), [ENOUGH])
    page = dataclasses.replace(page, site=frozenset({f"measure_{SHELTER}"}))
    shelter, talk, alarm = re.findall(
        r'<tr><th scope="row">.*?</tr>', start.show_measures(page).html
    )
    assert f'<a href="measure_{SHELTER}.html">Skyddat boende</a>' in shelter
    assert "13 av 100" in shelter and "Minskar troligen" in shelter and "●●●○" in shelter
    assert (
        'aria-label="8 färre (mellan 4 och 12 färre)"' in shelter
        and 'aria-label="3 av 4"' in shelter
    )
    assert "Inget svar: för få" in alarm and "visas inte" in alarm and "●" not in alarm
    assert "gick inte att beräkna" in talk and "circle" not in talk + alarm


def test_an_interval_is_drawn_where_its_numbers_are():
    shown = start.show_measures(make_page("sv", [row(SHELTER, -0.1, -0.05, 0.1)], STUDY)).html
    line = re.search(r'class="line" d="M([\d.]+) 11H([\d.]+)"', shown)
    dot, zero = (
        re.search(r'circle cx="([\d.]+)"', shown)[1],
        re.search(r'zero" d="M([\d.]+)', shown)[1],
    )
    low, high, at, no = map(float, (*line.groups(), dot, zero))
    assert no == pytest.approx((low + high) / 2) and at == pytest.approx((low + no) / 2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_measure_without_an_answer_says_why_and_no_number_of_its_effect(language):
    page = make_page(language, [*list_other_ways(SHELTER), *trial(ALARM, 0.32, 0.4)], STUDY)
    shown = about(page, SHELTER)
    assert not re.search(r"77|0[,.]23|87|→|●|<svg|12 f", shown)
    why = {
        "sv": "De som fick åtgärden skiljer sig för mycket",
        "en": "Those who got the measure dif",
    }
    assert why[language] in read(shown)
    assert {"sv": "Inget svar betyder inte", "en": "No answer does not mean"}[language] in read(
        shown
    )


@for_each(
    ("status", "reason", "sv"),
    [
        ("withheld", "share_outside_support", "mer än 5 %) liknar ingen i den andra gruppen"),
        ("withheld", "minimum_detectable_difference", "bara en skillnad på mer än 15 av 100"),
        ("withheld", "a_gate_of_tomorrow", "kontrollerna av det inte höll."),
        ("suppressed", "small_number", "är för liten för att visas"),
        ("not_estimable", "nobody_started", "ingen började med åtgärden"),
    ],
)
def test_which_gate_failed_is_told_in_plain_words(status, reason, sv):
    shown = about(make_page("sv", [hidden(SHELTER, status, reason)], STUDY), SHELTER)
    assert sv.lower() in read(shown).lower() and "<svg" not in shown
    assert not re.search(r"\d+ (?:färre|fler)", read(shown))


def test_the_page_of_a_measure_with_an_answer():
    rows = answer_rows()
    rows += [one for day in (0, 31, 1461)
             for one in trial(SHELTER, 0.32, 0.4, time_days=day, analysis="curve")]  # fmt: skip
    rows.append(row(SHELTER, None, 1.3, None, estimand="e_value_limit"))
    at_risk = [(SHELTER, f"n_at_risk:{arm}:1461", value, None, "ok")
               for arm, value in (("start", 415.0), ("no_start", None))]  # fmt: skip
    page = add_checks(make_page("sv", rows, STUDY), [ENOUGH, *at_risk])
    shown = about(page, SHELTER)
    told = read(shown)
    assert "Minskar troligen ●●●○" in told and "40 → 32 av 100" in told
    assert "Skillnad: 8 färre , osäkerhet mellan 4 och 12 färre." in told
    assert "Ungefär 13 personer" in told and "Beslutas av socialtjänsten." in told
    assert "Inget av det som prövats sänker den." in told
    assert "2 av 2 andra sätt att räkna ger samma besked." in told and "1,3 gånger" in told
    assert "Färre anmäler igen om alla får åtgärden" in told
    drawn = " ".join(re.findall(r"<svg.*?</svg>", shown, re.DOTALL))
    assert "415" in drawn and "Efter 4 år: 32 av 100 om alla fick åtgärden, 40 av 100" in drawn


def test_a_joint_measure_is_told_as_untried_with_no_steps():
    study = STUDY + "  joint: {joint_within_days: 30, grace_days: 60}\n"
    told = read(about(make_page("sv", trial("joint", 0.3, 0.4), study), "joint"))
    assert "visar inte att de arbetade tillsammans" in told and "Oprövat" in told
    assert "●" not in told and "metoden är inte prövad" in told


def test_a_study_without_measures_says_so():
    page = make_page("sv", study="name: mini\nmeasures: {}")
    assert "nämner inga åtgärder" in start.show_lead(page).html
    assert "nämner inga åtgärder" in measure.show_state(page).html
    assert start.show_measures(page).html == measure.show_effect(page).html == ""
