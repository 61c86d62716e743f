"""Raw files made at random through `map`: rows in are rows out, or the refusal names the row.

    python benchmarks/raw_search.py [--files 1000] [--seed 20261130] [--jobs 2]

Headings and titles with every special sign, all line ends, byte-order marks, encodings, widths and
quotings, rows of nothing, lines that tell the separator, four kinds of workbook; one text of five
is damaged in a row (tests/fuzz/raw_sources.py). What is written is held against Python's own
reader, value by value. Leaves benchmarks/results/raw_search.json; exit 1 if there is any fault.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
import multiprocessing
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keeping import ROOT, keep_result, name_clean_commit

sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "raw_search.json"
USED = ("revictimisation", "duckdb", "python-calamine", "openpyxl")


def try_some(seed: int, numbers: range) -> list[dict[str, Any]]:
    """The outcomes of some files, as data."""
    from dataclasses import asdict

    from revictimisation.core.engine import connect
    from tests.fuzz.raw_sources import try_source

    con, outcomes = connect(threads=1), []
    for number in numbers:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(asdict(try_source(con, Path(folder), seed, number)))
    return outcomes


def try_all(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The outcomes of all files, in the order of their numbers."""
    last = args.first + args.files
    blocks = [range(start, min(start + 50, last)) for start in range(args.first, last, 50)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.jobs, mp_context=context) as pool:
        parts = pool.map(partial(try_some, args.seed), blocks)
        return [one for part in parts for one in part]


def summarise(args: argparse.Namespace, outcomes: list[dict[str, Any]], begun: float) -> dict:
    """What is kept: how many ended how, every fault with its file, where it all came from."""
    return {
        "command": "python " + " ".join(["benchmarks/raw_search.py", *sys.argv[1:]]),
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in USED},
        "seed": args.seed,
        "seconds": round(time.perf_counter() - begun),
        "n_files": len(outcomes),
        "n_with_faults": sum(bool(one["faults"]) for one in outcomes),
        "n_rows_written": sum(one["n_rows"] for one in outcomes),
        "ends": dict(sorted(collections.Counter(one["end"] for one in outcomes).items())),
        "traits": dict(
            sorted(collections.Counter(what for one in outcomes for what in one["traits"]).items())
        ),
        "faults": [one for one in outcomes if one["faults"]],
    }


def main() -> None:
    """Try the files; exit 1 if any ended in a fault of ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--jobs", type=int, default=2, help="files tried at the same time")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    commit, begun = name_clean_commit(), time.perf_counter()
    found = summarise(args, try_all(args), begun)
    keep_result(args.out, found, commit)
    shown = ("n_files", "n_with_faults", "n_rows_written", "ends", "faults")
    print(json.dumps({key: found[key] for key in shown}, indent=2, ensure_ascii=False))
    sys.exit(found["n_with_faults"] > 0)


if __name__ == "__main__":
    main()
