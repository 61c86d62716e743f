"""Does `compare` call like counties alike, and name what was planted in unlike ones.

    python benchmarks/comparison_study.py [--pairs 100] [--seeds 10] [--jobs 2] [--people 3000]
    python benchmarks/comparison_study.py --part 1/2    # half of the counties, no summary
    python benchmarks/comparison_study.py --summarise

Two counties of the process `calibrated` are a pair; ten differences are planted in one of two
(`PLANTED`), each with the check and the light that should name it. Each county goes from extract to
released tables by the project's own stages, of the parts of analyses that `compare` reads (`READ`)
but for the target trials; the comparison is of released tables alone. The counties' tables are kept
under build/comparison_study, so that what was stopped goes on where it was, and compared anew each
time; a summary is kept in benchmarks/results/comparison_study.json: how many pairs were called
alike, by difference how many were named, and which checks remarked.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from county_study import STUDY
from keeping import ROOT, hold_commit, keep_result

from revictimisation.analyses.analysis import Analysis, Found
from revictimisation.analyses.baseline_risk import estimate_baseline_risk
from revictimisation.analyses.course import estimate_course
from revictimisation.analyses.effects import estimate_incidence
from revictimisation.analyses.in_force import fit_in_force
from revictimisation.analyses.measure_use.counts import count_agencies, count_use
from revictimisation.analyses.measure_use.hits import find_hits
from revictimisation.analyses.profile import describe_profile, describe_volumes
from revictimisation.analyses.running import lay_out, run_analyses
from revictimisation.cohort.preparation import prepare
from revictimisation.cohort.study_data import StudyData
from revictimisation.commands import pipeline
from revictimisation.comparison.cohorts import Cohort
from revictimisation.comparison.comparing import compare_cohorts
from revictimisation.core import files
from revictimisation.core.engine import connect
from revictimisation.core.results import combine, make_estimates
from revictimisation.core.workers import map_here
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import disclose_tables
from revictimisation.extract.validation import load_extract
from revictimisation.plan import StudyPlan, read_plan
from revictimisation.simulate.calibrated import CALIBRATED
from revictimisation.simulate.county import make_tables
from revictimisation.simulate.course import run_course
from revictimisation.simulate.scenarios import Effect, Scenario

NAME, SEED = "comparison_study", 20261130
TESTED = 365
Tables = dict[str, pd.DataFrame]
FITS, CANNOT_TELL = "fits", "cannot_tell"


def _count_measures(data: StudyData) -> pd.DataFrame:
    hits = find_hits(data)
    return combine([count_use(data, hits), count_agencies(data, hits)])


def _estimate_hazards(data: StudyData) -> pd.DataFrame:
    """The adjusted hazard ratios to the first outcome, as `estimate_hazard_ratios` has them."""
    episodes, plan = data.first_episodes, data.plan
    entry, measures = episodes["entry_id"].to_numpy(), episodes[[*plan.measure_names]]
    found = fit_in_force(
        data, episodes, lambda of: data.design(of, measures, without=plan.strata),
        strata=data.strata(entry),
    )  # fmt: skip
    return make_estimates(found.rows, question="q2", outcome=plan.outcome.who, analysis="main",
                          estimator="cox_time_varying")  # fmt: skip


def _estimate_risk(data: StudyData) -> pd.DataFrame:
    plan = data.plan.model_copy(update={"report_at_days": (TESTED,)})
    return estimate_baseline_risk(replace(data, plan=plan))


READ = (
    Analysis("course", "course", estimate_course),
    Analysis("measure_use", "q1", _count_measures),
    Analysis("incidence", "q2", estimate_incidence),
    Analysis("hazard_ratios", "q2", _estimate_hazards),
    Analysis("baseline_risk", "q2", _estimate_risk),
    Analysis("profile", "q2", describe_profile),
    Analysis("volumes", "q1", describe_volumes),
)


def _leave(given):
    return given


@dataclass(frozen=True)
class Planted:
    """A difference: what is done to the scenario, to the tables, to the study; what should name it.

    `checks` with `light`: any of these checks given that light names it.
    """

    checks: tuple[str, ...]
    light: str
    scenario: Callable[[Scenario], Scenario] = _leave
    tables: Callable[[Tables, np.random.Generator], Tables] = lambda tables, rng: tables
    study: Callable[[StudyPlan], StudyPlan] = _leave


def drop_partners(tables: Tables, rng: np.random.Generator) -> Tables:
    """Half of those whose first suspect is a partner are not there."""
    reports = tables["reports"].sort_values("reported_on", kind="stable")
    first = reports.drop_duplicates("victim_id")
    partners = first.loc[first["relation"].isin(["current_partner", "former_partner"]), "victim_id"]
    gone = partners[rng.random(len(partners)) < 0.5]
    return {**tables, "reports": tables["reports"][~tables["reports"]["victim_id"].isin(gone)]}


def drift_codes(tables: Tables, rng: np.random.Generator) -> Tables:
    """From July 2012 on four in ten assaults are written down as molestation."""
    codes = load_dictionary().codes("offences")
    groups = dict(zip(codes["code"], codes["offence_group"], strict=True))
    reports = tables["reports"].copy()
    group = reports["offence_code"].map(groups)
    other = reports.loc[group.eq("molestation"), "offence_code"].mode().iloc[0]
    late = pd.to_datetime(reports["reported_on"]).ge("2012-07-01")
    moved = late & group.eq("assault") & (rng.random(len(reports)) < 0.4)
    reports.loc[moved, "offence_code"] = other
    keys = ["report_id", "victim_id", "suspect_id", "offence_code"]
    return {**tables, "reports": reports.drop_duplicates(keys)}


def halve_links(tables: Tables, rng: np.random.Generator) -> Tables:
    """Half of the social services' clients have a pseudonym that the police's victims lack."""
    mine = tables["social_interventions"].copy()
    people = pd.Series(mine["person_id"].unique())
    lost = people[rng.random(len(people)) < 0.5]
    other = dict(zip(lost, "unlinked-" + lost.astype(str), strict=True))
    persons = tables["persons"]
    copies = persons[persons["person_id"].isin(lost)].copy()
    copies["person_id"] = copies["person_id"].map(other)
    mine["person_id"] = mine["person_id"].replace(other)
    return {**tables, "social_interventions": mine, "persons": pd.concat([persons, copies])}


def raise_risk(scenario: Scenario) -> Scenario:
    """New reports against the same suspect are 1.5 times as frequent."""
    event = replace(scenario.event, intercept=scenario.event.intercept + np.log(1.5))
    return replace(scenario, event=event)


def turn_effect(scenario: Scenario) -> Scenario:
    """The non-contact order doubles the rate of new reports in place of lowering it."""
    measures = tuple(
        replace(one, effect=Effect(log_hazard_ratio=float(np.log(1.6))))
        if one.name == "non_contact_order"
        else one
        for one in scenario.measures
    )
    return replace(scenario, measures=measures)


DATED = {"reports": "reported_on", "police_measures": "decided_on",
         "social_interventions": "decided_on", "risk_assessments": "assessed_on"}  # fmt: skip
KEYS = {"reports": "report_id", "police_measures": "measure_id",
        "social_interventions": "intervention_id", "risk_assessments": "assessment_id"}  # fmt: skip


def cut_follow_up(tables: Tables, rng: np.random.Generator) -> Tables:
    """Nothing later than 2015 is there."""
    cut = {
        name: tables[name][pd.to_datetime(tables[name][column]).lt("2016-01-01")]
        for name, column in DATED.items()
    }
    return {**tables, **cut}


def end_study(plan: StudyPlan) -> StudyPlan:
    """The study says so."""
    return plan.model_copy(update={"data_end_on": pd.Timestamp("2015-12-31").date()})


def double_quarter(tables: Tables, rng: np.random.Generator) -> Tables:
    """The second quarter of 2013 is there twice, with new numbers of rows."""
    out = dict(tables)
    for name, column in DATED.items():
        day = pd.to_datetime(tables[name][column])
        again = tables[name][day.ge("2013-04-01") & day.lt("2013-07-01")].copy()
        again[KEYS[name]] = again[KEYS[name]].astype(str) + "-2"
        out[name] = pd.concat([tables[name], again], ignore_index=True)
    return out


def drop_district(tables: Tables, rng: np.random.Generator) -> Tables:
    """No report of the district Södertörn is there."""
    reports = tables["reports"]
    return {**tables, "reports": reports[reports["police_district"].ne("sodertorn")]}


def rename_codes(tables: Tables, rng: np.random.Generator) -> Tables:
    """Safety talks have another code."""
    mine = tables["police_measures"]
    renamed = mine["measure"].replace({"safety_talk": "skyddssamtal"})
    return {**tables, "police_measures": mine.assign(measure=renamed)}


def lower_reporting(tables: Tables, rng: np.random.Generator) -> Tables:
    """Four in ten reports are not made, of all but each victim's first."""
    reports = tables["reports"]
    first = reports.sort_values("reported_on", kind="stable").drop_duplicates("victim_id")
    others = pd.Series(sorted(set(reports["report_id"]) - set(first["report_id"])))
    gone = others[rng.random(len(others)) < 0.4]
    return {**tables, "reports": reports[~reports["report_id"].isin(gone)]}


