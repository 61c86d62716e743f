"""What is said of a target trial: per hundred people, how sure, and why there is no answer."""

from __future__ import annotations

import dataclasses
import math
import re

import pandas as pd

from revictimisation.core.packing import unpack_check
from revictimisation.core.results import DIAGNOSTIC_COLUMNS
from revictimisation.report.natural_frequencies import (
    count_people,
    describe_between,
    describe_both,
    describe_needed,
)
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections import (
    answer,
    baseline,
    estimators,
    how_we_know,
    measure,
    method,
    models,
    protocol,
    referees,
    strategies,
)
from revictimisation.report.trials import (
    Check,
    describe_reason,
    find_effect,
)
from tests.cases import for_each

from .conftest import make_page

STUDY = """name: mini
measures:
  sheltered_housing: {grace_days: 30}
  safety_talk: {grace_days: 0}
  alarm_package: {grace_days: 14}
"""
SHELTER, TALK, ALARM = "sheltered_housing", "safety_talk", "alarm_package"
KEYS = {"question": "q2", "outcome": "same_suspect", "estimator": "clone_censor_weight"}
LAST = 1461


def gap(estimate: float, low: float, high: float) -> Number:
    return Number(estimate, low, high, status="ok", reason="")


def row(measure: str, low: float, mid: float, high: float, **more) -> dict:
    numbers = {"estimate": mid, "ci_low": low, "ci_high": high, "n_people": 1000, "n_events": 300}
    keys = {**KEYS, "measure": measure, "estimand": "risk_difference", "time_days": LAST}
    return {**keys, **numbers, **more}


def hidden(measure: str, status: str, reason: str, **more) -> dict:
    keys = {**KEYS, "measure": measure, "estimand": "risk_difference", "time_days": LAST}
    return {**keys, "status": status, "reason": reason, **more}


def trial(measure: str, start: float, no_start: float, **more) -> list[dict]:
    """Both arms with their difference, and the number needed to treat."""
    low, high = start - no_start - 0.04, start - no_start + 0.04
    needed = {"estimand": "number_needed_to_treat"}
    return [
        row(measure, start - 0.03, start, start + 0.03, estimand="risk_start", **more),
        row(measure, no_start - 0.02, no_start, no_start + 0.02, estimand="risk_no_start", **more),
        row(measure, low, start - no_start, high, **more),
        row(measure, -1 / low, -1 / (start - no_start), -1 / high, **{**needed, **more}),
    ]


def add_checks(page: Page, rows: list[tuple]) -> Page:
    """The page with checks: measure, check, value, limit, status, of the main comparison.

    Where a row has six values the first is the analysis.
    """
    named = [one if len(one) > 5 else ("clone_censor_weight", *one) for one in rows]
    frame = pd.DataFrame(named, columns=list(DIAGNOSTIC_COLUMNS))
    return Page(
        dataclasses.replace(page.release, diagnostics=frame), page.dictionary, page.language
    )


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text)).replace("\xa0", " ")


@for_each(
    ("difference", "told"),
    [(0.0, "0"), (-0.004, "under 1"), (0.005, "1"), (-0.0149, "1"), (0.025, "3"), (0.06, "6")],
)
def test_people_out_of_a_hundred(difference, told):
    assert count_people(make_page(), difference) == told


@for_each("difference", [0.005, 0.045, 0.125, 0.285, 0.145, 0.575])
def test_a_cell_and_a_sentence_round_half_a_person_alike(difference):
    """A cell told 12.5 of 100 as 12 and the sentence beside it as 13: no page could be made."""
    page = make_page()
    cell = page.formats.way("points", 0)
    told = count_people(page, difference)
    assert [cell(difference), cell(-difference)] == [f"+{told}", f"−{told}"]
    assert page.formats.of_hundred(difference) == f"{told} av 100"


