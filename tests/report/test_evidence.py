"""The rule that ties words and steps of certainty to what an answer rests on: a table of cases."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pandas as pd

from revictimisation.core import results
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import EvidenceLimits
from revictimisation.report import evidence
from revictimisation.report.evidence import (
    CODES,
    STEPS,
    Grounds,
    find_direction,
    find_no_answer,
    rate,
    rate_measure,
)
from revictimisation.report.known_truth import find_coverage
from revictimisation.report.sections import measure
from tests.cases import for_each
from tests.project.sources import ROOT

from .conftest import LANGUAGES, make_page
from .test_answers import ALARM, SHELTER, STUDY, TALK, add_checks, hidden, row, trial

LIMITS = EvidenceLimits(small_difference=0.02, important_difference=0.05, highest_rating=3)
ROWS = load_dictionary().code_lists["evidence"]
TABLE = ROOT / "src" / "truth_studies" / "tables" / "weights_study" / "table.csv"


@for_each(
    ("low", "high", "direction"),
    [
        (-0.10, -0.03, "fewer"),
        (-0.10, -0.001, "fewer"),
        (-0.10, 0.0, "leans_fewer"),  # an end on no difference leaves it open
        (-0.10, 0.02, "leans_fewer"),  # a small difference itself is small
        (-0.10, 0.021, "unclear"),
        (-0.021, 0.02, "leans_fewer"),
        (-0.02, 0.02, "little"),
        (-0.02, -0.001, "little"),  # surely fewer, and surely few
        (0.001, 0.02, "little"),
        (-0.02, 0.021, "leans_more"),
        (0.0, 0.10, "leans_more"),
        (0.001, 0.10, "more"),
        (0.03, 0.10, "more"),
    ],
)
def test_where_an_interval_lies(low, high, direction):
    assert find_direction(low, high, LIMITS) == direction


@for_each(
    ("low", "high", "control", "ways", "variants", "code", "rating", "lowered"),
    [
        # nothing speaks against it: three steps, never four
        (-0.10, -0.03, "yes", "yes", "yes", "probably_reduces", 3, ()),
        (0.03, 0.10, "yes", "yes", "yes", "probably_increases", 3, ()),
        (-0.01, 0.01, "yes", "yes", "yes", "little_or_none", 3, ()),
        # one thing: a step each, tried and found wanting or never tried
        (-0.10, -0.03, "no", "yes", "yes", "may_reduce", 2, ("control_no",)),
        (-0.10, -0.03, "untried", "yes", "yes", "may_reduce", 2, ("control_untried",)),
        (-0.10, -0.03, "yes", "no", "yes", "may_reduce", 2, ("ways_no",)),
        (0.03, 0.10, "yes", "yes", "untried", "may_increase", 2, ("variants_untried",)),
        (-0.01, 0.01, "yes", "untried", "yes", "little_or_none", 2, ("ways_untried",)),
        # two: nothing is said to be lower, higher or alike any more
        (-0.10, -0.03, "no", "no", "yes", "leans_fewer", 1, ("control_no", "ways_no")),
        (0.03, 0.10, "no", "yes", "no", "leans_more", 1, ("control_no", "variants_no")),
        (-0.01, 0.01, "no", "no", "yes", "unclear", 1, ("control_no", "ways_no")),
        # the interval itself
        (-0.06, 0.02, "yes", "yes", "yes", "leans_fewer", 2, ("direction",)),
        (-0.06, 0.04, "yes", "yes", "yes", "unclear", 2, ("direction",)),
        (-0.06, 0.0499, "yes", "yes", "yes", "unclear", 2, ("direction",)),
        (-0.05, 0.05, "yes", "yes", "yes", "unclear", 1, ("direction", "wide")),
        (-0.0, 0.06, "yes", "yes", "yes", "leans_more", 2, ("direction",)),
        # never less than one step
        (-0.30, 0.30, "no", "no", "no", "unclear", 1,
         ("direction", "wide", "control_no", "ways_no", "variants_no")),
    ],
)  # fmt: skip
def test_the_rule(low, high, control, ways, variants, code, rating, lowered):
    found = rate(Grounds(low, high, control, ways, variants, "yes"), LIMITS)
    assert (found.code, found.rating, found.lowered) == (code, rating, lowered)


def test_a_study_may_begin_lower_but_never_at_four():
    strict = EvidenceLimits(highest_rating=1)
    assert rate(Grounds(-0.1, -0.03, *["yes"] * 4), strict).code == "leans_fewer"
    grid = itertools.product((-0.1, -0.02, 0.0, 0.03), (-0.01, 0.02, 0.1), *[("yes", "no")] * 4)
    found = [rate(Grounds(*one), LIMITS) for one in grid if one[0] <= one[1]]
    assert {one.rating for one in found} == {1, 2, 3}
    assert not {"reduces", "increases"} & {one.code for one in found}


def test_every_code_has_words_and_no_two_states_share_them():
    codes = {code for steps in CODES.values() for code in steps.values()}
    answers = ROWS[ROWS["kind"].ne("none")]
    assert codes == set(answers["code"])
    assert all(set(steps) == {*range(1, STEPS + 1)} for steps in CODES.values())
    for language in LANGUAGES:
        labels = ROWS[f"label_{language}"]
        assert labels.is_unique and labels.ne("").all()
        for kind, word in (("none", {"sv": "inget svar", "en": "no answer"}),
                           ("open", {"sv": "oklart", "en": "unclear"})):  # fmt: skip
            begins = labels.str.startswith(word[language])
            assert (begins == ROWS["kind"].eq(kind)).all()
            assert not labels[~begins].str.contains(word[language]).any()


def test_a_reason_leads_to_one_state_and_every_gate_to_its_own():
    reasons = " ".join(ROWS["reasons"]).split()
    assert len(set(reasons)) == len(reasons)
    for reason, code in (
        ("largest_standardised_difference", "no_answer_groups"),
        ("share_outside_support", "no_answer_groups"),
        (results.FEW_EVENTS, "no_answer_few"),
        (results.FEW_VICTIMS, "no_answer_few"),
        ("minimum_detectable_difference", "no_answer_coarse"),
        (results.SAME_DAY_STARTS, "no_answer_same_day"),
        (results.ESTIMATORS_DISAGREE, "no_answer_disagree"),
        ("negative_control_difference", "no_answer_control"),
        (results.KEPT_BACK, "no_answer_protected"),
        (results.EARLIER_RELEASE, "no_answer_protected"),
        (results.NOT_CONVERGED, "no_answer_not_computed"),
        ("", "no_answer_not_computed"),
    ):
        assert find_no_answer(reason) == code


CONTROL = {"analysis": "negative_control_outcome", "outcome": "other_suspect"}
ENOUGH = ("negative_control_outcome", SHELTER, "effective_events", 40.0, 10.0, "ok")
SCARCE = ("negative_control_outcome", SHELTER, "effective_events", 3.0, 10.0, "warning")


def answer_rows() -> list[dict]:
    """A measure with fewer reports (−0.12 to −0.04), by all ways and variants, control quiet."""
    rows = trial(SHELTER, 0.32, 0.4)
    rows += trial(SHELTER, 0.33, 0.4, estimator="g_formula")
    rows += trial(SHELTER, 0.32, 0.4, analysis="weights_truncated")
    return [*rows, row(SHELTER, -0.02, 0.0, 0.02, **CONTROL)]


def test_one_step_is_left_where_the_study_allows_for_nothing():
    found = rate(Grounds(-0.1, -0.03, *["yes"] * 4, "no"), LIMITS)
    assert (found.code, found.rating, found.lowered) == ("leans_fewer", 1, ("background_no",))
    page = make_page("sv", answer_rows(), STUDY + "adjust_for: []\n")
    assert rate_measure(add_checks(page, [ENOUGH]), SHELTER).rating == 1


def test_what_is_released_decides(tried):
    def rated(rows: list[dict], check: tuple = ENOUGH) -> tuple:
        found = rate_measure(add_checks(make_page("sv", rows, STUDY), [check]), SHELTER)
        return found.code, found.rating, found.lowered

    rows = answer_rows()
    assert rated(rows) == ("probably_reduces", 3, ())
    assert rated(rows, SCARCE) == ("may_reduce", 2, ("control_untried",))
    loud = [*rows[:-1], row(SHELTER, 0.001, 0.015, 0.03, **CONTROL)]
    assert rated(loud) == ("may_reduce", 2, ("control_no",))
    # on the end of the interval is inside it
    assert rated([*rows, row(SHELTER, -0.2, -0.12, 0.0, estimator="doubly_robust")])[1] == 3
    far = [*rows, row(SHELTER, -0.2, -0.13, 0.0, estimator="doubly_robust")]
    assert rated(far) == ("may_reduce", 2, ("ways_no",))
    open_variant = [*rows, row(SHELTER, -0.12, -0.06, 0.0, analysis="influence_interval")]
    assert rated(open_variant) == ("may_reduce", 2, ("variants_no",))
    assert rated(trial(SHELTER, 0.32, 0.4))[1:] == (
        1, ("control_untried", "ways_untried", "variants_untried"))  # fmt: skip


@for_each(
    ("known", "study", "rating", "why"),
    [
        ((0.93, 59), "", 3, "Inget av det som prövats sänker den."),
        ((0.9299, 59), "", 2, "den hade rätt i 93 % av 59 påhittade län, inte 95 %."),
        ((0.9299, 59), "evidence: {least_coverage: 0.9}\n", 3, "Inget av det som prövats"),
        (None, "", 2, "osäkerheten är oprövad: inga påhittade län gav ett svar om åtgärden."),
    ],
)
def test_intervals_too_sure_where_the_truth_is_known_take_a_step(
    monkeypatch, known, study, rating, why
):
    for module in (evidence, measure):
        monkeypatch.setattr(module, "find_coverage", lambda _page, _measure: known)
    page = add_checks(make_page("sv", answer_rows(), STUDY + study), [ENOUGH])
    assert rate_measure(page, SHELTER).rating == rating
    assert why in measure.show_sure(replace(page, measure=SHELTER)).html.replace("\xa0", " ")


def test_the_coverage_that_counts_is_of_the_main_answer_as_kept():
    kept = pd.read_csv(TABLE)
    mine = kept[(kept["scenario"] == "calibrated") & (kept["analysis"] == "main")
                & (kept["estimator"] == "clone_censor_weight")
                & (kept["estimand"] == "risk_difference")
                & (kept["measure"] == "support_talks")].set_index("time_days")  # fmt: skip
    last = mine.loc[1461]
    page = make_page("sv", [], STUDY)
    assert find_coverage(page, "support_talks") == (last["coverage_released"], last["n_released"])
    early = make_page("sv", [], STUDY + "report_at_days: [730]\n")
    assert 730 not in mine.index and find_coverage(early, "support_talks") is None
    assert find_coverage(page, "a_measure_of_tomorrow") is None
    wider = make_page("sv", [], STUDY + "outcome: {who: any_suspect}\n")
    assert find_coverage(wider, "support_talks") is None


def test_without_an_answer_there_is_no_rating_and_what_failed_is_named():
    checks = [(ALARM, "share_outside_support", 0.2, 0.05, "failed")]
    rows = [hidden(ALARM, "withheld", "largest_standardised_difference"),
            *trial(ALARM, 0.1, 0.87, estimator="g_formula")]  # fmt: skip
    found = rate_measure(add_checks(make_page("sv", rows, STUDY), checks), ALARM)
    assert (found.code, found.rating, found.kind) == ("no_answer_groups", None, "none")
    assert found.failed == ("largest_standardised_difference", "share_outside_support")
    assert rate_measure(make_page("sv", [], STUDY), TALK).code == "no_answer_not_computed"
