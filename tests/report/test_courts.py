"""Page 5 answers first: whether any measure goes with a conviction, and what would have shown."""

from __future__ import annotations

import re

from revictimisation.report.sections import courts
from revictimisation.report.sections.court_association import describe_answer
from revictimisation.report.sections.court_times import list_decision_tests, show_hazards

from .conftest import make_page

STUDY = """
name: mini
measures: {contact_person: {}, safety_talk: {}}
report_at_days: [1461]
"""


def rows(p_holm: float, se: float = 0.02) -> list[dict]:
    """Two measures' differences; the first is called by Holm if `p_holm` is below 0.05."""
    same = {"question": "q4", "outcome": "convicted", "estimator": "standardised_logistic",
            "time_days": 1461}  # fmt: skip
    made = []
    for measure, p_value in (("contact_person", p_holm), ("safety_talk", 1.0)):
        gap = {"estimate": 0.1, "ci_low": 0.1 - 2 * se, "ci_high": 0.1 + 2 * se, "se": se}
        made.append({**same, "measure": measure, "estimand": "risk_difference", **gap})
        made.append({**same, "measure": measure, "estimand": "p_value_holm", "estimate": p_value})
    return made


def test_none_is_no_proof_of_none():
    told = describe_answer(make_page("sv", rows(0.4), STUDY))
    assert "**Inget säkert samband.** Av 2 åtgärder" in told
    # of two tests (2.241 + 0.842) standard errors of 0.02
    assert "ungefär 6 fällande domar" in told


def test_those_beyond_chance_are_named():
    told = describe_answer(make_page("sv", rows(0.01), STUDY))
    assert "**Ja, 1 av 2 som gick att pröva**: kontaktperson." in told
    assert "skyddssamtal" not in told.lower()


def test_with_nothing_to_show_it_says_so():
    assert "ärendena är för få" in describe_answer(make_page("sv", [], STUDY))


def hazards(cleared: tuple[float, float, float]) -> list[dict]:
    """Hazard ratios of the decisions of two measures; one of them stands out or not."""
    same = {"question": "q4", "estimator": "cox_time_varying", "estimand": "hazard_ratio"}
    flat = (1.0, 0.8, 1.25)
    return [
        {**same, "measure": measure, "outcome": outcome,
         **dict(zip(("estimate", "ci_low", "ci_high"),
                    cleared if (measure, outcome) == ("contact_person", "cleared") else flat,
                    strict=True))}
        for measure in ("contact_person", "safety_talk") for outcome in ("decided", "cleared")
    ]  # fmt: skip


def test_decisions_that_stand_when_tested_together_are_named_at_the_head_too():
    page = make_page("sv", [*rows(0.4), *hazards((1.5, 1.2, 1.875))], STUDY)
    found = [one.p_holm for one in list_decision_tests(page)]
    # log(1.5) / (log(1.5625) / 3.919928) = 3.5613 errors: p 0.000369, of four tests 0.001476
    assert [round(one, 5) for one in found] == [1.0, 0.00148, 1.0, 1.0]
    told = "oftare eller tidigare personuppklarad efter kontaktperson (1,50, osäkerhet 1,20–1,88"
    assert told in show_hazards(page).html and told in courts.show_lead(page).html


def test_a_decision_that_one_test_alone_would_call_is_not_called():
    page = make_page("sv", [*rows(0.4), *hazards((1.25, 1.02, 1.53))], STUDY)
    assert "inget av dem mer än slumpen" in show_hazards(page).html
    assert "En annan fråga är besluten" not in courts.show_lead(page).html


def test_published_shares_of_one_sex_do_not_stand_beside_a_share_of_both():
    shown = courts.show_denominators(make_page("sv", [], STUDY)).html
    assert "grov kvinnofridskränkning" in shown and not re.search(
        "misshandel av (?:kvinna|man)", shown
    )


def test_the_steps_are_explained_in_the_words_of_the_word_list():
    shown = courts.show_steps(make_page("sv", [], STUDY)).html
    assert all(one in shown for one in ("Personuppklarad", "Lagförd", "Fällande dom"))