PLANTED: Mapping[str, Planted] = {
    "alike": Planted((), ""),
    "case_mix": Planted(("case_mix",), "recalibrate", tables=drop_partners),
    "coding_drift": Planted(("coding_drift",), "look", tables=drift_codes),
    "halved_linkage": Planted(("linkage",), "do_not_join", tables=halve_links),
    "other_baseline_risk": Planted(
        ("incidence", "calibration_in_the_large", "average_risk"), "recalibrate",
        scenario=raise_risk,
    ),
    "another_effect": Planted(("hazard_ratio", "effects_together"), "look", scenario=turn_effect),
    "shorter_follow_up": Planted(("follow_up",), "look", tables=cut_follow_up, study=end_study),
    "shorter_follow_up_untold": Planted(("data_end",), "do_not_join", tables=cut_follow_up),
    "duplicated_quarter": Planted(("volume_spike",), "do_not_join", tables=double_quarter),
    "missing_district": Planted(("missing_level",), "do_not_join", tables=drop_district),
    "renamed_codes": Planted(("code_lost",), "do_not_join", tables=rename_codes),
    "changed_reporting": Planted(("reporting",), "look", tables=lower_reporting),
}  # fmt: skip


def read_study() -> StudyPlan:
    """The county's study at two days, without groups and the courts."""
    plan = read_plan(STUDY.read_text(encoding="utf-8"))
    course = plan.course.model_copy(update={"groups": (), "at_days": (TESTED,)})
    changes = {"report_at_days": (TESTED, 1461), "course": course, "subgroups": ()}
    return plan.model_copy(update=changes)


