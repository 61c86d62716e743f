"""The interactions that are built into the synthetic county are found, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from revictimisation.analyses.subgroup_effects import estimate_subgroup_effects
from revictimisation.cohort.preparation import prepare
from revictimisation.cohort.study_data import StudyData
from revictimisation.commands.simulate import simulate_to
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import read_truth

BUILT_IN = {("non_contact_order", "risk_level"), ("contact_person", "is_honour")}
KEYS = ["measure", "subgroup", "level", "estimand"]
LAST = 1461
N_PEOPLE = 15_000
MEASURES = ("non_contact_order", "contact_person", "sheltered_housing")


@pytest.fixture(scope="module")
def county(repo_root: Path, tmp_path_factory) -> StudyData:
    folder = tmp_path_factory.mktemp("groups")
    simulate_to(folder, N_PEOPLE, 7, "calibrated", "parquet")
    text = (repo_root / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
    plan = read_plan(text)
    asked = {"report_at_days": (LAST,), "subgroups": ("risk_level", "is_honour", "sex"),
             "measures": {name: plan.measures[name] for name in MEASURES}}  # fmt: skip
    plan = plan.model_copy(update=asked)
    dictionary = load_dictionary()
    extract = load_extract(connect(), folder, dictionary, plan)
    return prepare(extract.tables, extract.absent, dictionary, plan)[0]


@pytest.fixture(scope="module")
def rows(county) -> pd.DataFrame:
    none = county.plan.for_whom.model_copy(update={"combined": {}})
    plan = county.plan.model_copy(update={"for_whom": none})
    return estimate_subgroup_effects(replace(county, plan=plan))[0]


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    truth = read_truth(SCENARIOS["calibrated"])
    truth = truth[truth["subgroup"].ne("")]
    is_asked = truth["time_days"].eq(LAST) | truth["estimand"].eq("log_hazard_ratio")
    return truth[is_asked.fillna(False)].set_index(KEYS)


def test_levels_lie_near_the_truth(rows, truth):
    told = rows[rows["analysis"].eq("main") & rows["status"].eq("ok")].set_index(KEYS)
    both = told.join(truth["value"], how="inner")
    both = both[both.index.get_level_values("estimand") != "risk_ratio"]
    assert len(both) > 50
    strays = (both["estimate"] - both["value"]) / both["se"]
    assert strays.abs().max() < 3.5
    assert 0.7 < strays.std() < 1.3
    built_in = [(m, g, level) for m, g, level, _ in both.index if (m, g) in BUILT_IN]
    assert {("non_contact_order", "risk_level", one) for one in ("low", "moderate", "high")} < set(
        built_in
    )


def test_contrasts_lie_near_the_truth(rows, truth):
    gaps = rows[rows["analysis"].eq("contrast") & rows["status"].eq("ok")]
    gaps = gaps[gaps["estimand"].isin(["risk_difference", "log_hazard_ratio"])]
    strays = []
    for row in gaps.itertuples():
        keys = [(row.measure, row.subgroup, one, row.estimand) for one in row.level.split("_less_")]
        if all(key in truth.index for key in keys):
            over, under = (truth.loc[key, "value"] for key in keys)
            strays.append((row.estimate - (over - under)) / row.se)
    assert len(strays) >= 12
    assert np.abs(strays).max() < 3.5


def test_what_is_built_in_is_found_and_leads(rows):
    found = rows[rows["estimand"].eq("p_value_holm") & rows["status"].eq("ok")]
    hazards = found[found["estimator"] == "cox_time_varying"].sort_values("estimate")
    first = hazards.head(2)
    assert set(zip(first["measure"], first["subgroup"], strict=True)) == BUILT_IN
    assert (first["estimate"] < 0.001).all()
    low = rows[
        rows["analysis"].eq("main") & rows["level"].eq("low") & rows["estimand"].eq("hazard_ratio")
    ].set_index("measure")["estimate"]
    assert low["non_contact_order"] > 1  # harm at low risk


def test_who_gets_what_tells_men_and_those_at_low_risk_apart(rows):
    share = rows[rows["analysis"].eq("treatment_share") & rows["outcome"].eq("started")]
    share = share.set_index(["measure", "subgroup", "level"])
    assert (
        share.loc[("sheltered_housing", "sex", "male"), "ci_high"]
        < share.loc[("sheltered_housing", "sex", "female"), "ci_low"]
    )
