"""Weighted mean counts: Ghosh and Lin's where nothing is weighted, exact derivatives, the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.estimators.contrasts import compare_counts
from revictimisation.estimators.design import build_design, design_from_array
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.trial_data import Outcomes, Trial, prepare_trial
from revictimisation.estimators.target_trial.weighted_count import (
    build_outcomes,
    estimate_counts,
    fill_counts,
    find_count_influence,
    outcome_changes,
)
from tests.cases import for_each
from tests.recurrent.histories import Histories, World, live, true_counts
from tests.target_trial.trials import refit_all

LAWS = ("censor_at_end", "natural_law")
DAYS = [10, 21, 60, 100]


def make_trial(
    seen: Histories, grace_days: int, *, knows_outcomes: bool = True, n_victims: int | None = None
) -> tuple[Trial, Outcomes]:
    n = len(seen.need)
    entry, day = np.nonzero(seen.outcomes)
    changes = outcome_changes(entry, day, recent_days=7, cap=5) if knows_outcomes else None
    people = pd.DataFrame({"need": np.where(seen.need == 1, "high", "low")})
    trial = prepare_trial(
        seen.stop,
        np.where(seen.is_dead, 2, 0),
        np.where(seen.start < seen.stop, seen.start, np.nan),
        build_design(people, ["need"]),
        grace_days=grace_days,
        cluster=None if n_victims is None else np.arange(n) % n_victims,
        changes=changes,
    )
    return trial, build_outcomes(trial, entry, day)


@for_each("law", LAWS)
@for_each("n_victims", [None, 300])
def test_without_grace_time_and_covariates_it_is_the_unweighted_estimator(law, n_victims):
    """Counts, errors and intervals; the starts on day 0 are drawn so that there are many."""
    seen = live(World(start_level=-1.5, death_level=0.003), 400, 3)
    entry, day = np.nonzero(seen.outcomes)
    victim = np.arange(400) if n_victims is None else np.arange(400) % n_victims
    started = (seen.start == 0) & (seen.stop > 0)
    assert 40 < started.sum() < 360
    trial = prepare_trial(
        seen.stop, np.where(seen.is_dead, 2, 0), np.where(started, 0, np.nan),
        design_from_array(np.zeros((400, 0)), []), grace_days=0, cluster=victim,
    )  # fmt: skip
    rows = estimate_counts(
        weigh_clones(trial, grace_law=law), build_outcomes(trial, entry, day), DAYS
    )
    # a piece per outcome, and one to the end of follow-up where that is later
    ends = pd.DataFrame({"entry": np.arange(400), "day": seen.stop, "is_event": 0})
    happened = pd.DataFrame({"entry": entry, "day": day, "is_event": 1})
    pieces = pd.concat([happened, ends]).sort_values(["entry", "day", "is_event"])
    pieces = pieces.groupby(["entry", "day"], as_index=False)["is_event"].max()
    is_last = ~pieces.duplicated("entry", keep="last")
    pieces["start"] = pieces.groupby("entry")["day"].shift(fill_value=0)
    who = pieces["entry"].to_numpy()
    plain = compare_counts(
        pieces["start"], pieces["day"], pieces["is_event"],
        is_last.to_numpy() & seen.is_dead[who], started[who],
        at_days=DAYS, cluster=victim[who], entry_id=who,
    )  # fmt: skip
    assert rows["estimand"].tolist() == plain["estimand"].tolist()
    for name in ("estimate", "se", "ci_low", "ci_high"):
        np.testing.assert_allclose(rows[name], plain[name], rtol=1e-9, atol=1e-12)
    assert rows[["n_people", "n_events"]].equals(plain[["n_people", "n_events"]])


def answer_with(weighted: WeightedTrial, outcomes: Outcomes, weights: np.ndarray) -> np.ndarray:
    """Everything anew with case weights: models, weights, curves."""
    return fill_counts(refit_all(weighted, weights), outcomes, weights).read(DAYS)


@for_each("cap", [None, 1.3])
@for_each("law", LAWS)
def test_influence_is_the_derivative_of_everything(law, cap):
    world = World(grace_days=9, outcome_level=0.012, death_level=0.003)
    trial, outcomes = make_trial(live(world, 240, 4), world.grace_days)
    weighted = weigh_clones(trial, grace_law=law, cap_at=cap)
    arms = fill_counts(weighted, outcomes)
    influence = find_count_influence(weighted, outcomes, arms, DAYS)
    np.testing.assert_allclose(answer_with(weighted, outcomes, np.ones(240)), arms.read(DAYS))
    scale, step = np.abs(influence).max(axis=0), 1e-5
    for i in range(0, 240, 7):
        ends = []
        for sign in (1, -1):
            case_weights = np.ones(240)
            case_weights[i] += sign * step
            ends.append(answer_with(weighted, outcomes, case_weights))
        moved = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(influence[i] / scale, moved / scale, atol=1e-6)


N = 12_000


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return true_counts(World(), 5 * N, 5, DAYS)


def count(world: World, *, knows_outcomes: bool = True) -> pd.DataFrame:
    trial, outcomes = make_trial(
        live(world, N, 77), world.grace_days, knows_outcomes=knows_outcomes
    )
    weighted = weigh_clones(trial, grace_law="natural_law")
    return estimate_counts(weighted, outcomes, DAYS).pivot(
        index="estimand", columns="time_days", values=["estimate", "se"]
    )


def test_the_truth_under_both_strategies_is_found(truth):
    found = count(World())
    gaps = np.array([truth[0], truth[1], truth[0] - truth[1]])
    names = ["mean_count_start", "mean_count_no_start", "mean_count_difference"]
    z = (found["estimate"].loc[names] - gaps) / found["se"].loc[names]
    # 1.1: the truth's own Monte Carlo error
    assert (z.abs() < 3 * 1.1).all().all()
    assert gaps[2][-1] < -0.2


def test_without_the_outcomes_so_far_it_is_off(truth):
    """Who is reported on again gets the measure: it then looks worse than it is."""
    found = count(World(), knows_outcomes=False)
    gap = found["estimate"].loc["mean_count_difference"] - (truth[0] - truth[1])
    assert (gap / found["se"].loc["mean_count_difference"] > 4).any()


def test_nothing_is_found_where_nothing_works():
    found = count(World(effect=0.0))
    z = found["estimate"].loc["mean_count_difference"] / found["se"].loc["mean_count_difference"]
    assert (z.abs() < 3).all()


def test_without_outcomes_counts_are_0_with_honest_limits():
    seen = live(World(), 300, 9)
    seen = replace(seen, outcomes=np.zeros_like(seen.outcomes))
    trial, outcomes = make_trial(seen, 20)
    rows = estimate_counts(weigh_clones(trial, grace_law="natural_law"), outcomes, [60, 400])
    late = rows["time_days"].eq(400)
    assert set(rows.loc[late, "reason"]) == {"beyond_follow_up"}
    rows = rows[~late]
    assert (rows["estimate"] == 0).all() and (rows["n_events"] == 0).all()
    assert (rows["ci_high"] > 0).all() and np.isfinite(rows["ci_high"]).all()


def test_a_victim_with_two_entries_counts_once():
    seen = live(World(), 400, 10)
    alone, outcomes = make_trial(seen, 20)
    pairs, _ = make_trial(seen, 20, n_victims=200)
    one, two = weigh_clones(alone), weigh_clones(pairs)
    single = find_count_influence(one, outcomes, fill_counts(one, outcomes), DAYS)
    paired = find_count_influence(two, outcomes, fill_counts(two, outcomes), DAYS)
    np.testing.assert_allclose(paired, single[:200] + single[200:], atol=1e-12)


def test_wrong_outcomes_are_refused():
    trial, _ = make_trial(live(World(), 50, 1), 20)
    stop = int(trial.people.stop[0])
    for entry, day in (([50], [3]), ([0], [0]), ([0], [stop + 1]), ([0, 1], [3]), ([-1], [3])):
        with pytest.raises(ValueError, match="outcome"):
            build_outcomes(trial, entry, day)
    ending = replace(trial, people=trial.people._replace(cause=np.ones(50, np.int8)))
    with pytest.raises(ValueError, match="must not end at an outcome"):
        build_outcomes(ending, [0], [3])
