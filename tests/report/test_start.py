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
        (trial(TALK, 0.39, 0.4),
         "Vi kan inte säga att någon av tre åtgärder minskar nya anmälningar inom 4 år, eller"),
        ([], "Ingen av tre åtgärder har ett svar som håller för att visas."),
        (answer_rows(),
         "Skyddat boende minskar troligen nya anmälningar inom 4 år. För de 2 andra saknas svar"),
        ([row(TALK, -0.01, 0.0, 0.01), *trial(TALK, 0.405, 0.4, estimator="g_formula"),
          row(TALK, -0.01, 0.0, 0.01, analysis="weights_truncated")],
         "Skyddssamtal gör liten eller ingen skillnad inom 4 år. För de 2 andra saknas svar"),
    ],
)  # fmt: skip
def test_the_first_sentence_says_what_is_known(tried, rows, sv):
    shown = [one for one in rows if one.get("estimand") != "number_needed_to_treat"]
    assert sv in read(start.show_lead(make_page("sv", shown, STUDY)).html)


def test_a_hundred_dots_are_as_many_as_the_sentence_says():
    rows = [row("", 0.35, 0.396, 0.43, **INCIDENCE),
            row("", 0.1, 0.155, 0.2, **{**INCIDENCE, "time_days": 182})]  # fmt: skip
    shown = start.show_lead(make_page("sv", rows, STUDY)).html
    drawn = re.search(r"<svg.*?</svg>", shown)[0]
    assert [drawn.count(f'class="{kind}"') for kind in ("part0", "part1", "rest")] == [16, 24, 60]
    told = read(shown)
    assert "40 av 100 ärenden följs av en ny anmälan" in told and "16 inom 6 månader" in told
    assert 'aria-label="Hundra prickar: 40 är fyllda' in drawn


@for_each(
    ("who", "sv"),
    [("same_suspect", "mot samma misstänkta person"), ("any_suspect", "oavsett vem"),
     ("any_kin", "mot samma misstänkta person eller någon i släkten")],
)  # fmt: skip
def test_the_sentence_says_against_whom(who, sv):
    rows = [row("", 0.35, 0.396, 0.43, **{**INCIDENCE, "outcome": who})]
    told = read(start.show_lead(make_page("sv", rows, f"{STUDY}outcome: {{who: {who}}}\n")).html)
    assert f"40 av 100 ärenden följs av en ny anmälan {sv}" in told


def test_a_row_says_how_many_the_interval_the_words_and_the_steps(tried):
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
        'aria-label="8 färre, mellan 4 och 12 färre"' in shelter
        and 'aria-label="3 av 4"' in shelter
    )
    assert "Inget svar: för få" in alarm and 'aria-label="visas inte"' in alarm and "●" not in alarm
    assert "gick inte att beräkna" in talk and "<svg" not in talk + alarm


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
        "en": "Those who received the measure dif",
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


def test_the_page_of_a_measure_with_an_answer(tried):
    rows = answer_rows()
    rows += [one for day in (0, 31, 1461)
             for one in trial(SHELTER, 0.32, 0.4, time_days=day, analysis="curve")]  # fmt: skip
    tipping = {"analysis": "tipping_point"}
    rows.append(row(SHELTER, None, 1.3, None, estimand="times_strongest_limit", **tipping))
    left_out = {"estimand": "left_out_bias", "subgroup": "covariate", **tipping}
    rows += [row(SHELTER, None, value, None, level=name, **left_out)
             for name, value in (("sex", -0.01), ("risk_level", 0.03))]  # fmt: skip
    rows.append(row(SHELTER, -0.12, -0.08, -0.04, analysis="influence_interval"))  # no other way
    at_risk = [(SHELTER, f"n_at_risk:{arm}:1461", value, None, "ok")
               for arm, value in (("start", 415.0), ("no_start", None))]  # fmt: skip
    page = add_checks(make_page("sv", rows, STUDY), [ENOUGH, *at_risk])
    shown = about(page, SHELTER)
    told = read(shown)
    assert "Minskar troligen ●●●○" in told and "Utan: 40, med: 32 av 100" in told
    assert "Skillnad: 8 färre , osäkerhet mellan 4 och 12 färre." in told
    assert "Ungefär 13 för" in told and "Beslutas av socialnämnden." in told
    assert "Inget av det som prövats sänker den." in told
    assert "Svaret går att väga in bredvid" in told and "påhittade" not in told
    assert (
        "2 av 2 andra sätt ger samma besked." in told
        and "1,3 gånger så starkt som risknivå" in told
    )
    assert "Färre beräknas anmäla igen om alla får åtgärden" in told
    drawn = " ".join(re.findall(r"<svg.*?</svg>", shown, re.DOTALL))
    assert "415" in drawn and "Efter 4 år: 32 av 100 om alla hade fått åtgärden, 40 av 1" in drawn
    ticks = [re.findall(r">([^<>]+)</text>", one) for one in drawn.split('class="tick x"')[1:]]
    assert [one[0] for one in ticks] == ["4 år", "2 år", "1 år", "6 månader", "start"] * 2
    assert drawn.count("1\xa0000") == 4  # on day 0 everybody is in both arms, in either picture


