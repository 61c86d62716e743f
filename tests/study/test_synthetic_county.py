"""The synthetic county: the adjusted answers are the truth, the naive ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.effects import estimate_hazard_ratios
from revictimisation.analyses.recurrent_events.strategies import estimate_strategy_counts
from revictimisation.cohort.preparation import prepare
from revictimisation.commands.simulate import simulate_to
from revictimisation.core.engine import connect
from revictimisation.core.results import combine
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan

from .conftest import read_estimates

# Seven measures with a chance of 0.05 each of lying outside 1.96 errors would fail often by
# chance alone; 3.5 errors is passed with probability 0.997 by a right estimator.
LARGEST_Z = 3.5


@pytest.fixture(scope="module")
def null(repo_root, tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    """The county in which nothing works: its folder, hazard ratios and strategies' mean counts."""
    folder = tmp_path_factory.mktemp("null")
    simulate_to(folder, 3000, 1, "null", "parquet")
    main = repo_root / "pipelines" / "studies" / "county.yaml"
    plan, dictionary = read_plan(main.read_text(encoding="utf-8")), load_dictionary()
    extract = load_extract(connect(), folder, dictionary, plan)
    data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
    stages = (estimate_hazard_ratios, estimate_strategy_counts)
    return folder, combine([next(iter(stage(data))) for stage in stages])


def log_hazard_ratios(estimates: pd.DataFrame) -> pd.DataFrame:
    chosen = estimates[
        (estimates["question"] == "q2")  # question 3 has the same of groups
        & (estimates["analysis"] == "main")
        & (estimates["estimator"] == "cox_time_varying")
        & (estimates["estimand"] == "log_hazard_ratio")
    ]
    return chosen.set_index("measure")


@pytest.mark.parametrize("scenario", ["calibrated", "null"])
def test_adjusted_log_hazard_ratios_are_the_truth(county, null, scenario):
    data, estimates = null
    if scenario == "calibrated":
        data, out = county(scenario)
        estimates = read_estimates(out)
    truth = pd.read_csv(data / "truth.csv", keep_default_na=False)
    # Where effects differ between people one coefficient a measure has a limit of its own.
    truth = truth[truth["subgroup"] == ""].pivot_table(
        index="measure", columns="estimand", values="value", aggfunc="first"
    )
    columns = [name for name in ("log_hazard_ratio_limit", "log_hazard_ratio") if name in truth]
    truth = truth[columns].astype(float).bfill(axis=1).iloc[:, 0].dropna()
    got = log_hazard_ratios(estimates)
    assert set(got.index) == set(truth.index)
    z = (got["estimate"] - truth.reindex(got.index)) / got["se"]
    assert np.abs(z).max() < LARGEST_Z
    assert (np.abs(z) < 1.96).sum() >= len(z) - 1


def test_in_the_null_county_no_true_effect_is_stated(null):
    truth = pd.read_csv(null[0] / "truth.csv", keep_default_na=False)
    effects = truth[truth["estimand"].isin(["log_hazard_ratio", "risk_difference"])]
    assert (effects["value"].astype(float) == 0).all()


def test_ever_against_never_misleads_where_nothing_harms(county):
    _, out = county("calibrated")
    estimates = read_estimates(out)
    estimates = estimates[estimates["question"] == "q2"]
    crude = estimates[
        (estimates["estimator"] == "crude")
        & (estimates["estimand"] == "risk_difference")
        & (estimates["time_days"] == 1461)
    ].set_index("measure")["estimate"]
    adjusted = log_hazard_ratios(estimates)["estimate"]
    for measure in ("alarm_package", "sheltered_housing", "support_talks"):
        assert crude[measure] > 0.02
        assert adjusted[measure] < 0


