"""A Spark of two executor processes; without Java or PySpark these tests say what is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

from revictimisation.core.engine_options import SPARK, EngineOptions

# two executors of one core and 1,024 MB each, in processes of their own
OPTIONS = EngineOptions(SPARK, memory="1GB", master="local-cluster[2,1,1024]")
# A few hundred rows: to compile each query would take longer than to run it.
QUICK = """\
spark.sql.shuffle.partitions 4
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


def find_missing() -> str:
    """What Spark lacks here, in a sentence; empty where it has all."""
    if shutil.which("java") is None:
        return "Java is missing: apt-get install default-jre-headless"
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is missing: uv sync --all-extras"
    return ""


@pytest.fixture(scope="session")
def spark_options(tmp_path_factory) -> EngineOptions:
    """Skipped with a sentence, or failed where `REVICTIMISATION_REQUIRE_SPARK` is set."""
    missing = find_missing()
    if missing and os.environ.get("REVICTIMISATION_REQUIRE_SPARK"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(QUICK, encoding="utf-8")
    os.environ["SPARK_CONF_DIR"] = str(folder)  # as a cluster's own settings are given
    return OPTIONS
