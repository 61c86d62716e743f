"""From an extract's tables to person-time: DuckDB, DuckDB out of core, and Spark.

    python benchmarks/engines.py --reports 100000 1000000
    python benchmarks/engines.py --reports 2000000 --engines duckdb duckdb_4gb      # the nation
    python benchmarks/engines.py --reports 2000000 --data DIR   # of `simulate --scenario national`

Makes a nation with so many rows of reports (`simulate --scenario national`, its inhabitants in
proportion), then reads, checks and prepares it by the study of the whole county
(`pipelines/studies/county.yaml`): everything that `estimate` does before the first estimator. Each
engine has a process of its own on two cores; memory is the most that it and all its children held
at once (resident, looked at every 0.1 s), seconds are those of all cores (`cpu`) and of the clock.
`digest` is a hash of all that the estimators are given: engines agree where it is the same. A size
and engine measured anew takes the place of the earlier one in benchmarks/results/engines.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from keeping import keep_result, name_clean_commit

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "engines.json"
REPORTS_PER_VICTIM = 3.7
CORES = 2
# name: engine, memory, master
ENGINES = {
    "duckdb": ("duckdb", None, None),
    "duckdb_4gb": ("duckdb", "4GB", None),
    "duckdb_1gb": ("duckdb", "1GB", None),
    "spark": ("spark", "4GB", None),
    "spark_cluster": ("spark", "2GB", "local-cluster[2,1,2048]"),
}


def prepare_once(folder: Path, name: str) -> dict[str, Any]:
    """Do it here, and tell how long each step took and what came of it."""
    from revictimisation.cohort.preparation import prepare
    from revictimisation.commands.engines import open_engine
    from revictimisation.core.engine_options import EngineOptions
    from revictimisation.dictionary import load_dictionary
    from revictimisation.extract.validation import load_extract
    from revictimisation.plan import read_plan

    engine, memory, master = ENGINES[name]
    options = EngineOptions(engine, memory, master)
    plan = read_plan((ROOT / "pipelines" / "studies" / "county.yaml").read_text())
    dictionary = load_dictionary()
    began, steps = time.perf_counter(), []

    def tell(step: str) -> None:
        steps.append((step, time.perf_counter() - began))

    tell("read_and_check")
    with open_engine(options, CORES) as con:
        extract = load_extract(con, folder, dictionary, plan)
        extract.raise_for_errors()
        data, attrition = prepare(extract.tables, extract.absent, dictionary, plan, tell)
    tell("end")
    ends = [at for _, at in steps[1:]]
    return {
        "seconds": steps[-1][1],
        "steps": {step: end - at for (step, at), end in zip(steps[:-1], ends, strict=True)},
        "n_entries": len(data.entries),
        "n_episodes": len(data.episodes),
        "n_events": int(data.episodes["is_event"].sum()),
        "digest": digest(data, attrition),
    }


def digest(data: Any, attrition: pd.DataFrame) -> str:
    """A hash of every table that the estimators are given, and of the attrition."""
    found = hashlib.sha256()
    for one in fields(data):
        table = getattr(data, one.name)
        if isinstance(table, pd.DataFrame):
            found.update(one.name.encode())
            found.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    found.update(attrition.to_csv(index=False).encode())
    return found.hexdigest()[:16]


def run_apart(folder: Path, name: str) -> dict[str, Any]:
    """`prepare_once` in a process of its own, with its memory and the seconds of all its cores."""
    call = [sys.executable, __file__, "--inside", name, "--data", str(folder)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    watch = Watch(process.pid)
    out, _ = process.communicate()
    watch.stop()
    if process.returncode:
        return {"failed": process.returncode, "peak_gb": watch.peak / 2**30}
    return {**json.loads(out), "cpu_seconds": watch.cpu, "peak_gb": watch.peak / 2**30}


class Watch(threading.Thread):
    """Looks at a process and all its children until it ends: memory at once, seconds in all."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process, self.peak, self.used = psutil.Process(pid), 0, {}
        self.ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.wait(0.1):
            self.look()

    def look(self) -> None:
        held = 0
        try:
            for one in [self.process, *self.process.children(recursive=True)]:
                held += one.memory_info().rss
                times = one.cpu_times()
                self.used[one.pid] = times.user + times.system
        except psutil.Error:
            pass
        self.peak = max(self.peak, held)

    def stop(self) -> None:
        self.ended.set()
        self.join()

    @property
    def cpu(self) -> float:
        return sum(self.used.values())


def make_extract(folder: Path, n_reports: int) -> dict[str, Any]:
    """Make a nation with about so many rows of reports, and tell what it took."""
    n_people = round(n_reports / REPORTS_PER_VICTIM)
    words = ["simulate", folder, "--people", n_people, "--scenario", "national", "--jobs", CORES]
    process = subprocess.Popen([sys.executable, "-m", "revictimisation", *map(str, words)])
    watch, began = Watch(process.pid), time.perf_counter()
    process.wait()
    watch.stop()
    return {"seconds": time.perf_counter() - began, "cpu_seconds": watch.cpu,
            "peak_gb": watch.peak / 2**30}  # fmt: skip


def describe_extract(folder: Path) -> dict[str, Any]:
    import pyarrow.parquet as parquet

    paths = sorted(folder.glob("*.parquet"))
    return {
        "n_rows": {path.stem: parquet.ParquetFile(path).metadata.num_rows for path in paths},
        "megabytes": round(sum(path.stat().st_size for path in paths) / 2**20),
    }


def measure(n_reports: int, engines: list[str], data: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder, made = data or Path(scratch, "nation"), None
        if data is None:
            made = make_extract(folder, n_reports)
        found = {"extract": {**describe_extract(folder), "simulated": made}, "engines": {}}
        for name in engines:
            found["engines"][name] = one = run_apart(folder, name)
            print(n_reports, name, one, flush=True)
    return found


def name_call(given: argparse.Namespace) -> str:
    """The call, without where the extract lies on this machine."""
    words = ["python benchmarks/engines.py --reports", *map(str, given.reports)]
    words += ["--engines", *given.engines, *(["--data DIR"] if given.data else [])]
    return " ".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--engines", nargs="+", choices=[*ENGINES], default=[*ENGINES])
    parser.add_argument("--data", type=Path, help="an extract that is there already")
    parser.add_argument("--inside", choices=[*ENGINES], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(prepare_once(given.data, given.inside)))
        return
    commit = name_clean_commit()
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"sizes": {}}
    about = {
        "commit": commit,
        "measured_on": dt.date.today().isoformat(),
        "command": name_call(given),
        "machine": {"cores": os.cpu_count(), "machine": platform.machine(),
                    "python": platform.python_version()},
    }  # fmt: skip
    for n_reports in given.reports:
        found = measure(n_reports, given.engines, given.data)
        size = kept["sizes"].setdefault(str(n_reports), {"engines": {}})
        if found["extract"]["simulated"] or "extract" not in size:
            size["extract"] = found["extract"]
        size["engines"].update({name: {**about, **one} for name, one in found["engines"].items()})
        keep_result(RESULTS, {name: kept[name] for name in kept if name != "commit"}, commit)


if __name__ == "__main__":
    main()