def test_the_cohort_is_calibrated(county):
    _, out = county("calibrated")
    estimates = read_estimates(out)
    risk = estimates[
        (estimates["analysis"] == "main")
        & (estimates["estimator"] == "aalen_johansen")
        & (estimates["subgroup"] == "")
        & (estimates["outcome"] == "same_suspect")
        & (estimates["question"] == "q2")
    ].set_index("time_days")["estimate"]
    assert risk[182] == pytest.approx(0.16, abs=0.03)
    assert risk[365] == pytest.approx(0.22, abs=0.03)
    assert risk[1461] == pytest.approx(0.40, abs=0.04)


def test_every_row_of_the_extract_is_accounted_for(small_run):
    data, out = small_run / "data", small_run / "out"
    attrition = pd.read_parquet(out / "restricted" / "attrition.parquet")
    for table, lines in attrition.groupby("step", sort=False):
        n_rows = len(pd.read_parquet(data / f"{table}.parquet"))
        assert lines["n_reports"].iloc[0] == n_rows
        assert n_rows - lines["n_dropped"].sum() == lines["n_reports"].iloc[-1]
        assert (lines["n_dropped"] >= 0).all()


def test_a_small_county_releases_nothing_small(small_run):
    out = small_run / "out"
    exact, released = read_estimates(out), read_estimates(out, "release")
    keys = list(exact.columns[:9])
    pd.testing.assert_frame_equal(exact[keys], released[keys])
    small = exact["n_events"].between(1, 4) | exact["n_people"].between(1, 4)
    shown = released["status"].eq("ok") & small
    assert not shown.any()
    assert released["status"].eq("suppressed").any()


def test_question_1_adds_up(county):
    _, out = county("calibrated")
    estimates = read_estimates(out)
    counts = estimates[(estimates["question"] == "q1") & (estimates["estimand"] == "count")]
    counts = counts[counts["status"] != "not_estimable"]  # what the extract does not register
    agencies = counts[(counts["analysis"] == "agencies") & (counts["subgroup"] == "")]
    assert agencies["estimate"].sum() == agencies["n_people"].iloc[0]
    keys = ["analysis", "measure", "outcome"]
    whole = counts[counts["subgroup"] == ""].set_index(keys)["estimate"]
    by_sex = counts[counts["subgroup"] == "sex"].groupby(keys)["estimate"].sum()
    pd.testing.assert_series_equal(whole[by_sex.index], by_sex)


def test_recurrent_events_are_at_least_as_many_as_first_ones(county):
    _, out = county("calibrated")
    estimates = read_estimates(out)
    chosen = estimates[estimates["question"].eq("q2") & estimates["analysis"].eq("main")]
    chosen = chosen[chosen["measure"].ne("")]
    chosen = chosen[
        chosen["estimand"].eq("log_hazard_ratio") & chosen["outcome"].eq("same_suspect")
    ]
    events = chosen.pivot(index="measure", columns="estimator", values="n_events")
    assert (events["andersen_gill"] >= events["cox_time_varying"]).all()
    for estimator in ("pwp_total_time", "pwp_gap_time"):
        assert (events[estimator] == events["andersen_gill"]).all()
    counts = estimates[(estimates["estimand"] == "mean_count") & (estimates["analysis"] == "main")]
    counts = counts[counts["subgroup"] == ""].set_index("time_days")
    first = estimates[(estimates["estimator"] == "aalen_johansen") & (estimates["subgroup"] == "")]
    first = first[(first["analysis"] == "main") & (first["outcome"] == "same_suspect")]
    first = first.set_index("time_days")
    assert (counts["estimate"] > first["estimate"].reindex(counts.index)).all()


def test_in_the_null_county_strategies_have_equal_mean_counts(null):
    """Also for those withheld: the gates keep back what is imprecise, not what is wrong."""
    estimates = null[1]
    gaps = estimates[estimates["estimand"].eq("mean_count_difference") & estimates["se"].notna()]
    at_end = gaps[gaps["time_days"] == 1461].set_index("measure")
    assert len(at_end) == 7
    z = at_end["estimate"] / at_end["se"]
    assert z.abs().max() < LARGEST_Z
    assert ((at_end["ci_low"] < 0) & (at_end["ci_high"] > 0)).sum() >= 6
    assert at_end["status"].eq("ok").sum() >= 3
