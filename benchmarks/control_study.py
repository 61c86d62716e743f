"""Do the negative controls sound the alarm when something hidden misleads, and only then.

    python benchmarks/control_study.py [--counties 200] [--scenario calibrated null unmeasured]
    python benchmarks/control_study.py --summarise

Each county goes from extract to its negative controls by the project's own stages: the check
`negative_control_difference` of each measure on the study's last day. Kept in
src/truth_studies/tables: `table.csv`, a row per scenario and measure (empty: any of them), the
share of counties in which the check failed, warned that it cannot tell, or held.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from county_study import CountyStudy, describe_run, read_study, run_study

from revictimisation.analyses.sensitivity.negative_controls import CHECK, estimate_negative_controls

COUNTIES = CountyStudy("control_study", 20261125, "python benchmarks/control_study.py")
FAILED, WARNING = "failed", "warning"


def run_block(name: str, block: int, people: int) -> pd.DataFrame:
    """Simulate a block of counties and judge the controls of each."""
    parts = []
    for number, county in COUNTIES.make_counties(name, block, people, read_study()):
        _, checks = estimate_negative_controls(county)
        mine = checks.loc[checks["check"].eq(CHECK), ["measure", "value", "status"]]
        parts.append(mine.assign(county=number))
    return pd.concat(parts, ignore_index=True).astype({"value": float})


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per measure, and one (measure empty) of whether any measure's check failed."""
    by_county = rows.assign(failed=rows["status"].eq(FAILED)).groupby("county")["failed"].any()
    found = [{"measure": "", **_count(by_county, pd.Series(False, index=by_county.index))}]
    for measure, mine in rows.groupby("measure"):
        counts = _count(mine["status"].eq(FAILED), mine["status"].eq(WARNING))
        found.append({"measure": measure, **counts, "mean_difference": mine["value"].mean()})
    return pd.DataFrame(found)


def _count(is_failed: pd.Series, is_warning: pd.Series) -> dict[str, float]:
    share, n = float(is_failed.mean()), len(is_failed)
    return {"n_counties": n, "share_failed": share,
            "share_failed_mc": float(np.sqrt(share * (1 - share) / n)),
            "share_cannot_tell": float(is_warning.mean())}  # fmt: skip


def keep_summary() -> None:
    """Summarise all that is there and keep it with its provenance."""
    tables, runs = [], []
    for name, people, rows in COUNTIES.read_rows():
        tables.append(summarise(rows).assign(scenario=name))
        runs.append(describe_run(name, people, rows))
    table = pd.concat(tables)
    COUNTIES.keep({"table": table[["scenario", *table.columns.drop("scenario")]]}, runs)


if __name__ == "__main__":
    run_study(COUNTIES, __doc__, ["calibrated", "null", "unmeasured"], run_block, keep_summary)