def make_county(kind: str, place: int, people: int, folder: Path) -> str:
    """A county with a difference planted: its released tables are kept, if they are not there."""
    target, planted = folder / f"{kind}_{people}_{place:03d}", PLANTED[kind]
    if (target / "estimates.parquet").exists():
        return target.name
    seed = SEED + place + 10_000 * list(PLANTED).index(kind)
    tables = make_tables(run_course(planted.scenario(CALIBRATED), people, seed))
    tables = planted.tables(tables, np.random.default_rng(seed))
    plan, dictionary = planted.study(read_study()), load_dictionary()
    with tempfile.TemporaryDirectory() as extract_folder:
        for table, frame in tables.items():
            files.write_table(frame, Path(extract_folder), table, ("parquet",))
        extract = load_extract(connect(threads=1), Path(extract_folder), dictionary, plan)
        extract.raise_for_errors()
        data, attrition = prepare(extract.tables, extract.absent, dictionary, plan)
    checks = pipeline.describe_extract(extract.cleaned, extract.misfits)
    own = Found(combine([]), checks)
    whole = lay_out([run_analyses(data, lambda step: None, map_here, READ), own])
    exact = {"attrition": attrition.assign(status="ok"), "diagnostics": whole.diagnostics,
             "estimates": whole.estimates}  # fmt: skip
    released = disclose_tables(exact, plan, dictionary)
    target.mkdir(exist_ok=True)
    for name in ("attrition", "diagnostics", "estimates"):
        released[name].to_parquet(target / f"{name}.parquet")
    return target.name


