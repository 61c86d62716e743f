"""The study from extract to release: the stages in their order, each a pure function."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from revictimisation.analyses import (
    convictions,
    effects,
    exposure_variants,
    heterogeneity,
    joint_strategies,
    measure_use,
    recurrent_events,
    subgroup_effects,
    target_trials,
)
from revictimisation.analyses.sensitivity import hidden_bias, linkage_error, negative_controls
from revictimisation.cohort import Cohort, build_cohort
from revictimisation.cohort.attrition import account_for, add_cleaning, add_joined, during_follow_up
from revictimisation.cohort.court_cases import describe_cases, find_index_cases, list_case_steps
from revictimisation.cohort.covariates import derive_covariates, find_renewals
from revictimisation.cohort.person_time import build_episodes
from revictimisation.cohort.spells import attach_entries, build_spells, find_starts, gather_measures
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.engine import days_since
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    OK,
    combine,
    withhold_without_error,
)
from revictimisation.dictionary import Dictionary
from revictimisation.disclosure import (
    PLACES,
    disclose_attrition,
    disclose_diagnostics,
    disclose_estimates,
)
from revictimisation.extract import linkage
from revictimisation.extract.cleaning import CleaningLine
from revictimisation.extract.validation.study_fit import Misfit
from revictimisation.plan import StudyPlan

if TYPE_CHECKING:
    import ibis.expr.types as ir

Tables = dict[str, pd.DataFrame]
SOCIAL_SERVICES = "social_services"
Tell = Callable[[str], None]


Found = tuple[pd.DataFrame, pd.DataFrame]


def _alone(estimate: Callable[[StudyData], pd.DataFrame]) -> Callable[[StudyData], Found]:
    """A stage that has no diagnostics."""
    return lambda data: (estimate(data), pd.DataFrame())


# The long ones first, so that they do not end alone.
STAGES: dict[str, Callable[[StudyData], Found]] = {
    "target_trials": target_trials.estimate_target_trials,
    "recurrent_events": recurrent_events.estimate_recurrent_events,
    "subgroup_effects": subgroup_effects.estimate_subgroup_effects,
    "heterogeneity": heterogeneity.explore_effects,
    "negative_controls": negative_controls.estimate_negative_controls,
    "joint_strategies": joint_strategies.estimate_joint_strategies,
    "exposure_variants": exposure_variants.estimate_exposure_variants,
    "measure_use": _alone(measure_use.estimate_use),
    "hazard_ratios": effects.estimate_hazard_ratios,
    "convictions": convictions.estimate_convictions,
    "incidence": _alone(effects.estimate_incidence),
    "crude": _alone(effects.estimate_crude),
}
# What reports that no measure can prevent may hold back.
CONTROLLED = (
    "target_trials", "recurrent_events", "joint_strategies", "subgroup_effects", "heterogeneity",
)  # fmt: skip
# As the tables are laid out.
ORDER = (
    "measure_use", "crude", "incidence", "hazard_ratios", "target_trials", "exposure_variants",
    "negative_controls", "hidden_bias", "recurrent_events", "joint_strategies",
    "subgroup_effects", "heterogeneity", "convictions",
)  # fmt: skip
DIAGNOSTICS_ORDER = (
    "hazard_ratios", "exposure_variants", "target_trials", "negative_controls", "hidden_bias",
    "recurrent_events", "joint_strategies", "subgroup_effects", "heterogeneity", "convictions",
)  # fmt: skip


@dataclass(frozen=True)
class Results:
    """What a study leaves: tables by name, exact and releasable, the same names in both."""

    restricted: Tables
    release: Tables


def prepare(
    tables: dict[str, ir.Table],
    absent: frozenset[str],
    dictionary: Dictionary,
    plan: StudyPlan,
    tell: Tell = lambda step: None,
    linked: Mapping[str, Any] | None = None,
    cleaned: Sequence[CleaningLine] = (),
) -> tuple[StudyData, pd.DataFrame]:
    """Take the extract's tables to what the estimators read, and the attrition.

    `tell` is called with the name of each step as it begins; `linked` is what `link` left about the
    joining of two agencies' extracts, if that is what this one is; `cleaned` what cleaning did.
    """
    tell("cohort")
    cohort = build_cohort(tables["reports"], tables["persons"], dictionary, plan)
    attached = attach_entries(gather_measures(tables), cohort.index_reports).cache()
    spells = build_spells(attached, plan).cache()
    tell("person_time")
    follow_up = cohort.index_reports.select("entry_id", stop_day=ibis._.end_day)
    episodes = build_episodes(follow_up, cohort.outcomes, spells, plan.measure_names)
    index_cases = find_index_cases(cohort.index_reports, tables["reports"]).cache()
    cases = describe_cases(cohort.index_reports, index_cases, tables, plan)
    covariates = derive_covariates(cohort.index_reports, tables, cohort.events, dictionary, plan)
    levels, renewals = _assess_without_links(cohort, tables, dictionary, plan, linked or {})
    data = StudyData(
        plan=plan,
        entries=_entries(cohort),
        covariates=covariates.to_pandas(),
        starts=find_starts(spells, cohort.index_reports)
        .order_by(["entry_id", "measure"])
        .to_pandas(),
        spells=spells.order_by(["entry_id", "measure", "start_day", "stop_day"]).to_pandas(),
        episodes=episodes,
        decisions=attached.order_by(["entry_id", "source", "row_number"]).to_pandas(),
        assessments=_assessments(tables["risk_assessments"], cohort, plan),
        renewals=find_renewals(cohort.index_reports, tables["risk_assessments"], dictionary, plan),
        absent=absent | _find_empty(tables, dictionary),
        cases=cases.to_pandas(),
        case_steps=list_case_steps(index_cases, tables).to_pandas(),
        linkage=(linked or {}).get("rates", {}),
        fates=pd.DataFrame((linked or {}).get("fates", {})),
        police_levels=levels,
        police_renewals=renewals,
    )
    tell("attrition")
    joined = pd.DataFrame((linked or {}).get("attrition", []))
    counted = add_cleaning(account_for(tables, cohort, attached, index_cases), cleaned)
    return data, add_joined(counted, joined)


def _find_empty(tables: dict[str, ir.Table], dictionary: Dictionary) -> frozenset[str]:
    """Optional tables without a row, and columns (`table.column`) that are empty in every row."""
    found: set[str] = set()
    for name, table in tables.items():
        columns = [column for column in dictionary.tables[name].field_names if column in table]
        counts = table.aggregate(
            n_rows=table.count(), **{column: table[column].count() for column in columns}
        ).to_pandas()
        found |= {f"{name}.{column}" for column in columns if counts.at[0, column] == 0}
        if dictionary.tables[name].is_optional and counts.at[0, "n_rows"] == 0:
            found.add(name)
    return frozenset(found)


def _assess_without_links(
    cohort: Cohort,
    tables: dict[str, ir.Table],
    dictionary: Dictionary,
    plan: StudyPlan,
    linked: Mapping[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Risk levels and their renewals without the social services' files; empty if no matter."""
    if not (linked or plan.linkage.missed_link_rate):
        return pd.DataFrame(), pd.DataFrame()
    assessments = tables["risk_assessments"]
    mine = assessments.filter(assessments.agency != SOCIAL_SERVICES)
    fewer = {**tables, "risk_assessments": mine}
    levels = derive_covariates(cohort.index_reports, fewer, cohort.events, dictionary, plan)
    renewals = find_renewals(cohort.index_reports, mine, dictionary, plan)
    return levels.select("entry_id", "risk_level").to_pandas(), renewals


