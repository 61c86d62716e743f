"""Shared files of kept releases: two counties, and others made of the larger one by moving it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.hazard_ratios import list_own
from revictimisation.estimators.cox_moments import Moments
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.pooling.shared_file import Shared, pack_shared, unpack_shared
from revictimisation.pooling.shared_tables import describe_question, make_shared

EFFECTS = ("log_hazard_ratio", "risk_difference")


@pytest.fixture(scope="session")
def county_plan(repo_root: Path) -> StudyPlan:
    path = repo_root / "pipelines" / "studies" / "county.yaml"
    return read_plan(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def released(repo_root: Path) -> Callable[[str], pd.DataFrame]:
    def read(name: str) -> pd.DataFrame:
        return pd.read_parquet(
            repo_root / "tests" / "yardstick" / name / "release_estimates.parquet"
        )

    return read


def make_moments(released: pd.DataFrame) -> Moments:
    """Moments whose estimates and errors are the released ones; measures go together a little."""
    own = list_own(released)
    error = own["se"].to_numpy(float)
    correlation = np.full((len(error), len(error)), 0.1) + 0.9 * np.eye(len(error))
    information = np.linalg.inv(correlation * np.outer(error, error))
    at = own["estimate"].to_numpy(float)
    return Moments(tuple(own.index), at, np.zeros(len(at)), information, information)


def describe(plan: StudyPlan, place: str, run: str) -> dict[str, Any]:
    return {
        "place": place, "study": plan.name, "run": run, "release": "", "released_on": "",
        "is_draft": True, "is_synthetic": True, "version": "0", "code": "0123456789abcdef",
        "rules": plan.disclosure.model_dump(), "accrual": plan.accrual.model_dump(mode="json"),
        "data_end_on": plan.data_end_on.isoformat(), "question": describe_question(plan),
        "question_hash": "0123456789abcdef",
    }  # fmt: skip


@pytest.fixture(scope="session")
def share_county(county_plan, released) -> Callable[..., bytes]:
    """The bytes of a county's file; `shift` moves its effects by so many standard errors."""

    def share(name: str = "county_3000", place: str = "Stor", shift: float = 0.0) -> bytes:
        table = released(name).copy()
        moved = table["estimand"].isin(EFFECTS) & table["se"].notna()
        for column in ("estimate", "ci_low", "ci_high"):
            table.loc[moved, column] += shift * table.loc[moved, "se"]
        tables = make_shared(table, make_moments(table).to_frame(), county_plan)
        facts = describe(county_plan, place, f"run of {place}")
        return pack_shared(tables, facts, load_dictionary())

    return share


@pytest.fixture(scope="session")
def counties(share_county) -> list[Shared]:
    """Three counties: a large one, one like it that is moved, and a small one."""
    made = {
        "Stor": share_county(),
        "Flyttad": share_county(place="Flyttad", shift=1.5),
        "Liten": share_county("county_600", "Liten"),
    }
    return [unpack_shared(data, place) for place, data in made.items()]
