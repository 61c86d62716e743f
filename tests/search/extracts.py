"""Small generated extracts, each with a study: what is rare, tied, one-sided or short on purpose.

`make_case(seed, number)` gives the same case whenever it is asked. A kind is a change of the
`Recipe`; the rest is drawn. People are few enough that an answer can be counted by hand.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

DATA_END = dt.date(2018, 12, 31)
Rng = np.random.Generator
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Recipe:
    """How an extract is drawn. Days are counted from the index report."""

    n_victims: int = 120
    suspects_each: int = 1  # a victim's entries
    horizon: int = 400
    report_at: tuple[int, ...] = (90, 200, 400)
    followed: tuple[int, int] = (450, 900)  # days from the index report to the end of the data
    followed_started: tuple[int, int] | None = None  # the same for those who start measure `a`
    grace: int = 30
    measures: tuple[str, ...] = ("a",)
    starts: float = 0.5  # share who start each measure
    start_days: tuple[int, ...] = tuple(range(31))
    lasts: tuple[int, int] = (20, 300)
    running_before: float = 0.03
    together: float = 0.0  # share in whom all measures start when `a` does
    reports_again: float = 0.5
    effect: float = 0.0  # of `a`: how much more or less often, on the log scale
    again_days: tuple[int, ...] = tuple(range(1, 400))
    more_reports: float = 0.6  # mean number of reports after the first new one
    dies: float = 0.04
    emigrates: float = 0.04
    leaves_days: tuple[int, ...] = tuple(range(1, 400))
    adjust_for: tuple[str, ...] = ()
    shift: float = 0.0  # what x_one is shifted and multiplied by
    scale: float = 1.0
    missing: float = 0.0  # share without x_one and x_group
    courts: bool = False
    convicted: float = 0.35
    replicates: int = 0
    any_suspect: bool = False
    lag: int = 1
    only_first: int | None = None  # so many have a new report, nobody else
    quiet_group: bool = False  # nobody of x_group `c` reports anew
    decides: bool = False  # x_one decides who starts
    exposed_victims: int | None = None  # so many victims start, with all their entries
    has_loose_gates: bool = False  # else the plan's own


@dataclass(frozen=True)
class Case:
    """An extract, its study file, and the kind it is of."""

    number: int
    kind: str
    study: dict
    tables: Tables = field(repr=False)

    def write(self, folder: Path) -> None:
        """Leave it as `folder/study.yaml` and `folder/extract`, as the commands read it."""
        (folder / "extract").mkdir(parents=True)
        (folder / "study.yaml").write_text(yaml.safe_dump(self.study, sort_keys=False), "utf-8")
        for name, table in self.tables.items():
            table.to_csv(folder / "extract" / f"{name}.csv", index=False)


KINDS: dict[str, dict] = {
    "plain": {},
    "plain_adjusted": {"adjust_for": ("x_one", "x_group"), "n_victims": 160},
    "few_people": {"n_victims": 8, "reports_again": 0.8},
    "a_few_more": {"n_victims": 25, "adjust_for": ("x_one",)},
    "ties": {"again_days": (30, 60), "start_days": (0, 30), "leaves_days": (30, 60)},
    "everyone_exposed": {"starts": 1.0, "start_days": (0,)},
    "nearly_everyone_exposed": {"starts": 0.97, "start_days": (0, 1, 2)},
    "nobody_exposed": {"starts": 0.0, "running_before": 0.0},
    "one_exposed": {"exposed_victims": 1},
    "few_exposed_victims": {"exposed_victims": 3, "suspects_each": 6, "n_victims": 40,
                            "reports_again": 0.9},
    "one_event": {"only_first": 1},
    "two_events": {"only_first": 2, "adjust_for": ("x_one",)},
    "no_event": {"only_first": 0},
    "all_events": {"reports_again": 1.0, "dies": 0.0, "emigrates": 0.0},
    "all_events_on_one_day": {"reports_again": 1.0, "again_days": (50,), "dies": 0.0,
                              "emigrates": 0.0},
    "one_victim": {"n_victims": 1, "suspects_each": 30},
    "many_suspects": {"suspects_each": 3, "any_suspect": True, "n_victims": 50},
    "shifted": {"adjust_for": ("x_one", "index_year"), "shift": 1e6},
    "scaled": {"adjust_for": ("x_one",), "scale": 1e-6},
    "scaled_up": {"adjust_for": ("x_one", "x_two"), "scale": 1e7, "shift": -3e8},
    "quiet_group": {"adjust_for": ("x_group",), "quiet_group": True},
    "same_covariate_twice": {"adjust_for": ("x_one", "x_copy", "x_same")},
    "missing_covariates": {"adjust_for": ("x_one", "x_group"), "missing": 0.3},
    "decided_by_covariate": {"adjust_for": ("x_one",), "decides": True},
    "ends_early_started": {"followed_started": (40, 120)},
    "ends_early_others": {"followed": (40, 120), "followed_started": (450, 900)},
    "ends_early_adjusted": {"followed_started": (60, 210), "adjust_for": ("x_one",)},
    "short_follow_up": {"followed": (100, 300), "horizon": 1461,
                        "report_at": (60, 182, 365, 1461)},
    "beyond_horizon": {"horizon": 150},
    "same_day_measures": {"measures": ("a", "b"), "together": 0.9, "start_days": (0,), "grace": 0,
                          "adjust_for": ("x_one",), "effect": -1.0},
    "always_together": {"measures": ("a", "b"), "together": 1.0},
    "three_measures": {"measures": ("a", "b", "c"), "together": 0.2, "adjust_for": ("x_one",)},
    "dies_at_once": {"dies": 0.5, "leaves_days": (1, 2)},
    "all_die": {"dies": 1.0, "reports_again": 0.3},
    "all_emigrate_early": {"emigrates": 1.0, "dies": 0.0, "leaves_days": tuple(range(20, 90))},
    "reports_within_grace": {"again_days": tuple(range(1, 31)), "reports_again": 0.9},
    "many_reports": {"more_reports": 6.0, "reports_again": 0.8},
    "many_reports_few": {"more_reports": 8.0, "n_victims": 15, "adjust_for": ("x_one",)},
    "day_0": {"grace": 0, "start_days": (0,)},
    "day_0_adjusted": {"grace": 0, "start_days": (0,), "adjust_for": ("x_one", "x_group"),
                       "n_victims": 160},
    "day_0_all_or_none": {"grace": 0, "start_days": (0,), "effect": 9.0, "dies": 0.0,
                          "emigrates": 0.0},
    "late_starts": {"start_days": tuple(range(25, 300, 5)), "lasts": (0, 40)},
    "long_before": {"running_before": 0.9},
    "courts": {"courts": True, "n_victims": 160},
    "courts_adjusted": {"courts": True, "n_victims": 200, "adjust_for": ("index_year", "x_one"),
                        "shift": 5e5},
    "courts_rare": {"courts": True, "convicted": 0.07, "n_victims": 160},
    "courts_few": {"courts": True, "n_victims": 30},
    "courts_all": {"courts": True, "convicted": 1.0, "n_victims": 60},
    "courts_short": {"courts": True, "followed": (60, 500), "n_victims": 160},
    "courts_one_started": {"courts": True, "exposed_victims": 2, "n_victims": 120},
}  # fmt: skip


def make_case(seed: int, number: int) -> Case:
    """The case of a number: kinds in turn, each time drawn anew and a little otherwise."""
    kind = list(KINDS)[number % len(KINDS)]
    rng = np.random.default_rng([seed, number])
    recipe = replace(Recipe(), **KINDS[kind])
    if number >= len(KINDS):
        recipe = _vary(recipe, rng)
    return Case(number, kind, _make_study(recipe, number), _draw(recipe, rng))


def _vary(recipe: Recipe, rng: Rng) -> Recipe:
    """The same kind with other people, effects and choices of the study."""
    changes: dict = {
        "n_victims": max(1, int(recipe.n_victims * rng.choice([0.5, 1.0, 1.4]))),
        "effect": recipe.effect or float(rng.choice([0.0, -0.8, 0.8])),
        "lag": int(rng.choice([0, 1, 7])),
        "replicates": int(rng.choice([0, 0, 0, 10])),
        "has_loose_gates": bool(rng.random() < 0.6),
    }
    if rng.random() < 0.3:
        changes["suspects_each"] = recipe.suspects_each + 1
    if rng.random() < 0.2:
        changes["lasts"] = (1, 15)
    if rng.random() < 0.25 and recipe.grace:
        changes["grace"] = int(rng.choice([0, 7, 60]))
    return replace(recipe, **changes)


# What small extracts can pass: then their numbers are shown, and can be looked at.
LOOSE_GATES = {"largest_standardised_difference": 0.5, "effective_sample_size": 8.0,
               "events_per_arm": 4.0, "share_outside_support": 0.5,
               "minimum_detectable_difference": 0.9, "exposed_victims": 4.0,
               "largest_disagreement": 4.0}  # fmt: skip


def _make_study(recipe: Recipe, number: int) -> dict:
    return {
        "name": f"case_{number}",
        "accrual": {"from_on": "2000-01-01", "to_on": "2018-12-31"},
        "data_end_on": DATA_END.isoformat(),
        "eligibility": {"washout_days": 0},
        "outcome": {"lag_days": recipe.lag,
                    "who": "any_suspect" if recipe.any_suspect else "same_suspect"},
        "horizon_days": recipe.horizon,
        "report_at_days": list(recipe.report_at),
        "measures": {one: {"codes": [one], "grace_days": recipe.grace} for one in recipe.measures},
        "adjust_for": list(recipe.adjust_for),
        "subgroups": ["sex"],
        "for_whom": {"combined": {}},
        "exploration": {"is_on": False},
        "bootstrap": {"replicates": recipe.replicates, "seed": 1},
        **({"gates": LOOSE_GATES} if recipe.has_loose_gates else {}),
    }  # fmt: skip


@dataclass
class _Person:
    """What is drawn of a victim before anything else."""

    name: str
    x_one: float
    x_two: float
    x_group: str
    is_missing: bool


def _draw(recipe: Recipe, rng: Rng) -> Tables:
    rows: dict[str, list[dict]] = {
        "persons": [], "reports": [], "police_measures": [], "social_interventions": [],
        "investigations": [], "case_decisions": [],
    }  # fmt: skip
    n_again = 0
    for place in range(recipe.n_victims):
        person = _Person(
            f"v{place}", float(rng.normal()), float(rng.normal()), str(rng.choice(["a", "b", "c"])),
            bool(rng.random() < recipe.missing),
        )  # fmt: skip
        days = _draw_starts(recipe, rng, person, place)
        limits = recipe.followed_started if "a" in days and recipe.followed_started else None
        index_on = DATA_END - dt.timedelta(days=int(rng.integers(*(limits or recipe.followed))))
        _add_person(rows, recipe, rng, person, index_on)
        _add_measures(rows, recipe, rng, person, days, index_on)
        for turn in range(recipe.suspects_each):
            may = recipe.only_first is None or n_again < recipe.only_first
            may = may and not (recipe.quiet_group and person.x_group == "c")
            n_again += _add_reports(rows, recipe, rng, (place, turn), index_on, "a" in days, may)
    tables = {name: pd.DataFrame(found, columns=COLUMNS[name]) for name, found in rows.items()}
    if not recipe.courts:
        del tables["investigations"], tables["case_decisions"]
    return tables


COLUMNS = {
    "persons": ["person_id", "birth_year", "sex", "municipality_code", "protected_identity",
                "died_on", "emigrated_on", "x_one", "x_two", "x_copy", "x_same", "x_group"],
    "reports": ["report_id", "victim_id", "suspect_id", "reported_on", "offence_from_on",
                "offence_code", "relation", "is_honour", "police_district", "municipality_code"],
    "police_measures": ["measure_id", "victim_id", "report_id", "measure", "decided_on", "decision",
                        "start_on", "end_on"],
    "social_interventions": ["intervention_id", "person_id", "intervention", "decided_on",
                             "decision", "start_on", "end_on", "end_reason", "legal_basis",
                             "municipality_code"],
    "investigations": ["report_id", "suspect_id", "opened_on", "closed_on", "closing_reason",
                       "has_witness", "has_documented_injury", "has_victim_participation",
                       "has_admission"],
    "case_decisions": ["report_id", "suspect_id", "decided_on", "decision", "custody_from_on",
                       "custody_to_on"],
}  # fmt: skip


def _draw_starts(recipe: Recipe, rng: Rng, person: _Person, place: int) -> dict[str, int]:
    """The first day of each measure that the victim gets; before the report: below 0."""
    days: dict[str, int] = {}
    for measure in recipe.measures:
        is_started = rng.random() < recipe.starts
        if recipe.decides:
            is_started = person.x_one > 0
        if recipe.exposed_victims is not None:
            is_started = place < recipe.exposed_victims
        if is_started:
            days[measure] = int(rng.choice(recipe.start_days))
            if rng.random() < recipe.running_before:
                days[measure] = -int(rng.integers(1, 15))
    if rng.random() < recipe.together:
        days = dict.fromkeys(recipe.measures, days["a"]) if "a" in days else {}
    return days


def _add_person(rows: dict, recipe: Recipe, rng: Rng, person: _Person, index_on: dt.date) -> None:
    """The victim with covariates, death and emigration."""
    died, away = rng.random() < recipe.dies, rng.random() < recipe.emigrates
    day = [index_on + dt.timedelta(days=int(rng.choice(recipe.leaves_days))) for _ in range(2)]
    x_one = recipe.shift + recipe.scale * person.x_one
    known = not person.is_missing
    rows["persons"].append({
        "person_id": person.name, "birth_year": 1970, "sex": str(rng.choice(["female", "male"])),
        "municipality_code": "0180", "protected_identity": "none",
        "died_on": day[0] if died and day[0] <= DATA_END else None,
        "emigrated_on": day[1] if away and day[1] <= DATA_END else None,
        "x_one": x_one if known else None, "x_two": person.x_two, "x_copy": 2 * x_one + 1,
        "x_same": 7.0, "x_group": person.x_group if known else None,
    })  # fmt: skip


def _add_measures(
    rows: dict, recipe: Recipe, rng: Rng, person: _Person, days: dict[str, int], index_on: dt.date
) -> None:
    for measure, day in days.items():
        start_on = index_on + dt.timedelta(days=day)
        lasts = int(rng.integers(recipe.lasts[0], recipe.lasts[1] + 1))
        end_on = start_on + dt.timedelta(days=lasts) if rng.random() < 0.9 else None
        if start_on > DATA_END:
            continue
        end_on = end_on if end_on and end_on <= DATA_END else None
        rows["social_interventions"].append({
            "intervention_id": f"{person.name}{measure}", "person_id": person.name,
            "intervention": measure, "decided_on": start_on, "decision": "granted",
            "start_on": start_on, "end_on": end_on, "municipality_code": "0180",
        })  # fmt: skip


def _add_reports(
    rows: dict, recipe: Recipe, rng: Rng, place: tuple[int, int], index_on: dt.date,
    is_started: bool, may_report: bool,
) -> int:  # fmt: skip
    """An entry: its index report, new reports, and the case. Whether there is a new report."""
    victim, suspect = f"v{place[0]}", f"s{place[0]}x{place[1]}"
    rows["persons"].append({
        "person_id": suspect, "birth_year": 1970, "sex": "unknown", "municipality_code": "0180",
        "protected_identity": "none",
    })  # fmt: skip
    odds = recipe.reports_again * np.exp(recipe.effect * is_started)
    is_again = (rng.random() < odds or recipe.only_first is not None) and may_report
    days = [0]
    if is_again:
        more = int(rng.poisson(recipe.more_reports))
        days += [int(day) for day in rng.choice(recipe.again_days, 1 + more)]
    made = [index_on + dt.timedelta(days=day) for day in days]
    for turn, on in enumerate(one for one in made if one <= DATA_END):
        rows["reports"].append({
            "report_id": f"r{suspect}n{turn}", "victim_id": victim, "suspect_id": suspect,
            "reported_on": on, "offence_code": "9353", "relation": "former_partner",
            "is_honour": "false", "police_district": "city", "municipality_code": "0180",
        })  # fmt: skip
    if recipe.courts:
        _add_case(rows, recipe, rng, f"r{suspect}n0", suspect, index_on)
    return int(is_again)


def _add_case(
    rows: dict, recipe: Recipe, rng: Rng, report: str, suspect: str, index_on: dt.date
) -> None:
    """An investigation of the index report and what was decided, as far as the data go."""
    days = np.cumsum(rng.integers([0, 5, 20], [10, 150, 200]))
    opened, charged, judged = (index_on + dt.timedelta(days=int(day)) for day in days)
    is_charged, is_convicted = (
        rng.random() < 0.7 or recipe.convicted == 1,
        bool(rng.random() < recipe.convicted / 0.7),
    )
    has = {
        f"has_{name}": str(rng.choice(["true", "false"]))
        for name in ("witness", "documented_injury", "victim_participation", "admission")
    }
    same = {"report_id": report, "suspect_id": suspect}
    if opened > DATA_END or rng.random() < 0.05:
        return
    is_closed = not is_charged and charged <= DATA_END
    rows["investigations"].append({
        **same, "opened_on": opened, "closed_on": charged if is_closed else None,
        "closing_reason": "no_evidence" if is_closed else None, **has,
    })  # fmt: skip
    steps = [(charged, "prosecuted")] if is_charged else [(charged, "discontinued")]
    if is_charged:
        steps.append((judged, "convicted" if is_convicted else "acquitted"))
    rows["case_decisions"] += [
        {**same, "decided_on": on, "decision": step} for on, step in steps if on <= DATA_END
    ]


def disguise(case: Case, seed: int) -> Case:
    """The same facts otherwise told: people renamed, rows shuffled, x_ numbers in other units."""
    rng = np.random.default_rng([seed, case.number, 1])
    names = case.tables["persons"]["person_id"].tolist()
    new = dict(zip(names, (f"p{one:06d}" for one in rng.permutation(len(names))), strict=True))
    tables = {}
    for name, table in case.tables.items():
        out = table.sample(frac=1, random_state=int(rng.integers(1 << 31)))
        for column in ("person_id", "victim_id", "suspect_id"):
            if column in out:
                out[column] = out[column].map(new)
        tables[name] = out.reset_index(drop=True)
    persons = tables["persons"]
    persons["x_one"] = 40.0 + 1000.0 * persons["x_one"].astype(float)
    persons["x_two"] = -0.001 * persons["x_two"].astype(float)
    return replace(case, tables=tables)
