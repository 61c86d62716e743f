"""A study's tables kept in a folder, for studies that differ only in what is asked of them.

What the tables depend on is everything that a study file decides but `LATER`: a key that is added
counts until somebody shows that no table is made by it. The folder holds rows of people, exact.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from revictimisation.cohort.study_data import StudyData
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import StudyPlan
from revictimisation.plan.keys import list_codes

# Keys of the study file that no table is made by (`tests/tables/test_kept_tables.py` looks).
LATER = {
    *("name", "title", "protocol", "report_at_days", "adjust_for", "splines", "strata"),
    *("subgroups", "subgroup_levels", "bootstrap", "weights", "models", "variants", "gates"),
    *("evidence", "course", "for_whom", "exploration", "negative_controls", "comparison"),
    "sensitivity",
    "languages",
}
ABOUT = "tables.json"
ATTRITION, CHECKS = "attrition", "checks"


class Kept(NamedTuple):
    """The study's data and its attrition; `checks`: diagnostics of the extract itself."""

    data: StudyData
    attrition: pd.DataFrame
    checks: pd.DataFrame


def describe_tables(plan: StudyPlan) -> dict[str, Any]:
    """What the tables of a study depend on, of all that its file decides, as JSON has it.

    Two studies of an extract with the same have the same tables.

    >>> from revictimisation.plan import read_plan
    >>> one, other = read_plan("name: a"), read_plan("name: b\\nbootstrap: {seed: 2}")
    >>> describe_tables(one) == describe_tables(other)
    True
    """
    made_by = plan.model_dump(mode="json", exclude={*LATER, "measures"})
    return {
        **made_by,
        "measures": [
            [name, list(one.codes), one.joint_within_days, one.shared_within_days]
            for name, one in plan.measures.items()
        ],
        "x_columns": list(plan.x_columns),
        "x_splines": [name for name in plan.splines if name in plan.x_columns],
        "codes": [list(one) for one in list_codes(plan, load_dictionary())],
    }


def keep_tables(folder: Path, kept: Kept, inputs: Mapping[str, str]) -> None:
    """Write the tables into a folder that is their owner's alone, all of them or none.

    `inputs`: the hash of each file of the extract that they are of.
    """
    told = {
        "made_by": describe_tables(kept.data.plan),
        "inputs": dict(inputs),
        "absent": sorted(kept.data.absent),
        "linkage": dict(kept.data.linkage),
    }
    frames = {name: getattr(kept.data, name) for name in _list_frames()}
    frames |= {ATTRITION: kept.attrition, CHECKS: kept.checks}
    told["types"] = {name: frame.dtypes.astype(str).to_dict() for name, frame in frames.items()}
    with files.fill_folder(folder, is_private=True) as stage:
        for name, frame in frames.items():
            files.write_table(frame, stage, name, ("parquet",))
        files.write_json(stage / ABOUT, told, is_private=True)


def has_tables(folder: Path) -> bool:
    """Whether tables are kept there, all of them."""
    names = [f"{name}.parquet" for name in (*_list_frames(), ATTRITION, CHECKS)]
    return {ABOUT, *names} <= {*files.list_entries(folder)}


def read_tables(folder: Path, plan: StudyPlan, inputs: Mapping[str, str]) -> Kept:
    """The tables of a folder as those of a study and an extract.

    Raises:
        UsageError: the folder holds no tables, or those of another extract or cohort.
    """
    told = files.read_json(folder / ABOUT)
    asked = {"made_by": describe_tables(plan), "inputs": dict(inputs)}
    if told is None or {name: told.get(name) for name in asked} != asked:
        raise UsageError(
            f"{folder} har inte tabellerna för den här studien och det här uttaget. Kör "
            "revictimisation run-many igen. / It does not hold the tables of this study and this "
            "extract: use revictimisation run-many again."
        )
    frames = {  # Parquet has no days in whole seconds, and gives them back in thousandths
        name: files.read_table(folder / f"{name}.parquet").astype(types)
        for name, types in told["types"].items()
    }
    attrition, checks = frames.pop(ATTRITION), frames.pop(CHECKS)
    data = StudyData(plan=plan, absent=frozenset(told["absent"]), linkage=told["linkage"], **frames)
    return Kept(data, attrition, checks)


def _list_frames() -> list[str]:
    others = {"plan", "absent", "linkage"}
    return [one.name for one in dataclasses.fields(StudyData) if one.name not in others]