@for_each(
    ("number", "sv", "en"),
    [
        (gap(-0.06, -0.1, -0.02), "6 färre, mellan 2 och 10 färre", "6 fewer, between 2 and 10"),
        (gap(-0.03, -0.06, -0.001), "3 färre, mellan under 1 och 6 färre", "under 1 and 6 fewer"),
        (gap(0.05, 0.02, 0.08), "5 fler, mellan 2 och 8 fler", "5 more, between 2 and 8 more"),
        (gap(-0.02, -0.06, 0.02), "2 färre, mellan 6 färre och 2 fler", "6 fewer and 2 more"),
        (gap(-0.02, -0.04, 0.0), "2 färre, mellan 4 färre och lika många",
         "4 fewer and the same number"),
        (gap(0.04, -0.004, 0.08), "mellan ungefär lika och 8 fler", "about the same and 8 more"),
        (gap(-0.04, -0.08, 0.004), "mellan 8 färre och ungefär lika", "8 fewer and about the same"),
        (gap(0, -0.004, 0.004), "mellan under 1 färre och under 1 fler", "under 1 fewer and under"),
    ],
)  # fmt: skip
def test_a_difference_with_its_interval(number, sv, en):
    assert describe_both(make_page("sv"), number).endswith(sv)
    assert en in describe_both(make_page("en"), number)
    assert sv.endswith(describe_between(make_page("sv"), number))


@for_each(
    ("number", "needed", "sv"),
    [
        (
            gap(-0.1, -0.14, -0.06),
            gap(10, 7.14, 16.67),
            "Ungefär 10 för att ett ärende färre ska leda till en ny anmälan (mellan 8 och 17).",
        ),
        (
            gap(0.1, 0.06, 0.14),
            gap(-10, -16.67, -7.14),
            "På ungefär 10 ärenden där den ges leder ett till till en ny anmälan"
            " (mellan 8 och 17).",
        ),
        (gap(-0.004, -0.006, -0.002), gap(250, 167, 500), "Ungefär 250 för"),
        (
            gap(-0.02, -0.06, 0.02),
            gap(50, -50, 16.67),
            "",
        ),
        (
            gap(-0.02, -0.04, 0.0),
            gap(50, 25, math.inf),
            "",
        ),
    ],
)
def test_a_number_needed_is_told_only_where_the_direction_is_clear(number, needed, sv):
    told = describe_needed(make_page("sv"), number, needed)
    assert sv in told and "inf" not in told
    assert bool(re.search("[0-9]", told)) == (number.ci_low * number.ci_high > 0)


def test_no_number_needed_without_a_difference():
    assert describe_needed(make_page(), Number(status="withheld"), Number()) == ""
    assert describe_needed(make_page(), gap(-0.1, -0.14, -0.06), Number()) == ""


def test_all_that_failed_is_told_and_only_for_the_day_that_is_shown():
    checks = [
        (ALARM, "largest_standardised_difference:start:14", 0.2, 0.1, "failed"),
        (ALARM, "n_events:start:182", 4.0, 10.0, "failed"),
        (ALARM, "n_events:start:1461", 40.0, 10.0, "ok"),
        (ALARM, "share_outside_support", 0.2, 0.05, "failed"),
    ]
    number = Number(status="withheld", reason="largest_standardised_difference")
    page = add_checks(make_page("en", study=STUDY), checks)
    told = describe_reason(page, ALARM, number)
    assert (
        "differ too much" in told and "In addition: Too many" in told and "Too few new" not in told
    )
    assert describe_reason(page, ALARM, number, kind="short") == "the groups differ too much"


def test_a_measure_without_a_row_is_left_out_of_further_models():
    rows = [hazard(SHELTER, 0.9, estimator="fine_gray", outcome="death_or_emigration")]
    told = words(models.show_competing(make_page("en", rows, STUDY)).html)
    assert "death or emigration" in told and "protected accommodation" in told
    assert "alarm" not in told and "cannot be computed" not in told


def test_three_ways_that_agree_and_one_that_does_not():
    rows = [*trial(SHELTER, 0.32, 0.4), *trial(TALK, 0.39, 0.4)]
    for name, start, no_start in ((SHELTER, 0.33, 0.4), (TALK, 0.38, 0.4)):
        rows += trial(name, start, no_start, estimator="g_formula")
    told = estimators.describe_agreement(make_page("sv", rows, STUDY))
    assert told.startswith("För **alla 2** åtgärder") and "med 1 av 100" in told
    far = [*rows, *trial(SHELTER, 0.2, 0.4, estimator="doubly_robust")]
    told = estimators.describe_agreement(make_page("sv", far, STUDY))
    assert told.startswith("För **skyddat boende** ger ett annat sätt") and "med 12 av 100" in told
    assert estimators.show_ways(make_page("sv", trial(SHELTER, 0.32, 0.4), STUDY)).html == ""


