"""The stage: what it tells of a study, and what it does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.heterogeneity import (
    CONTRAST,
    GROUPS,
    SUBGROUP,
    explore_effects,
)
from revictimisation.analyses.running import withhold_followers
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import make_estimates
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import disclose_estimates
from revictimisation.plan import Disclosure, read_plan
from revictimisation.report.texts import load_texts
from tests.cases import for_each
from tests.heterogeneity.made import STUDY, make_study


@pytest.fixture(scope="module")
def found() -> tuple[pd.DataFrame, pd.DataFrame]:
    return explore_effects(make_study(effect=1.5))


@pytest.fixture(scope="module")
def rows(found) -> pd.DataFrame:
    return found[0]


def pick(rows: pd.DataFrame, estimand: str, measure: str = "help") -> pd.DataFrame:
    return rows[rows["estimand"].eq(estimand) & rows["measure"].eq(measure)]


def test_a_strong_difference_is_found_and_who_it_parts_is_told(rows):
    assert pick(rows, "p_value")["estimate"].iloc[0] < 0.01
    groups = pick(rows, "risk_difference").set_index("level")
    assert list(groups.index) == [*GROUPS, CONTRAST]
    assert set(groups["subgroup"]) == {SUBGROUP}
    # a man's risk by day 100: 1 - exp(-0.96 x 0.01 x 100 x e^1.5) with help, 0.62 without
    truth = (1 - np.exp(-0.96 * np.exp(1.5))) - (1 - np.exp(-0.96))
    least = groups.loc["least_helped"]
    assert least["ci_low"] < truth < least["ci_high"]
    assert abs(groups.loc["most_helped", "estimate"]) < 3 * groups.loc["most_helped", "se"]
    assert groups.loc[CONTRAST, "ci_high"] < 0
    shares = pick(rows, "share").set_index(["subgroup", "level", "outcome"])["estimate"]
    assert shares["sex", "male", "most_helped"] < 0.1 < 0.9 < shares["sex", "male", "least_helped"]
    # what is learnt from noise parts them a little as well
    assert abs(shares["risk_level"].unstack().diff(axis=1).iloc[:, -1]).max() < 0.5


def test_counts_add_up(rows):
    shares = pick(rows, "share")
    for _, mine in shares.groupby(["subgroup", "outcome"]):
        assert abs(mine["estimate"].sum() - 1) < 0.05  # medians over the splits
        assert mine["n_people"].nunique() == 1
    groups = pick(rows, "risk_difference").set_index("level")["n_people"]
    whole = pick(rows, "effect_spread")["n_people"].iloc[0]
    assert groups[list(GROUPS)].sum() == whole < 900
    assert set(shares["subgroup"]) == {"sex", "relation", "n_earlier_reports", "risk_level"}


def test_one_test_a_measure_and_holm_over_those_that_could_be_made(rows):
    tests = rows[rows["estimand"].isin(["p_value", "p_value_holm"])]
    assert tests.groupby(["estimand", "measure"]).size().eq(1).all()
    rare = tests[tests["measure"].eq("rare")]
    assert set(rare["status"]) == {"not_estimable"}
    assert set(rare["reason"]) == {"few_events_to_explore"}
    own = pick(rows, "p_value")["estimate"].iloc[0]
    assert pick(rows, "p_value_holm")["estimate"].iloc[0] == own  # a family of one


def test_labels_and_reasons_are_in_the_dictionary(rows):
    lists = load_dictionary().code_lists
    assert set(rows["estimand"]) <= set(lists["estimand"]["code"])
    assert set(rows["estimator"]) <= set(lists["estimator"]["code"])
    levels = rows.loc[rows["subgroup"].eq(SUBGROUP), "level"]
    assert set(levels) == set(lists[SUBGROUP]["code"])
    for reason in ("few_events_to_explore", "few_victims_to_explore", "effects_alike"):
        assert load_texts()[f"answers.short_{reason}"].keys() == {"sv", "en"}


def test_nothing_is_found_where_effects_do_not_differ():
    """Fixed seeds; the level itself is held in test_effects."""
    p_values = [
        pick(explore_effects(make_study(400, seed))[0], "p_value")["estimate"].iloc[0]
        for seed in range(10)
    ]
    assert np.sum(np.array(p_values) < 0.05) <= 2
    assert 0.2 < np.mean(p_values) < 0.8


def test_the_seed_decides_and_nothing_else(found):
    again = explore_effects(make_study(effect=1.5))
    pd.testing.assert_frame_equal(found[0], again[0], check_exact=True)
    pd.testing.assert_frame_equal(found[1], again[1], check_exact=True)
    study = make_study(effect=1.5)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(explore_effects, [study, study]))
    for rows, _ in both:
        pd.testing.assert_frame_equal(found[0], rows, check_exact=True)
    other = explore_effects(replace(study, plan=read_plan(STUDY + "bootstrap: {seed: 2}")))[0]
    assert not pick(other, "p_value")["estimate"].equals(pick(found[0], "p_value")["estimate"])


def test_off_it_tells_nothing():
    rows, notes = explore_effects(study_with(200, "exploration: {is_on: false}"))
    assert rows.empty and notes.empty


@for_each(
    ("n", "more", "reason"),
    [
        (1, "", "everybody_started"),
        (12, "", "few_events_to_explore"),
        (60, "", "few_events_to_explore"),
        (150, "exploration: {splits: 2, folds: 50}", "few_victims_to_explore"),
        (400, "weights: {grace_law: censor_at_end}", "other_grace_law"),
    ],
)
def test_too_little_says_why(n, more, reason):
    rows, _ = explore_effects(study_with(n, more))
    told = pick(rows, "p_value")
    assert told["status"].tolist() == ["not_estimable"]
    assert told["reason"].tolist() == [reason]


def study_with(n: int, more: str) -> StudyData:
    text = STUDY if not more.startswith("exploration") else STUDY.split("exploration")[0]
    return replace(make_study(n), plan=read_plan(text + more))


def test_covariates_that_tell_nobody_apart():
    study = make_study(400)
    same = study.covariates.assign(sex="female", relation="partner", n_earlier_reports=0.0,
                                   risk_level="missing")  # fmt: skip
    rows, _ = explore_effects(replace(study, covariates=same))
    assert pick(rows, "p_value")["reason"].tolist() == ["effects_alike"]


def test_no_day_within_the_horizon():
    study = make_study(100)
    plan = study.plan.model_copy(update={"report_at_days": (200,)})
    rows, _ = explore_effects(replace(study, plan=plan))
    assert set(rows["reason"]) == {"beyond_horizon"}


def test_nobody_at_all():
    study = make_study(40)
    nobody = replace(study, entries=study.entries.iloc[:0], covariates=study.covariates.iloc[:0])
    rows, notes = explore_effects(nobody)
    assert rows.empty and notes.empty


def test_what_the_main_comparison_does_not_tell_is_not_explored_aloud(rows):
    main = make_estimates([{
        "question": "q2", "measure": "help", "estimator": "clone_censor_weight", "time_days": 100,
        "estimand": "risk_difference", "estimate": 0.1, "status": "withheld",
        "reason": "share_outside_support",
    }])  # fmt: skip
    held = withhold_followers(rows, main)
    mine = held[held["measure"].eq("help")]
    assert set(mine["status"]) == {"withheld"} and set(mine["reason"]) == {"share_outside_support"}
    assert set(held.loc[held["measure"].eq("rare"), "status"]) == {"not_estimable"}
    other_day = main.assign(time_days=40)
    pd.testing.assert_frame_equal(withhold_followers(rows, other_day), rows)


def test_small_groups_do_not_leave_the_room(rows):
    few = rows.copy()
    is_share = few["estimand"].eq("share") & few["outcome"].eq("most_helped")
    is_small = is_share & few["level"].eq("male")
    few.loc[is_small, "n_events"] = 3
    is_rest = is_share & few["level"].eq("female")
    few.loc[is_rest, "n_events"] = few.loc[is_rest, "n_people"] - 3
    released = disclose_estimates(few, Disclosure(), {"help": "open", "rare": "open"})
    own = released[is_small]
    assert set(own["status"]) == {"suppressed"} and own["estimate"].isna().all()
    # nor does it follow from the others of its group
    beside = released[released["outcome"].eq("most_helped") & released["subgroup"].eq("sex")]
    assert beside["estimate"].isna().all()
    shown = released[released["estimand"].eq("share") & released["status"].eq("ok")]
    assert (shown["n_events"] % 5 == 0).all() and (shown["n_people"] % 5 == 0).all()
