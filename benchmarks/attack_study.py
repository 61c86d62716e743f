"""What an intruder recovers of many invented counties' releases, and what protection costs them.

    python benchmarks/attack_study.py --work FOLDER [--counties 100] [--first 0] [--keep]

County k has 100 to 10,000 people, a threshold of 5 or 10 and, one in four, the reports of one
police district alone; every other is released twice, the second time without one victim. Each goes
through `simulate`, `estimate` and the disclosure control of `release` (every twentieth by that
command, with pages and notebooks), then every attack is tried on it (on both releases
together where there are two) and what was recovered of counts is held against the exact tables.
Extracts and results stay in FOLDER: an interrupted study goes on where it stopped, a county begun
is begun anew. With --keep that holds for one commit.
"""

from __future__ import annotations

import argparse
import json
import runpy
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from keeping import ROOT, keep_result, name_clean_commit

from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.simulate import simulate_to
from revictimisation.core import files
from revictimisation.core.errors import DisclosureError
from revictimisation.core.results import KEYS
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure.attack import Release, attack, open_release
from revictimisation.disclosure.attack.cells import count_exactly, list_cells
from revictimisation.disclosure.attack.margins import bound_cells
from revictimisation.disclosure.attack.release import TABLES
from revictimisation.disclosure.register import make_entry, take_exact
from revictimisation.disclosure.release import protect
from revictimisation.plan import read_plan

COMMAND = "python benchmarks/attack_study.py"
SEED = 20261130
SMALLEST, LARGEST = 100, 10_000
DISTRICTS = ("norrort", "sodertorn", "city", "vasterort")
EFFECTS = ("risk_difference", "hazard_ratio")
WHOLE, REFUSED = 20, "refused"  # every so many counties with pages; how a release may end
LONGEST = 3600  # seconds that a release with pages may take


