"""What an intruder recovers of many invented counties' releases, and what protection costs them.

    python benchmarks/attack_study.py --work FOLDER [--counties 100] [--first 0] [--keep]

County k has 100 to 10,000 people, a threshold of 5 or 10 and, one in four, the reports of one
police district alone; every other is released twice, the second time without one victim. Each goes
through `simulate`, `estimate` and `release`, then every attack is tried on it (on both releases
together where there are two) and what was recovered of counts is held against the exact tables.
Extracts and results stay in FOLDER: an interrupted study goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from keeping import ROOT, keep_result, name_clean_commit

from revictimisation.commands.command_line import cli
from revictimisation.commands.estimate import estimate_study
from revictimisation.commands.simulate import simulate_to
from revictimisation.core import files
from revictimisation.disclosure.attack import attack, open_release
from revictimisation.disclosure.attack.cells import count_exactly, list_cells
from revictimisation.disclosure.attack.margins import bound_cells

COMMAND = "python benchmarks/attack_study.py"
SEED = 20261130
SMALLEST, LARGEST = 100, 10_000
DISTRICTS = ("norrort", "sodertorn", "city", "vasterort")
EFFECTS = ("risk_difference", "hazard_ratio")
KEYS = ["question", "analysis", "measure", "subgroup", "level", "outcome", "estimator", "estimand",
        "time_days"]  # fmt: skip


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


def make_release(study: Path, data: Path, out: Path, previous: list[Path]) -> dict[str, Any]:
    """Estimate and release; how it ended. Without the command `release` the draft is attacked."""
    began = time.perf_counter()
    estimate_study(study, data, out, COMMAND, 1)
    if "release" not in cli.commands:
        return {"release": "draft", "seconds_released": time.perf_counter() - began}
    words = ["release", out, *(word for path in previous for word in ("--previous", path))]
    done = subprocess.run([sys.executable, "-m", "revictimisation", *map(str, words)],
                          capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode not in (0, 5):
        raise SystemExit(f"release: exit {done.returncode}\n{done.stdout}{done.stderr}")
    kind = "released" if done.returncode == 0 else "refused"
    return {"release": kind, "seconds_released": time.perf_counter() - began}


def run_county(county: dict[str, Any], work: Path) -> dict[str, Any]:
    """Make, release and attack one county; what was found and what it cost."""
    folder = work / f"county_{county['county']:03d}"
    data, study = folder / "data", folder / "study.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    if not (data / "simulation.json").is_file():
        simulate_to(data, county["people"], SEED + county["county"], "calibrated", "parquet")
    write_study(county, study)
    outs = [folder / "out"]
    made = [make_release(study, data, outs[0], [])]
    if county["is_pair"]:
        less = folder / "less"
        if not less.exists():
            leave_out_victim(data, less, county["county"])
        outs.append(folder / "out_less")
        made.append(make_release(study, less, outs[1], [outs[0] / "release"]))
    attacked = [out for out, one in zip(outs, made, strict=True) if one["release"] != "refused"]
    began = time.perf_counter()
    opened = [open_release(out) for out in attacked]
    found = attack(opened) if opened else pd.DataFrame(columns=["kind", "what"])
    seconds = time.perf_counter() - began
    counts = found.groupby(["kind", "what"]).size()
    return {
        **county,
        "releases": [one["release"] for one in made],
        "seconds_released": round(sum(one["seconds_released"] for one in made), 1),
        "seconds_attacked": round(seconds, 1),
        "found": {f"{kind}/{what}": int(n) for (kind, what), n in counts.items()},
        "n_wrong": sum(count_wrong(one) for one in opened),
        "cost": weigh_cost(outs[0]) if outs[0] in attacked else {},
    }


def count_wrong(release: Any) -> int:
    """Cells whose feasible range leaves the exact count out: an intruder's wrong conclusions."""
    table = bound_cells(list_cells(release.estimates, release.rules, release.plan),
                        release.rules.threshold)  # fmt: skip
    exact = read_exact(release.root)
    truth = count_exactly(exact).reindex(pd.MultiIndex.from_frame(table[["kind", "key"]]))
    value = truth.to_numpy()
    is_out = (value < table["told_low"].to_numpy()) | (value > table["told_high"].to_numpy())
    return int(is_out.sum())


def read_exact(out: Path) -> pd.DataFrame:
    """The exact estimates, text never missing."""
    exact = files.read_table(out / "restricted" / "estimates.parquet")
    texts = [name for name in exact if exact[name].dtype == object]
    return exact.assign(**exact[texts].fillna(""))


def weigh_cost(out: Path) -> dict[str, Any]:
    """Of the numbers that could be defended the share that is not shown, by question; main effects
    lost; how far those shown were moved, at the median and at most.
    """
    shown = files.read_table(out / "release" / "estimates.parquet")
    both = read_exact(out).merge(shown.fillna({name: "" for name in KEYS if name != "time_days"}),
                                 on=KEYS, suffixes=("", "_shown"))  # fmt: skip
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