def test_three_strategies_of_a_joint_measure():
    keys = {"analysis": "three_strategies", "subgroup": "strategy"}
    rows = [row("joint", 0.3, 0.35, 0.4, estimand="cumulative_incidence", level=level, **keys)
            for level in strategies.STRATEGIES]  # fmt: skip
    rows += [*trial("joint", 0.3, 0.36),
             row("joint", -0.1, -0.06, -0.02, level="both_less_none", **keys)]  # fmt: skip
    rows.append(row("joint", -0.08, -0.04, 0.01, level="both_less_one", **keys))
    told = words(strategies.show_strategies(make_page("sv", rows)).html)
    assert "Båda jämfört med ingen: av 100 ärenden leder ungefär 6 färre" in told
    assert "Båda jämfört med bara en: oklart (mellan 8 färre och 1 fler" in told
    assert "Bara en jämfört med ingen: inget svar." in told
    rows.append(hidden("joint", "withheld", "few_events", level="one_less_none", **keys))
    told = words(strategies.show_strategies(make_page("sv", rows)).html)
    assert "Bara en jämfört med ingen: inget svar. För få nya anmälningar: färre" in told


def hazard(measure: str, estimate: float, **more) -> dict:
    keys = {"estimator": "cox_time_varying", "estimand": "hazard_ratio", "time_days": None}
    return row(measure, estimate * 0.8, estimate, estimate * 1.2, **{**keys, **more})


def test_what_holds_while_in_force_stands_with_its_events_and_parts_come_only_with_rows():
    answers = [*trial(SHELTER, 0.32, 0.4), *trial(TALK, 0.39, 0.4)]
    page = make_page("sv", [*answers, hazard(SHELTER, 0.5), hazard(TALK, 1.0)], STUDY)
    told = words(models.show_in_force(page).html)
    assert "skyddat boende 1 000 300 " in told and "0,50 0,40–0,60" in told and "Fine" not in told
    assert "visar inte att åtgärden är orsaken." in told
    assert models.show_recurrent(page).html == models.show_variants(page).html == ""
    rows = [hazard(SHELTER, 0.5), hazard(SHELTER, 0.6, estimator="pwp_gap_time")]
    rows.append(hazard(SHELTER, 0.7, analysis="time_since_start", subgroup="time_since_start",
                       level="91_plus"))  # fmt: skip
    rows.append(hazard(SHELTER, 0.9, estimator="fine_gray", outcome="death"))
    told = words(models.show_in_force(make_page("sv", rows, STUDY)).html)
    assert "PWP, tid sedan förra" in told and "Andersen" not in told
    assert "91 dagar eller mer" in told and "Hasardkvoter för dödsfall" in told


def test_the_simple_comparison_says_unclear_only_where_all_are():
    rows = [*trial(SHELTER, 0.42, 0.4), *trial(SHELTER, 0.5, 0.4, estimator="crude")]
    told = words(how_we_know.show_simple(make_page("sv", rows, STUDY)).html)
    assert "får 1 av 1 åtgärder att se säkert skadliga ut" in told and "gör 0 av 1 det" in told
    assert "Ofyllda ringar: skillnaden är inte säker" in told
    clear = [*rows, *trial(TALK, 0.32, 0.4)]
    told = words(how_we_know.show_simple(make_page("sv", clear, STUDY)).html)
    assert "gör 0 av 2 det" in told and "Ofyllda" not in told


def test_other_looks_that_exclude_nothing_are_counted_and_named():
    early = [row(SHELTER, -0.075, -0.044, -0.005, time_days=182),
             row(SHELTER, -0.06, -0.02, 0.02, time_days=365)]  # fmt: skip
    counts = [row(measure, low, -0.07, -0.01, estimand="mean_count_difference",
                  estimator="mean_cumulative_count")
              for measure, low in ((SHELTER, -0.13), (ALARM, -0.2))]  # fmt: skip
    rows = [*trial(SHELTER, 0.42, 0.4), *early, *counts]
    told = words(estimators.show_looks(make_page("sv", rows, STUDY)).html)
    assert "Huvudsvaret är det för 4 år." in told and "utesluter 2 av 3 intervall noll" in told
    assert "skyddat boende, 6 månader; skyddat boende, medelantal" in told
    assert not estimators.show_looks(make_page("sv", counts, STUDY))


def test_dots_are_open_where_it_is_unclear_whether_there_is_a_difference():
    numbers = [gap(-0.06, -0.1, -0.02), gap(0, -0.1, 0.1), gap(0.06, 0.0, 0.1)]
    assert list(answer.make_series("x", numbers).is_open) == [False, True, True]


