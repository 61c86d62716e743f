"""Mutated extracts through `validate` and `estimate`: none may end in a fault of ours.

    python benchmarks/fuzz.py [--mutants 500] [--seed 20261122] [--people 60] [--jobs 2]

Each mutant (bytes flipped, columns shuffled, dates swapped, encodings mixed, rows doubled, tables
cut off: tests/fuzz/mutations.py) is worked on in a process of its own that is ended after --limit
seconds. A mutant passes if the commands end in a documented exit code without exception, numerical
warning or hang, and every row of its files is accounted for. Leaves benchmarks/results/fuzz.json.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
import multiprocessing
import platform
import queue
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from keeping import keep_result, name_clean_commit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "fuzz.json"


def serve(line: Connection, seed: int, n_people: int) -> None:
    """Try the mutants whose numbers come down the line, until it says None."""
    from tests.fuzz.trial import make_extract, try_mutant

    extract = make_extract(n_people, seed)
    line.send("ready")
    while (number := line.recv()) is not None:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            found = try_mutant(Path(folder), seed, number, extract).record()
            line.send({**found, "seconds": round(time.perf_counter() - begun, 1)})


class Worker:
    """A process that tries mutants one by one; started anew where one hangs or kills it."""

    def __init__(self, seed: int, n_people: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, seed, n_people), daemon=True)
        self.process.start()
        other.close()
        self.line.recv()

    def run(self, number: int, limit: float) -> dict[str, Any]:
        """The outcome of a mutant, or what kept it from one."""
        self.line.send(number)
        try:
            if self.line.poll(limit):
                found: dict[str, Any] = self.line.recv()
                return found
            fault = f"no answer in {limit:.0f} s"
        except EOFError:
            fault = "the process died"
        return {"number": number, "mutations": [], "faults": [fault]}

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()


def try_some(args: argparse.Namespace, numbers: queue.Queue[int]) -> list[dict[str, Any]]:
    """The outcomes of the mutants that one worker takes, in a process of its own."""
    worker, outcomes = Worker(args.seed, args.people), []
    while True:
        try:
            number = numbers.get_nowait()
        except queue.Empty:
            break
        found = worker.run(number, args.limit)
        outcomes.append(found)
        if any(one.startswith(("no answer", "the process")) for one in found["faults"]):
            worker.stop()
            worker = Worker(args.seed, args.people)
        if found["faults"]:
            print(number, found["mutations"], found["faults"], flush=True)
        print(f"mutant {number}: {found.get('seconds')} s", file=sys.stderr, flush=True)
    worker.stop()
    return outcomes


def try_all(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The outcomes of all mutants, in the order of their numbers."""
    numbers: queue.Queue[int] = queue.Queue()
    for number in range(args.first, args.first + args.mutants):
        numbers.put(number)
    with ThreadPoolExecutor(args.jobs) as pool:
        parts = pool.map(lambda _: try_some(args, numbers), range(args.jobs))
        return sorted((one for part in parts for one in part), key=lambda one: one["number"])


def summarise(args: argparse.Namespace, outcomes: list[dict[str, Any]], seconds: float) -> dict:
    """What is kept: how many ended how, every fault with its mutant, where it all came from."""
    ends = collections.Counter(
        f"validate {one.get('validate')}, estimate {one.get('estimate')}" for one in outcomes
    )
    used = collections.Counter(what.split()[0] for one in outcomes for what in one["mutations"])
    return {
        "command": "python " + " ".join(["benchmarks/fuzz.py", *sys.argv[1:]]),
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "python": platform.python_version(),
        "versions": {one: version(one) for one in ("revictimisation", "duckdb", "numpy", "pandas")},
        "seed": args.seed,
        "people": args.people,
        "limit_seconds": args.limit,
        "seconds": round(seconds),
        "n_mutants": len(outcomes),
        "n_with_faults": sum(bool(one["faults"]) for one in outcomes),
        "ends": dict(sorted(ends.items())),
        "mutations": dict(sorted(used.items())),
        "faults": [one for one in outcomes if one["faults"]],
    }


def main() -> None:
    """Try the mutants; exit 1 if any ended in a fault of ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--limit", type=float, default=300, help="seconds a mutant may take")
    parser.add_argument("--jobs", type=int, default=1, help="mutants tried at the same time")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    commit, begun = name_clean_commit(), time.perf_counter()
    outcomes = try_all(args)
    found = summarise(args, outcomes, time.perf_counter() - begun)
    keep_result(args.out, found, commit)
    print(json.dumps({key: found[key] for key in ("n_mutants", "n_with_faults", "ends")}, indent=2))
    sys.exit(found["n_with_faults"] > 0)


if __name__ == "__main__":
    main()
