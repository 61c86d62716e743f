"""The main job as a newcomer meets it, by the number of people: seconds, memory, and goals.

    python benchmarks/main_job.py [--sizes 3000 12000 30000 100000] [--repeats 3]
                                  [--before CHECKOUT]

The round begins as an installation ends (`do.py`: a small study, which compiles the numerics). Then
each size is simulated and run in empty folders; the smallest, `--repeats` times, also once more
unchanged, and by `estimate` alone. Wall and processor seconds (user and system: what a busy machine
lengthens less), and the most memory that all processes of a command held at once. Linear in people
is a growth of 1 or less: log of the ratio of the seconds (or bytes) to the size before over log of
the ratio of the people. With `--before` (an older checkout with its environment in .venv) that one
does the same by turns on the same machine, which the ratios of the seconds are of; without, seconds
are only as good as the machine. Leaves benchmarks/results/main_job.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from keeping import keep_result, name_clean_commit

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
# Of a command on so many people: at most so many wall seconds, and so many GB.
GOALS = {
    ("first study", 600): (25, None),
    ("simulate and run", 3000): (45, None),
    ("unchanged", 3000): (1, None),
    ("estimate", 3000): (20, None),
    ("run", 12000): (90, None),
    ("run", 30000): (240, 2),
}
SAMPLED_EVERY = 0.5  # seconds
Key = tuple[str, int, bool]


class Cost(NamedTuple):
    """What commands took: wall and processor seconds, and memory in GB (10^9 bytes)."""

    wall: float
    processor: float
    memory: float


def add(one: Cost, other: Cost) -> Cost:
    """Of one after the other."""
    wall, processor = one.wall + other.wall, one.processor + other.processor
    return Cost(wall, processor, max(one.memory, other.memory))


def measure(
    folder: Path, *command: str, within: float | None = None, python: str = sys.executable
) -> Cost:
    """Run a command with a cache of compiled code in the folder.

    Processor seconds are those of the command and of all processes that it begot, as last seen.

    Raises:
        TimeoutError: it was not done `within` so many seconds, and was ended.
    """
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "compiled")}
    call = [python, "-m", "revictimisation", *command]
    is_over, said = threading.Event(), folder / "said.txt"
    peaks: list[int] = [0]
    spent: dict[int, float] = {}
    began = time.perf_counter()
    with (
        said.open("w") as told,
        subprocess.Popen(call, env=environment, stdout=told, stderr=told) as process,
    ):
        late = threading.Timer(within or threading.TIMEOUT_MAX, process.terminate)
        late.daemon = True
        late.start()
        watch = threading.Thread(target=_watch, args=(process.pid, is_over, peaks, spent))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        late.cancel()
        is_over.set()
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
    if within and wall >= within:
        raise TimeoutError
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said.read_text()}")
    largest = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    others = sum(seconds for pid, seconds in spent.items() if pid != process.pid)
    own = max(used.ru_utime + used.ru_stime, spent.get(process.pid, 0.0))
    return Cost(wall, own + others, max(largest, *peaks) / 1e9)


def _watch(pid: int, is_over: threading.Event, peaks: list[int], spent: dict[int, float]) -> None:
    """Note what a process and those it begot hold together (shared pages once), and their time."""
    while not is_over.wait(SAMPLED_EVERY):
        try:
            first = psutil.Process(pid)
            family = [first, *first.children(recursive=True)]
            held = [one.memory_full_info() for one in family]
            spent |= {one.pid: sum(one.cpu_times()[:2]) for one in family}
        except psutil.Error:  # one of them has just ended
            continue
        peaks.append(sum(getattr(one, "pss", one.uss) for one in held))


def measure_round(
    folder: Path, people: int, is_whole: bool, checkout: Path | None
) -> dict[str, Cost]:
    """A size: what is simulated, run, and if `is_whole` run unchanged and estimated anew."""
    run = partial(measure, folder, python=find_python(checkout))
    data, out = str(folder / f"county_{people}"), str(folder / f"out_{people}")
    simulated = run("simulate", data, "--people", str(people), "--seed", "1")
    job = (find_study(checkout), "--data", data, "--out")
    found = {"simulate": simulated, "run": run("run", *job, out)}
    found["simulate and run"] = add(simulated, found["run"])
    if is_whole:
        found["unchanged"] = run("run", *job, out)
        found["estimate"] = run("estimate", *job, f"{out}_estimated")
    return found


def find_python(checkout: Path | None) -> str:
    """The interpreter of a checkout's own environment; without one that of this process."""
    return str(checkout / ".venv" / "bin" / "python") if checkout else sys.executable


