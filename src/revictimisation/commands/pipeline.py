"""The study from its data to what may be released: all analyses, then disclosure control."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from revictimisation.analyses.analysis import Analysis, Found, no_checks
from revictimisation.analyses.hazard_moments import tabulate_moments
from revictimisation.analyses.registry import ANALYSES
from revictimisation.analyses.running import Share, lay_out, run_analyses
from revictimisation.cohort.people import keep_people
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.packing import pack_check
from revictimisation.core.results import DIAGNOSTIC_COLUMNS, OK, combine
from revictimisation.core.workers import map_here
from revictimisation.dictionary import Dictionary
from revictimisation.disclosure import disclose_tables
from revictimisation.extract.cleaning import CleaningLine
from revictimisation.extract.validation.study_fit import Misfit

Tables = dict[str, pd.DataFrame]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Results:
    """What a study leaves: tables by name, exact and releasable, the same names in both.

    `people`: what is kept of each who is followed (`cohort.people`), for comparisons; restricted.
    `sharing`: exact tables of which `share` makes those that other counties may be given.
    """

    restricted: Tables
    release: Tables
    people: pd.DataFrame
    sharing: Tables


def analyse(
    data: StudyData,
    attrition: pd.DataFrame,
    dictionary: Dictionary,
    tell: Tell = lambda step: None,
    share: Share = map_here,
    checks: pd.DataFrame | None = None,
    analyses: Sequence[Analysis] = ANALYSES,
) -> Results:
    """Estimate everything a study asks for, and pass it through disclosure control.

    Analyses that need no other's results are shared out; the results are the same. `checks` of the
    extract itself (`describe_extract`) stand in `diagnostics` too.
    """
    found = run_analyses(data, tell, share, analyses)
    own = no_checks() if checks is None else checks
    whole = lay_out([found, Found(combine([]), own)])
    attrition = attrition.assign(status="ok")
    sharing = {"hazard_moments": tabulate_moments(data)}
    tell("disclosure")
    restricted = {
        "estimates": whole.estimates, "attrition": attrition, "diagnostics": whole.diagnostics,
    }  # fmt: skip
    released = disclose_tables(restricted, data.plan, dictionary)
    return Results(restricted, released, keep_people(data, whole.scores), sharing)


def describe_extract(cleaned: Sequence[CleaningLine], misfits: Sequence[Misfit]) -> pd.DataFrame:
    """Diagnostics: how many rows each cleaning rule altered, and where the extract does not hold
    what the study file asks for; the latter in months, as warnings."""
    rows = [
        ("cleaning", "", pack_check("n_changed", one.table, one.rule), one.n_changed, math.nan, OK)
        for one in cleaned
        if one.n_changed
    ]
    rows += [
        ("extract", "", pack_check(misfit.rule, misfit.subject), misfit.months, math.nan, "warning")
        for misfit in misfits
    ]
    return pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS))
