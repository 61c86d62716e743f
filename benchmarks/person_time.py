"""Reports to person-time, against R's `survival::tmerge` in the same run.

    python benchmarks/person_time.py --people 10000 100000 1000000 --peer-at 1000000

Ours: from the extract's tables (reports, persons, three tables of measures, in Parquet) through
index reports, outcomes and spells to episodes with six measures, as arrays. R: from data frames
in memory by base R (sort, compare neighbours, match) to index reports, outcomes and spells, then
tmerge to the same episodes; tmerge's own time is kept apart. Each of ours runs in a process of
its own, so that peak memory is its own. Leaves benchmarks/results/person_time.json.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from keeping import keep_result, name_clean_commit

MEASURES = (
    "non_contact_order",
    "alarm_package",
    "safety_talk",
    "sheltered_housing",
    "support_talks",
    "contact_person",
)
STUDY = "name: benchmark\nadjust_for: []\nsubgroups: []\nmeasures:\n" + "".join(
    f"  {name}: {{codes: [{name}]}}\n" for name in MEASURES
)
RATIOS = (
    "ratio_whole_way",
    "ratio_tmerge_alone_to_our_whole_way",
    "ratio_tmerge_to_our_episodes",
)
RESULTS = Path(__file__).parent / "results" / "person_time.json"


def make_extract(folder: Path, n_people: int, for_peer: bool) -> None:
    """Write a random extract of about 1.6 reports and 1.3 measures a person."""
    rng = np.random.default_rng(n_people)
    victims = np.char.add("v", rng.permutation(n_people).astype(str))
    index_on = pd.Timestamp("2011-01-01") + pd.to_timedelta(rng.integers(0, 1461, n_people), "D")
    persons = pd.DataFrame({"person_id": victims, "birth_year": 1980, "sex": "female"})
    persons["died_on"] = pd.NaT
    persons["emigrated_on"] = pd.NaT
    again = rng.choice(n_people, int(0.6 * n_people))
    who = np.concatenate([np.arange(n_people), again])
    later = np.concatenate([np.zeros(n_people), rng.integers(1, 1400, len(again))]).astype(int)
    reports = pd.DataFrame(
        {
            "report_id": np.char.add("r", np.arange(len(who)).astype(str)),
            "victim_id": victims[who],
            "suspect_id": np.char.add("s", victims[who]),
            "reported_on": index_on[who] + pd.to_timedelta(later, "D"),
            "offence_code": "9353",
            "relation": "former_partner",
            "is_honour": False,
            "police_district": "city",
            "municipality_code": "0180",
        }
    )
    given = rng.choice(n_people, int(1.3 * n_people))
    start = index_on[given] + pd.to_timedelta(rng.geometric(0.03, len(given)), "D")
    measures = pd.DataFrame(
        {
            "victim_id": victims[given],
            "code": rng.choice(MEASURES, len(given)),
            "decision": "granted",
            "decided_on": start,
            "start_on": start,
            "end_on": start + pd.to_timedelta(rng.integers(10, 200, len(given)), "D"),
        }
    )
    police = measures.iloc[::2].rename(columns={"code": "measure"})
    social = measures.iloc[1::2].rename(columns={"code": "intervention", "victim_id": "person_id"})
    suspect = social.rename(columns={"person_id": "suspect_id"}).astype({"suspect_id": "string"})
    suspect = suspect.astype({"intervention": "string", "decision": "string"}).iloc[:0]
    tables = {
        "persons": persons,
        "reports": reports,
        "police_measures": police,
        "social_interventions": social,
        "suspect_interventions": suspect,
    }
    for name, table in tables.items():
        table = table.assign(row_number=np.arange(1, len(table) + 1))
        table.to_parquet(folder / f"{name}.parquet", index=False)
    if for_peer:
        reports.to_csv(folder / "reports.csv", index=False)
        measures.to_csv(folder / "measures.csv", index=False)


def run_ours(folder: Path, repeats: int) -> dict[str, object]:
    """Time the stages, and what the last run found."""
    import ibis

    from revictimisation.cohort import build_cohort
    from revictimisation.cohort.person_time import build_episodes
    from revictimisation.cohort.spells import attach_entries, build_spells, gather_measures
    from revictimisation.core.engine import connect
    from revictimisation.dictionary import load_dictionary
    from revictimisation.plan import read_plan

    plan, dictionary = read_plan(STUDY), load_dictionary()
    seconds, stage_seconds, cpu_seconds = [], [], []
    for _ in range(repeats):
        con = connect(memory="2GB")
        tables = {path.stem: _read(con, path) for path in sorted(folder.glob("*.parquet"))}
        began, cpu_began = time.perf_counter(), time.process_time()
        cohort = build_cohort(tables["reports"], tables["persons"], dictionary, plan)
        attached = attach_entries(gather_measures(tables), cohort.index_reports)
        spells = build_spells(attached, plan).cache()
        at_spells = time.perf_counter()
        follow_up = cohort.index_reports.select("entry_id", stop_day=ibis._.end_day)
        episodes = build_episodes(follow_up, cohort.outcomes, spells, MEASURES)
        ended = time.perf_counter()
        cpu_seconds.append(time.process_time() - cpu_began)
        seconds.append(ended - began)
        stage_seconds.append(ended - at_spells)
    exposed = {name: int(_days(episodes, name).sum()) for name in MEASURES}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "episodes_only_seconds": stage_seconds,
        "peak_gb": peak,
        "n_episodes": len(episodes),
        "exposed_days": exposed,
        "n_events": int(episodes["is_event"].sum()),
    }


def _read(con, path: Path):
    table = con.backend.read_parquet(str(path))
    dates = {name: table[name].cast("date") for name in table.columns if name.endswith("_on")}
    return table.mutate(**dates)


def _days(episodes: pd.DataFrame, name: str) -> pd.Series:
    return (episodes["stop_day"] - episodes["start_day"]) * episodes[name]


R_CODE = """
suppressMessages(library(survival))
folder <- commandArgs(TRUE)[1]
measures <- strsplit(commandArgs(TRUE)[2], ",")[[1]]
read <- function(name) read.csv(file.path(folder, name), colClasses = "character")
reports <- read("reports.csv")
given <- read("measures.csv")
day <- function(text) as.integer(as.Date(text, "%Y-%m-%d"))
reports$day <- day(reports$reported_on)
given$start <- day(given$start_on)
given$stop <- day(given$end_on)
from <- day("2011-01-01"); to <- day("2014-12-31"); end <- day("2018-12-31")
began <- proc.time()
# reports to index reports, outcomes and spells, by sorting and comparing neighbours
r <- reports[order(reports$victim_id, reports$suspect_id, reports$day),
             c("victim_id", "suspect_id", "day")]
