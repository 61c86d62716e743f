"""Started and kept, kept or ended: days as by hand, exact derivatives, and the forced truth."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.estimators.design import design_from_array
from revictimisation.estimators.sequential.estimates import (
    Stretch,
    diagnose_stretch,
    estimate_stretch,
    pool_stretch,
)
from revictimisation.estimators.sequential.keeping import KeptStretch, keep_starts
from revictimisation.estimators.sequential.trials import build_trials
from revictimisation.estimators.target_trial.changes import Changes
from revictimisation.estimators.target_trial.clone_weights import WeightedTrial, weigh_clones
from revictimisation.estimators.target_trial.estimates import estimate_risks, swap_arms
from revictimisation.estimators.target_trial.pooled_logistic import maximise
from revictimisation.estimators.target_trial.trial_data import prepare_trial

LAST_START, KEEP, LAST_DAY, AT_DAYS = 40, 30, 101, [30, 60]
# Means over seeds 770..779 of 200,000 people each by `force`; error 0.0006.
FORCED = {"risk_start": [0.18373, 0.45886], "risk_no_start": [0.35217, 0.59413]}
# The same by `force_end`, of those who start by themselves; error 0.0006.
FORCED_END = {"risk_start": [0.2215, 0.48334], "risk_no_start": [0.36661, 0.66091]}


def simulate(n: int, seed: int, forced: np.ndarray | None = None, arm: int = 0, *,
             keeps: bool = False, by_c: float = 1.0, end_by: np.ndarray | None = None):  # fmt: skip
    """Confounders x, and c from its day on; in force the measure takes 60 % of the hazard away.

    forced, arm: who is at risk of a start on this day starts then, or does not. keeps: who does
    keeps it for KEEP days. end_by: days until each one's end, once started. by_c: how much c bears
    on ends.
    """
    rng = np.random.default_rng(seed)
    x, c = rng.integers(0, 2, n), rng.geometric(0.02, n)
    stop, cause = np.full(n, LAST_DAY), np.zeros(n, int)
    start, end, would = np.full(n, np.nan), np.full(n, np.inf), np.zeros(n)
    is_left, own = np.ones(n, bool), np.zeros(n, bool)
    for today in range(LAST_DAY):
        has_c = c <= today
        is_on = (start < today) & (end >= today)
        if today:
            hazard = 0.008 * np.exp(0.7 * x + 0.9 * has_c) * np.where(is_on, 0.4, 1)
            for kind, chance in ((1, hazard), (2, 0.001)):
                ends = is_left & (rng.random(n) < chance)
                stop[ends], cause[ends] = today, kind
                is_left &= ~ends
        ends = rng.random(n) < 0.02 * np.exp(0.7 * x + by_c * has_c)
        if end_by is not None:
            ends = today - start >= end_by
        ends &= is_left & is_on
        if keeps:
            ends &= ~((today - start < KEEP) & own)
        end[ends] = today
        starts = is_left & np.isnan(start)
        starts &= rng.random(n) < 0.012 * np.exp(0.8 * x + 0.8 * has_c)
        if forced is not None:
            now = is_left & np.isnan(start) & (forced == today)
            would[now] = starts[now].sum() / max(now.sum(), 1)
            own |= now & (arm == 1)
            starts = np.where(now, arm == 1, starts)
        start[starts] = today
    return x, c, stop, cause, start, end, would


def force(n: int, seed: int) -> np.ndarray:
    """The risks of started and kept, and of not started, on days drawn for each, all forced."""
    day, found = np.random.default_rng(1).integers(0, LAST_START + 1, n), []
    for arm in (1, 0):
        *_, stop, cause, _, _, weight = simulate(n, seed, day, arm, keeps=True)
        happened = [(cause == 1) & (stop - day <= later) for later in AT_DAYS]
        found.append([(weight * one).sum() / weight.sum() for one in happened])
    return np.array(found)


def force_end(n: int, seed: int) -> np.ndarray:
    """Of those who start: the risks of keeping it, and of ending it when people like them do."""
    x = np.random.default_rng(seed).integers(0, 2, n)
    hazard = 0.02 * np.exp(0.7 * x)
    chance = np.random.default_rng(2).random(n) * (1 - (1 - hazard) ** (KEEP - 1))
    soon = np.ceil(np.log1p(-chance) / np.log1p(-hazard))
    found = []
    for end_by in (KEEP + np.random.default_rng(3).geometric(hazard) - 1, soon):
        _, _, stop, cause, start, *_ = simulate(n, seed, by_c=0.0, end_by=end_by)
        who = start <= LAST_START
        found.append([((cause == 1) & (stop - start <= day))[who].mean() for day in AT_DAYS])
    return np.array(found)


def build(n: int, seed: int, n_victims: int | None = None) -> tuple[Stretch, WeightedTrial]:
    """The trials of a simulated cohort pooled, and the trial of the end of who starts in them."""
    x, c, stop, cause, start, end, _ = simulate(n, seed)
    cluster = np.arange(n) if n_victims is None else np.arange(n) % n_victims
    trial = prepare_trial(
        stop, cause, start, make_design(x), grace_days=LAST_START, cluster=cluster,
        cut_days=[0, 7, 14, 21, 31], changes={"c": Changes(np.arange(n), c, np.ones(n))},
    )  # fmt: skip
    plain = pool_stretch(build_trials(trial), 0, LAST_START)
    spans = plain.trials.spans
    who = spans.entry[spans.is_start]
    return plain, build_ends(x, c, stop, cause, start, end, cluster, who)


def make_design(x: np.ndarray):
    return design_from_array(x[:, None].astype(float), ["x"])


def build_ends(x, c, stop, cause, start, end, cluster, who) -> WeightedTrial:
    """The trial of the end among these starters."""
    lasted = np.where(np.isinf(end), np.nan, end - start)[who]
    begin = start[who].astype(int)
    changes = {"c": Changes(np.arange(len(who)), c[who] - begin, np.ones(len(who)))}
    return weigh_clones(
        prepare_trial(stop[who] - begin, cause[who], lasted, make_design(x[who]),
                      grace_days=KEEP - 1, cluster=cluster[who], changes=changes),
        grace_law="natural_law",
    )  # fmt: skip


def test_each_day_of_a_starter_weighs_as_by_hand():
    plain, ends = build(300, 3)
    kept = keep_starts(plain, ends)
    trial, model, spans = ends.trial, ends.daily, plain.trials.spans
    at_risk, events = np.zeros_like(kept.arms.at_risk[0]), np.zeros_like(kept.arms.events[0])
    n_intervals, seen = int(trial.interval[-1]) + 1, 0
    for row in range(trial.n_entries):
        weight = plain.trials.weights.own[row]
        first, last = trial.people.first_segment[row : row + 2]
        begins = trial.people.segment_day[first:last]
        for day in range(trial.people.stop[row]):
            if day < KEEP:
                if day == trial.people.start[row]:
                    seen += 1
                    break
                pattern = trial.people.segment_pattern[first:last][begins <= day][-1]
                odds = model.odds.cells[pattern * n_intervals + trial.interval[day]]
                weight *= 1 + odds * model.odds.rows[trial.people.row[row]]
            at_risk[day + 1] += weight
            if day + 1 == trial.people.stop[row] and trial.people.cause[row]:
                events[trial.people.cause[row] - 1, day + 1] += weight
    assert seen > 10
    np.testing.assert_allclose(kept.arms.at_risk[0], at_risk, atol=1e-9)
    np.testing.assert_allclose(kept.arms.events[0], events, atol=1e-9)
    np.testing.assert_array_equal(kept.arms.at_risk[1], plain.arms.at_risk[1])
    assert kept.count_victims() == spans.is_start.sum() - seen


def test_influence_is_the_derivative():
    plain, ends = build(400, 5, n_victims=300)
    kept = keep_starts(plain, ends)
    influence = kept.find_influence(AT_DAYS)
    trials, model = plain.trials, plain.trials.model
    starters = trials.spans.entry[trials.spans.is_start]

    def answer(case_weights: np.ndarray) -> np.ndarray:
        whole = maximise(trials.trial, trials.trial.pooled, case_weights, model.theta,
                         tolerance=1e-20, most=99)  # fmt: skip
        few = maximise(ends.trial, ends.trial.pooled, case_weights[starters], ends.daily.theta,
                       tolerance=1e-20, most=99)  # fmt: skip
        again = trials.weigh(whole.odds, case_weights)
        kept_weights = ends._weigh((few.odds, ends.other.odds), ends.caps, np.arange(len(starters)))
        by_place = kept_weights[:, 1] * (again.own * case_weights[starters])[:, None]
        stop, cause = ends.people.stop, ends.people.cause
        free, risk, found = 1.0, 0.0, []
        for day in range(1, max(AT_DAYS) + 1):
            mine = np.where(stop >= day, by_place[:, min(day - 1, KEEP - 1)], 0.0)
            ended = [(mine * ((stop == day) & (cause == kind))).sum() for kind in (1, 2)]
            risk += free * ended[0] / mine.sum()
            free *= 1 - sum(ended) / mine.sum()
            found += [risk] if day in AT_DAYS else []
        return np.array(found)

    np.testing.assert_allclose(answer(np.ones(400)), kept.arms.read(AT_DAYS)[0, 0], rtol=1e-9)
    for victim in range(0, 300, 30):
        moved = []
        for sign in (1, -1):
            weights = np.ones(400)
            weights[trials.trial.people.cluster == victim] += sign * 1e-4
            moved.append(answer(weights))
        np.testing.assert_allclose(influence[victim, 0], (moved[0] - moved[1]) / 2e-4, atol=1e-8)
    np.testing.assert_array_equal(influence[:, 1], plain.find_influence(AT_DAYS)[:, 1])


def test_started_and_kept_finds_the_forced_truth():
    plain, ends = build(12_000, 11)
    kept: KeptStretch = keep_starts(plain, ends)
    rows = estimate_stretch(kept, AT_DAYS)
    hold_to(rows, FORCED, 0.02)
    by_start = estimate_stretch(plain, AT_DAYS)
    gap, plain_gap = (
        one.loc[one["estimand"].eq("risk_difference"), "estimate"].to_numpy()
        for one in (rows, by_start)
    )
    assert (gap < plain_gap - 0.01).all()
    checks = diagnose_stretch(kept, rows)
    mine = checks[checks["arm"].eq("start")].set_index("check")["value"]
    assert mine["largest_standardised_difference"] < 0.06
    assert mine["effective_sample_size"] < mine["n_exposed_victims"] < ends.trial.n_entries
    np.testing.assert_allclose(force(20_000, 78), list(FORCED.values()), atol=0.02)


def test_kept_or_ended_finds_the_forced_truth():
    x, c, stop, cause, start, end, _ = simulate(12_000, 12, by_c=0.0)
    who = np.flatnonzero((start <= LAST_START) & (start < stop))
    ends = build_ends(x, c, stop, cause, start, end, np.arange(len(x)), who)
    hold_to(swap_arms(estimate_risks(ends, AT_DAYS)), FORCED_END, 0.03)
    np.testing.assert_allclose(force_end(20_000, 78), list(FORCED_END.values()), atol=0.02)


def hold_to(rows, truth: dict[str, list[float]], widest: float) -> None:
    """Both risks within 3 errors of the truth, and told with errors that are not wide."""
    for estimand, values in truth.items():
        mine = rows[rows["estimand"].eq(estimand)]
        assert (np.abs(mine["estimate"] - values) < 3 * mine["se"] + 0.001).all(), estimand
        assert (mine["se"] < widest).all()


def test_the_trial_of_the_end_holds_the_starts():
    plain, ends = build(200, 3)
    with pytest.raises(ValueError, match="in their order"):
        keep_starts(plain, ends.take(np.arange(ends.trial.n_entries) > 0))
