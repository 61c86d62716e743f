"""Ctrl-C at many moments of `run` on a terminal: how soon it stops, and what it leaves.

    python benchmarks/interrupt.py [--stops 40] [--seed 1] [--check]

A small county is run on a pseudo-terminal again and again in one OUT, each time stopped (Ctrl-C and
SIGTERM by turns) later than the last time, until a run has reached its end: the moments are spread
over the time from the start to the pages. A run that is stopped while it estimates begins that
anew; finished notebooks must stay. After each stop are asked: the seconds until the process had
ended, its exit code, words of libraries on the terminal, processes and files left behind, and
whether a notebook that was done was made again. The first tenth of a second is Python's own start,
where Ctrl-C ends it by Python's own traceback; no stop is tried there. Leaves
benchmarks/results/interrupt.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import random
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from keeping import ROOT, keep_result, name_clean_commit

sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "interrupt.json"
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
COMMAND = [sys.executable, "-m", "revictimisation"]
LIMIT_SECONDS = 3.0
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
# The first moments of all runs, then ever later ones.
FIRST_SECONDS = (0.2, 0.5, 1.0, 2.0, 3.0)
LAST_SECONDS = 1800.0


def find_notebooks(out: Path) -> dict[str, int]:
    """The notebooks that the manifest says are done, and when each was written."""
    path = out / "manifest.json"
    stages = json.loads(path.read_text(encoding="utf-8"))["stages"] if path.is_file() else {}
    names = [name for stage in stages.values() for name in stage["outputs"] if "ipynb" in name]
    return {name: (out / name).stat().st_mtime_ns for name in names}


def stop_once(words: list[Any], out: Path, temporary: Path, delay: float, number: int) -> Any:
    """Start a run, stop it after some seconds, and say what was seen; None: it had ended."""
    from tests.commands.pty_session import Session, list_leftovers, list_processes, list_stray

    before = find_notebooks(out)
    session = Session(words, {"TMPDIR": str(temporary)})
    ended = session.wait(delay)
    took = None if ended is not None else session.stop(number, 120)
    session.close()
    if ended is not None and session.process.returncode == 0:
        return None
    time.sleep(0.5)  # what is ended by force needs a moment to be gone
    after = find_notebooks(out)
    return {
        "delay_seconds": round(delay, 2),
        "signal": signal.Signals(number).name,
        "seconds": took if took is None else round(took, 3),
        "code": session.process.returncode,
        "is_code_right": session.process.returncode in (CODES[number], -number),
        "stray": list_stray(session.shown),
        "processes": len(list_processes(str(temporary))),
        "leftovers": [Path(name).name for name in list_leftovers(out, temporary)],
        "n_notebooks": len(after),
        "n_made_again": sum(after.get(name) != when for name, when in before.items()),
        "last_shown": session.shown.splitlines()[-1][-120:] if session.shown else "",
    }


def sweep(folder: Path, n_stops: int, seed: int) -> list[dict[str, Any]]:
    """Stop runs in one OUT ever later; then, once its estimates are kept, at moments by chance."""
    data, out, temporary = folder / "data", folder / "out", folder / "t"
    temporary.mkdir()
    os.spawnv(os.P_WAIT, sys.executable, [*COMMAND, "simulate", str(data), "--scenario", "small"])
    words = [*COMMAND, "run", STUDY, "--data", data, "--out", out]
    chance, found = random.Random(seed), []
    for number in range(n_stops):
        if number < len(FIRST_SECONDS):
            delay = FIRST_SECONDS[number]
        elif not (out / "manifest.json").is_file():
            delay = found[-1]["delay_seconds"] * 2
        else:
            delay = chance.uniform(1, 40)
        one = stop_once(words, out, temporary, delay, [*CODES][number % 2])
        if one is None:
            print(f"{number}: the run reached its end", flush=True)
            break
        found.append(one)
        print(json.dumps(one, ensure_ascii=False), flush=True)
    last = stop_once(words, out, temporary, LAST_SECONDS, signal.SIGINT)
    again = stop_once(words, out, temporary, LAST_SECONDS, signal.SIGINT)
    assert last is None and again is None, "the run did not reach its end"
    return found


def main() -> None:
    """Sweep, say and keep what was found; with --check leave with 1 where a stop was not good."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--stops", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    commit = name_clean_commit()
    with tempfile.TemporaryDirectory(prefix="stop") as folder:
        found = sweep(Path(folder), args.stops, args.seed)
    seconds = [one["seconds"] for one in found if one["seconds"] is not None]
    bad = [
        one
        for one in found
        if one["seconds"] is None
        or one["seconds"] > LIMIT_SECONDS
        or not one["is_code_right"]
        or one["stray"]
        or one["processes"]
        or one["leftovers"]
        or one["n_made_again"]
    ]
    result = {
        "command": "python benchmarks/interrupt.py " + " ".join(sys.argv[1:]),
        "made_on": dt.date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.0f}",
        "n_stops": len(found),
        "seconds_median": round(statistics.median(seconds), 3),
        "seconds_most": max(seconds),
        "n_bad": len(bad),
        "stops": found,
    }
    keep_result(RESULT, result, commit, indent=1)
    print(json.dumps({key: one for key, one in result.items() if key != "stops"}, indent=1))
    sys.exit(bool(bad) and args.check)


if __name__ == "__main__":
    main()
