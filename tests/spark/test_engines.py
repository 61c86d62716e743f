"""The table stages give the same on Spark, by several executor processes, as on DuckDB."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd
import pytest

from revictimisation.cohort.preparation import prepare
from revictimisation.commands import estimate, pipeline
from revictimisation.commands.simulate import simulate_to
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.core.engine_options import EngineOptions
from revictimisation.core.spark import open_spark
from revictimisation.plan import read_plan
from tests.tables.cases import STUDY, SmallDictionary, make_tables, random_rows

from .conftest import OPTIONS

COUNTY = files.resource_dir("pipelines") / "studies" / "county.yaml"
VARIANTS = {
    "as it is": "",
    "any suspect, no breaches": "outcome: {who: any_suspect, drop_breach_only: true, lag_days: 2}",
    "any kin, honour only": "outcome: {who: any_kin}\neligibility: {honour: only, washout_days: 9}",
}


def count_executors() -> int:
    from pyspark.sql import SparkSession

    context = SparkSession.active().sparkContext
    return context._jsc.sc().getExecutorMemoryStatus().size() - 1  # the driver is one


def assert_same(one: tuple, other: tuple) -> None:
    """Every table that the estimators are given, and the attrition."""
    (data, attrition), (theirs, their_attrition) = one, other
    pd.testing.assert_frame_equal(attrition, their_attrition)
    assert len(data.entries) > 30 and len(data.episodes) > len(data.entries)
    for field in fields(data):
        mine, its = (getattr(side, field.name) for side in (data, theirs))
        if isinstance(mine, pd.DataFrame):
            pd.testing.assert_frame_equal(mine, its, obj=field.name)
        else:
            assert mine == its or field.name == "plan"


def test_random_extracts_become_the_same_tables():
    con, dictionary = connect(threads=1), SmallDictionary()
    dictionary.tables = dictionary.real.tables
    extracts = [make_tables(con, random_rows(seed)) for seed in (1, 2)]
    asked = [(f"{name}_{number}", table) for number, tables in enumerate(extracts)
             for name, table in tables.items()]  # fmt: skip
    with open_spark(OPTIONS, threads=2) as spark:
        placed = {name: spark.adopt(name, table) for name, table in asked}
        for number, tables in enumerate(extracts):
            theirs = {name: placed[f"{name}_{number}"] for name in tables}
            for text in VARIANTS.values():
                plan = read_plan(STUDY + text)
                assert_same(
                    prepare(tables, frozenset(), dictionary, plan),
                    prepare(theirs, frozenset(), dictionary, plan),
                )
        assert count_executors() == 2


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "data"
    simulate_to(folder, None, 1, "small", "parquet")
    return folder


def test_the_county_by_the_command(county, tmp_path, monkeypatch):
    found = []

    def keep(data, attrition, *_):
        found.append((data, attrition))
        return pipeline.Results({}, {})

    monkeypatch.setattr(pipeline, "analyse", keep)
    for name, options in (("duckdb", EngineOptions()), ("spark", OPTIONS)):
        estimate.estimate_study(COUNTY, county, tmp_path / name, "test", 2, options)
    assert_same(*found)
    keys = [
        files.read_json(tmp_path / name / "manifest.json")["run"] for name in ("duckdb", "spark")
    ]
    assert keys[0] == keys[1]
