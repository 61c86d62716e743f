"""The Cox model against its definition, and what must not matter."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from revictimisation.estimators import cox, kernels, newton
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design, design_from_array
from revictimisation.estimators.faults import NotEstimableError
from tests.cases import for_each
from tests.estimators.cox_oracle import evaluate_cox


def make_episodes(seed: int, n_people: int = 40, n_days: int = 12) -> pd.DataFrame:
    """Random episodes with late entry, gaps, recurrent events and many ties; shuffled."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n_people):
        cuts = np.sort(rng.choice(n_days + 1, size=rng.integers(2, 5), replace=False))
        age, site = rng.normal(40, 12), rng.integers(3)
        for start, stop in pairwise(cuts):
            if rng.random() < 0.9:
                rows.append(
                    (person, start, stop, rng.random() < 0.35, rng.random() < 0.4, age, site)
                )
    columns = ["person", "start", "stop", "is_event", "treated", "age", "site"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["weight"] = rng.uniform(0.2, 3, len(frame))
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def fit(frame: pd.DataFrame, **options):
    design = build_design(frame, ["age"], measures={"treated": frame["treated"]})
    columns = {"strata": "site", "weights": "weight", "cluster": "person"} | options
    given = {key: frame[name] for key, name in columns.items() if name}
    return fit_cox(design, frame["start"], frame["stop"], frame["is_event"], **given)


def assert_same(one, other, *names: str, rtol: float = 1e-8):
    for name in names or ("coef", "se_model", "se_robust", "loglik_null", "loglik"):
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=rtol, err_msg=name
        )


@for_each("strata", [None, "site"])
@for_each("weights", [None, "weight"])
@settings(max_examples=12)
@given(seed=st.integers(0, 10_000))
def test_estimate_solves_the_definition(seed, strata, weights):
    frame = make_episodes(seed)
    fitted = fit(frame, strata=strata, weights=weights)
    assume(set(fitted.coef_status) == {"ok"})
    x = frame[["age", "treated"]].to_numpy(dtype=float)
    episodes = (
        x,
        frame["start"].to_numpy(),
        frame["stop"].to_numpy(),
        frame["is_event"].to_numpy(),
    )
    given = (frame[strata] if strata else None, frame[weights] if weights else None)
    at_zero = evaluate_cox(*episodes, np.zeros(2), *given)
    there = evaluate_cox(*episodes, fitted.coef, *given)
    inverse = np.linalg.inv(there.info)
    np.testing.assert_allclose(inverse @ there.score, 0, atol=1e-8)
    np.testing.assert_allclose(fitted.vcov_model, inverse, rtol=1e-7)
    by_person = pd.DataFrame(there.residuals @ inverse).groupby(frame["person"]).sum().to_numpy()
    np.testing.assert_allclose(fitted.vcov_robust, by_person.T @ by_person, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(
        [fitted.loglik_null, fitted.loglik], [at_zero.loglik, there.loglik], rtol=1e-9
    )


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_splitting_episodes_changes_nothing(seed):
    frame = make_episodes(seed)
    long = frame["stop"] - frame["start"] > 1
    middle = frame["start"] + 1
    first = frame[long].assign(stop=middle[long], is_event=False)
    rest = frame.assign(start=frame["start"].where(~long, middle))
    split = pd.concat([first, rest]).sort_values(["person", "start"], ignore_index=True)
    assert len(split) > len(frame)
    assert_same(fit(split), fit(frame))


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), shift=st.integers(-5, 1000), factor=st.integers(1, 7))
def test_order_units_and_labels_change_nothing(seed, shift, factor):
    frame = make_episodes(seed)
    moved = frame.sample(frac=1, random_state=seed + 1).assign(
        start=lambda t: t["start"] * factor + shift,
        stop=lambda t: t["stop"] * factor + shift,
        site=lambda t: t["site"].map({0: "z", 1: "a", 2: "k"}),
        person=lambda t: "p" + t["person"].astype(str),
    )
    assert_same(fit(moved), fit(frame))


