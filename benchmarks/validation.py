"""How fast an extract of a million report rows is checked, and how fast beside frictionless.

    python benchmarks/validation.py [--rows 1000000] [--peer-rows 100000] [--skip-peer]

A county of 3,000 people is laid side by side with itself, under new pseudonyms, until there are as
many report rows; all other tables come in proportion. `validate` runs in a process of its own, on
CSV and on Parquet, without and with --report. Goals: under 10 s and under 2 GB on two cores
(without --report). Then persons and reports of `--peer-rows` report rows get faults planted, and
frictionless (an independent validator) and `validate` must find the same in the same rows;
`validate` at least 20 times as fast: the median ratio of rounds in which one runs after the other,
as a machine's speed drifts; beside it the ratio of each at its best, which a neighbour's work
disturbs least. Both have run before, so that Python need compile neither. Wall
seconds mean little on a busy machine: processor seconds and the load stand beside them. Leaves
benchmarks/results/validation.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from keeping import keep_result, name_clean_commit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "benchmarks" / "results"
GOALS = {"seconds": 10, "gigabytes": 2, "times_as_fast": 20}
PEOPLE, SEED, CORES = 3000, 1, 2
PSEUDONYMS = {
    "person_id", "victim_id", "suspect_id", "report_id", "assessment_id", "measure_id",
    "intervention_id", "contact_id",
}  # fmt: skip
PEER_TABLES = ("persons", "reports")
# table, column, what stands there instead, in the rows from which on (eight of them)
PLANTED = (
    ("reports", "reported_on", "2012-02-30", 1_000),
    ("reports", "offence_from_on", "1899-12-31", 2_000),
    ("reports", "relation", "no_such_code", 3_000),
    ("reports", "victim_id", "nobody", 4_000),
    ("reports", "is_honour", "maybe", 5_000),
    ("persons", "birth_year", "eighty", 1_000),
    ("persons", "birth_year", "1850", 2_000),
    ("persons", "sex", "no_such_code", 3_000),
    ("persons", "protected_identity", "", 4_000),
)
N_PLANTED = 8
N_ROUNDS = 5
# As users have it: what Python compiled once it keeps.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def run_measured(command: list[str]) -> dict[str, float]:
    """Wall and processor seconds and peak memory of a command in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    code = subprocess.run(command, stdout=subprocess.DEVNULL, cwd=ROOT, env=ENVIRONMENT).returncode
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code in (0, 3), f"{command} ended with {code}"
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_seconds": round(wall, 2), "processor_seconds": round(cpu, 2)}


