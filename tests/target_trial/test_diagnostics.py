"""What stands behind an estimate, counted by hand on small trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.design import build_design
from revictimisation.estimators.target_trial.balance import (
    count_effective_at,
    fit_chances,
    measure_balance,
    measure_shares,
    summarise_positivity,
)
from revictimisation.estimators.target_trial.changes import (
    Changes,
    build_segments,
    count_changes,
    spell_changes,
)
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.diagnostics import (
    describe_at_risk,
    describe_covariates,
    diagnose_trial,
)
from revictimisation.estimators.target_trial.gates import judge
from revictimisation.estimators.target_trial.levels import LevelMeasurer
from revictimisation.estimators.target_trial.trial_data import prepare_trial
from revictimisation.plan import Gates
from tests.cases import for_each
from tests.target_trial.trials import random_trial, read_mdve


def test_checks_of_the_minneapolis_experiment():
    table = diagnose_trial(weigh_clones(read_mdve()), [182]).set_index(["check", "arm"])["value"]
    assert table["effective_sample_size", "start"] == pytest.approx(136)
    assert table["weight_max", "no_start"] == pytest.approx(1)
    assert table["share_censored", "start"] == pytest.approx(178 / 314)
    assert table["n_events", "no_start"] == 40
    assert table["least_chance", ""] == pytest.approx(136 / 314)
    assert table["share_outside_support", ""] == 0
    assert table["minimum_detectable_difference", ""] == pytest.approx(2.8016 * 0.04174, abs=1e-4)
    assert table["is_converged", ""] == 1


def test_weighting_brings_balance_and_says_so():
    weighted = weigh_clones(random_trial(6000, 2), grace_law="natural_law")
    table = measure_balance(weighted, [20])
    assert table.groupby("time_days").size().to_dict() == {0: 9, 12: 9, 20: 9}
    at_end = table[table["time_days"] == 12]
    assert at_end["unweighted"].abs().max() > 0.15
    assert at_end["weighted"].abs().max() < 0.04
    wide = at_end.pivot(index="column", columns="comparison", values="weighted")
    np.testing.assert_allclose(
        wide["start_less_no_start"], wide["start"] - wide["no_start"], atol=1e-12
    )


def test_balance_by_hand():
    people = pd.DataFrame({"sex": ["f", "m", "f", "m"], "age": [10.0, 20.0, 30.0, 60.0]})
    trial = prepare_trial(
        [9] * 4, [0] * 4, [0, None, 0, None], build_design(people, ["age"]), grace_days=0
    )
    table = measure_balance(weigh_clones(trial), []).set_index("comparison")
    spread = people["age"].std(ddof=0)
    assert table.loc["start", "unweighted"] == pytest.approx((20 - 30) / spread)
    assert table.loc["start_less_no_start", "unweighted"] == pytest.approx((20 - 40) / spread)


def test_each_covariate_tells_its_largest_difference_after_weighting():
    """Never what it was before: of two levels that tells how many of the rarer one started."""
    weighted = weigh_clones(random_trial(2000, 2), grace_law="natural_law")
    checks, table = describe_covariates(weighted), measure_balance(weighted, [])
    assert set(checks["check"]) == {"standardised_difference"}
    for row in checks.itertuples():
        mine = table[table["time_days"].eq(12) & table["comparison"].eq(row.arm)]
        mine = mine[mine["column"].str.match(rf"{row.group}(?:$|[=:])")]
        assert row.value == pytest.approx(mine["weighted"].abs().max())
    whole = diagnose_trial(weighted, [20])
    whole = whole[whole["check"].eq("largest_standardised_difference") & whole["time_days"].eq(12)]
    assert checks.groupby("arm")["value"].max().to_dict() == pytest.approx(
        whole.set_index("arm")["value"].to_dict()
    )


def test_weighted_shares_and_those_still_followed_by_hand():
    """Of two women and two men one of each starts on day 0; a woman is followed for 5 days."""
    people = pd.DataFrame({"sex": ["f", "m", "f", "m"]})
    trial = prepare_trial(
        [9, 9, 5, 9], [0] * 4, [0, 0, None, None], build_design(people, ["sex"]), grace_days=0
    )
    weighted = weigh_clones(trial)
    shares = measure_shares(weighted.weights_on(0), np.array([0, 1, 0, 1]), 2)
    np.testing.assert_allclose(shares, [[0.5, 0.5], [0.5, 0.5]])
    after = measure_shares(weighted.weights_on(6), np.array([0, 1, 0, 1]), 2)
    np.testing.assert_allclose(after, [[0.5, 0.5], [0.0, 1.0]])
    found = describe_at_risk(weighted, [5, 6]).set_index(["arm", "time_days"])["value"]
    assert found.to_dict() == {("start", 5): 2, ("no_start", 5): 2, ("start", 6): 2,
                               ("no_start", 6): 1}  # fmt: skip
    assert np.isnan(measure_shares(weighted.weights_on(20), np.zeros(4, np.int64), 1)).all()


@for_each("law", ["natural_law", "censor_at_end"])
@for_each("odds", [1e6, 1e20, 1e200])
def test_weights_without_end_fail_the_gates_and_warn_of_nothing(law, odds):
    """Odds of a start as a model that could not be fitted has them: their product is no number."""
    rng = np.random.default_rng(1)
    people = pd.DataFrame({"sex": rng.choice(["f", "m"], 60), "age": rng.normal(40, 12, 60)})
    start = [int(age) % 90 for age in people["age"]]
    design = build_design(people, ["sex", "age"])
    weighted = weigh_clones(
        prepare_trial([400] * 60, [0] * 60, start, design, grace_days=60), grace_law=law
    )
    row_odds = weighted.daily.odds.rows.copy()
    row_odds[:3] = odds
    endless = replace(
        weighted, daily=replace(weighted.daily, odds=weighted.daily.odds._replace(rows=row_odds))
    )
    assert endless.weights_on(60)[:, 1].max() > 1e200
    checks = diagnose_trial(endless, [182])
    judged = judge(checks, Gates(), {"analysis": "a", "measure": "m"}, 60).set_index("check")
    assert judged.loc["effective_sample_size:no_start", "status"] == "failed"
    assert judged.loc["largest_standardised_difference:no_start:60", "status"] == "failed"
    assert np.isnan(count_effective_at(endless, [61])[1]).all()
    effective = LevelMeasurer(endless).measure(np.arange(60) % 2, 2).effective[:, 1]
    assert effective.min() == 0


def test_a_kind_of_people_who_never_start_is_seen():
    rng = np.random.default_rng(1)
    kind = rng.choice(["a", "b", "c"], 600)
    start = np.where((rng.random(600) < 0.4) & (kind != "c"), 0.0, np.nan)
    design = build_design(pd.DataFrame({"kind": kind}), ["kind"])
    weighted = weigh_clones(prepare_trial([9] * 600, [0] * 600, start, design, grace_days=0))
    table = summarise_positivity(weighted).set_index("column")
    assert table.loc["kind=c", "n_started"] == 0
    assert table.loc["kind=c", "share_outside"] == 1
    assert table.loc["kind=b", "share_outside"] == 0
    assert table.loc["", "share_outside"] == pytest.approx((kind == "c").mean())
    np.testing.assert_allclose(
        fit_chances(weighted)[kind == "b"], (~np.isnan(start))[kind == "b"].mean()
    )


def test_segments_begin_the_day_after():
    spells = spell_changes([0, 1, 1], [-3, 2, 4], [2, 5, 8])
    events = count_changes([1, 1, 1], [0, 3, 3], cap=2)
    cut = build_segments({"spell": spells, "events": events}, 3, 6)
    told = [
        [
            (int(cut.day[k]), *cut.values[cut.pattern[k]].tolist())
            for k in range(cut.first[i], cut.first[i + 1])
        ]
        for i in range(3)
    ]
    assert told == [
        [(0, 1.0, 0.0), (3, 0.0, 0.0)],
        [(0, 0.0, 0.0), (1, 0.0, 1.0), (3, 1.0, 1.0), (4, 1.0, 2.0)],
        [(0, 0.0, 0.0)],
    ]


def test_changes_out_of_place_are_refused():
    with pytest.raises(ValueError, match="outside"):
        build_segments({"x": Changes(np.array([3]), np.array([0]), np.array([1.0]))}, 3, 2)
    with pytest.raises(ValueError, match="missing"):
        build_segments({"x": Changes(np.array([0]), np.array([0]), np.array([np.nan]))}, 3, 2)
