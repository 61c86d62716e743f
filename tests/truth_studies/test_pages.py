"""The page on known truth: what it says of made-up tables, good, failing and incomplete."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.report.described import MOST_ROWS, Piece, join
from tests.cases import for_each
from truth_studies.pages import limits, pictures, tables
from truth_studies.records.bar import (
    INSIDE,
    MISSED,
    UNSURE,
    count_released,
    find_bias_interval,
    find_faults,
    find_share_interval,
    judge_row,
    tally,
)
from truth_studies.records.controls import ANY, Alarm, read_alarms
from truth_studies.records.truth import (
    BY_INFLUENCE,
    CALIBRATED,
    DEPARTURES,
    FORCE,
    FORMULA,
    MAIN,
    NULL,
    ROBUST,
    TruthStudy,
    read_truth_study,
)

from .made import make_page

SHELTER, TALK = "sheltered_housing", "safety_talk"
LAST = 1461
HIDDEN = DEPARTURES[0]
ALARMS = {(CALIBRATED, ANY): Alarm(60, 0.4, 0.06), (NULL, ANY): Alarm(60, 0.3, 0.06),
          (HIDDEN, SHELTER): Alarm(60, 0.08, 0.04), (HIDDEN, TALK): Alarm(60, 0.57, 0.06),
          (CALIBRATED, TALK): Alarm(60, 0.03, 0.02), (NULL, TALK): Alarm(60, 0.06, 0.03),
          (HIDDEN, ANY): Alarm(60, 0.87, 0.04)}  # fmt: skip
SHOWS = (
    lambda page, study: limits.show_limits(page, study, {}),
    pictures.show_bias, pictures.show_coverage, tables.show_table, tables.show_provenance,
)  # fmt: skip


def row(**given) -> dict:
    """A number that is inside the bar, of 200 counties, all released; `bias` is in errors."""
    values = {
        "scenario": CALIBRATED, "intervals": "influence", "estimator": "clone_censor_weight",
        "analysis": "main", "measure": SHELTER, "estimand": "risk_difference", "time_days": LAST,
        "n_counties": 200, "truth": -0.1, "truth_error": 0.0, "bias": 0.05, "coverage": 0.95,
        "rejection_rate": 0.05, "n_released": None, "rmse": 0.05, "rmse_mc": 0.002, **given,
    }  # fmt: skip
    n, in_errors, spread = values["n_counties"], values["bias"], 0.04
    released = n if values["n_released"] is None else values["n_released"]
    return {
        **values, "bias": in_errors * spread, "bias_in_errors": in_errors,
        "bias_mc": spread / math.sqrt(n), "empirical_error": spread, "empirical_error_mc": 0.002,
        "mean": values["truth"] + in_errors * spread, "relative_bias": 0.1,
        "estimated_error": spread, "coverage_mc": 0.015, "rejection_rate_mc": 0.015,
        "n_released": released, "share_released": released / n,
        "coverage_released": values["coverage"] if released else math.nan,
    }  # fmt: skip


def study(*rows: dict, **more) -> TruthStudy:
    return TruthStudy(pd.DataFrame(list(rows)), **more)


def hazard(**given) -> dict:
    keys = {"estimator": "cox_time_varying", "estimand": "log_hazard_ratio", "time_days": math.nan}
    return row(**{**keys, **given})


def words(piece: Piece) -> str:
    text = re.sub(r"<svg.*?</svg>", "", piece.html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text).replace("\xa0", " "))


@for_each(
    ("n_in", "n", "low", "high"),
    # R 4.2: prop.test(n_in, n, correct = FALSE)$conf.int
    [(190, 200, 0.910422, 0.972617), (172, 200, 0.805101, 0.901330), (15, 100, 0.093060, 0.232836)],
)
def test_the_interval_of_a_share_is_that_of_r(n_in, n, low, high):
    assert find_share_interval(n_in / n, n) == pytest.approx((low, high), abs=1e-6)


def test_a_share_of_none_can_be_anything():
    assert find_share_interval(math.nan, 10) == find_share_interval(0.5, 0) == (0.0, 1.0)


@for_each(
    ("given", "verdict", "faults"),
    [
        ({}, INSIDE, []),
        # 1.96 / sqrt(200) = 0.14 standard errors are chance
        ({"bias": -0.2}, UNSURE, []),
        ({"bias": -0.3}, MISSED, ["bias"]),
        ({"bias": 0.3, "n_counties": 20}, UNSURE, []),
        ({"bias": 0.3, "truth_error": 0.004}, UNSURE, []),  # the truth's own chance counts
        ({"coverage": 0.92}, UNSURE, []),
        ({"coverage": 0.86}, MISSED, ["coverage"]),
        ({"coverage": 1.0}, MISSED, ["coverage"]),
        ({"coverage": 0.1, "bias": 2.0}, MISSED, ["bias", "coverage"]),
        ({"bias": math.nan, "coverage": math.nan}, INSIDE, []),
        ({"rejection_rate": 0.5}, INSIDE, []),  # power, where something works
        ({"scenario": NULL, "rejection_rate": 0.08}, UNSURE, []),
        ({"scenario": NULL, "rejection_rate": 0.15, "coverage": 0.85}, MISSED, ["called"]),
        # an arm's risk is never nothing
        ({"scenario": NULL, "rejection_rate": 1.0, "estimand": "risk_start"}, INSIDE, []),
    ],
)
def test_what_is_inside_the_bar(given, verdict, faults):
    one = pd.Series(row(**given))
    assert (judge_row(one), find_faults(one)) == (verdict, faults)


def test_a_tally_counts_each_row_once():
    rows = study(row(), row(bias=0.2), row(bias=1.0, coverage=0.2)).table
    assert tally(rows) == tally(rows.iloc[::-1])
    assert (tally(rows).n_inside, tally(rows).n_unsure, tally(rows).n_missed) == (1, 1, 1)


def test_released_coverage_is_weighed_by_counties():
    rows = study(row(n_released=100), row(n_released=0), row(n_released=50)).table
    rows["coverage_released"] = [0.9, math.nan, 0.6]
    assert count_released(rows) == pytest.approx((150 / 600, (90 + 30) / 150))
    assert count_released(rows.iloc[1:2]) == (0.0, None)
    assert count_released(rows.iloc[:0]) == (None, None)


def test_a_bias_without_spread_is_not_told():
    one = pd.Series({**row(), "empirical_error": 0.0})
    assert all(math.isnan(value) for value in find_bias_interval(one))


def test_bootstrap_intervals_are_the_main_ones_where_they_are():
    """Coverage is theirs; bias is read where there are most counties."""
    known = study(
        row(coverage=0.86, bias=0.01),
        row(intervals="bootstrap200", coverage=0.94, n_counties=50, bias=0.3),
        row(scenario=NULL),
        row(estimator="doubly_robust", coverage=0.91),
        row(estimator="doubly_robust", coverage=0.91, intervals="bootstrap200", n_counties=50),
    )
    main = known.rows(CALIBRATED, MAIN).iloc[0]
    assert (main["coverage"], main["n_counties"], main["intervals"]) == (0.94, 50, "bootstrap200")
    assert main["bias_in_errors"] == 0.01
    assert known.rows(CALIBRATED, BY_INFLUENCE).iloc[0]["coverage"] == 0.86
    assert known.rows(CALIBRATED, ROBUST)["n_counties"].tolist() == [200]
    assert known.add_beside(CALIBRATED, (MAIN, ROBUST)) == [MAIN, BY_INFLUENCE, ROBUST]
    assert known.add_beside(NULL, (MAIN, ROBUST)) == [MAIN, ROBUST]
    assert known.find_common((CALIBRATED, NULL)) == BY_INFLUENCE
    assert known.find_common((CALIBRATED,)) == MAIN


def test_only_bootstrap_rows_are_enough():
    known = study(row(intervals="bootstrap200"), hazard(intervals="bootstrap200"))
    assert len(known.rows(CALIBRATED, MAIN)) == len(known.rows(CALIBRATED, FORCE)) == 1
    assert not known.has_two_kinds(CALIBRATED)


def tell(*rows: dict, alarms=ALARMS, plan: str = "name: mini") -> list[str]:
    known = limits.list_limits(make_page("en", study=plan), study(*rows), alarms)
    return [line.replace("\xa0", " ") for line in known]


@for_each(
    ("given", "told"),
    [
        # with 200 counties chance alone is 0.14 standard errors, with 20,000 a tenth of that
        (
            {"bias": 0.14},
            "0 are certainly more than 0.1 standard errors from the truth",
        ),
        (
            {"bias": 0.05, "n_counties": 20000},
            "and 1 certainly within 0.1; the rest",
        ),
        (
            {"bias": 0.6},
            "1 are certainly more than 0.1 standard errors from the truth",
        ),
    ],
)
def test_bias_is_told_no_surer_than_it_is(given, told):
    (line,) = (one for one in tell(row(**given)) if "ias" in one[:20])
    assert told in line and f"4 years, {given['bias']:.2f} (" in line
    assert line.startswith("**Bias even") == (given["bias"] == 0.6)


def find(lines: list[str], start: str) -> str:
    (line,) = (one for one in lines if one.startswith(f"**{start}"))
    return line


def test_coverage_is_told_first_among_those_let_through_with_their_counties():
    rows = [row(coverage=0.86, n_released=59), row(measure=TALK, coverage=0.94),
            row(measure="alarm_package", coverage=0.3, n_released=0),
            row(scenario=NULL, coverage=0.91, n_released=80),
            row(intervals="bootstrap100", n_counties=10, n_released=6, coverage=0.7)]  # fmt: skip
    plan = "name: mini\nbootstrap: {replicates: 100}\n"
    line = tell(*rows, plan=plan)[0]
    assert "86–94% of the counties in the main scenario (59–200 counties per number" in line
    assert "lowest for protected accommodation, 4 years" in line
    assert "nothing works 91% (80 counties)" in line
    assert "in only 10 counties with 100 replicates: 70% (6 counties)" in line
    assert find(tell(*rows, plan=plan), "Does the main method clear") == (
        "**Does the main method clear the bar?** In the main scenario 1 of 3 numbers do: 3 clear"
        " the one for bias and 1 the one for coverage."
    )
    bare = "name: mini\nbootstrap: {replicates: 0}\n"
    assert "bootstrap" not in tell(*rows, plan=bare)[0]


def test_where_intervals_are_too_sure_is_told_by_scenario():
    line = find(tell(row(), row(scenario="small", coverage=0.45, n_counties=20),
                     row(scenario=NULL, coverage=0.86, rejection_rate=0.14),
                     row(scenario=HIDDEN, coverage=0.05)), "Among all numbers")  # fmt: skip
    assert "in nothing works (protected accommodation, 4 years: 86%); small county (prote" in line
    assert "as promised" in find(
        tell(row(), row(scenario=HIDDEN, coverage=0.05)), "Among all numbers"
    )


def test_power_and_what_could_not_be_answered_are_computed():
    facts = {"runs": [{"scenario": CALIBRATED, "people_per_county": 3000}]}
    rows = [row(rejection_rate=0.2, n_released=150), row(measure=TALK, truth=0.0),
            row(measure="alarm_package", n_released=0, rejection_rate=0.9),
            row(rejection_rate=0.38, time_days=365)]  # fmt: skip
    plan = "name: mini\nmeasures: {sheltered_housing: {}, safety_talk: {}, alarm_package: {}}\n"
    page, known = make_page("en", study=plan), study(*rows, provenance=facts)
    told = [one.replace("\xa0", " ") for one in limits.list_limits(page, known, {})]
    assert "4 years: 20%; protected accommodation, 1 year: 38% (200 c" in find(told, "Low power")
    assert "with 3,000 victims** on alarm or protection package: in 0 of 200 counties" in find(
        told, "No answ"
    )
    plain = [one.replace("\xa0", " ") for one in limits.list_plain_limits(page, known, {})]
    assert "within 4 years was found in 20% of the counties (protected" in find(plain, "Small diff")


def test_a_hidden_difference_is_told_with_what_escapes_the_checks():
    rows = [row(n_released=86), row(scenario=HIDDEN, coverage=0.05, n_released=88),
            row(scenario=HIDDEN, measure=TALK, coverage=0.85, n_released=88)]  # fmt: skip
    line = find(tell(*rows), "Blind")
    assert "the truth in only 5–85% of the counties (88 counties per number)" in line
    assert "let 44% of the numbers through, compared with 43% in the main" in line
    assert "in 87% of the counties, compared with 30–40% with nothing wrong (10% would be" in line
    assert "for a single measure in 8–57% compared with 3–6% (60 counties per scenario)" in line
    trust = limits.describe_trust(make_page("en"), study(*rows)).replace("\xa0", " ")
    assert "5–85%" in trust
    unseen = study(*rows, row(scenario=HIDDEN, measure="joint", coverage=0.01, n_released=0))
    assert "5–85%" in limits.describe_trust(make_page("en"), unseen)
    assert limits.describe_trust(make_page("en"), study(row())) == ""
    assert "negative" not in "".join(tell(*rows, alarms={}))


def test_false_alarms_are_told_where_nothing_is_wrong():
    rows = [
        row(scenario=NULL, rejection_rate=0.04, coverage=0.96),
        row(scenario=NULL, measure=TALK, rejection_rate=0.2, coverage=0.8, n_released=0),
    ]
    line = find(tell(row(), *rows), "False")
    assert "on average 4% of the numbers let through are called an effect, at most 4%" in line
    assert "Among all numbers it is 12%, at most 20%." in line
    assert "none of them is let through" in find(tell(row(), rows[1]), "False")


def test_scenarios_of_other_weights_are_not_compared_by_what_is_let_through():
    rows = [row(), row(scenario=HIDDEN, n_counties=100, n_released=44, share_released=0.44)]
    known, page = study(*rows), make_page("en")
    assert "let 44%" in limits.describe_hidden(page, known, {}).replace("\xa0", " ")
    known = dataclasses.replace(known, reweighted=frozenset([CALIBRATED]))
    assert "numbers through" not in limits.describe_hidden(page, known, {})
    told = find(limits.list_limits(page, known, {}), "Never")
    assert "calibrated weights in the scenarios an unmeasured trait" in told.replace("\xa0", " ")


def test_what_was_never_tried_is_said():
    plan = "name: mini\nmeasures:\n  sheltered_housing: {}\n  joint: {joint_within_days: 30}\n"
    rows = [row(), row(scenario=NULL), row(intervals="bootstrap200", n_counties=50)]
    assert find(tell(*rows, plan=plan), "Never") == (
        "**Never tested:** bootstrap intervals in the scenarios nothing works."
    )
    joint = limits.read_joint_study()
    assert len(joint) == 2 and joint["coverage"].lt(0.93).all()
    told = find(tell(*rows, plan=plan), "Withheld: measures near in time")
    assert "In 100 counties the interval for 4 years covered the truth in 87%" in told
    whole = "name: mini\nmeasures: {sheltered_housing: {}}\n"
    assert not any("Never tested" in line for line in tell(row(), plan=whole))
    assert find(tell(row(n_counties=20), plan=whole), "Too few") == (
        "**Too few counties.** 20 invented counties per scenario; there should be 200."
    )


def test_the_finding_stands_above_each_picture():
    page = make_page("en")
    rows = [row(bias=0.27), row(estimator="crude", bias=4.3), row(scenario=HIDDEN, coverage=0.1)]
    told = words(pictures.show_bias(page, study(*rows)))
    assert "at most 0.3 standard errors from the truth, the simple comparison 4.3" in told
    told = words(pictures.show_coverage(page, study(*rows)))
    assert "Coverage of all numbers is lowest in the scenario “an unmeasured trait”: 10%" in told
    assert "Source: invented counties where the truth is known, not the study's own" in told
    assert "Intervals from the influence function." in told


def test_a_row_of_the_table_is_a_scenario_and_a_method():
    rows = [row(bias=0.6, coverage=0.86, n_released=100), row(measure=TALK),
            row(scenario=NULL, rejection_rate=0.14, n_released=0), hazard()]  # fmt: skip
    told = words(tables.show_table(make_page("en"), study(*rows)))
    assert "main scenario: Clone, censor and weight 200 1 of 2 0.6 75% 86–95% 86–95% 5% –" in told
    assert "nothing works: Clone, censor and weight 200 0 of 1 0.1 0% – 95% – 14%" in told
    assert "main scenario: Cox while in force 200 1 of 1 0.1 – – 95% – –" in told


def test_rows_by_two_kinds_of_intervals_are_told_apart():
    rows = [row(), row(intervals="bootstrap100", n_counties=10)]
    told = words(tables.show_table(make_page("en"), study(*rows)))
    assert "Clone, censor and weight, bootstrap with 100 replicates 10 " in told
    assert "The same, influence intervals 200 " in told


def test_the_version_is_told_by_its_commit():
    facts = {"commit": "0123456789abcdef changed", "runs": []}
    told = words(tables.show_provenance(make_page("en"), study(row(), provenance=facts)))
    assert "0123456789ab, with unsaved changes" in told
    plain = study(row(), provenance={"commit": "0123456789abcdef"})
    assert "changes" not in words(tables.show_provenance(make_page("en"), plain))


def test_rows_of_another_study_or_commit_say_where_they_come_from():
    """200 counties in the table and 100 in the sentence below it: the newer study was not told."""
    run = {"scenario": CALIBRATED, "n_counties": 100, "people_per_county": 3000}
    old = {"commit": "a" * 40, "runs": [{**run, "intervals": "influence"}]}
    newer = {"commit": "b" * 40, "command": "python newer.py",
             "runs": [{**run, "n_counties": 200, "commit": "c" * 40}]}  # fmt: skip
    found = dataclasses.replace(study(row(), provenance=old), newer=newer)
    told = words(tables.show_provenance(make_page("en"), found))
    assert "main scenario, 100 counties of 3,000 victims (influence function)" in told
    assert "main scenario, 200 counties of 3,000 victims (influence function), commit ccccc" in told
    assert "python newer.py" in told and "bbbb" in told


def test_without_a_table_one_sentence_is_left(tmp_path: Path):
    none = read_truth_study(tmp_path)
    for language, told in (("sv", "är inte gjord"), ("en", "has not been made")):
        page = make_page(language)
        shown = [show(page, none) for show in SHOWS]
        assert told in words(shown[0]) and not any(one.html for one in shown[1:])


@for_each("rows", [[row()], [hazard()], [row(scenario=NULL)], [row(scenario="own")]])
def test_a_part_of_a_table_is_told_without_a_gap(rows):
    for language in ("sv", "en"):
        page = make_page(language)
        told = words(join(show(page, study(*rows)) for show in SHOWS))
        assert not re.search(r"\bnan\b|None|[{}]|truth_study", told)


def test_a_scenario_called_null_is_no_missing_value(tmp_path: Path):
    study(row(), row(scenario=NULL)).table.to_csv(tmp_path / "table.csv", index=False)
    assert read_truth_study(tmp_path).scenarios == [CALIBRATED, NULL]


@for_each("language", ["sv", "en"])
def test_the_kept_table_is_told_whole(language):
    """Whatever the numbers are: every part is there, every picture has its words and numbers."""
    page, kept = make_page(language), read_truth_study()
    shown = [show(page, kept) for show in SHOWS]
    assert all(one.html for one in shown)
    whole = join(shown)
    assert not re.search(r"\bnan\b|None|[{}]|truth_study\.(?!py)", words(whole))
    assert whole.html.count("<figure>") == 2
    told = limits.list_limits(page, kept, read_alarms())
    assert len(told) == 10 and all(line.startswith("**") for line in told)
    (table,) = tables.show_table(page, kept).tables
    assert 30 < len(table.rows) <= MOST_ROWS


def test_the_kept_table_has_a_row_for_each_way():
    kept = read_truth_study()
    for scenario in (CALIBRATED, NULL):
        for way in (MAIN, ROBUST, FORMULA, FORCE):
            assert len(kept.rows(scenario, way)) >= 6
    rows = kept.rows(CALIBRATED, MAIN)
    assert not rows.duplicated(["measure", "time_days"]).any()


def test_ticks_hold_every_value():
    assert pictures.list_ticks([-0.3, 0.9]) == [-0.5, 0.0, 0.5, 1.0]
    ticks = pictures.list_ticks([37.0])
    assert ticks[0] == 0.0 and ticks[-1] >= 37.0 and len(ticks) <= pictures.MOST_TICKS
