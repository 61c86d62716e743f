"""The models of the face: lazily imported, faults named with column and rule, plots, the trial."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import revictimisation as rv
from revictimisation.api import plots
from revictimisation.estimators.cox import fit_cox
from revictimisation.estimators.design import build_design
from tests.cases import for_each
from tests.target_trial.test_golden import GOLDEN, GRACE


def test_the_package_alone_loads_nothing_and_each_name_its_own():
    code = (
        "import json, sys, revictimisation as rv; alone = sorted(sys.modules); rv.CoxModel;"
        " print(json.dumps([alone, sorted(sys.modules), rv.__all__, dir(rv)]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    alone, after, public, told = json.loads(answer.stdout)
    assert [name for name in alone if name.startswith("revictimisation")] == ["revictimisation"]
    assert not {"pandas", "numpy", "numba", "importlib.metadata"} & {*alone}
    assert "revictimisation.api.hazards" in after
    assert not {"revictimisation.api.study", "ibis", "matplotlib", "formulaic"} & {*after}
    assert {*public} <= {*told}


def test_every_public_name_is_there_and_no_other():
    assert all(getattr(rv, name).__name__ == name for name in rv.__all__)
    with pytest.raises(AttributeError, match="no attribute 'CoxPHFitter'"):
        rv.CoxPHFitter  # noqa: B018


# ---- faults of the caller ------------------------------------------------------------------------
PEOPLE = pd.DataFrame(
    {
        "id": [1, 2, 3, 4, 5, 6],
        "days": [4, 3, 6, 5, 2, 9],
        "again": [1, 1, 0, 1, 1, 0],
        "cause": [1, 2, 0, 1, 2, 0],
        "age": [20.0, 31.0, 44.0, 23.0, 35.0, 60.0],
        "sex": ["f", "m", "f", None, "m", "f"],
        "weight": [1.0, -1.0, 1.0, 1.0, 1.0, 1.0],
        "start": [0.0, np.nan, 2.0, 1.5, -1.0, np.nan],
    }
)


@for_each(
    ("given", "told"),
    [
        ({"duration_col": "day"}, "no column 'day'; did you mean 'days'?"),
        ({}, "give duration_col, or start_col and stop_col"),
        ({"duration_col": "days", "stop_col": "days"}, "give duration_col, or start_col"),
        ({"duration_col": "days", "event_col": "age"}, "'age': 6 of 6 .* true or false"),
        ({"duration_col": "sex"}, "column 'sex' must hold numbers, not object"),
        ({"start_col": "days", "stop_col": "days"}, "'days': 6 of 6 .* after the day"),
        ({"duration_col": "days", "weights_col": "weight"}, "'weight': 1 of 6 .* position 1"),
        ({"duration_col": "days", "cluster_col": "sex"}, "'sex': 1 of 6 rows must be a label"),
        ({"duration_col": "days", "formula": "sex"}, "'sex': 1 of 6 rows have no value"),
        ({"duration_col": "days", "formula": "agee"}, "formula: .*agee.* The columns: id, days"),
        ({"duration_col": "days", "formula": "again ~ age"}, "the right side alone"),
        ({"duration_col": "days", "formula": "strata(sex)"}, "strata_col"),
        ({"duration_col": "days", "formula": "age +* 2"}, "formula: Operator"),
        ({"duration_col": "days", "formula": "age", "covariates": ["age"]}, "not both"),
        ({"duration_col": "days", "covariates": ["ag"]}, "no column 'ag'; did you mean 'age'"),
        ({"duration_col": "days", "covariates": ["sex"], "splines": {"sex": 3}}, "sex is no num"),
    ],
)
def test_faults_name_the_column_and_the_rule(given, told):
    with pytest.raises(ValueError, match=told):
        rv.CoxModel().fit(PEOPLE, **{"event_col": "again", **given})


def test_all_faults_are_told_at_once_and_no_value():
    with pytest.raises(ValueError) as fault:
        rv.TargetTrial(grace_days=2).fit(
            PEOPLE.assign(cause=[1, 7, 0, 1, 2, 0]), "days", "cause", "start", cluster_col="sex",
            covariates=["age"],
        )  # fmt: skip
    lines = str(fault.value).splitlines()
    assert [line.split("'")[1] for line in lines] == ["cause", "start", "sex"]
    assert "7" not in str(fault.value) and "-1" not in str(fault.value)


def test_what_is_no_frame_or_has_doubled_columns_is_refused():
    with pytest.raises(ValueError, match="data frame is needed, not list"):
        rv.KaplanMeier().fit([1, 2], "days")
    doubled = pd.concat([PEOPLE, PEOPLE[["age"]]], axis=1)
    with pytest.raises(ValueError, match="two columns of the name 'age'"):
        rv.KaplanMeier().fit(doubled, "days")


def test_rows_of_a_person_that_overlap_are_told():
    rows = pd.DataFrame({"who": [1, 2, 1], "from": [0, 0, 4], "to": [5, 5, 9], "again": [1, 0, 1]})
    given = {"id_col": "who", "start_col": "from", "stop_col": "to", "event_col": "again"}
    for model in (rv.PWPModel(), rv.MeanCumulativeCount()):
        with pytest.raises(ValueError, match=r"'from': 1 of 3 .* row before .* position 2"):
            model.fit(rows, **given)
        apart = rows.assign(**{"from": [0, 0, 5], "x": [1, 0, 1]})
        model.fit(apart, **given)


def test_names_of_columns_are_text():
    with pytest.raises(ValueError, match="must be text"):
        rv.KaplanMeier().fit(pd.DataFrame({"days": [1], 2: [3]}), "days")


def test_a_frame_without_rows_has_no_answer():
    nobody = PEOPLE.iloc[:0].assign(sex="")
    for covariates in ({"formula": "age + sex"}, {"covariates": ["age", "sex"]}):
        with pytest.raises(rv.NotEstimableError):
            rv.CoxModel().fit(nobody, "days", "again", **covariates)
    with pytest.raises(rv.NotEstimableError):
        rv.AalenJohansen().fit(nobody, "days", "cause").risks(3)


@for_each(
    "ask",
    [
        lambda: rv.CoxModel().summary(),
        lambda: rv.AalenJohansen().risks(3),
        lambda: rv.TargetTrial(grace_days=1).balance(),
    ],
)
def test_what_is_not_fitted_says_so(ask):
    with pytest.raises(ValueError, match="is not fitted yet"):
        ask()


def test_data_without_an_answer_say_why():
    none = PEOPLE.assign(again=0, start=np.nan)
    with pytest.raises(rv.NotEstimableError, match="no events"):
        rv.CoxModel().fit(none, "days", "again", covariates=["age"])
    with pytest.raises(rv.NotEstimableError, match="nobody_started"):
        rv.TargetTrial(grace_days=1).fit(none, "days", "cause", "start", covariates=[])


def test_the_given_frame_stays_as_it_is():
    before = PEOPLE.copy(deep=True)
    rv.CoxModel().fit(PEOPLE, "days", "again", covariates=["age", "sex"])
    pd.testing.assert_frame_equal(PEOPLE, before)


# ---- covariates ----------------------------------------------------------------------------------
def draw_people(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "days": rng.integers(1, 60, n),
            "again": rng.random(n) < 0.6,
            "helped": rng.integers(0, 2, n),
            "age": rng.integers(18, 70, n),
            "kind": rng.choice(["a", "b", "c"], n),
        }
    )


@for_each(
    "formula",
    ["helped + age + kind", "helped * kind", "kind:helped + age", "center(age) + helped",
     "cr(age, df=4) + C(kind) + helped", "np.log(age) + helped:age", "kind - 1", "1"],
)  # fmt: skip
def test_a_formula_gives_the_matrix_that_formulaic_gives(formula):
    """Evaluated where rows differ, or in full: the same fit as of the full matrix."""
    from formulaic import model_matrix

    people = draw_people()
    model = rv.CoxModel().fit(people, "days", "again", formula=formula)
    matrix = pd.DataFrame(model_matrix(formula, people)).astype(float)
    matrix = matrix.drop(columns="Intercept", errors="ignore")
    assert model.summary().index.tolist() == matrix.columns.tolist()
    plain = build_design(matrix, list(matrix))
    fit = fit_cox(plain, np.zeros(len(people)), people["days"], people["again"])
    assert model.fit_.loglik == pytest.approx(fit.loglik, rel=1e-12)
    if "aliased" not in fit.coef_status:
        ours = model.params_.loc[list(plain.names)]
        np.testing.assert_allclose(ours, fit.coef, rtol=1e-7, atol=1e-10)


def test_columns_come_in_the_order_asked_for():
    model = rv.CoxModel().fit(
        draw_people(), "days", "again", covariates=["helped", "kind", "age"], splines={"age": 4}
    )
    names = ["helped", "kind=b", "kind=c", "age", "age:bend1", "age:bend2"]
    assert model.summary().index.tolist() == names
    assert model.params_.index.tolist() == model.variance_matrix_.columns.tolist() == names
    assert model.check_proportional_hazards().index.tolist() == [*names, "GLOBAL"]
    se = model.summary()["se"]
    np.testing.assert_allclose(np.sqrt(np.diag(model.variance_matrix_)), se, rtol=1e-12)


def test_without_a_choice_all_other_columns_are_covariates():
    people = draw_people()
    every = rv.CoxModel().fit(people, "days", "again", strata_col="kind")
    assert every.summary().index.tolist() == ["helped", "age"]
    with pytest.raises(ValueError, match="not defined with weights"):
        rv.CoxModel().fit(people, "days", "again", weights_col="age").check_proportional_hazards()


def test_strata_of_two_columns_are_their_combinations():
    people = draw_people()
    both = people.assign(both=people["kind"] + people["helped"].astype(str))
    one = rv.CoxModel().fit(both, "days", "again", strata_col="both", covariates=["age"])
    two = rv.CoxModel().fit(
        both, "days", "again", strata_col=["kind", "helped"], covariates=["age"]
    )
    pd.testing.assert_frame_equal(one.summary(), two.summary())


# ---- plots ---------------------------------------------------------------------------------------
def test_plots_are_drawn_on_the_axes_given():
    from matplotlib.figure import Figure

    people = draw_people()
    hazards = rv.CoxModel().fit(people, "days", "again", covariates=["helped", "kind"])
    curve = rv.KaplanMeier().fit(people, "days", "again", group_col="kind")
    trial = fit_trial()
    for model, n_lines in ((hazards, None), (curve, 3), (trial, 2)):
        ax = Figure().subplots()
        assert model.plot(ax=ax) is ax
        if n_lines:
            assert len(ax.get_lines()) == n_lines == len(ax.get_legend().get_texts())
            assert len({line.get_linestyle() for line in ax.get_lines()}) == n_lines
            model.plot(ax=ax, label="again")
            told = [text.get_text() for text in ax.get_legend().get_texts()]
            assert told[n_lines:] == [f"again, {name}" for name in told[:n_lines]]
            looks = [(line.get_color(), line.get_linestyle(), line.get_marker())
                     for line in ax.get_lines()]  # fmt: skip
            assert len({*looks}) == 2 * n_lines
            before, after = looks[:n_lines], looks[n_lines:]
            assert [look[1] for look in before] == [look[1] for look in after]
            assert all(look[2] == mark for some, mark in ((before, ""), (after, "o"))
                       for look in some)  # fmt: skip
            # bands of four curves hide each other: each interval of the last day in their place
            bands = [one for one in ax.collections if one.get_gid() == plots.BAND]
            ends = [one for one in ax.collections if one.get_gid() == plots.END]
            assert not any(one.get_visible() for one in bands)
            assert all(one.get_visible() for one in ends) and len(ends) == 4 * n_lines
    ax = hazards.plot(Figure().subplots(), names=["helped"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["helped"]
    assert ax.get_xscale() == "log"
    with pytest.raises(ValueError, match="no column 'nothing' in the model"):
        hazards.plot(Figure().subplots(), names=["nothing"])


def test_a_curve_is_drawn_through_its_own_numbers():
    from matplotlib.figure import Figure

    curve = rv.AalenJohansen().fit(PEOPLE, "days", "cause")
    (line,) = curve.plot(Figure().subplots(), cause=2).get_lines()
    days = line.get_xdata().astype(int).tolist()
    assert days == [0, 2, 3, 4, 5, 9]
    told = curve.risks(days).query("cause == 2")["estimate"]
    np.testing.assert_array_equal(line.get_ydata(), told)


# ---- curves --------------------------------------------------------------------------------------
def test_days_past_follow_up_have_no_number():
    rows = rv.KaplanMeier().fit(PEOPLE, "days", "again").risks([5, 100])
    assert rows["status"].tolist() == ["ok", "not_estimable"]
    assert rows["reason"].tolist() == ["", "beyond_follow_up"]
    assert rows["estimate"].isna().tolist() == [False, True]
    with pytest.raises(ValueError, match="days must be whole"):
        rv.KaplanMeier().fit(PEOPLE, "days", "again").risks(2.5)


def test_groups_are_as_if_each_were_alone():
    people = draw_people()
    both = rv.KaplanMeier().fit(people, "days", "again", group_col="kind").risks([20, 40])
    alone = rv.KaplanMeier().fit(people[people["kind"] == "b"], "days", "again").risks([20, 40])
    mine = both[both["group"] == "b"].drop(columns="group").reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.drop(columns="group"))
    with pytest.raises(ValueError, match="a contrast needs groups"):
        rv.KaplanMeier().fit(people, "days", "again").contrast(20)


# ---- the target trial ----------------------------------------------------------------------------
def fit_trial(**how) -> rv.TargetTrial:
    """R's case of tests/golden/target_trial, by data frames."""
    people = pd.read_csv(GOLDEN / "people.csv")
    other = people[people["other_day"].notna()]
    changes = pd.DataFrame(
        {"entry": other["entry"], "name": "other", "day": other["other_day"], "value": 1}
    )
    return rv.TargetTrial(grace_days=GRACE, **how).fit(
        people, "stop_day", "cause", "start_day", id_col="entry",
        covariates=["sex", "risk", "earlier"], changes=changes, cut_days=[0, 1, 3],
    )  # fmt: skip


