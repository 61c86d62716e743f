"""The engine's SQL in Spark's words; without Spark. Expected texts are written by hand."""

from __future__ import annotations

import pytest

from revictimisation.core import engine_options, spark
from revictimisation.core.errors import UsageError
from revictimisation.core.spark_sql import parse, translate
from tests.cases import for_each

COLUMNS = {"t": ["a", "b", "n"], "u": ["b", "n", "a"]}


@for_each(
    ("statement", "expected"),
    [
        ("SELECT * EXCLUDE (b) REPLACE (n + 1 AS n) FROM t",
         "SELECT `t`.`a`, `n` + 1 AS `n` FROM `t`"),
        ("SELECT x.*, u.b AS c FROM t x JOIN u ON u.a = x.a",
         "SELECT `x`.`a`, `x`.`b`, `x`.`n`, `u`.`b` AS `c` FROM `t` AS `x` JOIN `u`"
         " ON `u`.`a` = `x`.`a`"),
        ("SELECT * FROM t UNION ALL BY NAME SELECT * FROM u",
         "SELECT `t`.`a`, `t`.`b`, `t`.`n` FROM `t` UNION ALL"
         " SELECT `u`.`a`, `u`.`b`, `u`.`n` FROM `u`"),
        ("SELECT a FROM t WHERE regexp_full_match(a, '\\d{8}')",
         "SELECT `a` FROM `t` WHERE `a` RLIKE '\\\\A(?:\\\\d{8})\\\\z'"),
        ("SELECT a FROM t WHERE regexp_matches(a, 'x$')",
         "SELECT `a` FROM `t` WHERE `a` RLIKE 'x\\\\z'"),
        ("SELECT min(n, 10) FILTER (WHERE b) FROM t",
         "SELECT SLICE(ARRAY_SORT(COLLECT_LIST(`n`) FILTER(WHERE `b`)), 1, 10) FROM `t`"),
        ("SELECT a[5:6] FROM t", "SELECT SUBSTRING(`a`, 5, 2) FROM `t`"),
        ("SELECT timezone('Europe/Stockholm', timezone('UTC', a)) FROM t",
         "SELECT FROM_UTC_TIMESTAMP(`a`, 'Europe/Stockholm') FROM `t`"),
        ("SELECT isfinite(n) AND suffix(a, '.0') FROM t",
         "SELECT ABS(`n`) < CAST('Infinity' AS DOUBLE) AND ENDSWITH(`a`, '.0') FROM `t`"),
        ("SELECT a FROM t ORDER BY a", "SELECT `a` FROM `t` ORDER BY `a` NULLS LAST"),
    ],
)  # fmt: skip
def test_spark_is_asked_for_the_same(statement, expected):
    assert translate(parse(statement), COLUMNS.__getitem__) == expected


def test_what_spark_lacks_is_told(monkeypatch):
    options = engine_options.EngineOptions(engine_options.SPARK)
    monkeypatch.setitem(__import__("sys").modules, "pyspark", None)
    monkeypatch.setitem(__import__("sys").modules, "pyspark.sql", None)
    with (
        pytest.raises(UsageError, match="install revictimisation\\[spark\\]"),
        spark.open_spark(options, 1),
    ):
        pass
