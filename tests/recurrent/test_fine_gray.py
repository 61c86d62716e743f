"""Fine and Gray's model: weights by definition, where it is plain Cox, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design
from revictimisation.estimators.faults import NotEstimableError
from revictimisation.estimators.fine_gray import (
    expand_competing,
    fit_cause_specific,
    fit_fine_gray,
)
from revictimisation.estimators.influence import check_rows

SEEDS = st.integers(0, 10_000)


def make_people(seed: int, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "stop": rng.integers(1, 12, n),
            "cause": rng.integers(0, 4, n),
            "weight": rng.integers(0, 4, n).astype(float),
            "age": rng.normal(size=n).round(2),
            "is_treated": rng.integers(0, 2, n),
            "family": rng.integers(0, n // 2, n),
        }
    )


def design_of(people: pd.DataFrame):
    return build_design(people, ["age"], measures=people[["is_treated"]])


def naive_weights(people: pd.DataFrame, day: int) -> list[float]:
    """Everyone's on a day, from the definition: 0 where no longer at risk."""
    persons = list(zip(people["stop"], people["cause"], people["weight"], strict=True))

    def stay(before: int) -> float:
        """Share of those there on a day, its events gone, who are not censored on it."""
        leave = sum(w for stop, cause, w in persons if stop == before and cause == 0)
        return 1 - leave / (leave + sum(w for stop, _, w in persons if stop > before or not leave))

    def weight_of(stop: int, cause: int, weight: float) -> float:
        if day <= stop:
            return weight
        return 0.0 if cause in (0, 1) else weight * np.prod([stay(d) for d in range(stop, day)])

    return [weight_of(*person) for person in persons]


@settings(max_examples=15)
@given(seed=SEEDS)
def test_weights_are_the_definition(seed):
    people = make_people(seed, 30)
    rows = check_rows(people["stop"], people["cause"], people["weight"], None, None)
    expanded = expand_competing(rows, 1)
    is_event = (people["cause"] == 1) & (people["weight"] > 0)
    for day in np.unique(people["stop"][is_event]):
        place = day - rows.origin
        is_there = (expanded.start < place) & (place <= expanded.stop)
        ours = np.bincount(expanded.row[is_there], expanded.weight[is_there], len(people))
        np.testing.assert_allclose(ours, naive_weights(people, int(day)), atol=1e-12)
        assert np.bincount(expanded.row[is_there]).max() == 1


@settings(max_examples=15)
@given(seed=SEEDS)
def test_without_censoring_the_competing_just_stay(seed):
    people = make_people(seed).assign(weight=1.0)
    people["cause"] = people["cause"].clip(lower=1)
    cluster = people["family"]
    ours = fit_fine_gray(design_of(people), people["stop"], people["cause"], cluster=cluster)
    stop = people["stop"].where(people["cause"] == 1, 99)
    is_event = people["cause"] == 1
    stay = fit_cox(design_of(people), np.zeros(len(people)), stop, is_event, cluster=cluster)
    np.testing.assert_allclose(ours.coef, stay.coef, rtol=1e-9)
    np.testing.assert_allclose(ours.se_robust, stay.se_robust, rtol=1e-9)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_without_competing_events_both_hazards_are_the_same(seed):
    people = make_people(seed)
    people["cause"] = (people["cause"] == 1).astype(int)
    given = (design_of(people), people["stop"], people["cause"])
    pd.testing.assert_frame_equal(*(
        fit(*given, weights=people["weight"], cluster=people["family"]).to_frame()
        for fit in (fit_cause_specific, fit_fine_gray)
    ))  # fmt: skip


@settings(max_examples=10)
@given(seed=SEEDS)
def test_order_and_the_scale_of_weights_change_nothing(seed):
    people = make_people(seed)
    mixed = people.sample(frac=1, random_state=seed).reset_index(drop=True)
    fits = [
        fit_fine_gray(
            design_of(t), t["stop"], t["cause"], weights=t["weight"] * k, cluster=t["family"]
        )
        for t, k in ((people, 1), (mixed, 2.5))
    ]
    np.testing.assert_allclose(fits[0].coef, fits[1].coef, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(fits[0].se_robust, fits[1].se_robust, rtol=1e-7)


def test_a_cause_that_takes_people_away_splits_the_hazards():
    """Treated die more; that lowers their subdistribution hazard, not the cause-specific one."""
    rng = np.random.default_rng(1)
    treated = rng.integers(0, 2, 4000)
    outcome, death = rng.exponential(50, 4000), rng.exponential(np.where(treated, 15, 150))
    time = np.minimum(np.minimum(outcome, death), 60)
    cause = np.where(time == 60, 0, np.where(outcome < death, 1, 2))
    people = pd.DataFrame({"is_treated": treated})
    given = (build_design(people, [], measures=people), np.ceil(time), cause)
    alone, competing = (
        fit(*given).to_frame().loc[0] for fit in (fit_cause_specific, fit_fine_gray)
    )
    assert abs(alone["coef"]) < 3 * alone["se_robust"]
    assert competing["ci_high"] < -0.4


def test_cause_specific_is_cox_with_the_others_censored():
    people = make_people(7)
    ours = fit_cause_specific(design_of(people), people["stop"], people["cause"], of_cause=2)
    plain = fit_cox(design_of(people), np.zeros(60), people["stop"], people["cause"] == 2)
    np.testing.assert_allclose(ours.coef, plain.coef, rtol=1e-10)


def test_each_row_is_a_cluster_by_default():
    people = make_people(7)
    given = (design_of(people), people["stop"], people["cause"])
    alone = fit_fine_gray(*given)
    named = fit_fine_gray(*given, cluster=[f"person {k}" for k in range(60)])
    assert alone.n_clusters == 60
    np.testing.assert_allclose(alone.se_robust, named.se_robust)


def test_wrong_input_is_refused():
    people = make_people(7)
    with pytest.raises(ValueError, match="60 people"):
        fit_fine_gray(design_of(people), people["stop"][:9], people["cause"][:9])
    with pytest.raises(ValueError, match="cluster"):
        fit_fine_gray(design_of(people), people["stop"], people["cause"], cluster=[1, 2])
    with pytest.raises(NotEstimableError, match="no events"):
        fit_fine_gray(design_of(people), people["stop"], people["cause"], of_cause=9)
    with pytest.raises(NotEstimableError):
        fit_fine_gray(design_of(people), people["stop"], people["cause"], weights=np.zeros(60))