@for_each("law", ["natural_law", "censor_at_end"])
def test_weights_and_risks_equal_r(law):
    trial = fit_trial(grace_law=law)
    weights = pd.read_csv(GOLDEN / "weights.csv").set_index("entry")
    risks = pd.read_csv(GOLDEN / "risks.csv").set_index("time_days")
    stop = pd.read_csv(GOLDEN / "people.csv")["stop_day"]
    for arm, name in (("start", law), ("no_start", "no_start")):
        theirs = weights[weights["arm"].str.strip() == name]
        for day in range(GRACE + 1):
            is_in = (stop > day).to_numpy()
            ours = trial.weights(day)[arm].to_numpy()
            np.testing.assert_allclose(
                ours[is_in], theirs[f"day_{day}"][is_in], rtol=1e-8, atol=1e-12
            )
        theirs = risks[risks["arm"].str.strip() == name]
        for cause, outcome in enumerate(("outcome", "death", "emigration"), start=1):
            ours = trial.risks(theirs.index.tolist(), cause=cause).set_index("time_days")
            mine = ours.loc[ours["estimand"] == f"risk_{arm}", "estimate"]
            np.testing.assert_allclose(mine.loc[theirs.index], theirs[outcome], rtol=1e-8)


@for_each("estimator", ["g_formula", "doubly_robust"])
def test_standardised_risks_equal_r(estimator):
    """R's outcome model has intervals of its own: given to ours as they were fitted there."""
    from revictimisation.estimators.target_trial.outcome_model import fit_outcome_model

    trial = fit_trial(estimator=estimator)
    trial.__dict__["outcome_model_"] = fit_outcome_model(
        trial.weighted_.trial, cut_days=(1, 4, 11, 31), effect_days=(1, 11), period_days=(1,),
        leaving_cut_days=(1, 21),
    )  # fmt: skip
    theirs = pd.read_csv(GOLDEN / "standardised.csv").query("number == 'risk'")
    ours = trial.risks(sorted(set(theirs["time_days"]))).set_index(["estimand", "time_days"])
    with pytest.raises(ValueError, match=f"{estimator} has no cause 2"):
        trial.risks(30, cause=2)
    keys = list(zip("risk_" + theirs["arm"].str.strip(), theirs["time_days"], strict=True))
    np.testing.assert_allclose(ours["estimate"].loc[keys], theirs[estimator], rtol=1e-8)


