"""Five small studies whose every number is kept: does a change leave them as they were?

    python benchmarks/yardstick.py            hold the studies against what is kept; exit 1 if not
    python benchmarks/yardstick.py --keep     keep what the code as it stands gives

The studies go the whole way by the commands: a county of 600 people and one of 3,000, the dirty
county as two agencies hand it over (pseudonymised, linked, cleaned), and the two real data sets.
Kept are the restricted and the released tables (tests/yardstick). A number may differ by 1e-9,
a status, a reason and a count by nothing; who changes one says in the commit which and why.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from keeping import ROOT
from linkage import NAMES, UNUSED, map_agency

KEPT = ROOT / "tests" / "yardstick"
COUNTY = (ROOT / "pipelines/studies/county.yaml").read_text(encoding="utf-8")
FEWER = COUNTY.replace("replicates: 200", "replicates: 20")
# Of public use: it protects nothing, and with it pseudonyms are the same in every run.
KEY = """\
revictimisation-key 1
study: dirty
rotation: 1
reference_on: 2018-12-31
secret: 7cdbc1b1d27d9deb9cbe37ebd4c89b8edd6fc08c8f93a095dcf1bca485dcf16d
check: 44c8e1c3
"""
LINKED = """\
name: dirty
horizon_days: 365
report_at_days: [182, 365]
measures: {support_talks: {grace_days: 60}, safety_talk: {grace_days: 14}}
adjust_for: [sex]
bootstrap: {replicates: 20}
gates: {largest_standardised_difference: 10, effective_sample_size: 2, events_per_arm: 1,
        exposed_victims: 2, share_outside_support: 1, minimum_detectable_difference: 1}
cleaning: [lower_case_codes, drop_exact_duplicates, empty_ends_after_today, drop_end_before_start,
           drop_unknown_people, merge_reports_registered_twice, close_open_ends,
           merge_overlapping_spells]
linkage: {is_on: true}
"""
TABLES = {
    "estimates": ["question", "analysis", "measure", "subgroup", "level", "outcome", "estimator",
                  "estimand", "time_days"],
    "attrition": ["step", "reason"],
    "diagnostics": ["analysis", "measure", "check"],
}  # fmt: skip
# A number above 10 (days, numbers needed to treat) may differ in its eleventh digit.
TOLERANCE, RELATIVE = 1e-9, 1e-10


def command(*words: object) -> None:
    """Run a command of the project; what it says is shown only if it fails."""
    call = [sys.executable, "-m", "revictimisation", *map(str, words)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(call)}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def make_county(folder: Path, n_people: int, seed: int) -> tuple[Path, Path]:
    """A synthetic county and its study."""
    data, study = folder / "data", folder / "study.yaml"
    command("simulate", data, "--people", n_people, "--seed", seed)
    study.write_text(FEWER, encoding="utf-8")
    return study, data


def make_linked(folder: Path) -> tuple[Path, Path]:
    """The dirty county as two agencies hand it over, joined."""
    study, key = folder / "study.yaml", folder / "custody" / "key"
    study.write_text(LINKED, encoding="utf-8")
    key.parent.mkdir()
    key.write_text(KEY, encoding="utf-8")
    key.chmod(0o600)
    command("simulate", folder / "county", "--people", 600, "--seed", 3, "--scenario", "dirty")
    left_out = [word for column in UNUSED for word in ("--exclude", f"persons.{column}")]
    for name, agency in NAMES.items():
        map_agency(folder / "county" / "raw" / agency, folder / "mapped" / name)
        command("pseudonymise", folder / "mapped" / name, folder / name, "--key-file", key,
                "--source", name, "--linkage-fields", *left_out)  # fmt: skip
    command("link", folder / "police", folder / "social", "--study", study, "--out",
            folder / "joined")  # fmt: skip
    return study, folder / "joined"


def find_real(name: str) -> tuple[Path, Path]:
    """One of the real data sets with a published answer."""
    real = ROOT / "tests" / "real" / name
    return real / "study.yaml", real / "extract"


STUDIES: dict[str, Callable[[Path], tuple[Path, Path]]] = {
    "county_600": lambda folder: make_county(folder, 600, 1),
    "county_3000": lambda folder: make_county(folder, 3_000, 2),
    "linked": make_linked,
    "mdve": lambda folder: find_real("mdve"),
    "rossi": lambda folder: find_real("rossi"),
}


def estimate(name: str, folder: Path) -> dict[str, pd.DataFrame]:
    """Estimate a study; its restricted and released tables by `restricted_estimates` ..."""
    study, data = STUDIES[name](folder)
    out = folder / "out"
    command("estimate", study, "--data", data, "--out", out)
    return {
        f"{side}_{table}": pd.read_parquet(out / side / f"{table}.parquet")
        for side in ("restricted", "release")
        for table in TABLES
    }


def find_changes(name: str, kept: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """What differs between two tables of the same name, a line each."""
    keys = TABLES[name.partition("_")[2]]
    both = [table.assign(nth=table.groupby(keys, dropna=False).cumcount()) for table in
            (kept, found)]  # fmt: skip
    joined = both[0].merge(both[1], "outer", [*keys, "nth"], suffixes=("_kept", ""), indicator=True)
    lost, new = (int(joined["_merge"].eq(side).sum()) for side in ("left_only", "right_only"))
    changes = [f"{name}: {lost} rows gone, {new} new"] if lost or new else []
    shared = joined[joined["_merge"].eq("both")]
    for column in [column for column in kept.columns if column not in keys]:
        old, now = shared[f"{column}_kept"], shared[column]
        if pd.api.types.is_numeric_dtype(old.dtype):
            a, b = (side.astype("float64").to_numpy() for side in (old, now))
            is_same = np.isclose(a, b, rtol=RELATIVE, atol=TOLERANCE, equal_nan=True)
        else:
            is_same = (old.fillna("") == now.fillna("")).to_numpy()
        if not is_same.all():
            first = shared.loc[~is_same, [*keys, f"{column}_kept", column]].iloc[0].to_dict()
            changes.append(f"{name}: {column} differs in {(~is_same).sum()} rows, first {first}")
    return changes


def hold(name: str, folder: Path) -> list[str]:
    """What a study gives that is not what is kept of it."""
    found, changes = estimate(name, folder), []
    for table, rows in found.items():
        kept = pd.read_parquet(KEPT / name / f"{table}.parquet")
        changes += [f"{name}/{line}" for line in find_changes(table, kept, rows)]
    return changes


def main() -> None:
    """Keep the studies' tables, or hold the studies against them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--study", nargs="+", choices=list(STUDIES), default=list(STUDIES))
    given = parser.parse_args()
    changes = []
    for name in given.study:
        with tempfile.TemporaryDirectory() as text:
            if given.keep:
                (KEPT / name).mkdir(parents=True, exist_ok=True)
                for table, rows in estimate(name, Path(text)).items():
                    rows.to_parquet(KEPT / name / f"{table}.parquet", compression="zstd")
            else:
                changes += hold(name, Path(text))
    print("\n".join(changes) or ("kept" if given.keep else "every number is as it was"))
    raise SystemExit(bool(changes))


if __name__ == "__main__":
    main()
