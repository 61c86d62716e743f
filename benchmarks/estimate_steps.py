"""`estimate` step by step in processor seconds (user and system) on one job, beside another tree.

    python benchmarks/estimate_steps.py [--against FOLDER] [--people 3000] [--repeats 3]

The two trees are run in turn, so that a busy machine is as busy for both; each once before, which
compiles what it has not compiled. Medians are shown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from keeping import ROOT

STUDY = "pipelines/studies/county.yaml"
# Progress of the command tells each step as it begins; what is between is the step's.
TIMED = """\
import json, sys, time
from pathlib import Path
from revictimisation.core.workers import keep_libraries_serial
keep_libraries_serial()
from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.progress import Progress
begun = [("start", 0.0)]
tell = Progress.tell
def timed(self, step, **words):
    begun.append((step, time.process_time()))
    tell(self, step, **words)
Progress.tell = timed
estimate_study(*map(Path, sys.argv[1:4]), "estimate", 1)
ends = [at for _, at in begun[1:]] + [time.process_time()]
print(json.dumps({name: end - at for (name, at), end in zip(begun, ends)}))
"""


def time_steps(tree: Path, data: Path) -> dict[str, float]:
    """Processor seconds of each step of `estimate` by the code of a checkout."""
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [sys.executable, "-c", TIMED, str(tree / STUDY), str(data), out],
            env={**os.environ, "PYTHONPATH": str(tree / "src")},
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    steps: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**steps, "all": sum(steps.values())}


def main() -> None:
    """Run both trees in turn and show the medians beside each other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path)
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    trees = [tree.resolve() for tree in (given.against, ROOT) if tree]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "county"
        call = ["simulate", str(data), "--people", str(given.people), "--seed", "1"]
        subprocess.run(
            [sys.executable, "-m", "revictimisation", *call], check=True, capture_output=True
        )
        rounds = [[time_steps(tree, data) for tree in trees] for _ in range(given.repeats + 1)][1:]
    for step in rounds[0][-1]:
        medians = [
            statistics.median(found[k].get(step, 0.0) for found in rounds)
            for k in range(len(trees))
        ]
        print(f"{step:<20}" + "".join(f"{seconds:8.2f}" for seconds in medians))


if __name__ == "__main__":
    main()
