"""Page 5 answers first: whether any measure goes with a conviction, and what would have shown."""

from __future__ import annotations

from revictimisation.report.sections.court_association import tell_answer

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
    told = tell_answer(make_page("sv", rows(0.4), STUDY))
    assert "**Det går inte att avgöra.** Av 2 åtgärder" in told
    # of two tests (2.241 + 0.842) standard errors of 0.02
    assert "ungefär 6 fällande domar" in told


def test_those_beyond_chance_are_named():
    told = tell_answer(make_page("sv", rows(0.01), STUDY))
    assert "**Ja, 1 av 2 som gick att pröva**: kontaktperson." in told
    assert "skyddssamtal" not in told.lower()


def test_with_nothing_to_show_it_says_so():
    assert "ärendena är för få" in tell_answer(make_page("sv", [], STUDY))