def test_units_of_numbers_change_only_their_coefficient():
    frame = make_episodes(3)
    thousand = fit(frame.assign(age=1000 * frame["age"] + 1e6))
    plain = fit(frame)
    np.testing.assert_allclose(thousand.coef * [1000, 1], plain.coef, rtol=1e-8)
    np.testing.assert_allclose(thousand.se_robust * [1000, 1], plain.se_robust, rtol=1e-8)


def test_weights_scale_the_information_and_leave_the_rest():
    frame = make_episodes(4)
    plain, thrice = fit(frame), fit(frame.assign(weight=3 * frame["weight"]))
    assert_same(plain, thrice, "coef", "se_robust")
    np.testing.assert_allclose(thrice.se_model * np.sqrt(3), plain.se_model, rtol=1e-8)


def test_weight_two_is_a_doubled_row_only_without_events():
    """Efron's tied events leave one by one, so doubling an event is not the same as weight 2."""
    frame = make_episodes(5).assign(weight=1.0)

    def both(chosen):
        heavy = fit(frame.assign(weight=np.where(chosen, 2.0, 1.0)))
        return heavy, fit(pd.concat([frame, frame[chosen]], ignore_index=True))

    assert_same(*both(~frame["is_event"]), "coef", "se_model", "se_robust")
    heavy, doubled = both(frame["is_event"])
    assert abs(heavy.coef - doubled.coef).max() > 1e-4


def test_weight_zero_is_no_row():
    frame = make_episodes(6)
    out = frame.index % 5 == 0
    zero, without = fit(frame.assign(weight=frame["weight"].where(~out, 0))), fit(frame[~out])
    assert_same(zero, without)
    assert (zero.n_rows, zero.n_events) == ((~out).sum(), frame["is_event"][~out].sum())


def test_strata_have_hazards_of_their_own():
    """Likelihoods of strata add up: at the joint estimate the separate ones sum to it."""
    frame = make_episodes(7, n_people=120)
    joint = fit(frame)
    x = frame[["age", "treated"]].to_numpy(dtype=float)
    parts = []
    for _, part in frame.groupby("site"):
        columns = (part[name].to_numpy() for name in ("start", "stop", "is_event"))
        answer = evaluate_cox(x[part.index], *columns, joint.coef, None, part["weight"])
        parts.append(answer.loglik)
    assert np.isclose(sum(parts), joint.loglik, rtol=1e-10)
    assert not np.allclose(joint.coef, fit(frame, strata=None).coef, rtol=1e-3)


def test_at_risk_is_after_start_up_to_stop():
    """Who enters on the event day is not at risk there; who leaves on it is."""
    x = [[1.0], [0.0], [1.0], [0.0]]
    episodes = ([0, 0, 3, 0], [3, 3, 9, 9], [True, False, False, True])
    fitted = fit_cox(design_from_array(x, ["x"]), *episodes)
    # day 3: at risk rows 1, 2, 4; day 9: rows 3, 4
    assert np.isclose(fitted.loglik_null, -np.log(3) - np.log(2))


def test_no_covariates_is_legal():
    frame = make_episodes(8)
    design = build_design(frame, [])
    fitted = fit_cox(
        design, frame["start"], frame["stop"], frame["is_event"], cluster=frame["person"]
    )
    assert fitted.names == () and fitted.is_converged
    assert fitted.loglik == fitted.loglik_null < 0
    assert fitted.se_robust.shape == (0,)


def fit_columns(frame: pd.DataFrame, columns: dict):
    design = design_from_array(np.column_stack(list(columns.values())), list(columns))
    episodes = (frame["start"], frame["stop"], frame["is_event"])
    return fit_cox(design, *episodes, cluster=frame["person"])


