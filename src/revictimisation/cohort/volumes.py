"""How many rows the extract's tables have by quarter, and how full their columns are."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pandas as pd

from revictimisation.core.packing import pack_quarter
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan

COLUMNS = ("table", "quarter", "n_rows")
FILLED = ("table", "column", "n_filled", "n_rows")


def count_volumes(
    tables: Mapping[str, ir.Table], dictionary: Dictionary, plan: StudyPlan
) -> pd.DataFrame:
    """Count the rows of each dated table by quarter, from the accrual's first to the data's last.

    A row is a table and a quarter (`2013-Q2`), also one without rows; tables without any row in
    that time have none. Quarters that the study's days cut are counted for the days inside.
    """
    first, last = plan.accrual.from_on, plan.data_end_on
    quarters = [
        pack_quarter(number // 4, number % 4 + 1)
        for number in range(
            first.year * 4 + (first.month - 1) // 3, last.year * 4 + (last.month - 1) // 3 + 1
        )
    ]
    parts = []
    for name, table in tables.items():
        dated_by = dictionary.tables[name].dated_by
        if (
            not dated_by
            or dated_by not in table
            or dictionary.tables[name].field(dated_by).type != "date"
        ):
            continue
        day = table[dated_by]
        inside = table.filter(
            day.between(ibis.date(first.isoformat()), ibis.date(last.isoformat()))
        )
        counted = (
            inside.group_by(year=day.year(), part=day.quarter())
            .aggregate(n_rows=inside.count())
            .to_pandas()
        )
        if counted.empty:
            continue
        called = [
            pack_quarter(int(year), int(part))
            for year, part in zip(counted["year"], counted["part"], strict=True)
        ]
        rows = pd.Series(counted["n_rows"].to_numpy(), index=called).reindex(quarters, fill_value=0)
        parts.append(
            pd.DataFrame({"table": name, "quarter": quarters, "n_rows": rows.to_numpy("int64")})
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS])


def count_filled(tables: Mapping[str, ir.Table], dictionary: Dictionary) -> pd.DataFrame:
    """Count the filled cells of each column that the tables have: a row per table and column."""
    parts = []
    for name, table in tables.items():
        columns = [column for column in dictionary.tables[name].field_names if column in table]
        counts = table.aggregate(
            n_rows=table.count(), **{f"of_{column}": table[column].count() for column in columns}
        ).to_pandas()
        n_rows = int(counts.at[0, "n_rows"])
        parts += [(name, column, int(counts.at[0, f"of_{column}"]), n_rows) for column in columns]
    return pd.DataFrame(parts, columns=[*FILLED])
