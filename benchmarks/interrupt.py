"""Ctrl-C, or a kill, at many moments of `run` on a terminal: how soon it stops, what it leaves.

    python benchmarks/interrupt.py [--kill] [--stops 50] [--study FILE | --short] [--minutes 60]

The study is run on a small county on a pseudo-terminal, first undisturbed; then again and again in
one OUT, each time stopped (Ctrl-C and SIGTERM by turns; with --kill SIGKILL, which nobody can
answer) at a moment by chance within the seconds that the undisturbed run took. A run that is
stopped while it estimates begins that anew; finished notebooks must stay. One that has reached its
end before its stop begins in a new OUT, and is no stop. After --minutes no further is tried.
--short: the built-in study with fewer measures and groups and with two replicates, as `do.py`
tries an installation out. After each stop are asked: the seconds until the process had ended, its
exit code, words of libraries on the terminal, processes and files left behind, whether a notebook
that was done was made again, and whether all that the manifest vouches for is whole. At the end
every file must have the bytes of a run that nobody stopped, and no file may be left beside them.
What a kill leaves is the next run's to clear: it counts where the run that reached its end left
it. The first tenth of a second is Python's own start, where Ctrl-C ends it by Python's own
traceback; no stop is tried there. Leaves benchmarks/results/interrupt.json, or
interrupt_kill.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import os
import platform
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from keeping import ROOT, keep_result, name_clean_commit

sys.path.insert(0, str(ROOT))
from do import shorten

RESULTS = ROOT / "benchmarks" / "results"
STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
COMMAND = [sys.executable, "-m", "revictimisation"]
LIMIT_SECONDS = 3.0
BYTES = "other bytes than those of a run nobody stopped"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
KILL = {signal.SIGKILL: -9}
# The first moments of all, then some by chance.
FIRST_SECONDS = (0.2, 0.5, 1.0, 2.0, 3.0)
LAST_SECONDS = 3600.0


def find_notebooks(out: Path) -> dict[str, int]:
    """The notebooks that the manifest says are done, and when each was written."""
    path = out / "manifest.json"
    stages = json.loads(path.read_text(encoding="utf-8"))["stages"] if path.is_file() else {}
    names = [name for stage in stages.values() for name in stage["outputs"] if "ipynb" in name]
    return {name: (out / name).stat().st_mtime_ns for name in names}


def count_changed(out: Path) -> int:
    """How many files are not as the manifest says, or are of no run that it knows."""
    from revictimisation.commands.manifest import find_changed, read_stages
    from revictimisation.core import files

    told = files.read_json(out / "manifest.json") or {}
    outputs = {path: h for one in read_stages(told).values() for path, h in one.outputs.items()}
    known = {*outputs, *told.get("unfinished", ()), "manifest.json"}
    return len(find_changed(out, outputs)) + len({*files.list_below(out)} - known)


def hash_all(out: Path) -> dict[str, str]:
    """The hash of every file but the manifest, which holds the time."""
    from revictimisation.core import files

    return {path: h for path, h in files.hash_files(out).items() if path != "manifest.json"}


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
    time.sleep(2 if number == signal.SIGKILL else 0.5)  # what ends by force needs a moment
    after = find_notebooks(out)
    return {
        "delay_seconds": round(delay, 2),
        "signal": signal.Signals(number).name,
        "seconds": took if took is None else round(took, 3),
        "code": session.process.returncode,
        "is_code_right": session.process.returncode in (CODES.get(number), -number),
        "n_changed": count_changed(out),
        "stray": list_stray(session.shown),
        "processes": len(list_processes(str(temporary))),
        "leftovers": [Path(name).name for name in list_leftovers(out, temporary)],
        "n_notebooks": len(after),
        "n_made_again": sum(after.get(name) != when for name, when in before.items()),
        "last_shown": session.shown.splitlines()[-1][-120:] if session.shown else "",
    }


def sweep(
    folder: Path,
    study: Path,
    n_stops: int,
    seed: int,
    codes: dict[signal.Signals, int],
    minutes: float,
) -> list[dict[str, Any]]:
    """Stop runs in one OUT, first early, then at moments by chance of the time a run takes."""
    data, out, temporary, whole = (folder / name for name in ("data", "out", "t", "undisturbed"))
    temporary.mkdir()
    os.spawnv(os.P_WAIT, sys.executable, [*COMMAND, "simulate", str(data), "--scenario", "small"])
    words = [*COMMAND, "run", study, "--data", data, "--out"]
    for _ in range(2):  # the first compiles
        shutil.rmtree(whole, ignore_errors=True)
        began = time.perf_counter()
        finish([*words, whole], whole, temporary)
        takes = time.perf_counter() - began
    print(f"undisturbed: {takes:.0f} s", flush=True)
    chance, found, end = random.Random(seed), [], time.monotonic() + 60 * minutes
    first = iter(FIRST_SECONDS)
    while len(found) < n_stops and time.monotonic() < end:
        delay = next(first, 0.0) or chance.uniform(1, takes)
        number = [*codes][len(found) % len(codes)]
        one = stop_once([*words, out], out, temporary, delay, number)
        if one is not None:
            found.append(one)
            print(json.dumps(one, ensure_ascii=False), flush=True)
            continue
        print(f"after {len(found)}: the run reached its end", flush=True)
        check_end(out, whole, temporary)
        shutil.rmtree(out)
    for _ in range(2):
        finish([*words, out], out, temporary)
    check_end(out, whole, temporary)
    return found


def check_end(out: Path, whole: Path, temporary: Path) -> None:
    """Of a run that reached its end: the bytes of one that nobody stopped, and nothing beside."""
    from tests.commands.pty_session import list_leftovers

    assert hash_all(out) == hash_all(whole), BYTES
    assert not list_leftovers(out, temporary), "files are left that no run cleared"


def finish(words: list[Any], out: Path, temporary: Path) -> None:
    """Run to the end."""
    stopped = stop_once(words, out, temporary, LAST_SECONDS, signal.SIGINT)
    assert stopped is None, f"the run did not reach its end: {stopped}"


def main() -> None:
    """Sweep, say and keep what was found; with --check leave with 1 where a stop was not good."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--kill", action="store_true")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--study", type=Path, default=STUDY)
    which.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    commit = name_clean_commit()
    with tempfile.TemporaryDirectory(prefix="stop") as folder:
        codes, study = KILL if args.kill else CODES, args.study.absolute()
        if args.short:
            study = Path(folder) / "study.yaml"
            study.write_text(shorten(STUDY.read_text(encoding="utf-8")), encoding="utf-8")
        found = sweep(Path(folder), study, args.stops, args.seed, codes, args.minutes)
    seconds = [one["seconds"] for one in found if one["seconds"] is not None]
    bad = [
        one
        for one in found
        if one["seconds"] is None
        or one["seconds"] > LIMIT_SECONDS
        or not one["is_code_right"]
        or one["stray"]
        or one["processes"]
        or (one["leftovers"] and not args.kill)
        or one["n_made_again"]
        or one["n_changed"]
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
    keep_result(RESULTS / f"interrupt{'_kill' if args.kill else ''}.json", result, commit, indent=1)
    print(json.dumps({key: one for key, one in result.items() if key != "stops"}, indent=1))
    sys.exit(bool(bad) and args.check)


if __name__ == "__main__":
    main()