def test_columns_that_depend_on_earlier_ones_are_aliased():
    frame = make_episodes(9)
    site = pd.get_dummies(frame["site"], dtype=float)
    columns = {"a": site[0], "b": site[1], "c": site[2], "age": frame["age"]}
    fitted = fit_columns(frame, columns)
    assert fitted.coef_status == ("ok", "ok", "aliased", "ok")
    assert fitted.aliases == {"c": ("a", "b")}
    assert np.isnan(fitted.coef[2]) and np.isnan(fitted.se_robust[2])
    without = fit_columns(frame, {name: columns[name] for name in ("a", "b", "age")})
    np.testing.assert_allclose(fitted.coef[[0, 1, 3]], without.coef)
    np.testing.assert_allclose(fitted.se_robust[[0, 1, 3]], without.se_robust)


@for_each("value, sign", [(0, -1), (1, 1)])
def test_coefficient_without_end_is_marked_and_spoils_nothing(value, sign):
    """Exposed with no events: the limit is the fit without them. All events exposed: likewise."""
    frame = make_episodes(10, n_people=200)
    rng = np.random.default_rng(1)
    exposed = np.where(frame["is_event"], value, rng.random(len(frame)) < 0.3).astype(float)
    columns = {"age": frame["age"], "exposed": exposed, "treated": frame["treated"].astype(float)}
    fitted = fit_columns(frame, columns)
    assert fitted.coef_status == ("ok", "infinite", "ok")
    assert fitted.coef[1] == sign * np.inf and np.isnan(fitted.se_robust[1])
    kept = exposed == (1 if sign > 0 else 0)
    del columns["exposed"]
    limit = fit_columns(frame[kept], {name: column[kept] for name, column in columns.items()})
    np.testing.assert_allclose(fitted.coef[[0, 2]], limit.coef, rtol=1e-6)
    np.testing.assert_allclose(fitted.se_model[[0, 2]], limit.se_model, rtol=1e-6)
    np.testing.assert_allclose(fitted.se_robust[[0, 2]], limit.se_robust, rtol=1e-6)


def test_reference_category_without_events_leaves_the_others_right():
    frame = make_episodes(11, n_people=200)
    group = np.where(frame["is_event"], frame["site"] % 2 + 1, frame["site"])
    columns = {
        "group=1": (group == 1).astype(float),
        "group=2": (group == 2).astype(float),
        "treated": frame["treated"].astype(float),
    }
    fitted = fit_columns(frame, columns)
    assert fitted.coef_status == ("infinite", "infinite", "ok")
    kept = group > 0
    names = ("group=2", "treated")
    limit = fit_columns(frame[kept], {name: columns[name][kept] for name in names})
    assert np.isclose(fitted.coef[2], limit.coef[1], rtol=1e-6)
    assert np.isclose(fitted.se_robust[2], limit.se_robust[1], rtol=1e-6)


def test_shared_covariates_equal_repeated_ones():
    """Covariates per person with an index give what a row per episode gives."""
    frame = make_episodes(12)
    people = frame.groupby("person")[["age"]].first()
    rows = people.index.get_indexer(frame["person"])
    design = build_design(people, ["age"], rows, measures={"treated": frame["treated"]})
    episodes = (frame["start"], frame["stop"], frame["is_event"])
    shared = fit_cox(design, *episodes, cluster=frame["person"])
    assert_same(shared, fit(frame, strata=None, weights=None))


def test_table_of_coefficients_uses_robust_errors():
    table = fit(make_episodes(13)).to_frame()
    np.testing.assert_allclose(
        table["ci_high"] - table["coef"], 1.959964 * table["se_robust"], rtol=1e-6
    )
    plain = fit(make_episodes(13), cluster=None).to_frame()
    np.testing.assert_allclose(
        plain["ci_high"] - plain["coef"], 1.959964 * plain["se_model"], rtol=1e-6
    )


