"""The table stages give the same on Spark, by two executor processes, as on DuckDB."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd
import pytest
import yaml

from revictimisation.cohort.preparation import prepare
from revictimisation.commands import estimate, pipeline
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.core.engine_options import EngineOptions
from revictimisation.core.spark import open_spark
from revictimisation.plan import read_plan
from revictimisation.simulate import simulate_county
from tests.tables.cases import STUDY, SmallDictionary, make_tables, random_rows

COUNTY = files.resource_dir("pipelines") / "studies" / "county.yaml"
OTHERWISE = """
outcome: {who: any_kin, drop_breach_only: true, lag_days: 2}
linkage: {missed_link_rate: 0.1}
"""
CLEANING = [
    "lower_case_codes",
    "drop_exact_duplicates",
    "empty_ends_after_today",
    "drop_dates_out_of_range",
    "drop_end_before_start",
    "drop_unknown_people",
    "merge_reports_registered_twice",
    "close_open_ends",
    "merge_overlapping_spells",
]


def count_executors() -> int:
    from pyspark.sql import SparkSession

    context = SparkSession.active().sparkContext
    return context._jsc.sc().getExecutorMemoryStatus().size() - 1  # the driver is one


class DoneError(Exception):
    """The table stages are done."""


def hand_over(spark, con, table):
    name = table.op().name
    spark.take_over(name, con)
    return spark.backend.table(name)


def settle(frame):
    """A column without any value has a type of the engine's own."""
    empty = [name for name in frame if frame[name].isna().all()]
    return frame.astype(dict.fromkeys(empty, "float64"))


def assert_same(one: tuple, other: tuple) -> None:
    """Every table that the estimators are given, and the attrition."""
    (data, attrition), (theirs, their_attrition) = one, other
    pd.testing.assert_frame_equal(attrition, their_attrition)
    assert len(data.entries) > 30 and len(data.episodes) > len(data.entries)
    for field in fields(data):
        mine, its = (getattr(side, field.name) for side in (data, theirs))
        if isinstance(mine, pd.DataFrame):
            pd.testing.assert_frame_equal(settle(mine), settle(its), obj=field.name)
        elif field.name != "plan":
            assert mine == its, field.name


def test_a_random_extract_becomes_the_same_tables(spark_options):
    con, dictionary = connect(threads=1), SmallDictionary()
    dictionary.tables = dictionary.real.tables
    tables = make_tables(con, random_rows(1))
    with open_spark(spark_options, threads=2) as spark:
        theirs = {name: hand_over(spark, con, table) for name, table in tables.items()}
        plan = read_plan(STUDY + OTHERWISE)
        assert_same(
            prepare(tables, frozenset(), dictionary, plan),
            prepare(theirs, frozenset(), dictionary, plan),
        )
        assert count_executors() == 2


def write_dirty_extract(folder):
    """What a county's systems wrote down: all Parquet but one table; rules have their rows."""
    for name, table in simulate_county("dirty", 60, seed=3).items():
        if "/" not in name and not name.startswith("truth"):
            files.write_table(table, folder, name, ("csv" if name == "persons" else "parquet",))


def test_a_dirty_extract_is_read_checked_and_cleaned_by_the_command(
    spark_options, tmp_path, monkeypatch
):
    found = []

    def keep(data, attrition, dictionary, tell, share, checks):
        found.append((data, attrition, checks))
        raise DoneError

    monkeypatch.setattr(pipeline, "analyse", keep)
    folder, study = tmp_path / "data", tmp_path / "study.yaml"
    write_dirty_extract(folder)
    asked = yaml.safe_load(COUNTY.read_text(encoding="utf-8")) | {"cleaning": CLEANING}
    study.write_text(yaml.safe_dump(asked), encoding="utf-8")
    for name, options in (("duckdb", EngineOptions()), ("spark", spark_options)):
        with pytest.raises(DoneError):
            estimate.estimate_study(study, folder, tmp_path / name, "test", 2, options)
    ours, theirs = found
    pd.testing.assert_frame_equal(ours[2], theirs[2])
    attrition = ours[1]
    assert set(CLEANING) <= set(attrition["reason"]) and ours[2]["check"].nunique() > 5
    assert_same(ours[:2], theirs[:2])
