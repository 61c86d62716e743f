"""Calibration and discrimination: a naive reckoning, and truth that was simulated."""

from __future__ import annotations

import numpy as np
import pytest

from revictimisation.estimators.calibration import (
    calibrate_in_the_large,
    discriminate,
    draw_curve,
    find_misfit,
    hold_against,
    observe_groups,
    recalibrate,
    score_brier,
)
from revictimisation.estimators.faults import NotEstimableError
from tests.cases import for_each

DAY = 365


def simulate_people(rng, n_people, *, shift=0.0, slope=1.0, is_censored=True):
    """People of whom two in three come twice, with the risk predicted, and what became of them.

    The true risk of the outcome by the day is logit p = shift + slope x logit of that predicted;
    of the others some leave, some are censored before it.
    """
    victim = rng.integers(0, 2 * n_people // 3, n_people)
    trait = rng.normal(size=victim.max() + 1)[victim]
    line = -0.5 + 0.8 * trait + 0.3 * rng.normal(size=n_people)
    true = 1 / (1 + np.exp(-(shift + slope * line)))
    happens = rng.random(n_people) < true
    day = rng.integers(1, DAY + 1, n_people)
    leaves = ~happens & (rng.random(n_people) < 0.2)
    stop = np.where(happens | leaves, day, 3 * DAY)
    cause = np.where(happens, 1, np.where(leaves, 2, 0))
    if is_censored:
        end = rng.integers(1, 3 * DAY, n_people)
        cause, stop = np.where(end < stop, 0, cause), np.minimum(end, stop)
    return 1 / (1 + np.exp(-line)), stop, cause, victim


def count_naively(risk, stop, cause):
    """In the large, area and Brier score by going through people one by one, nobody censored."""
    event = (cause == 1) & (stop <= DAY)
    pairs = [(a > b) + (a == b) / 2 for a in risk[event] for b in risk[~event]]
    brier = np.mean((event - risk) ** 2)
    share = event.mean()
    return share - risk.mean(), np.mean(pairs), brier, 1 - brier / (share * (1 - share))


def test_without_censoring_it_is_what_it_is_for_a_plain_yes_or_no():
    rng = np.random.default_rng(1)
    risk, stop, cause, victim = simulate_people(rng, 300, is_censored=False)
    risk = risk.round(1).clip(0.05, 0.95)  # many are predicted the same
    people = hold_against(risk, stop, cause, DAY, victim)
    found = (
        calibrate_in_the_large(people).value[0],
        discriminate(people).value[0],
        *score_brier(people).value,
    )
    assert found == pytest.approx(count_naively(risk, stop, cause), abs=1e-12)


def test_errors_are_those_of_leaving_each_victim_out():
    rng = np.random.default_rng(2)
    risk, stop, cause, victim = simulate_people(rng, 240)

    def find(kept):
        people = hold_against(risk[kept], stop[kept], cause[kept], DAY, victim[kept])
        parts = [calibrate_in_the_large(people), recalibrate(people, has_slope=True).coefficients,
                 discriminate(people), score_brier(people)]  # fmt: skip
        return np.concatenate([one.value for one in parts]), np.concatenate(
            [one.se for one in parts]
        )

    names = np.unique(victim)
    left = np.array([find(victim != one)[0] for one in names])
    spread = np.sqrt((len(names) - 1) * left.var(axis=0))
    np.testing.assert_allclose(find(np.ones(len(risk), bool))[1], spread, rtol=0.06)


def test_recalibrated_risks_and_intervals_find_the_truth():
    rng, n_studies = np.random.default_rng(3), 200
    shift, slope, at = 0.4, 0.7, np.array([0.2, 0.5, 0.8])
    truth = 1 / (1 + np.exp(-(shift + slope * np.log(at / (1 - at)))))
    held, false_alarms = np.zeros(3), 0
    for _ in range(n_studies):
        people = hold_against(*_arrange(simulate_people(rng, 500, shift=shift, slope=slope)))
        limits = recalibrate(people, has_slope=True).apply(at).interval("logit")
        held += (limits.low < truth) & (truth < limits.high)
        fitting = hold_against(*_arrange(simulate_people(rng, 500)))
        false_alarms += find_misfit(recalibrate(fitting, has_slope=True)) < 0.05
    assert (held / n_studies > 0.92).all()
    assert (held / n_studies < 0.98).all()
    assert 0.02 < false_alarms / n_studies < 0.085


def _arrange(made):
    risk, stop, cause, victim = made
    return risk, stop, cause, DAY, victim


def test_curve_and_groups_follow_what_was_told():
    rng = np.random.default_rng(4)
    people = hold_against(*_arrange(simulate_people(rng, 20_000, shift=-0.5, slope=0.6)))
    at = np.array([0.15, 0.4, 0.7])
    truth = 1 / (1 + np.exp(-(-0.5 + 0.6 * np.log(at / (1 - at)))))
    curve = draw_curve(people, at)
    assert np.abs((curve.observed.value - truth) / curve.observed.se).max() < 3
    true = 1 / (1 + np.exp(-(-0.5 + 0.6 * people.line)))
    assert curve.mean_gap == pytest.approx(np.abs(people.risk - true).mean(), rel=0.1)
    groups = observe_groups(people, 5)
    line = np.log(groups["predicted"] / (1 - groups["predicted"]))
    told = 1 / (1 + np.exp(-(-0.5 + 0.6 * line)))
    assert (np.abs(groups["estimate"] - told) < 3 * groups["se"] + 0.005).all()
    assert groups["n_people"].sum() == 20_000


def test_those_predicted_the_same_are_one_group():
    people = hold_against([0.2] * 30 + [0.6] * 10, [5, 500] * 20, [1, 0] * 20, DAY)
    assert observe_groups(people, 5)["n_people"].tolist() == [30, 10]


@for_each(
    ("risk", "stop", "cause", "reason"),
    [
        ([0.2, 0.3], [9, 500], [2, 0], "no_events"),
        ([0.2, 0.3], [9, 8], [1, 1], "nothing_but_events"),
        ([0.2, 0.3], [9, 50], [1, 0], "beyond_follow_up"),
        ([0.4, 0.4, 0.4], [9, 500, 600], [1, 0, 0], "risks_alike"),
    ],
)
def test_what_cannot_be_told_says_why(risk, stop, cause, reason):
    with pytest.raises(NotEstimableError, match=reason):
        recalibrate(hold_against(risk, stop, cause, DAY), has_slope=True)


def test_a_risk_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        hold_against([1.2], [5], [1], DAY)
