"""Tables kept for studies that share them: they come back as they were, and whose they are."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from revictimisation.cohort.kept_tables import (
    LATER,
    Kept,
    describe_tables,
    has_tables,
    keep_tables,
    read_tables,
)
from revictimisation.cohort.preparation import prepare
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.core.errors import UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import load_extract
from revictimisation.plan import StudyPlan, read_plan
from tests.project.sources import ROOT

REAL = ROOT / "tests" / "real" / "rossi"
# read by the tables only through `x_columns` and the splines of these
ONLY_X = {"adjust_for", "subgroups", "splines"}


class WatchedPlan(StudyPlan):
    """A study plan that remembers which of its keys were asked for."""

    def __getattribute__(self, name: str) -> Any:
        if name in StudyPlan.model_fields:
            ASKED.add(name)
        return super().__getattribute__(name)


ASKED: set[str] = set()


@pytest.fixture(scope="module")
def made() -> Kept:
    text = (REAL / "study.yaml").read_text(encoding="utf-8")
    plan = WatchedPlan.model_validate(read_plan(text).model_dump())
    ASKED.clear()
    extract = load_extract(connect(threads=1), REAL / "extract", load_dictionary(), plan)
    extract.raise_for_errors()
    data, attrition = prepare(extract.tables, extract.absent, load_dictionary(), plan)
    checks = pd.DataFrame([{"analysis": "extract", "measure": "", "check": "x", "value": 1.0,
                            "limit": None, "status": "ok"}])  # fmt: skip
    return Kept(data, attrition, checks)


def test_tables_are_made_by_no_key_that_is_left_out_of_what_they_depend_on(made):
    assert made.data.entries.shape[0] > 400
    assert {"accrual", "outcome", "measures"} <= ASKED
    assert ASKED & LATER <= ONLY_X
    assert set(StudyPlan.model_fields) > LATER


def test_tables_come_back_as_they_were(made, tmp_path):
    folder, inputs = tmp_path / "kept", files.hash_files(REAL / "extract")
    assert not has_tables(folder)
    keep_tables(folder, made, inputs)
    assert has_tables(folder)
    found = read_tables(folder, made.data.plan, inputs)
    for name, value in vars(made.data).items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(
                getattr(found.data, name), value, check_exact=True, check_column_type=False
            )
    assert (found.data.absent, dict(found.data.linkage)) == (made.data.absent, {})
    pd.testing.assert_frame_equal(found.attrition, made.attrition)
    pd.testing.assert_frame_equal(found.checks, made.checks)
    assert files.is_private(folder / "entries.parquet") and files.is_private(folder)
    (folder / "spells.parquet").unlink()
    assert not has_tables(folder)


def test_tables_of_another_study_or_extract_are_refused(made, tmp_path):
    folder, inputs = tmp_path / "kept", files.hash_files(REAL / "extract")
    keep_tables(folder, made, inputs)
    text = (REAL / "study.yaml").read_text(encoding="utf-8")
    later = text.replace("lag_days: 0", "lag_days: 7")
    for plan, given in ((read_plan(later), inputs), (made.data.plan, {**inputs, "a": "b"})):
        with pytest.raises(UsageError, match="does not hold the tables of this study"):
            read_tables(folder, plan, given)


def test_what_does_not_make_tables_parts_none():
    joint = "measures: {{joint: {{joint_within_days: {}, grace_days: {}}}}}"
    same = ["bootstrap: {seed: 9}", "adjust_for: [sex]", "gates: {exposed_victims: 30}"]
    others = ["horizon_days: 365", "adjust_for: [x_age]", "eligibility: {washout_days: 0}",
              joint.format(9, 9), joint.format(8, 9)]  # fmt: skip
    usual, *told = (describe_tables(read_plan(f"name: b\n{text}")) for text in ("", *same, *others))
    assert told[: len(same)] == [usual] * len(same)
    apart = [usual, *told[len(same) :]]
    assert all(apart[i] != apart[j] for i in range(len(apart)) for j in range(i))
    assert describe_tables(read_plan(f"name: c\n{joint.format(9, 60)}")) == told[-2]