def test_the_way_of_counting_that_disagrees_is_named(tried):
    rows = [one for one in answer_rows() if one["estimator"] != "g_formula"]
    rows.append(row(SHELTER, -0.09, -0.03, 0.03, estimator="g_formula"))
    told = read(about(add_checks(make_page("sv", rows, STUDY), [ENOUGH]), SHELTER))
    assert "1 av 2 andra sätt ger samma besked. Med förutsägelse blir det 3 färre" in told


def test_starts_near_in_time_have_no_answer_and_say_why():
    study = STUDY + "  joint: {joint_within_days: 30, grace_days: 60}\n"
    rows = [hidden("joint", "withheld", "fails_known_truth")]
    told = read(about(make_page("sv", rows, study), "joint"))
    assert "inte ett beslut utan två" in told and "klarar inte frågan" in told
    assert "●" not in told and not re.search(r"\d+ (?:färre|fler)", told)


def test_an_earlier_difference_is_told_beside_an_unclear_last_one():
    rows = [*trial(TALK, 0.395, 0.4), *trial(TALK, 0.12, 0.2, time_days=182)]
    rows = [one if one["estimand"] != "risk_difference" or one["time_days"] == 182
            else {**one, "ci_high": 0.01} for one in rows]  # fmt: skip
    told = read(about(make_page("sv", rows, STUDY), TALK))
    assert "Efter 6 månader: 8 färre , mellan 4 och 12 färre." in told and "slump" in told
    assert "oklar skillnad" in told and "Svaret räcker inte för att lägga ner" in told
    sure = read(about(make_page("sv", [*answer_rows(), *rows], STUDY), SHELTER))
    assert "Efter 6 månader: " not in sure


def test_what_an_answer_would_take_names_what_those_compared_differ_in():
    limits = [(SHELTER, f"standardised_difference:{arm}:30:{name}", value, None, "ok")
              for arm, name, value in (("start", "sex", 0.12), ("no_start", "sex", 0.01),
                                       ("start", "risk_level", 0.3), ("start", "relation", 0.1),
                                       ("start", "age_group", None))]  # fmt: skip
    share = {"question": "q3", "analysis": "treatment_share", "outcome": "started",
             "estimator": "description", "estimand": "share", "time_days": None}  # fmt: skip
    got = {**share, "question": "q1", "analysis": "main", "outcome": "carried_out"}
    rows = [hidden(SHELTER, "withheld", "largest_standardised_difference"),
            row(SHELTER, 0.08, 0.1, 0.12, **share), row(SHELTER, 0.1, 0.2, 0.3, **got)]  # fmt: skip
    told = read(about(add_checks(make_page("sv", rows, STUDY), limits), SHELTER))
    assert "mest i fråga om risknivå och kön." in told
    assert "Genomfördes i 20 av 100 ärenden." in told
    assert "Jämförelsen räknar start inom 30 dagar: 10 av 100 (300 ärenden)." in told
    few = read(about(make_page("sv", [hidden(SHELTER, "withheld", "few_events")], STUDY), SHELTER))
    assert "fler år eller fler län" in few and "fråga om" not in few


def test_several_failed_checks_are_a_list():
    failed = [(SHELTER, name, 1.0, 0.1, "failed")
              for name in ("largest_standardised_difference", "share_outside_support")]  # fmt: skip
    rows = [hidden(SHELTER, "withheld", "largest_standardised_difference")]
    shown = about(add_checks(make_page("sv", rows, STUDY), failed), SHELTER)
    assert shown.count("<li>De som fick åtgärden") == shown.count("<li>För många") == 1
    assert "Dessutom" not in shown


def test_one_measure_alone_is_told_in_the_singular():
    study = "name: mini\nmeasures:\n  safety_talk: {grace_days: 0}\n"
    for rows, sv in ((trial(TALK, 0.39, 0.4), "Vi kan inte säga att åtgärden minskar"),
                     ([], "Åtgärden har inget svar som håller")):  # fmt: skip
        assert sv in read(start.show_lead(make_page("sv", rows, study)).html)


def test_a_study_without_measures_says_so():
    page = make_page("sv", study="name: mini\nmeasures: {}")
    assert "nämner inga åtgärder" in start.show_lead(page).html
    assert "nämner inga åtgärder" in measure.show_state(page).html
    assert start.show_measures(page).html == measure.show_effect(page).html == ""
