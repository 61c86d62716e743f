"""What the simulator was told: what support talks do outlasts them by half for 180 days."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from revictimisation.analyses.exposure_variants import estimate_exposure_variants
from revictimisation.cohort.preparation import prepare
from revictimisation.commands.simulate import simulate_to
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan

N_PEOPLE = 6000
STUDY = """
name: carry
measures:
  non_contact_order: {codes: [non_contact_order, non_contact_order_shared_home,
    non_contact_order_extended, non_contact_order_electronic]}
  alarm_package: {}
  sheltered_housing: {}
  support_talks: {}
"""
TRUE, TRUE_HALF = -0.25, -0.125


@pytest.fixture(scope="module")
def estimates(tmp_path_factory) -> pd.DataFrame:
    folder: Path = tmp_path_factory.mktemp("carry")
    simulate_to(folder, N_PEOPLE, 4, "calibrated", "parquet")
    plan, dictionary = read_plan(STUDY), load_dictionary()
    extract = load_extract(connect(threads=2), folder, dictionary, plan)
    data, _ = prepare(extract.tables, extract.absent, dictionary, plan)
    found, notes = estimate_exposure_variants(data)
    assert (notes["status"] == "ok").all()
    # of a handful of events the log hazard ratio is skewed
    logs = found[(found["estimand"] == "log_hazard_ratio") & (found["n_events"] >= 30)]
    return logs.set_index(["measure", "level"]).sort_index()


def check_all(rows: pd.DataFrame, truth: dict[tuple[str, str], float]) -> None:
    """Each number within 3.3 errors of its truth (0 where none is named), each truth met."""
    assert set(truth) <= set(rows.index)
    for key, row in rows.iterrows():
        assert abs(row["estimate"] - truth.get(key, 0.0)) < 3.3 * row["se"], key


def test_support_talks_are_carried_over_and_the_others_are_not(estimates):
    after = estimates[estimates["subgroup"] == "after_end"].drop(index="in_force", level=1)
    assert len(after) >= 10
    check_all(after, {("support_talks", band): TRUE_HALF for band in ("1_90", "91_180")})


def test_effects_are_even_while_in_force(estimates):
    talks = estimates[estimates["subgroup"] == "time_since_start"].loc[["support_talks"]]
    check_all(talks, {("support_talks", band): TRUE for band in ("0_30", "31_90", "91_plus")})
    check_all(estimates[estimates["subgroup"] == "days_so_far"], {})
