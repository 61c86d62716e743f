"""From the extract's tables to the study's data in one object, and the attrition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from revictimisation.cohort import Cohort, build_cohort
from revictimisation.cohort.attrition import (
    account_for,
    add_cleaning,
    add_joined,
    during_follow_up,
)
from revictimisation.cohort.court_cases import describe_cases, find_index_cases, list_case_steps
from revictimisation.cohort.covariates import derive_covariates, find_renewals
from revictimisation.cohort.person_time import build_episodes
from revictimisation.cohort.spells import (
    attach_entries,
    build_spells,
    find_shared,
    find_starts,
    gather_measures,
)
from revictimisation.cohort.study_data import StudyData
from revictimisation.cohort.volumes import count_filled, count_volumes
from revictimisation.core.codes import SOCIAL_SERVICES
from revictimisation.core.engine import days_since
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan

Report = Callable[[str], None]


def prepare(
    tables: dict[str, ir.Table],
    absent: frozenset[str],
    dictionary: Dictionary,
    plan: StudyPlan,
    tell: Report = lambda step: None,
    linked: Mapping[str, Any] | None = None,
    cleaned: Sequence[Any] = (),
) -> tuple[StudyData, pd.DataFrame]:
    """Take the extract's tables to what the estimators read, and the attrition.

    `tell` is called with the name of each step as it begins; `linked` is what `link` left about the
    joining of two agencies' extracts, if that is what this one is; `cleaned` what cleaning did.
    """
    tell("cohort")
    cohort = build_cohort(tables["reports"], tables["persons"], dictionary, plan)
    attached = attach_entries(gather_measures(tables), cohort.index_reports).cache()
    shared = find_shared(tables["risk_assessments"], cohort.index_reports)
    spells = build_spells(attached, plan, shared).cache()
    tell("person_time")
    follow_up = cohort.index_reports.select("entry_id", stop_day=ibis._.end_day)
    episodes = build_episodes(follow_up, cohort.outcomes, spells, plan.measure_names)
    index_cases = find_index_cases(cohort.index_reports, tables["reports"]).cache()
    cases = describe_cases(cohort.index_reports, index_cases, tables, plan)
    covariates = derive_covariates(cohort.index_reports, tables, cohort.events, dictionary, plan)
    filled = count_filled(tables, dictionary)
    levels, renewals = _assess_without_links(cohort, tables, dictionary, plan, linked or {})
    data = StudyData(
        plan=plan,
        entries=_entries(cohort),
        covariates=covariates.to_pandas(),
        starts=find_starts(spells).order_by(["entry_id", "measure"]).to_pandas(),
        spells=spells.order_by(["entry_id", "measure", "start_day", "stop_day"]).to_pandas(),
        episodes=episodes,
        decisions=attached.order_by(["entry_id", "source", "row_number"]).to_pandas(),
        assessments=_assessments(tables["risk_assessments"], cohort, plan),
        renewals=find_renewals(cohort.index_reports, tables["risk_assessments"], dictionary, plan),
        absent=absent | _find_empty(filled, dictionary),
        cases=cases.to_pandas(),
        case_steps=list_case_steps(index_cases, tables).to_pandas(),
        linkage=(linked or {}).get("rates", {}),
        link_status=pd.DataFrame((linked or {}).get("link_statuses", {})),
        police_levels=levels,
        police_renewals=renewals,
        volumes=count_volumes(tables, dictionary, plan),
        filled=filled,
    )
    tell("attrition")
    joined = pd.DataFrame((linked or {}).get("attrition", []))
    counted = add_cleaning(account_for(tables, cohort, attached, index_cases, dictionary), cleaned)
    return data, add_joined(counted, joined)


def _find_empty(filled: pd.DataFrame, dictionary: Dictionary) -> frozenset[str]:
    """Optional tables without a row, and columns (`table.column`) that are empty in every row."""
    none = filled[filled["n_filled"].eq(0)]
    columns = {f"{row.table}.{row.column}" for row in none.itertuples()}
    empty = filled.loc[filled["n_rows"].eq(0), "table"].unique()
    return frozenset(columns | {name for name in empty if dictionary.tables[name].is_optional})


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
    columns = ["entry_id", "cluster_id", "victim", "stop_day", "end_day", "data_end_day", "cause"]
    columns += ["end_cause"]
    days = ["own_day", "turned_day", "other_day", "control_day", "outsider_day"]
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