def find_study(checkout: Path | None) -> str:
    """The built-in study as a checkout has it."""
    return str((checkout or ROOT) / STUDY.relative_to(ROOT))


def measure_all(
    sizes: list[int], repeats: int, checkouts: Sequence[Path | None]
) -> dict[Key, list[Cost]]:
    """Costs by command, people and whether an older checkout did it, each round's."""
    costs: dict[Key, list[Cost]] = {}
    for turn in range(repeats):
        with ExitStack() as stack:
            folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in checkouts]
            places = [*zip(folders, checkouts, strict=True)]
            for folder, checkout in places:
                run, tiny = (
                    partial(measure, folder, python=find_python(checkout)),
                    str(folder / "tiny"),
                )
                run("simulate", tiny, "--scenario", "small")
                first = run(
                    "estimate", find_study(checkout), "--data", tiny, "--out", f"{tiny}_out"
                )
                costs.setdefault(("first study", 600, bool(checkout)), []).append(first)
            for people in sizes if turn == 0 else sizes[:1]:
                for folder, checkout in places:
                    found = measure_round(folder, people, people == sizes[0], checkout)
                    for command, cost in found.items():
                        costs.setdefault((command, people, bool(checkout)), []).append(cost)
    return costs


def find_median(costs: list[Cost]) -> Cost:
    """Of each number by itself."""
    return Cost(*(statistics.median(part) for part in zip(*costs, strict=True)))


def describe(costs: dict[Key, list[Cost]]) -> list[dict[str, Any]]:
    """A row per command and size, with its goal, its growth from the size before, and what part of
    the older checkout's seconds and memory it took.
    """
    every = {key: find_median(found) for key, found in costs.items()}
    medians = {key[:2]: cost for key, cost in every.items() if not key[2]}
    rows = []
    for (command, people), cost in medians.items():
        old = every.get((command, people, True))
        seconds, memory = GOALS.get((command, people), (None, None))
        holds = cost.wall <= (seconds or math.inf) and cost.memory <= (memory or math.inf)
        smaller = [n for name, n in medians if name == command and n < people]
        growth = {}
        if smaller:
            before = medians[command, max(smaller)]
            for name, now, then in zip(Cost._fields, cost, before, strict=True):
                growth[name] = math.log(now / then) / math.log(people / max(smaller))
        rows.append(
            {
                "command": command,
                "people": people,
                "median": cost._asdict(),
                "goal": {"wall": seconds, "memory": memory, "holds": holds} if seconds else None,
                "growth": growth,
                "before": old and old._asdict(),
                "of_before": old
                and {
                    name: now / then
                    for name, now, then in zip(Cost._fields, cost, old, strict=True)
                },
                "rounds": [one._asdict() for one in costs[command, people, False]],
            }
        )
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    print(
        f"{'command':<17} {'people':>7} {'wall s':>7} {'proc s':>7} {'GB':>5}  growth of the three"
    )
    for row in rows:
        goal, growth = row["goal"], row["growth"]
        text = f"{row['command']:<17} {row['people']:>7}"
        text += " {wall:>7.1f} {processor:>7.1f} {memory:>5.2f}".format(**row["median"])
        text += "  " + ", ".join(f"{growth[name]:.2f}" for name in growth)
        if row["before"]:
            text += "  {wall:.2f} of the seconds before".format(**row["of_before"])
        if goal:
            memory = f", {goal['memory']} GB" if goal["memory"] else ""
            text += f"  goal {goal['wall']} s{memory}: {'holds' if goal['holds'] else 'MISSED'}"
        print(text)


def main() -> None:
    """Run, print the table, keep all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[3000, 12000, 30000, 100000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--before", type=Path, help="an older checkout with its .venv")
    given = parser.parse_args()
    commit = name_clean_commit()
    checkouts = [None, given.before.absolute()] if given.before else [None]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    rows = describe(measure_all(sorted(given.sizes), given.repeats, checkouts))
    show(rows)
    kept = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": "python benchmarks/main_job.py " + " ".join(sys.argv[1:]),
        "machine": {"cores": os.cpu_count(), "machine": platform.machine()},
        "python": platform.python_version(),
        "load_before": load,
        "commit_before": given.before and name_clean_commit(given.before),
        "rows": rows,
    }
    keep_result(RESULTS / "main_job.json", kept, commit)


if __name__ == "__main__":
    main()
