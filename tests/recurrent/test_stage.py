"""The stage: rows for every measure, numbers by hand, and openly none where none can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.recurrent_events import estimate_recurrent_events
from revictimisation.estimators.contrasts import compare_counts
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.recurrent import mark_terminal
from tests.cases import for_each
from tests.recurrent.histories import NEVER, Histories, World, live, make_study

GRACE = World().grace_days
LOG_RATIO = "log_hazard_ratio"


@pytest.fixture(scope="module")
def study():
    return make_study(live(World(), 1500, 3), GRACE)


@pytest.fixture(scope="module")
def rows(study):
    return estimate_recurrent_events(study)[0]


def pick(rows: pd.DataFrame, **keys) -> pd.DataFrame:
    for name, value in keys.items():
        rows = rows[rows[name] == value]
    return rows


def test_every_number_that_was_agreed_is_there(study, rows):
    for estimator in ("pwp_total_time", "pwp_gap_time"):
        for analysis in ("main", "unadjusted"):
            mine = pick(rows, estimator=estimator, analysis=analysis, measure="order")
            assert set(mine["estimand"]) == {LOG_RATIO, "hazard_ratio"}
    mine = pick(rows, estimator="mean_cumulative_count", measure="", analysis="main")
    assert set(mine["estimand"]) == {"mean_count"}
    assert set(mine["level"]) == {"", "high", "low"}
    assert set(mine["time_days"]) == {60, 100}
    curve = pick(rows, estimator="mean_cumulative_count", analysis="curve")
    assert tuple(curve["time_days"]) == study.plan.curve_days
    strategies = pick(rows, estimator="mean_cumulative_count", measure="order")
    names = {"mean_count_start", "mean_count_no_start", "mean_count_difference"}
    assert set(strategies["estimand"]) == names
    assert set(strategies["time_days"]) == {60, 100}
    for estimator in ("cause_specific_hazard", "fine_gray"):
        mine = pick(rows, estimator=estimator, estimand=LOG_RATIO)
        assert set(mine["outcome"]) >= {"same_suspect", "death", "emigration"}
    assert set(rows["question"]) == {"q2"}
    assert rows.loc[rows["status"] == "ok", ["estimate", "se"]].notna().all().all()


def test_the_mean_count_is_that_of_everybody_where_all_are_followed(study, rows):
    """Nobody is censored before the horizon: outcomes over people."""
    rows = pick(rows, measure="")
    found = pick(rows, estimator="mean_cumulative_count", analysis="main", subgroup="")
    days = study.episodes.loc[study.episodes["is_event"], "stop_day"]
    for row in pick(found, estimand="mean_count").itertuples():
        assert row.n_events == (days <= row.time_days).sum()
        assert row.estimate == pytest.approx(row.n_events / len(study.entries), rel=1e-9)
    levels = pick(rows, estimand="mean_count", subgroup="x_need", time_days=100)
    total = (levels["estimate"] * levels["n_people"]).sum() / len(study.entries)
    assert pick(found, time_days=100)["estimate"].iloc[0] == pytest.approx(total)


def test_ordered_hazards_find_the_effect_while_in_force(rows):
    """Adjusted; the effect is -1 whatever outcomes there were before."""
    for estimator in ("pwp_total_time", "pwp_gap_time"):
        row = pick(rows, estimator=estimator, analysis="main", estimand=LOG_RATIO).iloc[0]
        assert abs(row["estimate"] - World().effect) < 3 * row["se"]
        assert row["ci_high"] < 0


def test_strategies_without_adjustment_and_grace_time_are_two_groups():
    """Starts on day 0 against none: Ghosh and Lin's estimator in either group."""
    study = make_study(live(World(start_level=-1.5), 900, 8), 0, "weights: {truncate_at: null}\n")
    plain = replace(study, plan=study.plan.model_copy(update={"adjust_for": ()}))
    found = pick(estimate_recurrent_events(plain)[0], estimator="mean_cumulative_count")
    is_started = (study.starts["first_start_day"] == 0).to_numpy()
    episodes = study.episodes
    who = episodes["entry_id"].to_numpy()
    groups = compare_counts(
        episodes["start_day"],
        episodes["stop_day"],
        episodes["is_event"],
        mark_terminal(who, study.entries["end_cause"] > 0),
        is_started[who],
        at_days=[60, 100],
        entry_id=who,
    )
    ours = pick(found, measure="order").set_index(["time_days", "estimand"])
    for row in groups.itertuples():
        mine = ours.loc[(row.time_days, row.estimand)]
        for name in ("estimate", "se", "ci_low", "ci_high", "n_people", "n_events"):
            assert mine[name] == pytest.approx(getattr(row, name), rel=1e-9), name
        assert mine["status"] == "ok"


def test_a_gate_that_fails_withholds_the_counts(study):
    gates = study.plan.gates.model_copy(update={"effective_sample_size": 10_000.0})
    strict = replace(study, plan=study.plan.model_copy(update={"gates": gates}))
    rows, checks = estimate_recurrent_events(strict)
    mine = pick(rows, estimator="mean_cumulative_count", measure="order")
    assert set(mine["status"]) == {"withheld"}
    assert set(mine["reason"]) == {"effective_sample_size"}
    assert mine["estimate"].notna().all()
    told = checks[checks["analysis"] == "mean_cumulative_count"]
    failed = told.loc[told["status"] == "failed", "check"]
    assert set(failed) == {"effective_sample_size:start", "effective_sample_size:no_start"}
    everybody = pick(rows, estimator="mean_cumulative_count", measure="", analysis="main")
    assert set(everybody["status"]) == {"ok"}


