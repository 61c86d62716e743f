"""The page on known truth: what it says of made-up tables, good, failing and incomplete."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from revictimisation.report import charts
from revictimisation.report.described import Dots, DotSeries, Piece, Scale, join
from revictimisation.report.formats import Formats
from tests.cases import for_each
from truth_studies.pages import answer, departures, misses, pictures, tables
from truth_studies.records.bar import (
    INSIDE,
    MISSED,
    UNSURE,
    count_released,
    find_bias_interval,
    find_faults,
    find_ratio,
    find_share_interval,
    judge_row,
    tally,
)
from truth_studies.records.truth import (
    BY_INFLUENCE,
    CALIBRATED,
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
SHOWS = (
    answer.show_answer, answer.show_ways, misses.show_misses, pictures.show_bias,
    pictures.show_coverage, pictures.show_null, pictures.show_efficiency,
    departures.show_departures, departures.show_small, tables.show_tables,
    tables.show_provenance,
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
        "coverage_released": 0.95 if released else math.nan,
    }  # fmt: skip


def study(*rows: dict, **more) -> TruthStudy:
    return TruthStudy(pd.DataFrame(list(rows)), **more)


def hazard(**given) -> dict:
    keys = {"estimator": "cox_time_varying", "estimand": "log_hazard_ratio", "time_days": math.nan}
    return row(**{**keys, **given})


def words(piece: Piece) -> str:
    text = re.sub(r"<img[^>]*>|<source[^>]*>", "", piece.html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text).replace("\xa0", " "))


def alternatives(piece: Piece) -> str:
    return " ".join(re.findall(r'alt="([^"]*)"', piece.html)).replace("\xa0", " ")


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


def test_a_ratio_to_the_oracle():
    found = find_ratio(pd.Series(row(rmse=0.06)), pd.Series(row(rmse=0.05)))
    assert found is not None and found[0] == pytest.approx(1.2)
    assert found[1] < 1.2 < found[2]
    assert find_ratio(pd.Series(row(rmse=0.0)), pd.Series(row())) is None


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
    assert len(tables.list_rows(known, CALIBRATED)) == 2


@for_each(
    ("language", "tried", "untried"),
    [
        ("sv", "Intervallen kommer från bootstrap med 200 omdragningar.", "är inte prövade"),
        ("en", "from the bootstrap with 200 replicates.", "have not been tried"),
    ],
)
def test_the_lead_says_which_intervals(language, tried, untried):
    page = make_page(language)
    without = words(answer.show_answer(page, study(row())))
    with_them = study(row(), row(intervals="bootstrap200", n_counties=50))
    told = words(answer.show_answer(page, with_them))
    assert untried in without and tried not in without
    assert tried in told and untried not in told
    assert re.search(r" 50 – bootstrap \w+ 200 \w+ ± 0[.,]07 ± 3[.,]1", told)
    assert re.search(r" 200 – [\w ]+ ± 0[.,]07 ± 1[.,]5", told)


def test_both_kinds_of_intervals_are_told_and_drawn():
    page = make_page("en")
    known = study(
        row(coverage=0.8), row(intervals="bootstrap200", coverage=0.94), row(scenario=NULL)
    )
    told = words(answer.show_ways(page, known))
    assert "Clone, censor and weight (bootstrap with 200 replicates): at most" in told
    assert "Clone, censor and weight (influence function): at most" in told
    assert "(influence function), where nothing works" in told
    assert "coverage 80.0% to 80.0%" in told and "coverage 94.0% to 94.0%" in told
    drawn = alternatives(pictures.show_coverage(page, known))
    assert "The same, influence intervals: between 80.0% and 80.0%" in drawn
    missed = words(misses.show_misses(page, known))
    assert "(influence function): 1 of 1 numbers miss the bar. For coverage: sheltered" in missed
    assert "(bootstrap with 200 replicates): none of 1 numbers" in missed


def test_what_was_not_tried_is_said():
    kept = study(row(), row(scenario=NULL), row(intervals="bootstrap200", n_counties=50))
    plan = "name: mini\nmeasures:\n  sheltered_housing: {}\n  joint: {joint_within_days: 30}\n"
    told = " ".join(answer.list_untried(make_page("en", study=plan), kept))
    assert "**Not tried with the main method:** measures near in time." in told
    assert "has not been tried in:** nothing works." in told
    whole = "name: mini\nmeasures: {sheltered_housing: {}}\n"
    assert answer.list_untried(make_page("en", study=whole), study(row())) == []


def test_the_version_is_told_by_its_commit():
    facts = {"commit": "0123456789abcdef changed", "runs": []}
    told = words(tables.show_provenance(make_page("en"), study(row(), provenance=facts)))
    assert "0123456789ab, with changes not saved there" in told
    plain = study(row(), provenance={"commit": "0123456789abcdef"})
    assert "changes" not in words(tables.show_provenance(make_page("en"), plain))


def test_where_the_bar_is_missed_measure_and_method_are_named():
    page = make_page("sv")
    known = study(
        row(coverage=0.86, n_released=0),
        row(measure=TALK),
        row(estimator="g_formula", bias=-1.2, coverage=0.6, time_days=365, n_released=100),
        row(estimator="g_formula", bias=-0.5, n_released=0),
        row(estimator="doubly_robust"),
        hazard(bias=0.9),
    )
    told = words(misses.show_misses(page, known))
    assert (
        "Klona, censurera och vikta: 1 av 2 tal missar ribban. För täckning: skyddat boende (4 år)."
        " Kontrollerna släpper inte fram någon av de skattningarna." in told
    )
    assert "Dubbelt robust: inget av 1 tal missar ribban." in told
    assert "För bias: skyddat boende (1 år, 4 år). För täckning: skyddat boende (1 år)." in told
    assert "Kontrollerna släpper fram 25,0 % av de skattningarna." in told
    assert "Cox medan åtgärden pågår: 1 av 1 tal missar ribban. För bias: skyddat boende." in told
    assert "Metoden har inga egna kontroller." in told
    assert "skyddat boende, 1 år g-formeln bias, täckning −1,20 60,0 % 100 av 200" in told
    assert "släpper fram 0,0 %" in told and "främst inne det som inte håller" in told


@for_each(
    ("n_missed_released", "key"), [(0, "So they mostly withhold"), (200, "do not single out")]
)
def test_whether_the_gates_help_follows_the_numbers(n_missed_released, key):
    known = study(row(bias=2.0, n_released=n_missed_released), row(measure=TALK, n_released=150))
    assert key in words(misses.show_misses(make_page("en"), known))


def test_nothing_is_said_of_the_gates_help_where_nothing_fails():
    told = words(misses.show_misses(make_page("en"), study(row(), row(measure=TALK))))
    assert "single out" not in told and "mostly withhold" not in told
    assert "none of 2 numbers misses the bar" in told and "that miss the bar" not in told


def test_what_was_withheld_is_counted_by_measure_and_scenario():
    known = study(
        row(n_released=190), row(measure=TALK), row(scenario=NULL, n_counties=100, n_released=0)
    )
    told = words(misses.show_withheld(make_page("en"), known))
    assert "sheltered housing 10 of 200 100 of 100" in told
    assert "safety talk 0 of 200 –" in told


def test_each_method_is_told_under_its_heading():
    kinds = [{}, {"estimator": "doubly_robust"}, {"estimator": "g_formula", "bias": 2.0},
             {"estimator": "crude", "bias": 4.0}]  # fmt: skip
    rows = [row(**one, scenario=name) for one in kinds for name in (CALIBRATED, NULL)]
    rows[-1]["rejection_rate"] = 1.0
    told = words(answer.show_ways(make_page("en"), study(*rows)))
    main, rest = told.split("The method beside them")
    beside, naive = rest.split("The naive ways in the same counties")
    assert "Doubly robust:" in main and "Doubly robust, where nothing works" in main
    assert "g-formula:" in beside and "and 1 miss it" in beside and "g-formula" not in main
    assert "Simple comparison, where nothing works" in naive
    assert "1 of 1 numbers lie above 5% by more than chance: sheltered housing (4 years)." in naive
    assert "No number lies above 5% by more than chance." in main


@for_each(
    ("n_released", "told"), [(0, "let through none of those"), (100, "let through 50.0% of those")]
)
def test_false_calls_say_whether_they_are_released(n_released, told):
    known = study(row(scenario=NULL, rejection_rate=0.2, n_released=n_released))
    assert told in words(answer.show_ways(make_page("en"), known))


def test_how_sure_is_told_by_scenario():
    page = make_page("en")
    told = words(answer.show_answer(page, study(row(), row(scenario=NULL, n_counties=25))))
    assert "main scenario 200 – influence function ± 0.07 ± 1.5" in told
    assert "nothing works 25 – influence function ± 0.20 ± 4.4" in told
    assert "Fewer have been made for: nothing works (25)." in told
    assert "Preliminary" not in words(answer.show_answer(page, study(row())))


def test_departures_say_what_the_gates_do():
    page = make_page("en")
    rows = [row(n_released=100), row(scenario="unmeasured", bias=4.0, n_released=120),
            row(scenario="positivity", n_released=20)]  # fmt: skip
    known = study(*rows, crime_gap={SHELTER: -0.04})
    told = words(departures.show_departures(page, known))
    assert "The main method, a hidden trait: at most 4.00 standard errors" in told
    assert "The gates do not act more often: they let through 60.0%" in told
    assert "let through 10.0% of the estimates, against 50.0%" in told
    assert "willingness" not in told and "influence function in all" not in told
    more = study(*rows, row(scenario="reporting"), row(intervals="bootstrap200"),
                 crime_gap={SHELTER: -0.04})  # fmt: skip
    told = words(departures.show_departures(page, more))
    assert "differs by up to 4.0 percentage points (sheltered housing)" in told
    assert "those of the influence function in all scenarios" in told


def test_a_small_county_has_its_sentences_and_pictures():
    page = make_page("en")
    known = study(
        row(scenario="small", n_counties=200, n_released=0),
        hazard(scenario="small", n_counties=120),
    )
    shown = departures.show_small(page, known)
    told = words(shown)
    assert "The gates let through 0.0% of the estimates." in told
    assert "Cox while in force: at most" in told
    assert "in only 120 of 200 counties" in told and "in all 200 counties" in told
    assert shown.html.count("<figure>") == 2
    assert not departures.show_small(page, study(row())).html


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
    n_figures = whole.html.count("<figure>")
    assert n_figures >= 10
    assert whole.html.count("<figcaption>") == len(re.findall(r'alt="[^"]{40,}"', whole.html))
    assert len(re.findall(r"<figcaption>.*?</figcaption><details>", whole.html)) == n_figures


def test_the_kept_table_has_a_row_for_each_way():
    kept = read_truth_study()
    for scenario in (CALIBRATED, NULL):
        for way in (MAIN, ROBUST, FORMULA, FORCE):
            assert len(kept.rows(scenario, way)) >= 6
    rows = kept.rows(CALIBRATED, MAIN)
    assert not rows.duplicated(["measure", "time_days"]).any()


@for_each(("pad", "low", "high"), [(0.0, 0.0, 1.0), (0.02, -0.02, 1.02)])
def test_an_axis_leaves_room_for_dots_at_its_ends(pad, low, high):
    axes = Figure().subplots()
    axes.plot([0.0, 0.9], [0, 1])
    charts.value_axis(
        axes, Scale(Formats("en").way("count"), (0.0, 0.5, 1.0), pad=pad), is_narrow=False
    )
    assert axes.get_xlim() == pytest.approx((low, high))


@for_each(("n", "columns"), [(2, 2), (3, 3), (4, 2), (5, 2)])
def test_names_of_many_series_stand_in_two_columns(n, columns):
    names = [f"a long name of series {one}" for one in range(n)]
    series = [DotSeries(name, [(0.5, 0.4, 0.6)]) for name in names]
    wide, _ = charts.draw_dots(Dots(["row"], series, Scale(Formats("en").way("count"), (0.0, 1.0))))
    places = re.findall(r'translate\(([\d.]+) [\d.]+\)">a long name|x="([\d.]+)"[^>]*>a long name',
                        wide.decode())  # fmt: skip
    assert len(places) == n
    assert len({round(float(one or other)) for one, other in places}) == columns


def test_ticks_hold_every_value():
    assert pictures.list_ticks([-0.3, 0.9]) == [-0.5, 0.0, 0.5, 1.0]
    ticks = pictures.list_ticks([37.0])
    assert ticks[0] == 0.0 and ticks[-1] >= 37.0 and len(ticks) <= pictures.MOST_TICKS