def run_repeatedly(command: list[str], n_runs: int = 3) -> dict[str, float]:
    """The run with the median wall seconds, after one that does not count."""
    run_measured(command)
    runs = [run_measured(command) for _ in range(n_runs)]
    return sorted(runs, key=lambda one: one["wall_seconds"])[n_runs // 2]


def validate(folder: Path, *more: str) -> list[str]:
    """The command that is measured, under a small parent that tells its peak memory."""
    own = [sys.executable, str(Path(__file__).resolve()), "--child"]
    return [*own, str(folder), "--jobs", str(CORES), *more]


def run_child(arguments: list[str]) -> None:
    """Be the measured process; leave its peak memory in the file that the parent named."""
    sys.argv = ["revictimisation", "validate", *arguments]
    from revictimisation.commands.command_line import main as command

    try:
        command()
    finally:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        Path(os.environ["PEAK_FILE"]).write_text(f"{peak:.3f}")


def simulate(folder: Path) -> Path:
    """A county of `PEOPLE` people as CSV."""
    call = [sys.executable, "-m", "revictimisation", "simulate", str(folder)]
    subprocess.run([*call, "--people", str(PEOPLE), "--seed", str(SEED)], check=True)
    return folder


def build_side_by_side(county: Path, folder: Path, n_rows: int, kind: str) -> dict[str, int]:
    """Copy the county's tables under new pseudonyms until there are `n_rows` reports."""
    con = duckdb.connect()
    folder.mkdir()
    once = con.sql(f"SELECT count(*) FROM read_csv('{county}/reports.csv')").fetchone()
    copies = -(-n_rows // (once or (1,))[0])
    counts = {}
    for path in sorted(county.glob("*.csv")):
        if path.stem.startswith("truth"):
            continue
        source = f"read_csv('{path}', header=true, all_varchar=true)"
        columns = con.sql(f"SELECT * FROM {source}").columns
        named = [f"{one} || '-' || k AS {one}" if one in PSEUDONYMS else one for one in columns]
        times = f", range({copies}) t(k)" if path.stem != "municipality_years" else ""
        cells = ", ".join(named if times else columns)
        layout = "FORMAT csv, HEADER" if kind == "csv" else "FORMAT parquet"
        target = folder / f"{path.stem}.{kind}"
        con.execute(f"COPY (SELECT {cells} FROM {source}{times}) TO '{target}' ({layout})")
        found = con.sql(f"SELECT count(*) FROM '{target}'").fetchone()
        counts[path.stem] = int((found or (0,))[0])
    return counts


def measure_size(county: Path, folder: Path, n_rows: int, kind: str) -> dict[str, Any]:
    """Check the large extract in one format, without and with its report."""
    data = folder / kind
    counts = build_side_by_side(county, data, n_rows, kind)
    peak = folder / "peak"
    ENVIRONMENT["PEAK_FILE"] = str(peak)
    measured: dict[str, Any] = {"rows": counts}
    for name, more in (("validate", []), ("with_report", ["--report", str(folder / "report")])):
        one = run_measured(validate(data, *more))
        measured[name] = {**one, "gigabytes": float(peak.read_text())}
        print(f"{kind:<8} {name:<12} {measured[name]}", flush=True)
    return measured


def plant(county: Path, folder: Path, n_rows: int) -> None:
    """Persons and reports of which only what is planted is wrong, and other tables without rows.

    Every suspect is made a person, and reports that break a key of their own are left out.
    """
    from revictimisation.dictionary import load_dictionary

    build_side_by_side(county, folder, n_rows, "csv")
    con = duckdb.connect()
    for name in PEER_TABLES:
        con.execute(
            f"CREATE TABLE {name} AS SELECT *, row_number() OVER () AS place"
            f" FROM read_csv('{folder}/{name}.csv', header=true, all_varchar=true)"
        )
    con.execute(
        "INSERT INTO persons (person_id, birth_year, sex, municipality_code, protected_identity)"
        " SELECT DISTINCT suspect_id, '1980', 'male', '0180', 'none' FROM reports"
        " WHERE suspect_id IS NOT NULL AND suspect_id NOT IN (SELECT person_id FROM persons)"
    )
    for table, column, value, first in PLANTED:
        rows = f"place BETWEEN {first} AND {first + N_PLANTED - 1}"
        con.execute(f"UPDATE {table} SET {column} = nullif(?, '') WHERE {rows}", [value])
    con.execute(f"INSERT INTO reports SELECT * FROM reports WHERE place <= {N_PLANTED}")
    for name in PEER_TABLES:
        cells = f"SELECT * EXCLUDE (place) FROM {name} ORDER BY rowid"
        con.execute(f"COPY ({cells}) TO '{folder}/{name}.csv' (FORMAT csv, HEADER)")
    for table in load_dictionary().tables_by_direction("in"):
        if table.name not in PEER_TABLES:
            path = folder / f"{table.name}.csv"
            path.unlink(missing_ok=True)
            if not table.is_optional:
                path.write_text(",".join(table.field_names) + "\n")


def ask_peer(folder: Path, target: Path) -> None:
    """Be the peer's process: every fault that frictionless finds, as `table, rule, row`."""
    import frictionless

    from revictimisation.dictionary import load_dictionary
    from tests.validation.test_against_frictionless import RULES, describe

    dictionary = load_dictionary()
    resources = [describe(dictionary.tables[name], dictionary) for name in PEER_TABLES]
    package = frictionless.Package({"name": "extract", "resources": resources})
    package.basepath = str(folder)
    found = []
    for task in package.validate(limit_errors=1_000_000).tasks:
        for error in task.errors:
            is_constraint = error.type == "constraint-error"
            rule = error.note.split('"')[1] if is_constraint else error.type
            found.append((task.name, RULES[rule], error.row_number))
    target.write_text(json.dumps(sorted(set(map(tuple, found)))))


def list_own_faults(folder: Path) -> list[tuple[str, str, int]]:
    """The faults of the same kinds that `validate` finds, in the same words."""
    from revictimisation.core.engine import connect
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract.validation import load_extract
    from tests.validation.extracts import TODAY
    from tests.validation.test_against_frictionless import ours

    extract = load_extract(connect(threads=CORES), folder, load_dictionary(), today=TODAY)
    places = ours(extract)
    return sorted((table, rule, row) for (table, row), rules in places.items() for rule in rules)


def measure_peer(county: Path, folder: Path, n_rows: int) -> dict[str, Any]:
    """The same faults by both, and how long each takes."""
    data, listed = folder / "planted", folder / "peer.json"
    plant(county, data, n_rows)
    own_call = [sys.executable, "-m", "revictimisation", "validate", str(data)]
    own_call += ["--jobs", str(CORES)]
    run_measured([sys.executable, "-c", "import frictionless"])
    peer_call = [sys.executable, str(Path(__file__).resolve()), "--peer", str(data), str(listed)]
    rounds = []
    for _ in range(N_ROUNDS):
        rounds.append({"validate": run_repeatedly(own_call)})
        rounds[-1]["frictionless"] = run_measured(peer_call)
        print(rounds[-1], flush=True)
    theirs = [tuple(one) for one in json.loads(listed.read_text())]
    mine = list_own_faults(data)
    assert mine == theirs, sorted(set(mine) ^ set(theirs))[:20]
    times = {
        f"times_as_fast_in_{kind}": round(
            median(one["frictionless"][kind] / one["validate"][kind] for one in rounds), 1
        )
        for kind in ("wall_seconds", "processor_seconds")
    }
    own, peer = (
        min(one[name]["wall_seconds"] for one in rounds) for name in ("validate", "frictionless")
    )
    times["times_as_fast_each_at_its_best"] = round(peer / own, 1)
    return {
        "report_rows": n_rows,
        "faults_found_by_both": len(mine),
        "rounds": rounds,
        **times,
    }


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description="Validation of a large extract.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, default=100_000)
    parser.add_argument("--skip-peer", action="store_true")
    given = parser.parse_args()
    commit, load = name_clean_commit(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        county = simulate(folder / "county")
        sizes = {
            kind: measure_size(county, folder, given.rows, kind) for kind in ("csv", "parquet")
        }
        peer = None if given.skip_peer else measure_peer(county, folder, given.peer_rows)
    kept = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": "python benchmarks/validation.py " + " ".join(sys.argv[1:]),
        "machine": {"cores": os.cpu_count(), "machine": platform.machine()},
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "load_before": load,
        "threads": CORES,
        "goals": GOALS,
        "sizes": sizes,
        "peer": peer,
    }
    keep_result(RESULTS / "validation.json", kept, commit)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_child(sys.argv[2:])
    elif sys.argv[1:2] == ["--peer"]:
        ask_peer(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