def test_the_landmark_leaves_out_who_had_an_event_before_it(study, rows):
    unadjusted = replace(study, plan=study.plan.model_copy(update={"adjust_for": ()}))
    found = estimate_recurrent_events(unadjusted)[0]
    row = pick(found, estimator="cause_specific_hazard", outcome="same_suspect").iloc[0]
    entries = study.entries.merge(study.starts, on="entry_id")
    free = entries[entries["stop_day"] > GRACE]
    started = (free["first_start_day"] <= GRACE).astype(float)
    assert row["n_people"] == started.sum() < len(free)
    assert row["n_events"] == (free["cause"] == 1)[started == 1].sum()
    fit = fit_cox(
        design_from_array(started.to_numpy()[:, None], ["started"]),
        np.full(len(free), GRACE),
        free["stop_day"],
        free["cause"] == 1,
        cluster=free["cluster_id"],
    )
    assert row["estimate"] == pytest.approx(fit.coef[0], rel=1e-9)
    assert row["se"] == pytest.approx(fit.se_robust[0], rel=1e-9)


def test_a_rare_competing_event_is_withheld_and_not_modelled(study, rows):
    """Nobody leaves the country; deaths are many."""
    rare = pick(rows, outcome="emigration")
    assert set(rare["status"]) == {"withheld"} and set(rare["reason"]) == {"few_events"}
    assert rare["estimate"].isna().all()
    assert set(pick(rows, outcome="death")["status"]) == {"ok"}
    both = pick(rows, outcome="death_or_emigration", estimand=LOG_RATIO)
    death = pick(rows, outcome="death", estimand=LOG_RATIO)
    np.testing.assert_allclose(both["estimate"], death["estimate"])
    more = study.entries.assign(cause=np.where(study.entries["cause"] == 0, 3, study.entries.cause))
    found = estimate_recurrent_events(replace(study, entries=more))[0]
    assert "death_or_emigration" not in set(found["outcome"])


def nothing_happens(histories: Histories) -> Histories:
    return replace(histories, outcomes=np.zeros_like(histories.outcomes))


@for_each(
    ("change", "reason"),
    [
        (nothing_happens, {"no_events"}),
        (lambda one: replace(one, start=np.full(len(one.start), NEVER)), {"nobody_exposed"}),
    ],
)
def test_what_can_not_be_had_is_said(change, reason):
    study = make_study(change(live(World(), 120, 5)), GRACE)
    rows, notes = estimate_recurrent_events(study)
    ordered = rows[rows["estimator"].str.startswith("pwp")]
    strategies = pick(rows, estimator="mean_cumulative_count", measure="order")
    if reason == {"nobody_exposed"}:
        assert set(strategies["reason"]) == {"nobody_started"}
        assert set(strategies["estimand"]) == {"mean_count_difference"}
    else:  # nobody has an outcome: too few events
        assert set(strategies["status"]) == {"withheld"}
        assert (strategies["estimate"] == 0).all()
    notes = notes[notes["analysis"] != "mean_cumulative_count"]
    assert set(ordered["status"]) == {"not_estimable"}
    assert set(ordered["reason"]) == reason
    assert set(notes["analysis"]) == {
        f"pwp_{clock}_time_{analysis}"
        for clock in ("total", "gap")
        for analysis in ("main", "unadjusted")
    }


def test_nobody_or_everybody_started_at_the_landmark():
    history = live(World(), 120, 5)
    for start, reason in ((NEVER, "nobody_started"), (0, "everybody_started")):
        study = make_study(replace(history, start=np.full(120, start)), GRACE)
        rows = estimate_recurrent_events(study)[0]
        mine = rows[rows["estimator"].isin(["cause_specific_hazard", "fine_gray"])]
        assert set(mine["status"]) == {"not_estimable"}
        assert set(mine["reason"]) == {reason}


def test_absent_tables_empty_cohorts_and_late_days(study):
    late = make_study(live(World(), 120, 5), GRACE)
    plan = late.plan.model_copy(update={"subgroups": ("risk_level",), "report_at_days": (60, 400)})
    rows = estimate_recurrent_events(
        replace(late, plan=plan, absent=frozenset({"risk_assessments"}))
    )[0]
    counts = pick(rows, estimator="mean_cumulative_count", measure="", analysis="main")
    assert set(pick(counts, subgroup="risk_level")["reason"]) == {"table_absent"}
    assert set(pick(counts, time_days=400)["reason"]) == {"beyond_horizon"}
    strategies = pick(rows, estimator="mean_cumulative_count", measure="order", time_days=400)
    assert strategies["reason"].tolist() == ["beyond_horizon"]
    empty = replace(
        study,
        entries=study.entries.iloc[:0],
        covariates=study.covariates.iloc[:0],
        starts=study.starts.iloc[:0],
        spells=study.spells.iloc[:0],
        episodes=study.episodes.iloc[:0],
    )
    rows = estimate_recurrent_events(empty)[0]
    assert set(rows["status"]) == {"not_estimable"}
    assert set(rows["reason"]) == {"no_events", "empty_cohort", "nobody_started"}
