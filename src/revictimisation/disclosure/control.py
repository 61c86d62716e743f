"""Disclosure control of all that a study leaves: from restricted tables to those that may leave."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revictimisation.core.codes import OTHER
from revictimisation.core.packing import SHELTER_END, pack_check, unpack_check
from revictimisation.core.results import COUNTS, NUMBERS, SUPPRESSED
from revictimisation.dictionary import Dictionary
from revictimisation.disclosure.kinds import is_grouped_by
from revictimisation.disclosure.rules import (
    PLACES,
    SMALL,
    disclose_attrition,
    disclose_diagnostics,
    disclose_estimates,
    find_hidden,
    find_kept_back,
    is_small_cohort,
)
from revictimisation.disclosure.texts import find_unknown, list_words, neutralise
from revictimisation.plan import COVARIATES, StudyPlan

OWN = "x_"  # a column of the extract's own
# Analyses whose measures are the extract's codes, not the study's names.
BY_CODE = ("by_code", "duration")


def disclose_tables(
    restricted: Mapping[str, pd.DataFrame],
    plan: StudyPlan,
    dictionary: Dictionary,
    before: pd.Series | None = None,
) -> dict[str, pd.DataFrame]:
    """What may leave of a study's `estimates`, `attrition` and `diagnostics`.

    `before`: rows of `estimates` that would tell of few people beside an earlier release.
    """
    rules, places = plan.disclosure, list_places(plan)
    classes, never = measure_classes(plan, dictionary), list_never(dictionary)
    exact, words = restricted["estimates"], list_words(plan)
    estimates = disclose_estimates(exact, rules, classes, places, never, before)
    released = {
        "estimates": _hide_unknown(estimates, words),
        "attrition": disclose_attrition(
            restricted["attrition"], rules, is_small_study=is_small_cohort(exact, rules)
        ),
        "diagnostics": _rename_unknown(
            disclose_diagnostics(restricted["diagnostics"], rules, exact, estimates), words
        ),
    }
    return {name: neutralise(table) for name, table in released.items()}


def list_causes(estimates: pd.DataFrame, plan: StudyPlan, dictionary: Dictionary) -> pd.Series:
    """Why each row of the exact `estimates` may not be shown, for the data's keepers alone.

    `rules.CAUSES`, or empty where disclosure control holds nothing back.
    """
    classes, never = measure_classes(plan, dictionary), list_never(dictionary)
    is_kept_back = find_kept_back(estimates, classes, list_places(plan), never)
    return find_hidden(estimates, plan.disclosure, is_kept_back)


def _hide_unknown(estimates: pd.DataFrame, words: set[str]) -> pd.DataFrame:
    """Measures and levels that nobody has named become `other`, and tell nothing."""
    is_code = estimates["analysis"].isin(BY_CODE)
    is_own = estimates["subgroup"].str.startswith(OWN)
    is_own |= is_grouped_by(estimates["subgroup"], COVARIATES)
    out = estimates.copy()
    for name, chosen in (("measure", is_code), ("level", is_own)):
        unknown = find_unknown(out[name], words) & chosen
        out.loc[unknown, name] = OTHER
        out.loc[unknown, [*NUMBERS, *COUNTS]] = pd.NA
        out.loc[unknown, ["status", "reason"]] = [SUPPRESSED, SMALL]
    return out


def _rename_unknown(diagnostics: pd.DataFrame, words: set[str]) -> pd.DataFrame:
    """Levels in the names of checks that nobody has named become `other`, and tell nothing."""
    checks = [unpack_check(text) for text in diagnostics["check"]]
    levels = pd.Series([check.level for check in checks], diagnostics.index, dtype=object)
    unknown = find_unknown(levels, words)
    named = [
        pack_check(check.name, *check.parts, group=check.group, level=OTHER) for check in checks
    ]
    return diagnostics.assign(
        check=diagnostics["check"].where(~unknown, pd.Series(named, diagnostics.index)),
        value=diagnostics["value"].mask(unknown),
        status=diagnostics["status"].mask(unknown, SUPPRESSED),
    )


def list_never(dictionary: Dictionary) -> tuple[str, ...]:
    """Covariates that by the dictionary are never a group."""
    fields = dictionary.tables["covariates"].fields
    return tuple(field.name for field in fields if field.disclosure == "never")


def measure_classes(plan: StudyPlan, dictionary: Dictionary) -> dict[str, str]:
    """Disclosure class of every code and of every study measure (its strictest code's).

    And of what follows a stay in shelter, which tells of the stays. In a study of chosen districts
    or municipalities all that may not be shown by place is hidden.
    """
    table = dictionary.codes("measures")
    codes = dict(zip(table["code"], table["disclosure"], strict=True))
    if plan.eligibility.districts or plan.eligibility.municipalities:
        codes |= {code: "never" for code, kind in codes.items() if kind == "no_place"}
    named = {name: measure.codes for name, measure in plan.measures.items()}
    classes = dict(codes)
    for name, made_of in (named | {SHELTER_END: plan.sequential.shelter}).items():
        found = {codes.get(code, "open") for code in made_of}
        classes[name] = next((kind for kind in ("never", "no_place") if kind in found), "open")
    return classes


def list_places(plan: StudyPlan) -> tuple[str, ...]:
    """Subgroups that tell where people live or report, combined groups made of them among them.

    The extract's own columns, too: what they hold nobody but its owner knows.
    """
    combined = plan.for_whom.combined.items()
    made_of = (name for name, group in combined if {*group.levels} & {*PLACES})
    return (*PLACES, *made_of, *(name for name in plan.subgroups if name.startswith(OWN)))