@for_each(
    ("change", "message"),
    [
        ({"stop": lambda t: t["start"]}, "do not end after their start"),
        ({"start": lambda t: t["start"] + 0.5}, "whole days"),
        ({"weight": lambda t: -t["weight"]}, "weights"),
        ({"person": lambda t: None}, "cluster has missing labels"),
        ({"site": lambda t: np.nan}, "strata has missing labels"),
    ],
)
def test_wrong_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        fit(make_episodes(14).assign(**change))


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="stop has 1 values for 2 episodes"):
        fit_cox(design_from_array([[0.0], [1.0]], ["x"]), [0, 0], [1], [1, 1])


@for_each(
    ("change", "message"), [({"is_event": False}, "no events"), ({"weight": 0.0}, "no episodes")]
)
def test_data_without_an_answer_say_so(change, message):
    with pytest.raises(NotEstimableError, match=message):
        fit(make_episodes(15).assign(**change))


def test_loops_run_on_one_thread():
    """So that the same input gives the same bytes on any machine."""
    compiled = [f for f in vars(kernels).values() if hasattr(f, "targetoptions")]
    assert len(compiled) > 5
    assert not any(
        f.targetoptions.get("parallel") or f.targetoptions.get("fastmath") for f in compiled
    )


def test_same_input_same_bytes():
    one, other = (fit(make_episodes(16)) for _ in range(2))
    for field in dataclasses.fields(one):
        first, second = getattr(one, field.name), getattr(other, field.name)
        same = first.tobytes() == second.tobytes() if hasattr(first, "tobytes") else first == second
        assert same, field.name


def test_a_start_from_a_sample_ends_in_the_same_place(monkeypatch):
    frame = make_episodes(17, n_people=1000)
    from_zero = fit(frame)
    monkeypatch.setattr(newton, "LARGE_ROWS", 100)
    monkeypatch.setattr(newton, "SAMPLE_EVERY", 3)
    from_sample = fit(frame)
    assert_same(from_sample, from_zero)
    assert from_sample.coef.tobytes() != from_zero.coef.tobytes(), "the sample was not used"


def test_a_sample_that_can_tell_nothing_does_no_harm(monkeypatch):
    """In the sample (the first 64 rows) nobody is exposed, or there are no events."""
    frame = make_episodes(18, n_people=60)
    monkeypatch.setattr(newton, "LARGE_ROWS", 100)
    for changed in (frame.assign(treated=False), frame.assign(is_event=False)):
        some = frame.copy()
        some.iloc[:64] = changed.iloc[:64]
        assert_same(fit(some), fit(some.iloc[::-1]))


def test_loops_are_compiled_once_whatever_the_input_looks_like():
    """Strided, read-only or of another type: nobody should wait for the compiler twice."""
    frame = make_episodes(19)
    design = build_design(frame, ["age"], measures={"treated": frame["treated"]})
    columns = frame[["start", "stop", "is_event", "person", "weight"]].to_numpy(dtype=float)
    columns.flags.writeable = False
    start, stop, is_event, person, weight = columns.T
    compiled = {name: f for name, f in vars(kernels).items() if hasattr(f, "signatures")}
    usual = fit(frame, strata=None)
    before = {name: len(f.signatures) for name, f in compiled.items()}  # other tests' among them
    odd = fit_cox(design, start, stop, is_event, cluster=person, weights=weight)
    assert_same(odd, usual)
    assert sum(before.values()) > 0
    assert {name: len(f.signatures) for name, f in compiled.items()} == before


def test_a_hazard_beyond_all_numbers_leaves_no_robust_error(monkeypatch):
    """Found by the fuzz (mutant 235): coefficients ran off together and a sum overflowed."""

    def run_away(data):
        search = newton.maximise(data)
        table = search.state.table.copy()
        table[:, 2] = np.inf
        return search._replace(state=search.state._replace(table=table))

    frame = make_episodes(1)
    usual = fit(frame)
    monkeypatch.setattr(cox, "maximise", run_away)
    with np.errstate(invalid="raise"):
        found = fit(frame)
    assert np.isfinite(usual.se_robust).all() and np.isnan(found.se_robust).all()
    assert found.n_clusters == usual.n_clusters