def test_rounding_does_not_hide_that_a_check_fails():
    page = make_page("en")
    fails = [("share_outside_support", 0.05036, 0.05, "5.04%"), ("n_events", 10, 10, "below 10"),
             ("largest_standardised_difference", 0.104, 0.1, "0.104")]  # fmt: skip
    for name, value, limit, told in fails:
        of = unpack_check(name)
        assert referees.describe_check(page, Check(of, value, limit, "failed")) == told
        assert referees.describe_check(page, Check(of, value, limit, "ok")) != told
    most = Check(unpack_check("share_outside_support"), 0.0500001, 0.05, "failed")
    assert referees.describe_check(page, most) == "above 5.0%"


def test_the_trial_tells_when_covariates_are_measured():
    told = words(protocol.show_protocol(make_page("en", study=STUDY)).html)
    assert "At the report (day 0). The risk level is the latest assessment by day 7." in told
    told = words(protocol.show_protocol(make_page("en", study=STUDY + "adjust_for: [sex]\n")).html)
    assert "At the report (day 0). What changes" in told
    told = words(protocol.show_protocol(make_page("en", study=STUDY + "adjust_for: []\n")).html)
    assert "Not at all: the study file names no covariates." in told


def test_a_number_that_is_not_there_is_never_another_one():
    page = make_page("sv", [*trial(SHELTER, 0.32, 0.4), hidden(ALARM, "not_estimable", "x")], STUDY)
    assert find_effect(page, SHELTER, "e_value").estimate is None
    assert find_effect(page, ALARM, "e_value").reason == "x"
    logs = [hazard(SHELTER, 0.5, estimand="log_hazard_ratio")]
    assert models.find_ratio(make_page("sv", logs, STUDY), SHELTER).estimate is None


def test_mean_counts_are_of_a_hundred_people():
    keys = {"estimator": "mean_cumulative_count"}
    rows = [row("", 0.6, 0.7, 0.8, estimand="mean_count", **keys)]
    rows.append(row(SHELTER, -0.2, -0.1, 0.0, estimand="mean_count_difference", **keys))
    told = words(models.show_counts(make_page("sv", rows, STUDY)).html)
    assert "På 100 ärenden görs i genomsnitt 70 nya anmälningar inom 4 år" in told
    assert "-20 till 0" in told.replace("−", "-")


def test_a_study_that_allows_for_nothing_says_so_and_nothing_is_called_adjusted():
    study = STUDY + "adjust_for: []\n"
    rows = [*trial(SHELTER, 0.32, 0.4), hazard(SHELTER, 0.5)]
    page = make_page("sv", rows, study)
    page = dataclasses.replace(page, measure=SHELTER)
    shown = [measure.show_sure, models.show_in_force, protocol.show_protocol, method.show_method]
    shown += [baseline.show_balance, how_we_know.show_wanted]
    told = " ".join(words(one(page).html) for one in shown)
    assert "tar ingen hänsyn till bakgrund" in told and "liknar dem i ," not in told
    assert "Justerad" not in told and " justerad" not in told
    assert "finns ingen balans att visa" in told


def test_a_study_without_measures_has_no_answers():
    page = make_page("sv", study="name: mini\nmeasures: {}")
    assert models.show_in_force(page).html == estimators.show_ways(page).html == ""


def test_the_trial_is_filled_in_from_the_study_file():
    told = words(protocol.show_protocol(make_page("en", study=STUDY)).html)
    assert "within 1 year before it" in told and "200 resamples of the people" in told
    assert "alike in sex, age group" in told
    bare = make_page("en", study=STUDY + "bootstrap: {replicates: 0}\n")
    assert "redraws" not in protocol.show_protocol(bare).html
    assert "replicates" not in words(method.show_method(bare).html)
    told = words(protocol.show_measures(make_page("en", study=STUDY)).html)
    assert re.search(r"safety talk\s+the same day\s+safety talk", told)


def test_checks_in_a_table_for_referees():
    checks = [(SHELTER, "weight_mean:start", 1.01, None, "ok"),
              (SHELTER, "share_outside_support", 0.012, 0.05, "ok"),
              (SHELTER, "minimum_detectable_difference:1461", 0.052, 0.15, "ok")]  # fmt: skip
    page = add_checks(make_page("en", study=STUDY), checks)
    assert "1.01" in words(referees.show_weights(page).html)
    assert "1.2%" in words(referees.show_support(page).html)
    assert "5.2" in words(referees.show_detectable(page).html)
    shown = words(method.show_all_checks(page).html)
    assert "clone, censor and weight protected accommodation" in shown
    assert "starts 1.01 – holds" in shown
