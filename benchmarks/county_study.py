"""What every study over many synthetic counties shares: work that resumes, and provenance.

Counties come in blocks. What a block gave is kept under build/NAME, so that stopped work goes on
where it was; summaries and where they come from are kept in `truth_studies` (tables/NAME).
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from county_truth import fingerprint
from keeping import ROOT, hold_commit, keep_result
from truth_counties import prepare_county, split_counties

from revictimisation.cohort.study_data import StudyData
from revictimisation.core.files import read_json, read_kept_table
from revictimisation.core.workers import keep_libraries_serial
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.simulate.county import SCENARIOS

STUDY = ROOT / "pipelines" / "studies" / "county.yaml"
COUNTIES_A_BLOCK = 10
REPORT_AT_DAYS = (365, 1461)


def read_study(**changes: Any) -> StudyPlan:
    """The county's study at two of its days, with `changes`."""
    plan = read_plan(STUDY.read_text(encoding="utf-8"))
    return plan.model_copy(update={"report_at_days": REPORT_AT_DAYS, **changes})


@dataclass(frozen=True)
class CountyStudy:
    """A study's folders, the seed of its first block, and the command that makes it."""

    name: str
    seed: int
    command: str

    @property
    def parts(self) -> Path:
        """What each block gave; made if it is not there."""
        folder = ROOT / "build" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def kept(self) -> Path:
        """The summaries, in `truth_studies`; made if it is not there."""
        folder = ROOT / "src" / "truth_studies" / "tables" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def make_counties(
        self, scenario: str, block: int, people: int, plan: StudyPlan
    ) -> Iterator[tuple[int, StudyData]]:
        """A block's counties with their numbers: the same ones whenever they are made."""
        seed = self.seed + 1000 * list(SCENARIOS).index(scenario) + block
        large = prepare_county(SCENARIOS[scenario], people * COUNTIES_A_BLOCK, seed, plan)
        for place, county in enumerate(split_counties(large, COUNTIES_A_BLOCK)):
            yield block * COUNTIES_A_BLOCK + place, county

    def list_blocks(self, args: argparse.Namespace) -> Iterator[tuple[str, int, int, Path]]:
        """Scenario, number, people and target of every block that is not there yet."""
        for scenario, block, people in list_all(args):
            target = self.parts / f"{scenario}_{people}_{block:03d}.parquet"
            if not target.exists():
                yield scenario, block, people, target

    def read_rows(self) -> Iterator[tuple[str, int, pd.DataFrame]]:
        """Scenario, people a county, and all rows of it that are there."""
        for kind in sorted({path.stem.rsplit("_", 1)[0] for path in self.parts.glob("*.parquet")}):
            scenario, people = kind.rsplit("_", 1)
            paths = sorted(self.parts.glob(f"{kind}_*.parquet"))
            rows = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
            yield scenario, int(people), rows

    def keep(self, tables: Mapping[str, pd.DataFrame], runs: Sequence[Mapping[str, Any]]) -> None:
        """Write the summaries (a CSV each) and provenance.json, with a place of `runs` a run.

        The commit is the one that the blocks are of. Scenarios that no block is of stay as they
        were kept, with the commit and day that theirs were of.
        """
        commit = self.hold_commit()
        stay = self._list_earlier({str(run["scenario"]) for run in runs})
        names_stay = {str(run["scenario"]) for run in stay}
        for name, table in tables.items():
            path = self.kept / f"{name}.csv"
            if stay:
                earlier = read_kept_table(path)
                earlier = earlier[earlier["scenario"].isin(names_stay)]
                table = pd.concat([earlier, table.round(6)], ignore_index=True)
            table.round(6).to_csv(path, index=False, lineterminator="\n")
        names = ("revictimisation", "numpy", "numba", "pandas")
        facts = {
            "command": self.command,
            "seed": self.seed,
            "made_on": dt.datetime.now(dt.UTC).date().isoformat(),
            "versions": {one: version(one) for one in names},
            "python": platform.python_version(),
            "runs": [*stay, *runs],
        }
        keep_result(self.kept / "provenance.json", facts, commit)

    def _list_earlier(self, again: set[str]) -> list[dict[str, Any]]:
        """The kept runs of scenarios that were not run again, each with its commit and day."""
        kept = read_json(self.kept / "provenance.json") or {}
        told = {name: kept[name] for name in ("commit", "made_on") if name in kept}
        return [{**told, **run} for run in kept.get("runs", ()) if run["scenario"] not in again]

    def hold_commit(self) -> str:
        """The commit that the blocks are of."""
        return hold_commit(self.parts)


def describe_run(
    scenario: str, people: int, rows: pd.DataFrame, find: Callable[..., str] = fingerprint
) -> dict[str, Any]:
    """What was run of a scenario; `find` says which truth it was held against."""
    return {
        "scenario": scenario,
        "n_counties": int(rows["county"].nunique()),
        "people_per_county": people,
        "fingerprint": find(SCENARIOS[scenario]),
    }


def run_study(
    study: CountyStudy,
    doc: str | None,
    scenarios: Sequence[str],
    run: Callable[..., pd.DataFrame],
    keep_summary: Callable[[], None],
) -> None:
    """The command of a study: run the blocks that are missing, then summarise all."""
    args = make_parser(doc, scenarios).parse_args()
    study.hold_commit()
    if not args.summarise:
        run_blocks(run, list(study.list_blocks(args)), args.jobs)
    keep_summary()


def make_parser(doc: str | None, scenarios: Sequence[str]) -> argparse.ArgumentParser:
    """The options that all these commands have; `scenarios`: if none is asked for."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--counties", type=int, default=200)
    parser.add_argument("--people", type=int, help="per county; the scenario's own if not given")
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS), default=list(scenarios))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--summarise", action="store_true", help="only the summary")
    return parser


def list_all(args: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    """Scenario, number and people a county of every block that is asked for."""
    for scenario in args.scenario:
        people = args.people or SCENARIOS[scenario].default_people
        for block in range(-(-args.counties // COUNTIES_A_BLOCK)):
            yield scenario, block, people


def run_blocks(run: Callable[..., pd.DataFrame], blocks: Sequence[tuple], jobs: int) -> None:
    """Run blocks (the arguments of `run`, last the target), each in a process; keep the rows.

    Processes are begun anew, so that libraries open no threads in them: those would only wait for
    each other where there are as many jobs as cores.
    """
    keep_libraries_serial()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for told in pool.map(_run_one, [run] * len(blocks), blocks):
            print(told, flush=True)


def _run_one(run: Callable[..., pd.DataFrame], block: tuple) -> str:
    begun = time.perf_counter()
    *given, target = block
    run(*given).to_parquet(target)
    return f"{target.stem}: {time.perf_counter() - begun:.0f} s"
