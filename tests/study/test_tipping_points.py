"""What would have to be true for an answer to change: by identities, against R, and withheld."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.sensitivity.breach_only import estimate_without_breaches
from revictimisation.analyses.sensitivity.multiple_imputation import estimate_imputed
from revictimisation.analyses.sensitivity.tipping_points import describe_tipping_points
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine, make_estimates
from revictimisation.disclosure import disclose_estimates
from revictimisation.estimators.chained_equations import impute, pool
from revictimisation.estimators.tipping_points import (
    find_answers,
    find_left_out_bias,
    find_reporting_ratio,
)
from revictimisation.plan import read_plan

GOLDEN = Path(__file__).parents[1] / "golden" / "sensitivity"
TRIAL = {"question": "q2", "estimator": "clone_censor_weight", "outcome": "same_suspect"}
STUDY = """
name: made
horizon_days: 400
report_at_days: [300]
measures: {talk: {grace_days: 10}}
adjust_for: [risk_level, sex]
subgroups: []
gates: {largest_standardised_difference: 1, minimum_detectable_difference: 1}
sensitivity: {imputations: 4}
"""


def draw_people(n: int = 700) -> pd.DataFrame:
    """Danger leads to talks and to reports; it is unknown of a third of those in no danger."""
    rng = np.random.default_rng(5)
    danger = rng.random(n) < 0.5
    start = np.where(rng.random(n) < np.where(danger, 0.6, 0.3), rng.integers(0, 11, n), np.nan)
    day = rng.integers(11, 900, n) - np.where(danger, 250, 0)
    stop = np.clip(day, 12, 400)
    level = np.where(danger, "high", np.where(rng.random(n) < 0.33, "missing", "low"))
    return pd.DataFrame({
        "start": start, "stop": stop, "cause": np.where(day < 400, 1, 0), "risk_level": level,
        "sex": np.where(rng.random(n) < 0.5, "male", "female"),
    })  # fmt: skip


def make_data(people: pd.DataFrame, turned: np.ndarray | None = None) -> StudyData:
    ids, stop = np.arange(len(people)), people["stop"].to_numpy()
    event = people["cause"].eq(1)
    entries = pd.DataFrame({
        "entry_id": ids, "cluster_id": ids, "stop_day": stop, "cause": people["cause"],
        "end_day": np.where(event, 400, stop), "end_cause": 0, "other_day": np.nan,
        "turned_day": np.where(event, stop, np.nan) if turned is None else turned,
    })  # fmt: skip
    starts = pd.DataFrame({"entry_id": ids, "measure": "talk", "is_running_before": False,
                           "first_start_day": people["start"]})  # fmt: skip
    none = pd.DataFrame(columns=["entry_id", "measure", "start_day", "stop_day"])
    covariates = people[["risk_level", "sex"]].assign(entry_id=ids)
    return StudyData(
        plan=read_plan(STUDY), entries=entries, covariates=covariates, starts=starts, spells=none,
        episodes=none, decisions=none, assessments=none,
        renewals=pd.DataFrame(columns=["entry_id", "day", "risk_level"]),
    )  # fmt: skip


def make_main(low=-0.07, gap=-0.04, high=-0.01, **more) -> Found:
    same = {**TRIAL, "measure": "talk", "time_days": 300, "n_people": 700, "n_events": 300, **more}
    rows = [("risk_start", 0.36, 0.3, 0.4), ("risk_no_start", 0.36 - gap, 0.3, 0.5),
            ("risk_difference", gap, low, high)]  # fmt: skip
    left = {"outcome": "emigration", "n_events": 40}
    rows += [("risk_start", 0.02, 0.01, 0.03, left), ("risk_no_start", 0.1, 0.05, 0.2, left),
             ("risk_difference", -0.08, -0.1, -0.05, left)]  # fmt: skip
    names = ("estimand", "estimate", "ci_low", "ci_high")
    made = [{**same, **dict(zip(names, row, strict=False)), **(*row, {})[4]} for row in rows]
    return Found(make_estimates(made), no_checks())


PEOPLE = draw_people()


def test_leaving_a_covariate_out_moves_the_coefficient_as_fitting_without_it_does():
    columns = np.random.default_rng(1).normal(size=(200, 4))
    columns[:, 3] = columns[:, 2] + columns[:, 1]  # told by the others
    started = columns[:, 0] + columns[:, 2] > 0
    answers = (columns @ [1.0, 2.0, 3.0, 0.0] + started)[:, None]
    found = find_left_out_bias(answers, started, columns, ["a", "b", "c", "c"])

    def fit(kept: list[int]) -> float:
        matrix = np.column_stack([started, columns[:, kept], np.ones(200)])
        return float(np.linalg.lstsq(matrix, answers[:, 0], rcond=None)[0][0])

    for name, kept in (("a", [1, 2, 3]), ("b", [0, 2, 3]), ("c", [0, 1])):
        assert found[name][0] == pytest.approx(fit(kept) - fit([0, 1, 2]), abs=1e-9)


def test_answers_of_the_censored_are_rs_pseudo_values():
    given = pd.read_csv(GOLDEN / "pseudo.csv")
    found = find_answers(given["stop"], given["cause"], 120)
    assert found == pytest.approx(given["pseudo"].to_numpy(), abs=1e-9)


def test_a_change_of_reporting_of_that_size_makes_the_difference():
    """Crimes at one rate for all, each reported by itself: with the measure rho times as often."""
    rate, rho = 0.5, 1.3
    without, start = -np.expm1(-rate), -np.expm1(-rate * rho)
    assert find_reporting_ratio(start, start - without) == pytest.approx(rho)


def test_rubins_rules_are_those_of_r():
    given = pd.read_csv(GOLDEN / "rubin.csv")
    for _, rows in given.groupby("case"):
        found = pool(rows["estimate"].to_numpy()[:, None], rows["se"].to_numpy()[:, None],
                     rows["n"].iloc[0] - 1)  # fmt: skip
        for name in ("pooled", "pooled_se", "df"):
            told = {"pooled": found.estimate, "pooled_se": found.se, "df": found.freedom}[name]
            assert told[0] == pytest.approx(rows[name].iloc[0], rel=1e-9)


def test_what_is_missing_at_random_is_filled_with_what_was_there():
    rng = np.random.default_rng(3)
    n = 3000
    severe, number = rng.random(n) < 0.4, rng.normal(size=n)
    level = np.where(severe, "high", np.where(rng.random(n) < 0.5, "low", "middle"))
    size = number + 2 * severe
    lost, gone = rng.random(n) < np.where(severe, 0.6, 0.2), rng.random(n) < 0.3
    frame = pd.DataFrame({"level": np.where(lost, "missing", level),
                          "size": np.where(gone, np.nan, size)})  # fmt: skip
    beside = {"severe": severe.astype(float)}
    made = list(impute(frame, beside, n_imputations=2, n_rounds=2, seed=1))
    for one in made:
        for name in ("high", "low", "middle"):
            assert (one["level"] == name).mean() == pytest.approx((level == name).mean(), abs=0.03)
        assert one["size"].mean() == pytest.approx(size.mean(), abs=0.06)
        assert one["size"].std() == pytest.approx(size.std(), rel=0.05)
    assert not made[0]["level"].equals(made[1]["level"])


def test_the_strongest_covariate_is_the_one_that_confounds():
    rows = describe_tipping_points(make_data(PEOPLE), make_main()).set_index(["estimand", "level"])
    bias = rows.loc["left_out_bias"]["estimate"]
    assert bias["risk_level"] > 5 * abs(bias["sex"]) and bias["risk_level"] > 0.02
    told = rows["estimate"].xs("", level="level")
    assert told["times_strongest"] == pytest.approx(0.04 / bias["risk_level"])
    assert told["times_strongest_limit"] == pytest.approx(0.01 / bias["risk_level"])
    assert told["even_gap"] == pytest.approx(0.2)
    assert told["even_gap_limit"] == pytest.approx(0.1)
    assert told["lost_share"] == pytest.approx(0.04 / 0.02)  # not even if all had
    assert told["lost_share_limit"] == pytest.approx(0.01 / 0.02)
    left = rows.loc[[("lost_share", "")]].iloc[0]
    assert (left["outcome"], left["n_events"]) == ("emigration", 40)


def test_what_is_withheld_is_withheld_here_and_what_is_released_follows_from_what_is_shown():
    silent = describe_tipping_points(make_data(PEOPLE), make_main(status="withheld", reason="why"))
    assert set(silent["status"]) == {"withheld"} and set(silent["reason"]) == {"why"}
    main = make_main(-0.0712, -0.0412, -0.0112)
    every = combine([main.estimates, describe_tipping_points(make_data(PEOPLE), main)])
    told = disclose_estimates(every, read_plan(STUDY).disclosure, {})
    told = told[told["outcome"].eq("same_suspect")]
    at = told.set_index(["analysis", "estimand", "level"])["estimate"].astype(float)
    gap, bias = (
        at["main", "risk_difference", ""],
        at["tipping_point", "left_out_bias", "risk_level"],
    )
    assert gap != -0.0412
    assert at["tipping_point", "even_gap", ""] == pytest.approx(abs(gap) ** 0.5, abs=6e-4)
    assert at["tipping_point", "times_strongest", ""] == pytest.approx(-gap / bias, abs=6e-4)


def test_breach_only_reports_are_turned_and_nothing_is_told_of_what_is_withheld():
    turned = np.where(PEOPLE["cause"].eq(1) & PEOPLE["start"].isna(), PEOPLE["stop"], np.nan)
    data = make_data(PEOPLE, turned)  # all reports of those with a talk were of nothing but breach
    found = estimate_without_breaches(data, make_main())
    assert set(found["analysis"]) == {"without_breach_only"}
    risks = found.set_index("estimand")["estimate"]
    assert risks["risk_start"] == 0 and risks["risk_no_start"] > 0.3
    silent = estimate_without_breaches(data, make_main(status="withheld", reason="why"))
    assert silent[["status", "reason"]].to_numpy().tolist() == [["withheld", "why"]]
    assert silent["estimate"].isna().all()
    assert estimate_without_breaches(make_data(PEOPLE), make_main()).empty


def test_filling_in_finds_what_the_whole_data_say_where_a_category_of_its_own_does():
    """The missing are all in no danger, so the category is right; filling in must find as much."""
    found = estimate_imputed(make_data(PEOPLE), make_main()).set_index("estimand")
    gap = found.loc["risk_difference"]
    assert gap["status"] == "ok" and gap["se"] > 0
    assert gap["ci_low"] < gap["estimate"] < gap["ci_high"]
    known = PEOPLE.assign(risk_level=PEOPLE["risk_level"].replace("missing", "low"))
    whole = make_data(known)
    again = estimate_imputed(whole, make_main())
    assert again.empty  # nothing is missing
    data = make_data(PEOPLE)
    fewer = dataclasses.replace(
        data, plan=read_plan(STUDY.replace("imputations: 4", "imputations: 0"))
    )
    assert estimate_imputed(fewer, make_main()).empty