def _entries(cohort: Cohort) -> pd.DataFrame:
    columns = ["entry_id", "cluster_id", "stop_day", "end_day", "data_end_day", "cause"]
    columns += ["end_cause"]
    days = ["other_day", "control_day", "outsider_day"]
    chosen = cohort.index_reports.select(*columns, *days, "index_on")
    entries = chosen.order_by("entry_id").to_pandas()
    return entries.astype(dict.fromkeys(columns, "int64") | dict.fromkeys(days, "float64"))


def _assessments(assessments: ir.Table, cohort: Cohort, plan: StudyPlan) -> pd.DataFrame:
    end_on = ibis.date(plan.data_end_on.isoformat())
    mine = during_follow_up(assessments, cohort).order_by("row_number")
    return mine.select(
        "agency",
        "risk_level",
        shared_days=days_since(mine.shared_on, mine.assessed_on),
        open_days=days_since(end_on, mine.assessed_on),
    ).to_pandas()


def analyse(
    data: StudyData,
    attrition: pd.DataFrame,
    dictionary: Dictionary,
    tell: Tell = lambda step: None,
    n_jobs: int = 1,
    cleaned: Sequence[CleaningLine] = (),
    misfits: Sequence[Misfit] = (),
) -> Results:
    """Estimate everything a study asks for, and pass it through disclosure control.

    Stages that need no other's results run `n_jobs` at a time; the results are the same. The
    rows that were altered when the extract was `cleaned` stand in `diagnostics`, and `misfits`,
    where the extract does not hold what the study file asks for.
    """
    found = _run_stages(data, tell, n_jobs)
    controls = found["negative_controls"][1]
    for name in CONTROLLED:
        estimates, diagnostics = found[name]
        found[name] = (negative_controls.withhold_biased(estimates, controls), diagnostics)
    explored, notes = found["heterogeneity"]
    told = heterogeneity.withhold_unsound(explored, found["target_trials"][0])
    found["heterogeneity"] = (told, notes)
    main = combine([found[name][0] for name in ("incidence", "hazard_ratios", "target_trials")])
    found["hidden_bias"] = hidden_bias.find_hidden_bias(
        data.plan, main, found["negative_controls"][0]
    )
    tell("linkage_error")
    errors = linkage_error.estimate_linkage_error(data, found["target_trials"][0])
    fates = linkage.tell_fates(data.fates)
    estimates = combine([*(found[name][0] for name in ORDER), errors, fates])
    checks = [found[name][1] for name in DIAGNOSTICS_ORDER if len(found[name][1])]
    if data.linkage:
        checks.append(linkage.tell_checks(data.linkage))
    checks += [*_tell_changes(cleaned), *_tell_misfits(misfits)]
    typed = [table.astype({"value": "float64", "limit": "float64"}) for table in checks]
    diagnostics = pd.concat(typed, ignore_index=True)
    attrition = attrition.assign(status="ok")
    tell("disclosure")
    rules, places = data.plan.disclosure, list_places(data.plan)
    classes = measure_classes(data.plan, dictionary)
    release = {
        "estimates": disclose_estimates(estimates, rules, classes, places),
        "attrition": disclose_attrition(attrition, rules),
        "diagnostics": disclose_diagnostics(diagnostics, rules, classes, places),
    }
    restricted = {"estimates": estimates, "attrition": attrition, "diagnostics": diagnostics}
    return Results(restricted, release)


