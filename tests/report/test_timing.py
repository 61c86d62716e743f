"""Does it matter when help comes: what is said of planted numbers, and of withheld ones."""

from __future__ import annotations

from dataclasses import replace

from revictimisation.report.sections import timing
from tests.report.conftest import make_page
from tests.report.test_answers import hidden, row, trial, words

TALK = "support_talks"
LATER = {"analysis": "sequential_trials", "estimator": "sequential_trial", "time_days": 365}


def phase(level: str, low: float, mid: float, high: float, **more) -> dict:
    """A risk difference of a phase."""
    return row(TALK, low, mid, high, subgroup="trial_start", level=level, **{**LATER, **more})


def show(rows: list[dict]) -> str:
    page = make_page("sv", rows)
    return words(timing.show_when(replace(page, measure=TALK)).html)


def test_each_phase_says_what_may_be_said():
    answer = trial(TALK, 0.3, 0.36)
    withheld = hidden(TALK, "withheld", "few_events", subgroup="trial_start", level="long_term",
                      **LATER)  # fmt: skip
    rows = [*answer, phase("acute", -0.09, -0.05, -0.01), phase("intermediate", -0.06, -0.01, 0.05)]
    told = show([*rows, withheld])
    assert "Dag 0–30: 5 färre, osäkerhet mellan 1 och 9 färre." in told
    assert "Dag 31–180: oklart, mellan 6 färre och 5 fler." in told
    assert "Dag 181 eller senare: inget svar. För få nya anmälningar." in told
    assert "Tidig mot sen hjälp: inget svar." in told
    apart = phase("intermediate_less_acute", -0.03, 0.04, 0.1)
    assert "Ingen säker skillnad mellan tidig och sen hjälp." in show([*rows, withheld, apart])
    apart = phase("intermediate_less_acute", 0.02, 0.04, 0.06)
    assert "större än slumpen rimligen ger" in show([*rows, withheld, apart])


def test_without_an_answer_to_the_main_question_nothing_is_said_here():
    rows = [phase("acute", -0.09, -0.05, -0.01), hidden(TALK, "withheld", "few_events")]
    assert show(rows) == "" and show(trial(TALK, 0.3, 0.36)) == ""
    # for referees with the events that it rests on
    page = make_page("sv", rows, "name: mini\nmeasures: {support_talks: {}}")
    told = words(timing.show_when_numbers(page).html)
    assert "efter när åtgärden börjar" in told and "300" in told


def test_support_after_shelter_stands_in_its_own_table():
    keys = {"analysis": "after_shelter", "subgroup": "trial_start", "level": "shelter_end",
            "time_days": 365}  # fmt: skip
    rows = [
        row("contact_person", mid - 0.05, mid, mid + 0.05, estimand=name, **keys)
        for name, mid in (("risk_start", 0.2), ("risk_no_start", 0.3), ("risk_difference", -0.1))
    ]
    rows.append(hidden("network_support", "not_estimable", "few_exposed_victims", **keys))
    told = words(timing.show_when_numbers(make_page("sv", rows)).html)
    assert "kontaktperson 20,0 15,0–25,0 30,0 25,0–35,0 −10,0" in told
    assert "nätverksstöd går inte att" in told


LASTS = {"analysis": "sustained_strategies", "subgroup": "trial_start", "time_days": 365}


def test_how_long_it_lasts_is_told_with_why_not():
    rows = [*trial(TALK, 0.3, 0.36), row(TALK, -0.09, -0.05, -0.01, level="kept", **LASTS)]
    rows.append(hidden(TALK, "not_estimable", "few_ended", level="continued", **LASTS))
    page = make_page("sv", rows)
    told = words(timing.show_lasting(replace(page, measure=TALK)).html)
    assert "Från starten: 5 färre, osäkerhet mellan 1 och 9 färre." in told
    assert "Efter 90 dagar med åtgärden utan ny anmälan: inget svar. För få" in told
    alone = replace(make_page("sv", rows[-2:]), measure=TALK)
    assert words(timing.show_lasting(alone).html) == ""


def test_how_long_it_lasts_stands_with_both_risks_and_phases():
    rows = [
        row(TALK, mid - 0.05, mid, mid + 0.05, estimand=name, level="kept", **LASTS)
        for name, mid in (("risk_start", 0.2), ("risk_no_start", 0.3), ("risk_difference", -0.1))
    ]
    rows.append(phase("all", -0.09, -0.07, -0.01, analysis="per_protocol"))
    page = make_page("sv", rows, "name: mini\nmeasures: {support_talks: {}}")
    told = words(timing.show_when_numbers(page).html)
    assert "stödsamtal från åtgärdens start 20,0 15,0–25,0 30,0 25,0–35,0 −10,0" in told
    assert "Påbörjad och kvar i minst 90 dagar" in told and "−7,0" in told
