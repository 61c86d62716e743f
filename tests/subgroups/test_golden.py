"""Against R: weighted curves within levels, Cox by level, Wald, Holm, partial pooling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.subgroup_effects.groupings import Grouping
from revictimisation.analyses.subgroup_effects.hazards import estimate_level_hazards
from revictimisation.cohort.study_data import StudyData
from revictimisation.estimators.inference import Estimate
from revictimisation.estimators.level_contrasts import adjust_holm, compare_all, find_p_values
from revictimisation.estimators.partial_pooling import pool_partially
from revictimisation.estimators.target_trial.clone_weights import weigh_clones
from revictimisation.estimators.target_trial.levels import read_levels
from revictimisation.plan import read_plan
from tests.target_trial.test_golden import GOLDEN as TRIAL
from tests.target_trial.test_golden import read_trial

GOLDEN = Path(__file__).parents[1] / "golden" / "subgroups"


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(GOLDEN / name, keep_default_na=False, na_values=["NA"])


def test_weighted_risks_within_levels():
    golden = read("level_risks.csv")
    codes, levels = pd.factorize(pd.read_csv(TRIAL / "people.csv")["risk"], sort=True)
    days = sorted(golden["time_days"].unique())
    weighted = weigh_clones(read_trial(), grace_law="natural_law")
    ours = read_levels(weighted, codes, len(levels), days).risk.value
    for at, arm in enumerate(("natural_law", "no_start")):
        expected = golden[golden["arm"] == arm].pivot(
            index="level", columns="time_days", values="risk"
        )
        assert list(expected.index) == list(levels)
        np.testing.assert_allclose(ours[at], expected.to_numpy(), rtol=1e-8)


@pytest.fixture(scope="module")
def hazards() -> pd.DataFrame:
    episodes = read("episodes.csv")
    people = episodes.drop_duplicates("entry_id").reset_index(drop=True)
    last = episodes.groupby("entry_id")["stop_day"].max()
    plan = read_plan(
        "name: golden\nmeasures: {a: {}, b: {}}\nadjust_for: [sex]\nsubgroups: []\n"
        "for_whom: {combined: {}, least_events: 1}\n"
    )
    nothing = pd.DataFrame()
    data = StudyData(
        plan=plan.model_copy(update={"adjust_for": ("sex", "level")}),
        entries=people[["entry_id", "cluster_id"]].assign(stop_day=last.to_numpy()),
        covariates=people[["sex", "level"]],
        starts=nothing, spells=nothing, episodes=episodes, decisions=nothing,
        assessments=nothing, renewals=nothing,
    )  # fmt: skip
    codes, levels = pd.factorize(people["level"], sort=True)
    rows, _ = estimate_level_hazards(data, [Grouping("level", tuple(levels), codes, 0)])
    return rows


def test_hazard_ratios_by_level_and_their_robust_errors(hazards):
    rows = hazards[hazards["estimand"].eq("log_hazard_ratio") & hazards["analysis"].eq("main")]
    ours = rows.set_index(["measure", "level"])
    golden = read("hazards.csv").set_index(["measure", "level"])
    ours = ours.loc[golden.index]
    np.testing.assert_allclose(ours["estimate"], golden["log_hazard_ratio"], rtol=1e-6)
    np.testing.assert_allclose(ours["se"], golden["se"], rtol=1e-6)


def test_contrasts_of_levels_and_the_test_of_all(hazards):
    golden = read("contrasts.csv").set_index(["measure", "level"])
    rows = hazards[hazards["analysis"] == "contrast"].set_index(["measure", "level"])
    gaps = rows[rows["estimand"] == "log_hazard_ratio"]
    known = golden[golden["se"].notna()]
    np.testing.assert_allclose(gaps.loc[known.index, "estimate"], known["estimate"], rtol=1e-6)
    np.testing.assert_allclose(gaps.loc[known.index, "se"], known["se"], rtol=1e-6)
    p_values = rows[rows["estimand"] == "p_value"].loc[golden.index, "estimate"]
    np.testing.assert_allclose(p_values, golden["p_value"], rtol=1e-5)
    ratios = rows[rows["estimand"] == "hazard_ratio"].loc[known.index]
    np.testing.assert_allclose(ratios["estimate"], np.exp(known["estimate"]), rtol=1e-6)


def test_partial_pooling():
    given, golden = read("pooled_input.csv"), read("pooled.csv")
    ours = pool_partially(
        given["estimate"].to_numpy(), given["variance"].to_numpy(), given["family"].to_numpy()
    )
    np.testing.assert_allclose(ours.estimate, golden["estimate"], rtol=1e-5)
    np.testing.assert_allclose(ours.se, golden["se"], rtol=1e-5)
    # alone in its family
    assert np.isclose(ours.estimate[-1], given["estimate"].iloc[-1])


def test_pooled_intervals_keep_their_promise_where_few_tell_how_much_truths_differ():
    # 6 groupings of 2 or 3 levels, as a study has; averaged over truths the interval covers 95 %
    random = np.random.default_rng(5)
    family = np.repeat(np.arange(6), [2, 3, 2, 3, 2, 3])
    for spread in (0.0, 0.1, 0.3):
        covered = []
        for _ in range(300):
            variance = random.uniform(0.01, 0.2, len(family))
            truth = random.normal(0, 0.3, 6)[family] + random.normal(0, spread, len(family))
            found = pool_partially(truth + random.normal(0, variance**0.5), variance, family)
            covered.append(np.abs(found.estimate - truth) < 1.96 * found.se)
        assert np.mean(covered) > 0.93


def test_contrasts_and_the_test_of_all_with_few_degrees_of_freedom():
    """R 4: 2 * pt(-0.2 / sqrt(0.004), 7.5), 2 * pt(-0.3 / sqrt(0.007), 30), pf(w / 2, 2, 9)."""
    known = np.array([0.1, 0.3, -0.2]), np.diag([0.003, 0.001, 0.004])
    levels = Estimate.with_covariance(*known)
    found = find_p_values(levels[1:] - levels[:1], np.array([7.5, 30.0]))
    np.testing.assert_allclose(found, [0.0145072817807, 0.00117534227905], rtol=1e-9)
    np.testing.assert_allclose(compare_all(levels, 9.0)[0], 0.000173770667331, rtol=1e-9)


def test_holm():
    golden = read("holm.csv")
    np.testing.assert_allclose(adjust_holm(golden["p"]), golden["holm"], rtol=1e-10)