n <- nrow(r)
is_new <- c(TRUE, r$victim_id[-1] != r$victim_id[-n] | r$suspect_id[-1] != r$suspect_id[-n])
is_event <- is_new | c(TRUE, r$day[-1] != r$day[-n])
r <- r[is_event, ]
is_new <- is_new[is_event]
r$pair <- cumsum(is_new)
previous <- c(NA, r$day[-nrow(r)])
eligible <- r$day >= from & r$day <= to & (is_new | r$day - previous > 365)
first <- r[eligible, ]
first <- first[!duplicated(first$pair), ]
base <- data.frame(entry_id = seq_len(nrow(first)), stop_day = pmin(1461, end - first$day))
at <- match(r$pair, first$pair)
events <- data.frame(entry_id = at, day = r$day - first$day[at])[!is.na(at), ]
events <- events[events$day > 1 & events$day <= base$stop_day[events$entry_id], ]
at <- match(given$victim_id, first$victim_id)
spells <- data.frame(entry_id = at, measure = given$code, start_day = given$start - first$day[at],
                     stop_day = given$stop - first$day[at])[!is.na(at), ]
prepared <- proc.time() - began
# tmerge keeps one value at a time: overlapping spells are told apart by counting ups and downs
began <- proc.time()
d <- tmerge(base, base, id = entry_id, tstop = stop_day)
d <- tmerge(d, events, id = entry_id, event = event(day))
for (m in measures) {
  s <- spells[spells$measure == m & spells$start_day >= 0, ]
  steps <- rbind(data.frame(entry_id = s$entry_id, day = s$start_day, by = 1),
                 data.frame(entry_id = s$entry_id, day = s$stop_day, by = -1))
  d <- tmerge(d, steps, id = entry_id, state = cumtdc(day, by))
  names(d)[names(d) == "state"] <- m
}
took <- proc.time() - began
days <- sapply(measures, function(m) sum((d$tstop - d$tstart) * (d[[m]] > 0), na.rm = TRUE))
cpu <- took[["user.self"]] + took[["sys.self"]]
cat(took[["elapsed"]], prepared[["elapsed"]], cpu, nrow(d), sum(d$event),
    paste(days, collapse = ","),
    as.character(packageVersion("survival")), R.version.string, sep = "\\n")
