"""Small generated extracts through `estimate`: every `ok` row is right, or can be defended.

    python benchmarks/estimate_search.py [--extracts 300] [--seed 20261201] [--jobs 2]
    python benchmarks/estimate_search.py --write DIR --first 17    one extract with its study

Kinds of extract in tests/search/extracts.py. Rows are held against an independent computation
(`expected`, `expected_courts`: plain counting day by day, models by their definitions) where there
is one, and all of them against what can be defended (`judging`). One in --disguise extracts is run
once more with people renamed, rows shuffled and covariates in other units, and must give the same.
Leaves benchmarks/results/estimate_search.json; exit 1 if anything was found.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
import os
import platform
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keeping import ROOT, keep_result, name_clean_commit

sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "estimate_search.json"
EVERY = 9  # to no number in common with the kinds: of all of them some are disguised


def try_number(seed: int, number: int, every: int) -> Any:
    """What came of one extract."""
    from tests.search.extracts import make_case
    from tests.search.trial import try_case

    warnings.simplefilter("ignore", FutureWarning)
    case = make_case(seed, number)
    # replicates are drawn in the order of the people, which a disguise changes
    is_disguised = number % every == 0 and case.study["bootstrap"]["replicates"] == 0
    return try_case(case, seed, is_disguised=is_disguised)


def try_all(args: argparse.Namespace) -> list[Any]:
    """What came of all extracts, in order; what is found is told as it is found."""
    from tests.search.trial import summarise

    numbers = range(args.first, args.first + args.extracts)
    outcomes = []
    with ProcessPoolExecutor(args.jobs) as pool:
        same = ([args.seed] * len(numbers), numbers, [args.disguise] * len(numbers))
        for outcome in pool.map(try_number, *same):
            outcomes.append(outcome)
            told = f"{outcome.number} {outcome.kind} {outcome.rows} {outcome.n_counted} counted"
            print(told, outcome.refused, flush=True)
            for one in summarise([outcome]):
                first = one["first"]
                rows = f"{first['row']}: {first['got']}, right: {first['right']}"
                print(f"  {one['n_rows']} x {one['family']}\n      {rows}", flush=True)
    return outcomes


def describe(args: argparse.Namespace, outcomes: list[Any], seconds: float) -> dict[str, Any]:
    """What is kept: how many rows of which status, every family of faults, where it came from."""
    from tests.search.trial import summarise

    rows = sum((collections.Counter(one.rows) for one in outcomes), collections.Counter())
    return {
        "command": "python " + " ".join(["benchmarks/estimate_search.py", *sys.argv[1:]]),
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "python": platform.python_version(),
        "versions": {
            one: version(one) for one in ("revictimisation", "numpy", "pandas", "duckdb", "numba")
        },
        "seed": args.seed,
        "seconds": round(seconds),
        "n_extracts": len(outcomes),
        "n_refused": sum(bool(one.refused) for one in outcomes),
        "kinds": dict(sorted(collections.Counter(one.kind for one in outcomes).items())),
        "rows": dict(sorted(rows.items())),
        "n_ok_rows_held_against_an_answer": sum(one.n_counted for one in outcomes),
        "n_extracts_in_disguise": sum(one.n_disguised > 0 for one in outcomes),
        "n_extracts_with_faults": sum(bool(one.faults) for one in outcomes),
        "n_faults": sum(len(one.faults) for one in outcomes),
        "families": summarise(outcomes),
    }


def main() -> None:
    """Try the extracts; exit 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extracts", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first extract")
    parser.add_argument("--seed", type=int, default=20261201)
    parser.add_argument("--disguise", type=int, default=EVERY, help="one in so many is run twice")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--write", type=Path, help="only write the first extract to this folder")
    args = parser.parse_args()
    if args.write:
        from tests.search.extracts import make_case

        make_case(args.seed, args.first).write(args.write)
        return
    # a process per extract is all there is to share out
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
    commit, begun = name_clean_commit(), time.perf_counter()
    outcomes = try_all(args)
    found = describe(args, outcomes, time.perf_counter() - begun)
    keep_result(args.out, found, commit)
    told = ("n_extracts", "rows", "n_ok_rows_held_against_an_answer", "n_faults", "seconds")
    print(json.dumps({key: found[key] for key in told}, indent=2))
    sys.exit(found["n_faults"] > 0)


if __name__ == "__main__":
    main()