def test_a_trial_without_confounding_is_two_groups():
    """Everybody starts on day 0 or never, nothing adjusted: the groups' own curves."""
    people = draw_people().assign(cause=lambda p: p["again"].astype(int))
    people["start"] = people["helped"].where(people["helped"] == 1) - 1
    trial = rv.TargetTrial(grace_days=0).fit(people, "days", "cause", "start", covariates=[])
    groups = rv.AalenJohansen().fit(people, "days", "cause", group_col="helped")
    risks = trial.risks([30]).set_index("estimand")["estimate"]
    theirs = groups.risks(30).query("cause == 1").set_index("group")["estimate"]
    assert risks["risk_start"] == pytest.approx(theirs[1], rel=1e-10)
    assert risks["risk_no_start"] == pytest.approx(theirs[0], rel=1e-10)
    gap = trial.contrast(30).set_index("estimand")["estimate"]
    assert gap["risk_difference"] == pytest.approx(theirs[1] - theirs[0], rel=1e-9)


def test_what_stands_behind_a_trial():
    trial = fit_trial()
    checks = trial.diagnostics([30]).set_index(["check", "arm", "time_days"])
    assert checks.loc[("n_events", "start", 30), "limit"] == 10.0
    assert checks.loc[("largest_disagreement", "", 30), "status"] == "ok"
    strict = fit_trial(gates={"effective_sample_size": 1e6})
    failed = strict.diagnostics(30).query("status == 'failed'")
    assert failed["check"].tolist() == ["effective_sample_size"] * 2
    balance = trial.balance()
    assert set(balance["time_days"]) == {0, GRACE}
    assert {"sex=male", "earlier"} <= set(balance["column"])
    assert trial.positivity().loc[0, "n_started"] == trial.weighted_.trial.is_started.sum()
    stable = trial.weights(stabilised=True)
    assert stable.loc[stable["start"] > 0, "start"].mean() == pytest.approx(1, abs=0.1)