"""


def run_tmerge(folder: Path) -> dict[str, object]:
    """Time the same way in R once: base R to index reports, outcomes, spells; then tmerge."""
    script = folder / "tmerge.R"
    script.write_text(R_CODE)
    call = ["Rscript", str(script), str(folder), ",".join(MEASURES)]
    lines = subprocess.run(call, check=True, capture_output=True, text=True).stdout.split("\n")
    days = dict(zip(MEASURES, (int(float(x)) for x in lines[5].split(",")), strict=True))
    return {
        "seconds": float(lines[0]),
        "prepare_seconds": float(lines[1]),
        "cpu_seconds": float(lines[2]),
        "n_episodes": int(lines[3]),
        "n_events": int(lines[4]),
        "exposed_days": days,
        "survival": lines[6],
        "R": lines[7],
    }


def measure(n_people: int, repeats: int, peer: bool) -> dict[str, object]:
    """One size: ours in a process of its own, then the peer."""
    folder = Path(tempfile.mkdtemp())
    try:
        make_extract(folder, n_people, peer)
        call = [sys.executable, __file__, "--inside", str(folder), "--repeats", str(repeats)]
        found = subprocess.run(call, check=True, stdout=subprocess.PIPE)
        ours = json.loads(found.stdout)
        result = {"n_people": n_people, "ours": ours, "median": statistics.median(ours["seconds"])}
        if peer:
            result["tmerge"] = run_tmerge(folder)
            theirs = result["tmerge"]
            episodes = statistics.median(ours["episodes_only_seconds"])
            whole = theirs["prepare_seconds"] + theirs["seconds"]
            result["ratio_whole_way"] = whole / result["median"]
            result["ratio_tmerge_alone_to_our_whole_way"] = theirs["seconds"] / result["median"]
            result["ratio_tmerge_to_our_episodes"] = theirs["seconds"] / episodes
            same = ("exposed_days", "n_events")
            result["agrees"] = all(result["tmerge"][k] == ours[k] for k in same)
        return result
    finally:
        shutil.rmtree(folder)


def describe(one: dict) -> str:
    """A line on one size."""
    cpu = statistics.median(one["ours"]["cpu_seconds"])
    line = f"{one['n_people']:>9} people  {one['median']:.2f} s (all cores' {cpu:.2f} s)"
    line += f"  {one['ours']['peak_gb']:.2f} GB"
    if "tmerge" in one:
        peer = one["tmerge"]
        line += f"\n  R: base R {peer['prepare_seconds']:.1f} s, tmerge {peer['seconds']:.1f} s"
        for name in RATIOS:
            line += f"\n  {name}: {one[name]:.0f}"
        line += f"\n  same days and events: {one['agrees']}"
    return line


def main() -> None:
    """Run, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--peer-at", type=int, nargs="*", default=[1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(run_ours(given.inside, given.repeats)))
        return
    commit = name_clean_commit()
    sizes = [measure(n, given.repeats, n in given.peer_at) for n in given.people]
    for one in sizes:
        print(describe(one))
    logs = np.log10([[one["n_people"], one["median"]] for one in sizes])
    slope = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0]) if len(sizes) > 1 else None
    print(f"slope of log seconds on log people: {slope}")
    kept = {
        "measured_on": dt.date.today().isoformat(),
        "machine": {
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        "slope": slope,
        "sizes": sizes,
    }
    kept["command"] = "python benchmarks/person_time.py " + " ".join(sys.argv[1:])
    keep_result(RESULTS, kept, commit)


if __name__ == "__main__":
    main()
