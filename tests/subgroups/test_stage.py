"""The stage of question 3: which groups, what is told of each, and what is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from revictimisation.analyses.subgroup_effects import estimate_subgroup_effects
from revictimisation.analyses.subgroup_effects.family import pool_levels
from revictimisation.analyses.subgroup_effects.groupings import (
    extend_study,
    list_groupings,
    mark_combined,
)
from revictimisation.core.errors import StudyError
from revictimisation.core.packing import LESS
from revictimisation.core.places import pool_single_places
from revictimisation.disclosure import disclose_diagnostics, disclose_estimates
from revictimisation.estimators.target_trial.gates import list_gates
from revictimisation.plan import Disclosure, read_plan
from revictimisation.plan.parts import CombinedGroup
from tests.cases import for_each
from tests.subgroups.made import STUDY, make_study

TRIAL, COX = "clone_censor_weight", "cox_time_varying"
KEYS = ["measure", "subgroup", "level", "time_days"]


@pytest.fixture(scope="module")
def found():
    return estimate_subgroup_effects(make_study())


@pytest.fixture(scope="module")
def rows(found) -> pd.DataFrame:
    return found[0]


def pick(rows: pd.DataFrame, **keys: object) -> pd.DataFrame:
    chosen = np.ones(len(rows), bool)
    for name, value in keys.items():
        chosen &= rows[name].isin(value if isinstance(value, list) else [value]).to_numpy()
    return rows[chosen]


def test_a_person_of_whom_a_part_is_unknown_may_still_be_out():
    data = make_study(8)
    data.covariates["sex"] = ["male", "male", "male", "female", "missing", "missing", "male", "x"]
    data.covariates["age_group"] = ["18-26", "13-17", "missing", "18-26", "18-26", "13-17",
                                    "27-44", "missing"]  # fmt: skip
    group = CombinedGroup(levels={"sex": ("male",), "age_group": ("18-26", "27-44")})
    marks = mark_combined(data, group)
    assert marks.tolist() == ["true", "false", "missing", "false", "missing", "false", "true",
                              "false"]  # fmt: skip


def test_groupings_and_their_reference():
    groupings = {one.name: one for one in list_groupings(make_study())}
    # honour is a level of the subgroup is_honour and told there
    assert list(groupings) == ["sex", "relation_group", "is_honour", "risk_level", "men_over_18"]
    honour = groupings["is_honour"]  # most are missing, which is no reference
    counts = make_study().covariates["is_honour"].value_counts()
    assert counts.idxmax() == "missing"
    assert honour.levels[honour.reference] == counts.drop("missing").idxmax()


def test_the_start_model_is_told_of_every_grouping_it_does_not_know():
    data = make_study()
    wider = extend_study(data, list_groupings(data))
    # relation tells relation_group
    assert wider.plan.adjust_for == ("sex", "relation", "is_honour", "risk_level", "men_over_18")
    assert set(wider.covariates["men_over_18"]) == {"true", "false", "missing"}


@for_each(
    ("text", "fault"),
    [
        ("{sex: {levels: {sex: [male]}}}", "covariate's name"),
        ("{men: {levels: {sexx: [male]}}}", "did you mean sex"),
        ("{old: {levels: {age: ['70']}}}", "is a number"),
    ],
)
def test_faults_of_combined_groups(text, fault):
    with pytest.raises(StudyError, match=fault):
        read_plan(f"name: mini\nfor_whom: {{combined: {text}}}")


def test_treatment_shares_person_by_person(rows):
    data = make_study()
    starts = data.starts_of("help")
    told = pick(rows, analysis="treatment_share", measure="help", outcome="started")
    told = told.set_index(["subgroup", "level"])
    people, started = 0, 0
    for i, level in enumerate(data.covariates["risk_level"]):
        if level == "high" and not starts.at[i, "is_running_before"]:
            people += 1
            day = starts.at[i, "first_start_day"]
            started += day <= 10 and day < data.entries.at[i, "stop_day"]
    row = told.loc["risk_level", "high"]
    assert (row["n_people"], row["n_events"]) == (people, started)
    assert row["estimate"] == started / people and row["ci_low"] < row["estimate"] < row["ci_high"]
    nobody = told.loc["risk_level", "low"]  # shown though there is no effect
    assert (nobody["estimate"], nobody["status"]) == (0, "ok") and nobody["ci_high"] > 0
    assert told.loc[("", ""), "n_people"] == (~starts["is_running_before"]).sum()


def test_a_level_without_starts_is_not_estimable(rows):
    low = pick(rows, measure="help", subgroup="risk_level", level="low", estimator=TRIAL)
    assert set(low["reason"]) == {"nobody_started", "beyond_horizon"}
    assert set(low["status"]) == {"not_estimable"}
    gap = pick(rows, measure="help", subgroup="risk_level", level="low_less_high", estimator=TRIAL)
    assert set(gap["reason"]) == {"nobody_started"}
    low = pick(rows, measure="help", subgroup="risk_level", level="low", estimator=COX)
    assert set(low["reason"]) == {"nobody_exposed"}


def test_gates_hold_within_each_level(found):
    """Reasons by going through the diagnostics again; `rare` has seven starters in all."""
    rows, checks = found
    main = pick(rows, analysis="main", estimator=TRIAL, estimand="risk_difference")
    main = main[main["reason"] != "beyond_horizon"]
    n_withheld = 0
    for row in main[main["status"] != "not_estimable"].itertuples():
        own = checks[checks["measure"].eq(row.measure)
                     & checks["check"].str.endswith(f":{row.subgroup}={row.level}")]  # fmt: skip
        day = own["check"].str.extract(r":(\d+):")[0]
        own = own[day.isna() | day.eq(str(row.time_days))]
        fails = set(own[own["status"] == "failed"]["check"].str.split(":").str[0])
        failed = [
            gate.reason or gate.check
            for gate in list_gates(read_plan(STUDY).gates)
            if gate.check in fails
        ]
        assert row.reason == (failed[0] if failed else "")
        assert row.status == ("withheld" if failed else "ok")
        assert not np.isnan(row.estimate)
        n_withheld += bool(failed)
    assert n_withheld >= 8 and (main["status"] == "ok").sum() >= 8


def test_contrasts_follow_from_the_levels(rows):
    for estimator, estimand in ((TRIAL, "risk_difference"), (COX, "log_hazard_ratio")):
        same = {"estimator": estimator, "estimand": estimand, "measure": "help"}
        main = pick(rows, analysis="main", **same)
        main = main.set_index(["subgroup", "level", "time_days"])
        gaps = pick(rows, analysis="contrast", **same)
        p_values = pick(rows, analysis="contrast", measure="help", estimand="p_value",
                        estimator=estimator).set_index(KEYS)["estimate"]  # fmt: skip
        n_ok = 0
        for row in gaps[gaps["status"] != "not_estimable"].itertuples():
            over, under = (
                main.loc[(row.subgroup, level, row.time_days)]
                for level in row.level.split("_less_")
            )
            assert row.estimate == pytest.approx(over["estimate"] - under["estimate"], abs=1e-12)
            # levels are nearly independent of each other
            assert row.se == pytest.approx(np.hypot(over["se"], under["se"]), rel=0.15)
            p_value = p_values.loc[row.measure, row.subgroup, row.level, row.time_days]
            # Student's t: the p-value and the interval say the same, and less than the normal
            reach = (row.ci_high - row.ci_low) / 2 / row.se
            assert reach > 1.9599 and (p_value < 0.05) == (row.ci_low > 0 or row.ci_high < 0)
            assert p_value >= 2 * norm.sf(abs(row.estimate / row.se)) * (1 - 1e-6)
            assert (row.status == "ok") == (over["status"] == "ok" and under["status"] == "ok")
            n_ok += row.status == "ok"
        assert n_ok >= 3


def test_two_levels_are_tested_by_their_contrast_and_missing_is_none(rows):
    tests = pick(rows, analysis="contrast", measure="help", estimand="p_value").set_index(
        ["estimator", *KEYS[1:]]
    )["estimate"]
    for estimator, day in ((TRIAL, 40), (TRIAL, 100), (COX, pd.NA)):
        honour = list_groupings(make_study())[2]
        a, b = sorted(["true", "false"], key=lambda one: honour.levels[honour.reference] == one)
        key = (estimator, "is_honour", f"{a}_less_{b}", day)
        assert tests.loc[(estimator, "is_honour", "", day)] == pytest.approx(tests.loc[key])
        assert "missing_less" in " ".join(str(one) for one in tests.index.get_level_values(2))


def test_the_family_of_tests_is_adjusted_by_holm(rows):
    family = pick(rows, analysis="contrast", estimand="p_value", level="", status="ok")
    family = family[family["time_days"].isna() | family["time_days"].eq(100)]
    raw = sorted(family["estimate"])
    adjusted, running = [], 0.0
    for place, p_value in enumerate(raw):
        running = max(running, min(1.0, (len(raw) - place) * p_value))
        adjusted.append(running)
    told = pick(rows, estimand="p_value_holm", status="ok")
    assert len(told) == len(raw) >= 4
    assert sorted(told["estimate"]) == pytest.approx(adjusted)
    untold = pick(rows, estimand="p_value_holm", status="not_estimable")
    assert set(untold["reason"]) == {"fewer_than_two_levels"}


def test_the_study_names_the_day_that_is_tested():
    text = STUDY.replace("  least_events: 5", "  least_events: 5\n  tested_at_days: 40")
    assert "tested_at_days" in text
    rows, _ = estimate_subgroup_effects(replace(make_study(), plan=read_plan(text)))
    told = pick(rows, estimand="p_value_holm", estimator=TRIAL)
    assert set(told["time_days"]) == {40}
    # by default a year, which this study does not report: the last day it has risks of
    rows, _ = estimate_subgroup_effects(make_study())
    assert set(pick(rows, estimand="p_value_holm", estimator=TRIAL)["time_days"]) == {100}


def test_how_large_a_difference_of_two_levels_would_have_been_seen(found):
    rows, checks = found
    gaps = pick(rows, analysis="contrast", estimator=TRIAL, estimand="risk_difference")
    gaps = gaps[gaps["se"].notna()]
    told = checks[checks["check"].str.contains(LESS)].set_index(["measure", "check"])
    assert len(told) == len(gaps) > 10
    for row in gaps.itertuples():
        name = f"minimum_detectable_difference:{row.time_days}:{row.subgroup}={row.level}"
        assert told.loc[(row.measure, name), "value"] == pytest.approx(2.8015852 * row.se)


def test_differences_of_shares(rows):
    told = pick(rows, analysis="treatment_share", measure="help", outcome="started")
    told = told.set_index(["subgroup", "level"])
    gap, one, other = (told.loc[("sex", level)] for level in ("male_less_female", "male", "female"))
    assert gap["estimand"] == "share_difference" and pd.isna(gap["n_people"])
    assert gap["estimate"] == pytest.approx(one["estimate"] - other["estimate"])
    # Newcombe's method 10, by hand
    low = np.hypot(one["estimate"] - one["ci_low"], other["ci_high"] - other["estimate"])
    assert gap["ci_low"] == pytest.approx(gap["estimate"] - low)
    # the level in which nobody started has a difference with an interval
    nobody = told.loc[("risk_level", "low_less_high")]
    assert nobody["ci_low"] < nobody["estimate"] < nobody["ci_high"] < 0


def test_pooled_numbers_lie_between_the_raw_ones_and_their_mean(rows):
    raw = pick(rows, analysis="main", status="ok", estimand=["risk_difference", "log_hazard_ratio"])
    pooled = pick(rows, analysis="partially_pooled", estimand=["risk_difference",
                                                               "log_hazard_ratio"])  # fmt: skip
    keys = ["estimator", *KEYS]
    both = pooled.merge(raw, on=keys, suffixes=("", "_raw"))
    families = [name for name in keys if name != "level"]
    n_beside = raw.groupby([raw[name] for name in families], dropna=False)["level"]
    assert len(both) == len(pooled) == int((n_beside.transform("size") > 1).sum())
    weight = 1 / both["se_raw"] ** 2
    family = [both[name] for name in ("estimator", "measure", "subgroup", "time_days")]
    spread = both.groupby(family, dropna=False)
    assert (both["estimate"] <= spread["estimate_raw"].transform("max") + 1e-12).all()
    assert (both["estimate"] >= spread["estimate_raw"].transform("min") - 1e-12).all()
    assert weight.gt(0).all() and not np.allclose(both["estimate"], both["estimate_raw"])
    logs = pick(rows, analysis="partially_pooled", estimand="log_hazard_ratio").set_index(KEYS)
    ratios = pick(rows, analysis="partially_pooled", estimand="hazard_ratio").set_index(KEYS)
    np.testing.assert_allclose(ratios["estimate"], np.exp(logs["estimate"]))


def test_a_level_alone_in_its_grouping_is_drawn_to_nothing(rows):
    """Pooled it would be its own number, unrounded beside the rounded one."""
    is_alone = rows["subgroup"].eq("sex") & rows["level"].ne("male") & rows["analysis"].eq("main")
    pooled = pool_levels(rows.assign(status=rows["status"].mask(is_alone, "withheld")))
    assert "sex" in set(pool_levels(rows)["subgroup"]) and "sex" not in set(pooled["subgroup"])
    assert len(pooled)


def test_an_absent_table_takes_its_subgroup_only():
    rows, _ = estimate_subgroup_effects(make_study(absent=frozenset({"risk_assessments"})))
    risk = rows[rows["subgroup"] == "risk_level"]
    assert risk[["status", "reason"]].values.tolist() == [["not_estimable", "table_absent"]]
    assert (pick(rows, subgroup="sex", analysis="main")["status"] == "ok").any()


def test_a_group_that_is_one_municipality_is_no_group():
    """Neither by its SKR group nor as a combined group; two municipalities are one."""
    data = make_study()
    place = np.array(["0180", "0114", "0115", "0188", "0181"])[np.arange(len(data.entries)) % 5]
    names = {"0180": "large_city", "0114": "suburb", "0115": "suburb", "0188": "tourism",
             "0181": "larger_city"}  # fmt: skip
    groups = pd.Series(place).map(names)
    covariates = data.covariates.assign(municipality_code=place, municipality_group=groups)
    data = replace(data, covariates=covariates)
    assert set(data.subgroup("municipality_group")) == {"suburb", "other"}
    assert set(data.shown_covariates["municipality_group"]) == {"suburb", "other"}
    levels = {"one": ["tourism"], "all_but_one": ["suburb", "tourism", "larger_city"],
              "two": ["tourism", "larger_city"]}  # fmt: skip
    marks = {name: mark_combined(data, CombinedGroup(levels={"municipality_group": tuple(given)}))
             for name, given in levels.items()}  # fmt: skip
    assert [name for name, found in marks.items() if found is not None] == ["two"]
    combined = {"sparse": CombinedGroup(levels={"municipality_group": ("tourism",)})}
    for_whom = data.plan.for_whom.model_copy(update={"combined": combined})
    plan = data.plan.model_copy(update={"for_whom": for_whom})
    rows, _ = estimate_subgroup_effects(replace(data, plan=plan))
    told = rows.loc[rows["subgroup"] == "sparse", ["status", "reason"]].values.tolist()
    assert told == [["not_estimable", "one_municipality"]]


def test_places_alone_are_pooled_until_no_group_is_one():
    def pool(text: str) -> str:
        pairs = [one.split(":") for one in text.split()]
        groups, places = (pd.Series([pair[k] for pair in pairs]) for k in (0, 1))
        return " ".join(pool_single_places(groups, places))

    assert pool("a:1 a:2 b:3 b:4") == "a a b b"
    assert pool("a:1 a:2 b:3 c:4 missing:0") == "a a other other missing"
    # one alone would still be one: the smallest of the others joins it
    assert pool("a:1 a:2 a:2 b:3 b:4 c:5") == "a a a other other other"
    assert pool("a:1 a:2 c:5") == "other other other"


def test_a_district_is_pooled_if_it_is_a_municipality_and_not_if_it_is_a_part_of_one():
    districts = pd.Series(["north"] * 3 + ["centre"] * 4 + ["south"] * 4 + ["coast"] * 3 + ["east"])
    places = pd.Series(["1", "2", "2", *["9"] * 8, *["5"] * 3, "5"])
    years = pd.Series([2011] * 14 + [2015])  # then the coast belonged to the east
    pooled = pool_single_places(districts, places, years)
    # coast and east are one municipality together too: the smallest of the others joins them
    others = ["centre"] * 4 + ["south"] * 4
    assert pooled.tolist() == ["other"] * 3 + others + ["other"] * 4
    assert set(pool_single_places(districts, places)) == {"north", "other"}


def test_nobody_and_nothing():
    data = make_study()
    empty = replace(data, entries=data.entries[:0], covariates=data.covariates[:0])
    assert len(estimate_subgroup_effects(empty)[0]) == 0
    none = replace(data, plan=data.plan.model_copy(update={"subgroups": ()}))
    plan = none.plan.model_copy(
        update={"for_whom": none.plan.for_whom.model_copy(update={"combined": {}})}
    )
    rows, checks = estimate_subgroup_effects(replace(none, plan=plan))
    assert set(rows["analysis"]) == {"treatment_share"} and checks.empty


def test_disclosure_hides_contrasts_of_hidden_levels_and_places_of_shelter(found):
    rows, checks = found
    rules, classes = Disclosure(), {"help": "no_place"}
    shown = disclose_estimates(rows, rules, classes, ("relation_group",))
    placed = pick(shown, measure="help", subgroup="relation_group")
    assert not placed["status"].eq("ok").any() and placed["estimate"].isna().all()
    assert pick(shown, measure="help", subgroup="sex")["status"].eq("ok").any()
    told = disclose_diagnostics(checks, rules, rows, shown)
    by_place = told["measure"].eq("help") & told["check"].str.contains(":relation_group=")
    assert by_place.any() and told.loc[by_place, "value"].isna().all()
    # a level with few events takes its contrast with it
    few = rows.copy()
    level = (few["level"] == "male") & few["analysis"].eq("main") & few["estimator"].eq(COX)
    few.loc[level & few["measure"].eq("help"), "n_events"] = 3
    hidden = disclose_estimates(few, rules, {})
    hidden = pick(hidden, measure="help", subgroup="sex", estimator=COX)
    gap = hidden["level"].str.contains("male_less")
    assert gap.any() and hidden.loc[gap, "status"].eq("suppressed").all()
    pooled = pick(hidden, analysis="partially_pooled", level="male")
    assert len(pooled) and pooled["status"].eq("suppressed").all()


def test_the_study_file_decides():
    strict = STUDY.replace("events_per_arm: 5", "events_per_arm: 5000")
    rows, _ = estimate_subgroup_effects(replace(make_study(), plan=read_plan(strict)))
    trial = pick(rows, analysis="main", estimator=TRIAL, estimand="risk_difference", measure="help")
    assert "few_events" in set(trial["reason"]) and not trial["status"].eq("ok").any()
    few = STUDY.replace("least_events: 5", "least_events: 5000")
    rows, _ = estimate_subgroup_effects(replace(make_study(), plan=read_plan(few)))
    hazards = pick(rows, analysis="main", estimator=COX, measure="help")
    assert set(hazards["reason"]) == {"too_few_events", "nobody_exposed"}
