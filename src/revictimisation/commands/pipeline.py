"""The study from extract to release: the stages in their order, each a pure function."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import (
    DIAGNOSTIC_COLUMNS,
    OK,
    combine,
    withhold_without_error,
)
from revictimisation.core.workers import Workers
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
    pass

Tables = dict[str, pd.DataFrame]
SOCIAL_SERVICES = "social_services"
Tell = Callable[[str], None]


Found = tuple[pd.DataFrame, pd.DataFrame]


def _alone(estimate: Callable[[StudyData], pd.DataFrame]) -> Callable[[StudyData], Found]:
    """A stage that has no diagnostics."""
    return lambda data: (estimate(data), pd.DataFrame())


# The long ones first, so that they do not end alone.
STAGES: dict[str, Callable[..., Found]] = {
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
# Whose bootstrap replicates idle threads take part in.
RESAMPLED = ("target_trials", "joint_strategies")
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
        shared = {"share": workers.map} if name in RESAMPLED else {}
        estimates, diagnostics = STAGES[name](data, **shared)
        return withhold_without_error(estimates), diagnostics

    with Workers(n_jobs) as workers:
        return dict(zip(STAGES, workers.map(run, STAGES), strict=True))


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