def _tell_changes(cleaned: Sequence[CleaningLine]) -> list[pd.DataFrame]:
    """How many rows each cleaning rule altered, as diagnostics; none: nothing to tell."""
    rows = [
        ("cleaning", "", f"n_changed:{one.table}:{one.rule}", float(one.n_changed), math.nan, OK)
        for one in cleaned
        if one.n_changed
    ]
    return [pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS))] if rows else []


def _tell_misfits(misfits: Sequence[Misfit]) -> list[pd.DataFrame]:
    """Where the extract does not hold what the study asks for, as diagnostics, in months."""
    rows = [
        ("extract", "", f"{one.rule}:{one.subject}", float(one.months), math.nan, "warning")
        for one in misfits
    ]
    return [pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS))] if rows else []


def _run_stages(data: StudyData, tell: Tell, n_jobs: int) -> dict[str, Found]:
    """Estimates and diagnostics of every stage in `STAGES`, the first ones begun first."""

    def run(name: str) -> Found:
        tell(name)
        estimates, diagnostics = STAGES[name](data)
        return withhold_without_error(estimates), diagnostics

    with ThreadPoolExecutor(n_jobs) as pool:
        return dict(zip(STAGES, pool.map(run, STAGES), strict=True))


def measure_classes(plan: StudyPlan, dictionary: Dictionary) -> dict[str, str]:
    """Disclosure class of every code and of every study measure (its strictest code's)."""
    table = dictionary.codes("measures")
    codes = dict(zip(table["code"], table["disclosure"], strict=True))
    strictness = ("never", "no_place")
    classes = dict(codes)
    for name, measure in plan.measures.items():
        found = {codes.get(code, "open") for code in measure.codes}
        classes[name] = next((kind for kind in strictness if kind in found), "open")
    return classes


def list_places(plan: StudyPlan) -> tuple[str, ...]:
    """Subgroups that tell where people live or report, combined groups made of them among them."""
    combined = plan.for_whom.combined.items()
    return (*PLACES, *(name for name, group in combined if set(group.levels) & set(PLACES)))