def read_county(name: str, kind: str, place: int, people: int, folder: Path) -> Cohort:
    """A county that was kept, as it is compared."""
    kept = folder / f"{kind}_{people}_{place:03d}"
    tables = {path.stem: pd.read_parquet(path) for path in kept.glob("*.parquet")}
    return Cohort(name, PLANTED[kind].study(read_study()), **tables)


def list_counties(args: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Kinds with the numbers of their counties: two for each pair that is alike.

    Of `--part 1/2` every second one.
    """
    at, of = (int(one) for one in args.part.split("/"))
    yield from islice(_list_all(args), at - 1, None, of)


def _list_all(args: argparse.Namespace) -> Iterator[tuple[str, int]]:
    kinds = args.kind or [*PLANTED]
    n_alike = max(2 * args.pairs if "alike" in kinds else 0, args.seeds)
    for kind in dict.fromkeys(["alike", *kinds]):
        yield from ((kind, place) for place in range(n_alike if kind == "alike" else args.seeds))


def list_pairs(kind: str, people: int, folder: Path) -> Iterator[tuple[int, int]]:
    """The counties that are there of each pair: the reference's number, and the other's."""
    there = sorted(int(path.name[-3:]) for path in folder.glob(f"{kind}_{people}_[0-9]*")
                   if (path / "estimates.parquet").exists())  # fmt: skip
    if kind == "alike":
        yield from zip(there[::2], there[1::2], strict=False)
        return
    references = {one for pair in list_pairs("alike", people, folder) for one in pair}
    yield from ((place, place) for place in there if place in references)


def summarise(people: int, folder: Path) -> dict[str, object]:
    """By kind: pairs, how many called alike, how many named, and which checks remarked."""
    found: dict[str, object] = {}
    for kind, planted in PLANTED.items():
        n_pairs, n_alike, n_named, remarks = 0, 0, 0, {}
        for first, second in list_pairs(kind, people, folder):
            reference = read_county("A", "alike", first, people, folder)
            new = read_county("B", kind, second, people, folder)
            rows = compare_cohorts([reference, new], reference.plan.comparison)
            judged = rows[rows["light"].ne("") & rows["check"].ne("overall")]
            marked = judged[~judged["light"].isin([FITS, CANNOT_TELL])]
            named = marked["check"].isin(planted.checks) & marked["light"].eq(planted.light)
            n_pairs, n_alike = n_pairs + 1, n_alike + int(marked.empty)
            n_named += int(named.any())
            told = {f"{one.check}:{one.subject}{one.measure}" for one in marked.itertuples()}
            for name in sorted(told):
                remarks[name] = remarks.get(name, 0) + 1
        if n_pairs:
            found[kind] = {"n_pairs": n_pairs, "n_called_alike": n_alike, "n_named": n_named,
                           "named_by": [*planted.checks], "light": planted.light,
                           "remarks": remarks}  # fmt: skip
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100, help="of counties that are alike")
    parser.add_argument("--seeds", type=int, default=10, help="pairs for each planted difference")
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--kind", nargs="+", choices=[*PLANTED])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--part", default="1/1", help="1/2 and 2/2: halves, run side by side")
    parser.add_argument("--summarise", action="store_true", help="only the summary")
    parser.add_argument("--dry", action="store_true", help="print the summary, keep nothing")
    args = parser.parse_args()
    folder = ROOT / "build" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    commit = "" if args.dry else hold_commit(folder)
    if not args.summarise:
        with ProcessPoolExecutor(args.jobs) as pool:
            tasks = [pool.submit(make_county, kind, place, args.people, folder)
                     for kind, place in list_counties(args)]  # fmt: skip
            for task in tasks:
                print(task.result(), flush=True)
    if args.part != "1/1":
        return
    summary = summarise(args.people, folder)
    print(json.dumps(summary, indent=2))
    if not args.dry:
        told = {"command": "python benchmarks/comparison_study.py", "seed": SEED,
                "people": args.people, "kinds": summary}  # fmt: skip
        keep_result(ROOT / "benchmarks" / "results" / f"{NAME}.json", told, commit)


if __name__ == "__main__":
    main()
