"""Question 4 finds what is built into a county, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.analyses.convictions import estimate_convictions
from revictimisation.cohort.preparation import prepare
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan
from revictimisation.simulate import simulate_county
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.truth import read_truth
from tests.cases import for_each

N_PEOPLE = 9000
DAY = 1461


@pytest.fixture(scope="module")
def estimated(repo_root: Path, tmp_path_factory) -> Callable[[str], pd.DataFrame]:
    """Question 4 of a larger county, once for each scenario."""
    made: dict[str, pd.DataFrame] = {}

    def estimate(scenario: str) -> pd.DataFrame:
        if scenario not in made:
            text = (repo_root / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
            plan = read_plan(text).model_copy(update={"report_at_days": (DAY,)})
            folder = tmp_path_factory.mktemp(scenario)
            for name, table in simulate_county(scenario, N_PEOPLE, seed=31).items():
                if name != "truth":
                    files.write_table(table, folder, name, ("parquet",))
            extract = load_extract(connect(), folder, load_dictionary(), plan)
            data, _ = prepare(extract.tables, extract.absent, load_dictionary(), plan)
            made[scenario] = estimate_convictions(data)[0]
        return made[scenario]

    return estimate


def find_far(rows: pd.DataFrame, scenario: str) -> pd.Series:
    """How many errors each estimate of a known truth is from it."""
    truth = read_truth(SCENARIOS[scenario])
    truth = truth[truth["estimand"].str.startswith("conviction_")]
    truth = truth.assign(estimand=truth["estimand"].str.removeprefix("conviction_"))
    keys = ["measure", "subgroup", "level", "estimand", "time_days"]
    told = rows[(rows["estimand"] == "risk_difference") & (rows["status"] == "ok")]
    told = told[told["analysis"].isin(["main", "mediation"])]
    both = told.merge(truth[truth["time_days"] == DAY], on=keys)
    assert len(both) == 18  # six measures: as a whole, through participation, otherwise
    return (both["estimate"] - both["value"]).abs() / both["se"]


@for_each("scenario", ["calibrated", "null"])
def test_the_built_in_associations_are_recovered(estimated, scenario):
    assert find_far(estimated(scenario), scenario).max() < 3.5


@for_each("scenario", ["calibrated", "null"])
def test_no_measure_changes_when_cases_are_decided(estimated, scenario):
    rows = estimated(scenario)
    rows = rows[(rows["outcome"] == "decided") & (rows["estimand"] == "log_hazard_ratio")]
    assert len(rows) == 7
    assert (rows["estimate"].abs() / rows["se"]).max() < 3.5


def test_what_is_not_adjusted_for_misleads(estimated):
    """In `null` those with measures see their suspects convicted more often, from high risk."""
    rows = estimated("null")
    rows = rows[(rows["estimand"] == "risk_difference") & (rows["outcome"] == "convicted")]
    crude = rows[rows["analysis"] == "unadjusted"].set_index("measure")
    main = rows[rows["analysis"] == "main"].set_index("measure")
    assert (crude["estimate"].abs() / crude["se"]).max() > 3.5
    assert (crude["estimate"] - main["estimate"]).mean() > 0.005
