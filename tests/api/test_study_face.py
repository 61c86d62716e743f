"""A study at the bench: what the commands give, and what it gives when it is changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import revictimisation as rv
from revictimisation.analyses.analysis import Found
from revictimisation.api import study as study_face
from revictimisation.api.study import LINKAGE
from revictimisation.commands import folders
from revictimisation.core.errors import StudyError, UsageError
from revictimisation.core.results import KEYS
from revictimisation.estimators.target_trial.bootstrap import bootstrap_arms
from tests.cases import for_each


@pytest.fixture(scope="module")
def rossi_study(rossi) -> rv.Study:
    return rv.open_study(rossi[0], data=rossi[1])


@pytest.fixture(scope="module")
def county_study(county) -> rv.Study:
    return rv.open_study(str(county[0]), data=str(county[1]))


def read_restricted(out, name: str) -> pd.DataFrame:
    return pd.read_parquet(out / "restricted" / f"{name}.parquet")


def test_estimates_are_those_of_the_command(rossi_study, rossi):
    for table, ours in (
        ("estimates", rossi_study.estimates), ("diagnostics", rossi_study.diagnostics),
    ):  # fmt: skip
        theirs = read_restricted(rossi[2], table)
        pd.testing.assert_frame_equal(
            ours.reset_index(drop=True), theirs.iloc[: len(ours)], check_exact=True
        )
    assert len(rossi_study.estimates) == len(read_restricted(rossi[2], "estimates"))


@for_each("name", ["rossi", "county"])
def test_attrition_is_that_of_the_command(request, name):
    study, out = request.getfixturevalue(f"{name}_study"), request.getfixturevalue(name)[2]
    attrition = read_restricted(out, "attrition")
    pd.testing.assert_frame_equal(study.attrition, attrition[study.attrition.columns])


def test_some_analyses_alone_are_as_in_all_of_the_command(county_study, county):
    alone = county_study.estimate("target_trials", "hazard_ratios").set_index(list(KEYS))
    every = read_restricted(county[2], "estimates").set_index(list(KEYS))
    assert {"clone_censor_weight", "cox_time_varying"} <= set(alone.index.unique("estimator"))
    assert 0 < len(alone) < len(every)
    pd.testing.assert_frame_equal(alone, every.loc[alone.index])
    with pytest.raises(ValueError, match=r"no analysis 'target_trial': .*measure_use"):
        county_study.estimate("target_trial")
    one = county_study.estimate("hazard_ratios", measure="joint", analysis="main")
    assert set(one["measure"]) == {"joint"} and set(one["analysis"]) == {"main"}
    with pytest.raises(ValueError, match=r"measure is never 'join' here, but: .*'joint'"):
        county_study.estimate("hazard_ratios", measure="join")
    with pytest.raises(ValueError, match="no key 'measures' of estimates: question"):
        county_study.estimate("hazard_ratios", measures="joint")


def test_the_models_give_the_study_numbers_from_its_own_frames(rossi_study, rossi):
    """The published Cox model of Rossi's data, and the study's own, by the data frame."""
    rows = rossi_study.first_episodes.merge(rossi_study.covariates, on="entry_id")
    names = [*rossi_study.plan.measure_names, *rossi_study.plan.adjust_for]
    model = rv.CoxModel().fit(
        rows, event_col="is_event", start_col="start_day", stop_col="stop_day",
        cluster_col="entry_id", formula=" + ".join(names),
    )  # fmt: skip
    published = pd.read_csv(rossi[0].parent / "expected.csv").set_index("measure")
    table = model.summary().loc[published.index]
    np.testing.assert_allclose(table["coef"], published["value"], atol=1e-6)
    np.testing.assert_allclose(table["se"], published["se"], atol=1e-6)
    theirs = read_restricted(rossi[2], "estimates").query(
        "estimator == 'cox_time_varying' and analysis == 'main' and subgroup == ''"
        " and estimand == 'log_hazard_ratio'"
    )
    own = theirs.set_index("measure").loc[published.index]
    np.testing.assert_allclose(table[["coef", "se"]], own[["estimate", "se"]], rtol=1e-9)


@for_each("estimator", ["clone_censor_weight", "g_formula", "doubly_robust"])
def test_a_measures_trial_gives_the_study_numbers(rossi_study, rossi, estimator):
    trial = rossi_study.target_trial("employment", estimator)
    theirs = read_restricted(rossi[2], "estimates").query(
        "estimator == @estimator and analysis == 'main' and measure == 'employment'"
        " and outcome == 'same_suspect'"
        " and time_days == 182 and subgroup == ''"
    )
    ours = trial.summary(182)
    theirs = theirs.set_index("estimand").loc[ours.index]
    for column in ("estimate", "ci_low", "ci_high", "se"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-9)
    assert trial.weights().index.name == "entry_id"
    with pytest.raises(ValueError, match="did you mean 'employment'"):
        rossi_study.target_trial("employmen")


def hold_against(study: rv.Study, theirs: pd.DataFrame, estimators: list[str]) -> set[str]:
    """Statuses and reasons of each measure's trial against the study's own; the statuses."""
    seen, keys = set(), ["estimand", "time_days"]
    causes = dict(enumerate((study.plan.outcome.who, "death", "emigration"), start=1))
    theirs = theirs.query("analysis == 'main' and question == 'q2' and subgroup == ''")
    for measure in study.plan.measures:
        for estimator in estimators:
            own = theirs.query("measure == @measure and estimator == @estimator")
            own = own[~own["estimand"].str.startswith("e_value")]
            assert len(own)
            try:
                trial = study.target_trial(measure, estimator)
            except rv.NotEstimableError as fault:
                assert set(own["status"]) == {"not_estimable"}
                assert set(own["reason"]) == {str(fault)}
                continue
            for cause, outcome in causes.items():
                wanted = own.loc[own["outcome"] == outcome, [*keys, "status", "reason"]]
                if wanted.empty:
                    continue
                days = [int(day) for day in wanted["time_days"].unique()]
                ours = pd.concat([ask(days, cause=cause) for ask in (trial.risks, trial.contrast)])
                both = ours.merge(wanted, on=keys, suffixes=("", "_theirs"))
                assert len(both) == len(ours)
                for name in ("status", "reason"):
                    assert both[name].tolist() == both[f"{name}_theirs"].tolist()
                seen |= {*ours["status"]}
    return seen


def test_a_trial_has_the_status_and_the_reason_that_the_study_gives(
    county_study, county, rossi_study, rossi
):
    every = ["clone_censor_weight", "g_formula", "doubly_robust"]
    small = hold_against(county_study, read_restricted(county[2], "estimates"), every)
    told = hold_against(rossi_study, read_restricted(rossi[2], "estimates"), every)
    assert "withheld" in small and {"ok", "withheld"} <= told


def test_negative_controls_hold_back_a_measures_trial(rossi_study, monkeypatch):
    row = {"check": "negative_control_difference", "value": 0.1, "limit": 0.02}
    checks = pd.DataFrame([{"analysis": "", "measure": "employment", **row, "status": "failed"}])
    monkeypatch.setattr(study_face, "judge_control", lambda data, measure: Found(None, checks))
    trial = rossi_study.with_().target_trial("employment", "g_formula")
    rows = trial.contrast(182)
    assert set(rows["status"]) == {"withheld"} and set(rows["reason"]) == {row["check"]}
    assert trial.diagnostics(182).iloc[-1]["check"] == row["check"]


def test_what_a_law_or_a_horizon_leaves_out_is_said_as_in_the_study(rossi_study):
    other = rossi_study.with_(weights={"grace_law": "censor_at_end"}, horizon_days=200)
    with pytest.raises(rv.NotEstimableError, match=r"^other_grace_law$"):
        other.target_trial("employment", "g_formula")
    short = other.with_(weights={"grace_law": "natural_law"}, report_at_days=[182])
    late = short.target_trial("employment", "g_formula").contrast(364)
    assert set(late["reason"]) == {"beyond_horizon"} and late["estimate"].isna().all()


def test_the_change_between_two_trials_has_the_error_of_a_joint_bootstrap(rossi_study):
    """The same victims drawn for both; each error alone would make the change far less sure."""
    here, there = (one.target_trial("employment")
                   for one in (rossi_study, rossi_study.with_(grace_days=14)))  # fmt: skip
    rows = here.compare(there, [182, 364])
    drawn = [
        bootstrap_arms(one.weighted_, [182, 364], n_replicates=400, seed=1).answers[:, :, 0]
        for one in (here, there)
    ]
    moved = drawn[1] - drawn[0]
    gap = (moved[:, 0] - moved[:, 1]).std(axis=0, ddof=1)
    ours = rows[rows["estimand"] == "risk_difference"]
    np.testing.assert_allclose(ours["se"], gap, rtol=0.12)  # of 400 replicates 3.5 %
    for arm, name in enumerate(("risk_start", "risk_no_start")):
        mine = rows[rows["estimand"] == name]["se"]
        np.testing.assert_allclose(mine, moved[:, arm].std(axis=0, ddof=1), rtol=0.2)
    one, other = (trial.contrast([182, 364]).query("estimand == 'risk_difference'")
                  for trial in (here, there))  # fmt: skip
    np.testing.assert_allclose(ours["change"], other["estimate"].array - one["estimate"].array)
    apart = np.hypot(*(
        trial.influence(364)["risk_difference"].pow(2).sum() ** 0.5 for trial in (here, there)
    ))  # fmt: skip
    assert ours["se"].iloc[1] < 0.6 * apart
    assert set(rows["status"]) == {"ok"}


def test_what_changes_by_measure_and_what_does_not(rossi_study):
    other = rossi_study.with_(measures={"employment": {"grace_days": 14}})
    rows = rossi_study.compare(other, "g_formula").set_index("measure")
    same = rows.loc["financial_aid"]
    assert (same["change"] == 0).all() and set(same["reason"]) == {"no_difference"}
    assert (rows.loc["employment", "change"] != 0).all()
    assert set(rows.loc["employment", "time_days"]) == {*rossi_study.plan.days_within_horizon}
    gone = rossi_study.with_(weights={"grace_law": "censor_at_end"})
    assert set(rossi_study.compare(gone, "g_formula")["reason"]) == {"other_grace_law"}
    stranger = rv.TargetTrial(grace_days=2).fit(
        pd.DataFrame({"days": [5, 9, 7, 8], "cause": [1, 0, 1, 0], "start": [0, 0, None, None]},
                     index=[*"abcd"]), "days", "cause", "start", covariates=[],
    )  # fmt: skip
    with pytest.raises(ValueError, match="no cluster in common"):
        rossi_study.target_trial("employment").compare(stranger, 7)


def test_a_trial_of_another_follow_up(rossi_study):
    """The study's own, in any order of rows, is the study's trial; it is one row an entry."""
    ends = rossi_study.cohort[["entry_id", "stop_day", "cause"]]
    own = rossi_study.target_trial("employment", "g_formula")
    shuffled = ends.sample(frac=1, random_state=1)
    same = rossi_study.target_trial("employment", "g_formula", follow_up=shuffled)
    pd.testing.assert_frame_equal(same.summary(182), own.summary(182))
    nobody = rossi_study.target_trial("employment", "g_formula", follow_up=ends.assign(cause=0))
    assert (nobody.summary(182).loc[["risk_start", "risk_no_start"], "estimate"] < 1e-6).all()
    with pytest.raises(ValueError, match="a row for each entry_id of the cohort"):
        rossi_study.target_trial("employment", follow_up=ends.iloc[1:])
    with pytest.raises(ValueError, match="no column 'cause'"):
        rossi_study.target_trial("employment", follow_up=ends.drop(columns="cause"))


def test_tables_of_the_extract_and_frames_that_join(rossi_study, rossi):
    persons, reports = rossi_study.read_tables("persons", "reports")
    raw = pd.read_csv(rossi[1] / "reports.csv", dtype=str)
    assert reports["report_id"].tolist() == raw["report_id"].tolist()
    assert set(reports["victim_id"]) <= set(persons["person_id"])
    with pytest.raises(ValueError, match="did you mean 'persons'"):
        rossi_study.read_tables("person")
    frames = (rossi_study.cohort, rossi_study.covariates, rossi_study.starts, rossi_study.spells,
              rossi_study.episodes, rossi_study.first_episodes)  # fmt: skip
    assert {str(frame["entry_id"].dtype) for frame in frames} == {"int64"}


def test_what_is_made_at_the_bench_stays_restricted(rossi_study, tmp_path, monkeypatch):
    """Found from a folder below, as the study file is; a path with a file in its way is told."""
    (tmp_path / "out").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert rossi_study.restricted("out") == tmp_path / "out" / "restricted" / "bench"
    assert (tmp_path / "out" / "restricted" / "bench").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError):
        rossi_study.restricted("file")


def test_a_frame_by_hand_gives_the_study_numbers(rossi_study, rossi):
    """Employment within 28 days; financial aid in force may lead to it, from the day after."""
    data = rossi_study.study_data
    starts = data.starts_of("employment")
    people = rossi_study.cohort.merge(rossi_study.covariates, on="entry_id")
    people = people.assign(start=starts["first_start_day"])[~starts["is_running_before"]]
    spells = data.spells.query("measure == 'financial_aid'")
    spells = spells[spells["entry_id"].isin(people["entry_id"])]
    points = [
        pd.DataFrame({"entry_id": spells["entry_id"], "name": "aid", "day": spells[day] + 1,
                      "value": value})
        for day, value in (("start_day", 1.0), ("stop_day", 0.0))
    ]  # fmt: skip
    trial = rv.TargetTrial(grace_days=28).fit(
        people, "stop_day", "cause", "start", id_col="entry_id", cluster_col="cluster_id",
        covariates=rossi_study.plan.adjust_for, changes=pd.concat(points),
    )  # fmt: skip
    theirs = read_restricted(rossi[2], "estimates").query(
        "estimator == 'clone_censor_weight' and analysis == 'influence_interval'"
        " and measure == 'employment' and outcome == 'same_suspect'"
        " and time_days == 364 and subgroup == ''"
    )
    ours = trial.summary(364)
    theirs = theirs.set_index("estimand").loc[ours.index]
    np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=1e-9)
    np.testing.assert_allclose(ours["se"], theirs["se"], rtol=1e-9)


def test_a_changed_study_is_a_new_one_and_answers_anew(county_study, county):
    plan = county_study.plan
    before = county[0].read_bytes(), sorted(county[1].iterdir())
    terms = ["age" if name == "age_group" else name for name in plan.adjust_for]
    other = county_study.with_(
        grace_days=14, adjust_for=terms, splines={"age": 4}, bootstrap={"replicates": 0}
    )
    assert {one.grace_days for one in other.plan.measures.values()} == {14}
    assert other.plan.splines == {"age": 4} and county_study.plan is plan
    assert other.plan.bootstrap.replicates == 0 < plan.bootstrap.replicates
    assert other.plan.bootstrap.seed == plan.bootstrap.seed
    keys = ["estimator", "measure", "outcome", "time_days"]
    before_it, after_it = (
        rows[rows["analysis"].eq("main") & rows["estimand"].eq("risk_difference")]
        for rows in (read_restricted(county[2], "estimates"), other.estimate("target_trials"))
    )
    old = before_it[before_it["question"].eq("q2")].set_index(keys)["estimate"].dropna()
    new = after_it[after_it["question"].eq("q2")].set_index(keys)["estimate"].dropna()
    both = old.index.intersection(new.index)
    assert len(both) > 10 and (old[both] != new[both]).mean() > 0.9
    assert "age:bend1" in other.target_trial("sheltered_housing").weighted_.trial.names
    assert (county[0].read_bytes(), sorted(county[1].iterdir())) == before


def test_what_with_changes_and_what_it_keeps(county_study):
    plan = county_study.plan
    same = county_study.with_().plan
    assert same == plan
    with pytest.warns(UserWarning, match="no longer adjusted for: .*joint"):
        one = county_study.with_(
            gates={"exposed_victims": 30}, measures=["sheltered_housing"], report_at_days=[365],
            eligibility={"districts": ["city"]},
        ).plan  # fmt: skip
    assert one.gates.exposed_victims == 30
    assert one.gates.events_per_arm == plan.gates.events_per_arm
    assert one.measures == {"sheltered_housing": plan.measures["sheltered_housing"]}
    assert one.report_at_days == (365,)
    assert one.eligibility.districts == ("city",)
    assert one.eligibility.washout_days == plan.eligibility.washout_days
    changed = county_study.with_(measures={"sheltered_housing": {"grace_days": 3}}).plan
    assert changed.measures["sheltered_housing"].grace_days == 3
    assert changed.measures["sheltered_housing"].codes == plan.measures["sheltered_housing"].codes
    assert list(changed.measures) == list(plan.measures)


@for_each(
    ("changes", "told"),
    [
        ({"grace_days": -1}, "measures.non_contact_order.grace_days: .* / must be a whole number"),
        ({"horizon_day": 9}, "did you mean horizon_days"),
        ({"grace_day": 9}, "did you mean grace_days"),
        ({"washout_days": 9}, "did you mean eligibility.washout_days"),
        ({"adjusted_for": []}, "did you mean adjust_for"),
        ({"measures": {"joint": {"grace_day": 3}}}, "joint.grace_day: .* did you mean grace_days"),
        ({"splines": {"age": 4}}, "'age' .* put age there in place of age_group: sex, age_group"),
        ({"splines": {"age_group": 4}}, "'age_group' .* no number; .* did you mean age"),
        ({"measures": ["join"]}, "did you mean 'joint'"),
        ({"gates": {"exposed": 3}}, "gates.exposed: .* did you mean exposed_victims"),
    ],
)
def test_a_change_that_the_study_does_not_take_is_told(county_study, changes, told):
    with pytest.raises(ValueError, match=told):
        county_study.with_(**changes)


def test_frames_are_the_callers_own(rossi_study):
    rossi_study.cohort["stop_day"] = 0
    rossi_study.episodes.drop(rossi_study.episodes.index, inplace=True)
    assert (rossi_study.cohort["stop_day"] > 0).all()
    assert len(rossi_study.episodes) > 432


def test_faults_of_files_are_those_of_the_commands(rossi, tmp_path, monkeypatch):
    with pytest.raises(UsageError):
        rv.open_study(tmp_path / "none.yaml", data=rossi[1])
    with pytest.raises(UsageError):
        rv.open_study(rossi[0], data=tmp_path / "none")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"neither in {tmp_path}, .* os.chdir"):
        rv.open_study(rossi[0], data="none")
    (tmp_path / "bad.yaml").write_text("name: a\nhorizon_day: 3\n", encoding="utf-8")
    with pytest.raises(StudyError, match="horizon_days"):
        rv.open_study(tmp_path / "bad.yaml", data=rossi[1])
    assert folders.LINKAGE == LINKAGE


def test_nobody_in_the_study_has_no_answer(rossi_study):
    nobody = rossi_study.with_(eligibility={"min_age": 140, "max_age": 150})
    with pytest.raises(rv.NotEstimableError, match="nobody enters the study"):
        nobody.cohort  # noqa: B018