def plan_county(number: int) -> dict[str, Any]:
    """People, threshold, district and whether there are two releases, by a county's number."""
    rng = np.random.default_rng([SEED, number])
    size = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    return {
        "county": number,
        "people": round(float(size)),
        "threshold": (5, 10)[number % 2],
        "district": DISTRICTS[number // 4 % len(DISTRICTS)] if number % 4 == 3 else "",
        "is_pair": number // 2 % 2 == 0,
    }


def write_study(county: dict[str, Any], path: Path) -> None:
    """The main study, shortened as the installation's first one is, with the county's rules."""
    shorten = runpy.run_path(str(ROOT / "do.py"))["shorten"]
    text = (ROOT / "pipelines" / "studies" / "county.yaml").read_text(encoding="utf-8")
    asked = yaml.safe_load(shorten(text))
    asked["report_at_days"] = [365, 1461]
    asked["disclosure"] = {"threshold": county["threshold"], "rounding": 5}
    if county["district"]:
        asked.setdefault("eligibility", {})["districts"] = [county["district"]]
    path.write_text(yaml.safe_dump(asked, allow_unicode=True), encoding="utf-8")


def leave_out_victim(data: Path, less: Path, number: int) -> None:
    """A copy of an extract without the reports of one victim of the cohort."""
    less.mkdir(parents=True)
    for path in data.iterdir():
        if path.name != "reports.parquet":
            (less / path.name).write_bytes(path.read_bytes())
    reports = files.read_table(data / "reports.parquet")
    kin = reports["relation"].isin(["current_partner", "former_partner", "parent"])
    inside = reports["reported_on"].astype(str).str[:4].between("2012", "2014")
    victims = reports.loc[kin & inside & reports["suspect_id"].notna(), "victim_id"].unique()
    gone = np.random.default_rng([SEED, number, 1]).choice(np.sort(victims))
    files.write_table(reports[reports["victim_id"].ne(gone)], less, "reports", ("parquet",))


@dataclass(frozen=True)
class Made:
    """A release that was made: where it lies, how it ended, its exact and its released tables."""

    out: Path
    kind: str
    restricted: dict[str, pd.DataFrame]
    released: dict[str, pd.DataFrame]


def make_release(study: Path, data: Path, folder: Path, before: Made | None, whole: bool) -> Made:
    """Estimate, and release beside what was released before; `whole`: by the command, with pages.

    Otherwise by its disclosure control alone, which is what takes no time.
    """
    out = folder / "out"
    estimate_study(study, data, out, COMMAND, 1)
    restricted = read_tables(out / "restricted")
    if whole:
        words = [sys.executable, "-m", "revictimisation", "release", str(out), "--jobs", "1",
                 "--register", str(folder.parent / "register")]  # fmt: skip
        # into a file: a pipe is waited for as long as any helper of a helper holds it
        with (folder / "release.log").open("w", encoding="utf-8") as told:
            done = subprocess.run(words, stdout=told, stderr=told, check=False, timeout=LONGEST)
        if done.returncode not in (0, DisclosureError.exit_code):
            raise SystemExit(f"release: exit {done.returncode}, see {told.name}")
        kind = REFUSED if done.returncode else "released"
        return Made(out, kind, restricted, {} if done.returncode else read_tables(out / "release"))
    plan, left = read_plan(study.read_text(encoding="utf-8")), folder / "left"
    earlier = []
    if before is not None and before.released:
        entry = make_entry(before.restricted, before.released)
        earlier = [take_exact("before", plan.disclosure, entry)]
    try:
        found = protect(restricted, plan, load_dictionary(), earlier)
    except DisclosureError:
        return Made(left, REFUSED, restricted, {})
    for name, table in found.tables.items():
        files.write_table(table, left / "release", name, ("csv", "parquet"))
    files.write_json(left / "manifest.json", {"study_file": study.read_text(encoding="utf-8")})
    return Made(left, "protected", restricted, read_tables(left / "release"))


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The three tables of a run, exact or released."""
    return {name: files.read_table(folder / f"{name}.parquet") for name in TABLES}


def run_county(county: dict[str, Any], work: Path) -> dict[str, Any]:
    """Make, release and attack one county; what was found and what it cost."""
    folder = work / f"county_{county['county']:03d}"
    data, study = folder / "data", folder / "study.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    if not (data / "simulation.json").is_file():
        simulate_to(data, county["people"], SEED + county["county"], "calibrated", "parquet")
    write_study(county, study)
    whole = county["county"] % WHOLE == 0
    for name in ("first", "second", "register"):  # what an interrupted try released it would meet
        shutil.rmtree(folder / name, ignore_errors=True)
    began = time.perf_counter()
    made = [make_release(study, data, folder / "first", None, whole)]
    if county["is_pair"]:
        less = folder / "less"
        if not less.exists():
            leave_out_victim(data, less, county["county"])
        made.append(make_release(study, less, folder / "second", made[0], whole))
    left = [one for one in made if one.kind != REFUSED]
    middle = time.perf_counter()
    opened = [open_release(one.out) for one in left]
    found = attack(opened) if opened else pd.DataFrame(columns=["kind", "what"])
    counts = found.groupby(["kind", "what"]).size()
    return {
        **county,
        "releases": [one.kind for one in made],
        "seconds_released": round(middle - began, 1),
        "seconds_attacked": round(time.perf_counter() - middle, 1),
        "found": {f"{kind}/{what}": int(n) for (kind, what), n in counts.items()},
        "n_wrong": sum(count_wrong(*both) for both in zip(opened, left, strict=True)),
        "cost": weigh_cost(made[0]) if made[0].released else {},
    }


def count_wrong(release: Release, made: Made) -> int:
    """Cells whose feasible range leaves the exact count out: an intruder's wrong conclusions."""
    table = bound_cells(list_cells(release.estimates, release.rules, release.plan),
                        release.rules.threshold)  # fmt: skip
    truth = count_exactly(fill_texts(made.restricted["estimates"]))
    value = truth.reindex(pd.MultiIndex.from_frame(table[["kind", "key"]])).to_numpy()
    is_out = (value < table["told_low"].to_numpy()) | (value > table["told_high"].to_numpy())
    return int(is_out.sum())


def fill_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Text is never missing."""
    texts = [name for name in table if table[name].dtype == object]
    return table.assign(**table[texts].fillna(""))


def weigh_cost(made: Made) -> dict[str, Any]:
    """Of the numbers that could be defended the share that is not shown, by question; main effects
    lost; how far those shown were moved, at the median and at most.
    """
    exact, shown = (fill_texts(side["estimates"]) for side in (made.restricted, made.released))
    both = exact.merge(shown, on=[*KEYS], suffixes=("", "_shown"))
    good = both[both["status"].eq("ok")]
    is_lost = good["status_shown"].ne("ok")
    is_main = (good["question"].eq("q2") & good["analysis"].eq("main") & good["subgroup"].eq("")
               & good["estimand"].isin(EFFECTS))  # fmt: skip
    effects = good[is_main & ~is_lost & good["estimand"].eq("risk_difference")]
    moved = (effects["estimate_shown"] - effects["estimate"]).abs()
    lost = is_lost.groupby(good["question"]).mean().round(4)
    return {
        "share_lost": {str(name): float(value) for name, value in lost.items()},
        "n_main_effects": int(is_main.sum()),
        "n_main_effects_lost": int((is_main & is_lost).sum()),
        "moved_median": round(float(moved.median()), 5) if len(moved) else None,
        "moved_most": round(float(moved.max()), 5) if len(moved) else None,
    }


def main() -> None:
    """Run the counties that are not done yet; say, and with --keep keep, what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--counties", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    commit = name_clean_commit() if given.keep else ""
    rows = []
    for number in range(given.first, given.first + given.counties):
        county = plan_county(number)
        kept = given.work / f"county_{number:03d}" / f"found{commit[:12]}.json"
        if not kept.is_file():
            found = run_county(county, given.work)
            kept.write_text(json.dumps(found), encoding="utf-8")
        rows.append(json.loads(kept.read_text(encoding="utf-8")))
        print(json.dumps(rows[-1]), flush=True)
    summary = {
        "command": f"{COMMAND} --counties {given.counties} --first {given.first}",
        "seed": SEED,
        "n_counties": len(rows),
        "n_with_findings": sum(bool(row["found"]) for row in rows),
        "n_wrong": sum(row["n_wrong"] for row in rows),
        "found": pd.DataFrame([row["found"] for row in rows]).sum().astype(int).to_dict(),
        "counties": rows,
    }
    print(json.dumps({name: value for name, value in summary.items() if name != "counties"}))
    if given.keep:
        keep_result(ROOT / "benchmarks" / "results" / "attack_study.json", summary, commit)


if __name__ == "__main__":
    main()
