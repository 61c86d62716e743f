"""The installation carried to a machine without a network: does all come from what was carried?

    python benchmarks/closed_room.py [--people 600]

The committed project is cloned and `do.py carry` fills its wheels/ (this asks the network). Then,
as another machine would be, in a name space without any network (`unshare --net`, Linux), with an
empty home folder, no cache and none of this machine's settings: `do.py setup`, and the study as
`do.py` shortens it on a simulated county, with pages and notebooks. Told are sizes, seconds, what
each step ended with, and how often a listening port was seen, looked for twice a second. Leaves
benchmarks/results/closed_room.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from keeping import ROOT, keep_result, name_clean_commit

sys.path.insert(0, str(ROOT))
from do import shorten

RESULT = ROOT / "benchmarks" / "results" / "closed_room.json"
STUDY = "pipelines/studies/county.yaml"
NO_NETWORK = ["unshare", *([] if os.getuid() == 0 else ["--map-root-user"]), "--net"]
# The Python beneath an environment, which has pip.
PYTHON = str(getattr(sys, "_base_executable", sys.executable))
REACH = """\
import errno, socket
try:
    socket.create_connection(("192.0.2.1", 9), 1)
except OSError as fault:
    raise SystemExit(fault.errno != errno.ENETUNREACH)
raise SystemExit(1)
"""
LISTENS = "0A"
LOOK_EVERY = 0.5


def carry(folder: Path) -> Path:
    """Clone the project, fill its wheels/, and take it without what belongs to this machine."""
    source, room = folder / "source", folder / "room"
    for words in (
        ["git", "clone", "-q", str(ROOT), str(source)],
        [PYTHON, "do.py", "carry"],
    ):
        subprocess.run(words, cwd=source if source.is_dir() else folder, check=True)
    shutil.copytree(source, room, ignore=shutil.ignore_patterns(".venv", ".tools", ".git"))
    return room


def run_alone(room: Path, home: Path, *words: str) -> dict[str, Any]:
    """Run a step without a network, and say what it took, how it ended and what listened."""
    env = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
    began, n_ports, said = time.perf_counter(), 0, home / "said.txt"
    with said.open("w") as told:
        step = subprocess.Popen(
            [*NO_NETWORK, *words], cwd=room, env=env, stdout=told, stderr=subprocess.STDOUT
        )
        while step.poll() is None:
            time.sleep(LOOK_EVERY)
            n_ports += count_listening(step.pid)
    found = {
        "command": " ".join(Path(word).name if word.startswith("/") else word for word in words),
        "seconds": round(time.perf_counter() - began, 1),
        "code": step.returncode,
        "n_ports": n_ports,
    }
    print(json.dumps(found), flush=True)
    if step.returncode:
        print(said.read_text(encoding="utf-8"), flush=True)
    return found


def count_listening(process: int) -> int:
    """TCP ports that listen in the process's name space."""
    n_ports = 0
    for name in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{process}/net/{name}").read_text(encoding="ascii").splitlines()
        except OSError:  # it has just ended
            continue
        n_ports += sum(line.split()[3] == LISTENS for line in lines[1:])
    return n_ports


def try_room(room: Path, folder: Path, people: int) -> list[dict[str, Any]]:
    """Every step in the closed room, until one fails."""
    home, study = folder / "home", room / "build" / "study.yaml"
    for made in (home, study.parent):
        made.mkdir()
    study.write_text(shorten((room / STUDY).read_text(encoding="utf-8")), encoding="utf-8")
    program = str(room / ".venv" / "bin" / "revictimisation")
    steps = (
        [PYTHON, "do.py", "setup"],
        [program, "simulate", "build/county", "--people", str(people), "--seed", "1"],
        [program, "run", "build/study.yaml", "--data", "build/county", "--out", "build/out"],
        [program, "release", "build/out"],
        [program, "verify", "build/out"],
    )
    assert not run_alone(room, home, PYTHON, "-c", REACH)["code"], "a network can be reached"
    found = []
    for words in steps:
        found.append(run_alone(room, home, *words))
        if found[-1]["code"]:
            break
    return found


def main() -> None:
    """Carry, install, run, tell and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=600)
    given = parser.parse_args()
    commit = name_clean_commit()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        room = carry(folder)
        sizes = [path.stat().st_size for path in (room / "wheels").glob("*.whl")]
        steps = try_room(room, folder, given.people)
        pages = [*(room / "build" / "out" / "site").glob("*.html")]
    found = {
        "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": "python benchmarks/closed_room.py " + " ".join(sys.argv[1:]),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "n_wheels": len(sizes),
        "wheels_mb": round(sum(sizes) / 1e6),
        "n_pages": len(pages),
        "steps": steps,
    }
    print(json.dumps(found, indent=1))
    if any(step["code"] for step in steps):
        raise SystemExit("Nothing is kept: a step failed.")
    keep_result(RESULT, found, commit)


if __name__ == "__main__":
    main()