def test_what_fails_a_gate_is_withheld_by_the_first_that_fails():
    loose = fit_trial().contrast(30)
    assert set(loose["status"]) == {"ok"}
    strict = fit_trial(gates={"events_per_arm": 1e6, "effective_sample_size": 1e6})
    rows = strict.contrast(30)
    assert set(rows["status"]) == {"withheld"} and set(rows["reason"]) == {"few_events"}
    np.testing.assert_array_equal(rows["estimate"], loose["estimate"])
    assert "withheld" in strict.plot().get_legend().get_texts()[0].get_text()
    failed = fit_trial(gates={"effective_sample_size": 1e6}).risks(30)
    assert set(failed["reason"]) == {"effective_sample_size"}
    # a cap changes the number, not what is judged
    capped = fit_trial(cap_quantile=0.9)
    assert (capped.contrast(30)["estimate"] != loose["estimate"]).all()
    pd.testing.assert_frame_equal(capped.diagnostics(30), fit_trial().diagnostics(30))
    with pytest.raises(ValueError, match="did you mean events_per_arm"):
        fit_trial(gates={"event_per_arm": 5})


def test_a_number_needed_to_treat_runs_through_infinity_in_words():
    """Altman's own: 10.0 % against 4.8 % of 105 (BMJ 1998;317:1309), and his unclear one."""
    from revictimisation.estimators.target_trial.number_needed import (
        describe_interval,
        invert_difference,
    )

    rows = invert_difference([-0.0525, -0.1], [0.0, 0.0], [-0.1220, -0.25], [0.0170, -0.05])
    told = describe_interval(rows.assign(estimand="number_needed_to_treat"))
    assert told == ["NNTB 8.2 to infinity to NNTH 58.8", "NNTB 4 to 20"]
    rows = fit_trial().contrast(30).set_index("estimand")
    gap, needed = rows.loc["risk_difference"], rows.loc["number_needed_to_treat"]
    assert ("infinity" in needed["interval"]) == (gap["ci_low"] < 0 < gap["ci_high"])
    assert gap["interval"] == f"{gap['ci_low']:.3g} to {gap['ci_high']:.3g}"


