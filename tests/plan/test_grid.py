"""A table of runs: what a row's study file becomes, and what is told of a table that is none."""

from __future__ import annotations

import pytest

from revictimisation.core.errors import RevictimisationError, StudyError, UsageError
from revictimisation.core.plain_yaml import load_keys
from revictimisation.plan import read_plan
from revictimisation.plan.grid import GridRow, read_grid, write_study
from tests.cases import for_each
from tests.project.sources import ROOT

COUNTY = (ROOT / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")


def make_row(**cells: str) -> GridRow:
    return GridRow("mine", "county.yaml", "extract", "run", cells, 2)


def test_a_row_that_changes_nothing_is_the_study_as_it_stands():
    assert write_study(COUNTY, make_row()) == (COUNTY, read_plan(COUNTY))


def test_keys_are_laid_over_the_study_and_all_else_stays():
    row = GridRow("mine", "county.yaml", "extract", "run", {
        "outcome.lag_days": "30",
        "languages": "[sv]",
        "eligibility.districts": "['0126', norrort]",
        "measures.*.grace_days": "14",
        "parameters": "{eligibility.washout_days: 730, measures.joint.joint_within_days: 7}",
    }, 2)  # fmt: skip
    text, plan = write_study(COUNTY, row)
    assert read_plan(text) == plan
    usual = read_plan(COUNTY).model_dump()
    usual["name"], usual["languages"] = "mine", ("sv",)
    usual["outcome"]["lag_days"] = 30
    usual["eligibility"] |= {"districts": ("0126", "norrort"), "washout_days": 730}
    for measure in usual["measures"].values():
        measure["grace_days"] = 14
    usual["measures"]["joint"]["joint_within_days"] = 7
    assert plan.model_dump() == usual


def test_measures_that_only_the_default_names_can_be_set_too():
    plan = write_study("name: a", make_row(**{"measures.*.grace_days": "9"}))[1]
    usual = read_plan("name: a").measures
    assert {name: one.grace_days for name, one in plan.measures.items()} == dict.fromkeys(usual, 9)
    assert [one.codes for one in plan.measures.values()] == [one.codes for one in usual.values()]


@for_each("text", ["yes", "0126", "12:10", "1e5", "null", "a: b", "é #x", "- x", "2011-01-01"])
def test_texts_stay_texts(text):
    changed, _ = write_study(COUNTY, make_row(title=f'{{sv: "{text}", en: x}}'))
    assert load_keys(changed)["title"]["sv"] == text


def test_a_table_as_a_spreadsheet_saves_it():
    rows = read_grid("name;study;data;job;outcome.lag_days;notebook.day\n"
                     'a;s.yaml;"C:\\d, e";;7;\n;;;;;\nb;s.yaml;d;x.ipynb;;365\n')  # fmt: skip
    assert [(row.name, row.job, row.line) for row in rows] == [("a", "run", 2), ("b", "x.ipynb", 4)]
    assert rows[0].data == "C:\\d, e" and rows[0].read_settings() == {"outcome.lag_days": 7}
    assert rows[1].read_given() == {"day": 365} and rows[1].read_settings() == {}


BAD_TABLES = {
    "": (UsageError, ["empty"]),
    "name,study\na,b\n": (UsageError, ["column data is missing"]),
    "name,study,data\n": (UsageError, ["no rows"]),
    "name,study,data,name\na,b,c,d\n": (UsageError, ["name står 2"]),
    "name,study,data\nA b,s,d\na,,d\na,s,d,e\n": (
        UsageError,
        ["line 2: name must be", "line 3: study is missing", "line 3: the name stands more",
         "line 4: more cells"],
    ),
    "name,study,data,job\na,s,d,fly\n": (UsageError, ["line 2: job"]),
    "name,study,data,washout_days,outcome.lagdays\na,s,d,1,2\n": (
        StudyError, ["eligibility.washout_days?", "outcome.lag_days?"],
    ),
}  # fmt: skip


@for_each("text", [*BAD_TABLES])
def test_a_table_that_cannot_be_used_tells_all_that_is_wrong(text):
    kind, told = BAD_TABLES[text]
    with pytest.raises(kind) as fault:
        read_grid(text)
    assert [part for part in told if part not in str(fault.value)] == []


BAD_ROWS = {
    "{outcome.lag_day: 3}": "outcome.lag_days?",
    "{outcome.lag_days: soon}": "outcome.lag_days",
    "[a": "parameters",
    "measures.safty_talk.grace_days: 3": "safety_talk?",
    "name: other": "the row has a name",
    "{outcome.lag_days: 3, horizon_day: 4}": "horizon_days?",
}


@for_each("cell", [*BAD_ROWS])
def test_a_wrong_key_or_value_is_told(cell):
    with pytest.raises(StudyError) as fault:
        write_study(COUNTY, make_row(parameters=cell))
    assert BAD_ROWS[cell] in str(fault.value)


def test_a_key_given_twice_is_told():
    cells = {"outcome.lag_days": "1", "parameters": "outcome.lag_days: 2"}
    with pytest.raises(RevictimisationError, match="a column and in parameters"):
        write_study(COUNTY, make_row(**cells))


def test_the_tables_that_ship_make_studies_that_conform():
    """Each choice of the specifications is tried evenly with each other one."""
    folder = ROOT / "pipelines"
    for name in ("grid.csv", "specifications.csv"):
        rows = read_grid((folder / name).read_text(encoding="utf-8"))
        for row in rows:
            write_study((folder / row.study).read_text(encoding="utf-8"), row)
            assert not row.is_notebook or (folder / row.job).is_file()
    assert len(rows) >= 60 and rows[0].cells == {}
    picks = [(row.cells.get("outcome.who", "") + row.cells.get("outcome.drop_breach_only", ""),
              *(row.cells.get(key, "") for key in CHOICES),
              row.cells.get("notebook.estimator", "") + row.cells.get("notebook.cap_quantile", ""))
             for row in rows]  # fmt: skip
    for i in range(len(picks[0])):
        for j in range(i):
            pairs = [(pick[i], pick[j]) for pick in picks]
            assert len({pairs.count(pair) for pair in pairs}) == 1, (i, j)
    assert len(set(picks)) == len(rows)


CHOICES = ("eligibility.washout_days", "outcome.lag_days", "measures.*.grace_days", "adjust_for")
