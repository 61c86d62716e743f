"""The Cox model of several places is that of their rows joined, without a row moving."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from revictimisation.disclosure.hazard_ratios import disclose_hazard_ratios, read_moments
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.cox_moments import (
    Moments,
    find_moments,
    pool_moments,
    profile_out,
)
from revictimisation.estimators.design import build_design
from revictimisation.estimators.faults import NotEstimableError

MEASURES = ["order", "shelter"]
TERMS = ["risk", "age"]


def make_place(number: int, n_people: int, rng: np.random.Generator) -> pd.DataFrame:
    """Episodes of a place: two measures that start, two covariates, a hazard of its own."""
    rows = []
    for person in range(n_people):
        risk, age = rng.choice(["low", "middle", "high"]), rng.normal()
        starts = np.where(rng.random(2) < 0.5, rng.integers(1, 80, 2), 999)
        hazard = 0.004 * (1 + number) * np.exp(0.5 * (risk == "high") + 0.2 * age)
        event_day, last_day = 1 + int(rng.exponential(1 / hazard)), int(rng.integers(20, 300))
        stop = min(event_day, last_day)
        cuts = sorted({0, stop, *(int(day) for day in starts if day < stop)})
        rows += [
            {"place": number, "victim": person // 2, "start": begin, "stop": end, "risk": risk,
             "age": age, "is_event": event_day <= last_day and end == stop,
             **{name: int(begin >= day) for name, day in zip(MEASURES, starts, strict=True)}}
            for begin, end in pairwise(cuts)
        ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def places() -> list[pd.DataFrame]:
    rng = np.random.default_rng(18)
    return [make_place(number, n, rng) for number, n in enumerate((120, 60, 200, 90))]


def tell(place: pd.DataFrame, at: dict[str, float] | None = None) -> Moments:
    """What a place tells: its measures, the rest profiled out."""
    design = build_design(place[TERMS], TERMS, measures=place[MEASURES])
    found = find_moments(
        design, place["start"], place["stop"], place["is_event"], cluster=place["victim"], at=at
    )
    return profile_out(found, {*found.names} - {*MEASURES})


def fit_joined(places: list[pd.DataFrame]) -> CoxFit:
    """The rows joined: a stratum and coefficients of its own for each place, measures in common."""
    joined = pd.concat(places, ignore_index=True)
    own = pd.get_dummies(joined["risk"]).drop(columns="low").assign(age=joined["age"])
    columns = {
        f"{name}{number}": own[name] * joined["place"].eq(number)
        for number in range(len(places))
        for name in own
    }
    design = build_design(joined[[]], [], measures={**columns, **joined[MEASURES]})
    victim = joined["place"] * 1000 + joined["victim"]
    return fit_cox(
        design, joined["start"], joined["stop"], joined["is_event"],
        strata=joined["place"], cluster=victim,
    )  # fmt: skip


def ask_until_settled(places: list[pd.DataFrame], n_rounds: int = 6):
    pooled = pool_moments([tell(place) for place in places])
    for _ in range(n_rounds):
        at = dict(zip(pooled.names, pooled.coef, strict=True))
        pooled = pool_moments([tell(place, at) for place in places])
    return pooled


def test_asked_again_it_is_the_model_of_the_joined_rows(places):
    fit, pooled = fit_joined(places), ask_until_settled(places)
    for k, name in enumerate(pooled.names):
        place = fit.names.index(name)
        assert pooled.coef[k] == pytest.approx(fit.coef[place], rel=1e-8)
        assert pooled.se_model[k] == pytest.approx(fit.se_model[place], rel=1e-8)
        assert pooled.se_robust[k] == pytest.approx(fit.se_robust[place], rel=1e-8)
    assert pooled.steps.max() < 1e-8
    assert pooled.n_places.tolist() == [4, 4]


def test_each_round_comes_nearer_and_the_first_is_near_already(places):
    fit = fit_joined(places)
    gaps, at = [], None
    for _ in range(3):
        pooled = pool_moments([tell(place, at) for place in places])
        at = dict(zip(pooled.names, pooled.coef, strict=True))
        known = np.array([fit.coef[fit.names.index(name)] for name in pooled.names])
        gaps.append(float(np.max(np.abs(pooled.coef - known) / pooled.se_model)))
    assert gaps[0] < 0.2
    assert gaps[1] < gaps[0] / 10
    assert gaps[2] < 1e-4


def test_a_place_without_events_while_exposed_is_told_by_its_score(places):
    """Its own estimate is minus infinity; asked at a point it counts as it does in joined rows."""
    odd = places[1].copy()
    odd.loc[odd["shelter"].eq(1), "is_event"] = False
    changed = [places[0], odd, *places[2:]]
    fit, pooled = fit_joined(changed), ask_until_settled(changed, 10)
    known = fit.coef[fit.names.index("shelter")]
    assert pooled.coef[pooled.names.index("shelter")] == pytest.approx(known, rel=1e-7)


def test_one_place_is_its_own_fit(places):
    design = build_design(places[0][TERMS], TERMS, measures=places[0][MEASURES])
    fit = fit_cox(design, places[0]["start"], places[0]["stop"], places[0]["is_event"],
                  cluster=places[0]["victim"])  # fmt: skip
    pooled = pool_moments([tell(places[0])])
    for k, name in enumerate(pooled.names):
        place = fit.names.index(name)
        assert pooled.coef[k] == pytest.approx(fit.coef[place], rel=1e-8)
        assert pooled.se_robust[k] == pytest.approx(fit.se_robust[place], rel=1e-8)


def test_what_is_not_told_anywhere_has_no_answer_and_what_some_tell_has_theirs(places):
    first, second = tell(places[0]), tell(places[2]).take(["order"])
    pooled = pool_moments([first, second])
    assert pooled.n_places.tolist() == [2, 1]
    with pytest.raises(NotEstimableError):
        pool_moments([Moments.empty()])


def test_moments_survive_their_table(places):
    told = tell(places[0])
    again = Moments.from_frame(told.to_frame())
    assert again.names == told.names
    for one, other in zip(vars(told).values(), vars(again).values(), strict=True):
        assert np.array_equal(one, other)
    assert Moments.from_frame(Moments.empty().to_frame()).names == ()


def test_rounded_as_a_release_the_answer_moves_by_little(places):
    fit = fit_joined(places)
    exact = [tell(place) for place in places]
    rounded = [read_moments(*disclose_hazard_ratios(one, MEASURES)) for one in exact]
    before, after = pool_moments(exact), pool_moments(rounded)
    assert np.max(np.abs(before.coef - after.coef) / before.se_model) < 0.1
    assert after.se_robust == pytest.approx(before.se_robust, rel=0.05)
    assert len(fit.names) > len(after.names)


def test_a_measure_that_is_not_told_is_adjusted_for_all_the_same(places):
    exact = tell(places[2])
    ratios, correlations = disclose_hazard_ratios(exact, ["order"])
    assert ratios["measure"].tolist() == ["order"]
    assert correlations.empty
    assert ratios["log_hazard_ratio"].iloc[0] == pytest.approx(exact.at[0], abs=0.0005)
