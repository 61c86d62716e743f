"""Withheld means withheld, invented means invented: on every page."""

from __future__ import annotations

import dataclasses
import re

import pytest

from revictimisation.report.page import Page
from revictimisation.report.sections import (
    courts,
    effects,
    estimators,
    for_whom,
    how_we_know,
    measure,
    models,
    reach,
    start,
    strategies,
)
from revictimisation.report.trials import has_answer, list_first

from .conftest import LANGUAGES, make_page
from .test_answers import ALARM, SHELTER, STUDY, hazard, hidden, row, trial, words
from .test_texts import TEXTS

JOINT = STUDY + "  joint: {joint_within_days: 30, grace_days: 60}\n"
PARTS = {"analysis": "three_strategies", "subgroup": "strategy"}
FIRST = (start.show_lead, start.show_measures, start.show_questions)


def read_first(page: Page) -> str:
    """All that the first page says of measures: words, tables, the texts of its pictures."""
    shown = [one(page).html for one in FIRST]
    alts = re.findall(r'aria-label="([^"]*)"', " ".join(shown))
    return " ".join([*map(words, shown), *alts])


def list_other_ways(measure: str) -> list[dict]:
    """Every other number that could stand for a measure's answer; all say 77 of a hundred."""
    rows = [hazard(measure, 0.23, n_events=15), hazard(measure, 0.23, estimator="andersen_gill")]
    rows += [hazard(measure, 0.23, estimator="fine_gray"),
             hazard(measure, 0.23, analysis="carry_over", subgroup="after_end",
                    level="in_force")]  # fmt: skip
    for estimator in ("g_formula", "doubly_robust", "crude"):
        rows += trial(measure, 0.1, 0.87, estimator=estimator)
    rows += trial(measure, 0.1, 0.87, analysis="weights_truncated")
    rows += trial(measure, 0.1, 0.87, time_days=365)
    # both arms may be released though their difference is not
    rows += [one for one in trial(measure, 0.1, 0.87) if one["estimand"].startswith("risk_") and
             one["estimand"] != "risk_difference"]  # fmt: skip
    keys = {"estimator": "mean_cumulative_count", "estimand": "mean_count_difference"}
    rows.append(row(measure, -0.9, -0.77, -0.6, **keys))
    return [*rows, hidden(measure, "withheld", "largest_standardised_difference")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_tells_no_other_number_where_the_answer_is_withheld(language):
    rows = [*list_other_ways(SHELTER), *trial(ALARM, 0.32, 0.4), hazard(ALARM, 0.6, n_events=45)]
    page = make_page(language, rows, STUDY)
    assert list_first(page) == [ALARM] and not has_answer(page, SHELTER)
    told = read_first(page)
    assert not re.search(r"77|0[,.]23|87[,.]0|procent mindre|(?<!\d)15 n", told)
    badge = {"sv": "Inget svar: grupperna för olika", "en": "No answer: incomparable groups"}
    assert badge[language] in told


def test_other_numbers_are_told_to_referees_alone_and_with_their_events():
    rows = [*list_other_ways(SHELTER), *trial(ALARM, 0.32, 0.4), hazard(ALARM, 0.6, n_events=45)]
    page = make_page("sv", rows, STUDY)
    in_force = words(models.show_in_force(page).html)
    assert re.search(r"skyddat boende [\d ]+ 15 ", in_force) and "0,23 0,18–0,28" in in_force
    assert "0,23 0,18–0,28 300 händelser" in in_force
    shown = make_page("sv", [*rows, *trial(ALARM, 0.5, 0.4, estimator="crude")], STUDY)
    simple = words(how_we_know.show_simple(shown).html)
    assert "skyddat boende" not in simple and "Bara åtgärder med svar" in simple
    crude = words(estimators.show_crude(page).html)
    assert crude.strip().startswith("För granskare") and "300 + 300" in crude
    estimates = words(estimators.show_estimates(page).html)
    assert "−77,0 −81,0 till −73,0 300 händelser" in estimates


def test_strategies_of_a_measure_without_an_answer_are_for_referees():
    rows = [row("joint", -0.81, -0.77, -0.73, level="both_less_none", **PARTS),
            hidden("joint", "withheld", "few_events")]  # fmt: skip
    shown = strategies.show_strategies(make_page("sv", rows, JOINT)).html
    body, folded = shown.split("<details")
    assert "77" not in body and "Inget svar om" in body
    assert "300 händelser" in words(folded)


def test_a_group_found_in_a_measure_without_an_answer_is_on_no_page_but_researchers():
    from .test_for_whom import STUDY as GROUPS
    from .test_for_whom import all_rows, unanswered

    page = make_page("sv", unanswered(), GROUPS)
    told = for_whom.describe_for_whom(page) + words(for_whom.show_claims(page).html)
    assert "hög risk" not in told.lower() and "Inget svar" in told
    assert "hög risk" in for_whom.show_claims(make_page("sv", all_rows(), GROUPS)).html.lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_starts_near_in_time_are_called_so_and_stand_on_no_first_page(language):
    rows = [hidden("joint", "withheld", "fails_known_truth"), hazard("joint", 0.5),
            *trial(SHELTER, 0.32, 0.4)]  # fmt: skip
    for name in ("joint", SHELTER):
        keys = {"question": "q4", "outcome": "convicted", "estimator": "standardised_logistic"}
        rows += [row(name, 0.05, 0.1, 0.15, se=0.02, **keys),
                 row(name, None, 0.01, None, estimand="p_value_holm", **keys)]  # fmt: skip
    page = make_page(language, rows, JOINT)
    name = {"sv": "nära varandra i tid", "en": "near in time"}[language]
    told = read_first(page) + courts.describe_convictions(page)
    note = {"sv": "Svar saknas för insatser nära varandra i tid",
            "en": "No answer on measures near in time"}  # fmt: skip
    assert note[language] in told and name not in told.replace(note[language], "")
    assert "ointly" not in told and "emensam" not in told
    near = dataclasses.replace(page, measure="joint")
    fails = {"sv": "metoden klarar inte frågan", "en": "the method fails the question"}[language]
    assert fails in measure.show_state(near).html.lower()
    assert "○" not in measure.show_state(near).html + measure.show_sure(near).html
    assert start.show_measures(page).html.count('<th scope="row">') == 3


def test_no_text_calls_two_starts_near_in_time_joint_work():
    texts = [both[language] for both in TEXTS.values() for language in LANGUAGES]
    assert [one for one in texts if re.search("gemensamma insatser|joint measure", one, re.I)] == []


@pytest.mark.parametrize("is_invented", [True, False])
def test_what_an_invented_county_is_set_to_is_no_confirmation(is_invented):
    found = {"question": "q2", "outcome": "same_suspect", "estimator": "aalen_johansen",
             "estimand": "cumulative_incidence"}  # fmt: skip
    stay = {"question": "q1", "outcome": "carried_out", "estimator": "description",
            "time_days": None}  # fmt: skip
    rows = [row("", 0.35, 0.39, 0.43, **found),
            row("", 0.33, 0.37, 0.41, analysis="by_person", **found),
            row(SHELTER, 70, 77, 84, **stay, analysis="duration", estimand="duration_mean_days"),
            row(SHELTER, 0.1, 0.2, 0.3, **stay, analysis="by_code", estimand="share")]  # fmt: skip
    page = make_page("sv", rows, STUDY)
    page = Page(dataclasses.replace(page.release, is_synthetic=is_invented), page.dictionary, "sv")
    reference, stays = words(effects.show_reference(page).html), words(reach.show_codes(page).html)
    cleared = words(courts._show_published(page).html)
    assert ("216 våldsutsatta kvinnor utsattes" in reference) != is_invented
    assert ("82 dagar" in stays) != is_invented and ("14 %" in cleared) != is_invented
    for told in (reference, stays, cleared):
        assert ("bekräftar ingenting" in told) == is_invented, told
    # people beside people: the figure is of women, not of pairs
    assert ("37 av 100" in reference and "39" not in reference) != is_invented


def test_unclear_and_no_answer_have_one_wording_each():
    old = r"inte att avgöra|inte att säga|cannot tell|can be said"
    assert [key for key, both in TEXTS.items() if re.search(old, " ".join(both.values()))] == []
    phrases = [both["sv"] for key, both in TEXTS.items() if key.startswith("answers.short_")]
    assert len(set(phrases)) == len(phrases)


def test_the_first_page_counts_reports_and_no_people():
    found = {"question": "q2", "outcome": "same_suspect", "estimator": "aalen_johansen",
             "estimand": "cumulative_incidence"}  # fmt: skip
    rows = [row("", 0.35, 0.395, 0.43, **found),
            row("", 0.33, 0.37, 0.41, analysis="by_person", **found)]  # fmt: skip
    told = words(start.show_lead(make_page("sv", rows, STUDY)).html)
    assert "40 av 100 ärenden följs av en ny anmälan mot samma misstänkta person" in told
    assert "37" not in told and "våldsutsatta" not in told  # one number, of reports
    person = make_page("en", rows, STUDY + "outcome: {who: any_suspect}\n")
    assert "37" not in words(start.show_lead(person).html)