def test_a_change_of_a_risk_at_an_edge_has_no_error():
    people = draw_people().assign(start=lambda p: p["helped"].where(p["helped"] == 1) - 1)
    people["who"] = np.arange(len(people))
    given = {"treatment_day_col": "start", "cluster_col": "who", "covariates": []}
    cause = people["again"].astype(int)
    usual, edge = (
        rv.TargetTrial(grace_days=0).fit(people.assign(cause=one), "days", "cause", **given)
        for one in (cause, cause.where(people["helped"] == 0, 0))
    )
    rows = usual.compare(edge, [30]).set_index("estimand")
    assert rows["se"].isna().tolist() == [True, False, True]
    assert rows.loc["risk_start", "there"] == 0 and (rows["status"] == "withheld").all()


def test_the_bootstrap_is_the_seeds():
    one, same, other = (fit_trial(n_bootstrap=20, seed=seed).contrast(30) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    plain = fit_trial().contrast(30)
    np.testing.assert_allclose(one["estimate"], plain["estimate"])
    assert (one["se"] != other["se"]).all() and (one["se"] != plain["se"]).all()
    assert "share_failed_replicates" in set(fit_trial(n_bootstrap=20).diagnostics(30)["check"])


@for_each(
    ("how", "told"),
    [
        ({"estimator": "weights"}, "estimator is one of clone_censor_weight, g_formula"),
        ({"estimator": "g_formula", "n_bootstrap": 9}, "are of clone_censor_weight"),
        ({"n_bootstrap": 1}, "n_bootstrap is 0, or 2 and more"),
        ({"grace_law": "law"}, "grace_law is censor_at_end or natural_law"),
        ({"cap_quantile": 2.0}, "cap_quantile must be between 0 and 1"),
    ],
)
def test_what_a_trial_does_not_take(how, told):
    with pytest.raises(ValueError, match=told):
        fit_trial(**how)
    changes = pd.DataFrame({"id": [1, 9], "name": "x", "day": 0, "value": 1.0})
    good = PEOPLE.assign(start=[0, None, 2, 1, None, None])
    trial = rv.TargetTrial(grace_days=2)
    with pytest.raises(ValueError, match="changes: 1 rows of people who are not in the frame"):
        trial.fit(good, "days", "cause", "start", id_col="id", covariates=[], changes=changes)
    with pytest.raises(ValueError, match="name what is known on day 0: formula or covariates"):
        trial.fit(good, "days", "cause", "start")
    with pytest.raises(ValueError, match="changes need id_col"):
        trial.fit(good, "days", "cause", "start", covariates=[], changes=changes)
