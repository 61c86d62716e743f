"""What the truth studies found, in five lines: where the answers hold, and where they do not.

Every number is computed from a kept table; a line whose table is not kept is not there.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from revictimisation.report.described import Piece, Text, join
from revictimisation.report.page import Page
from revictimisation.report.sections.answer import list_names
from revictimisation.report.verdicts import name_measure
from truth_studies.pages.naming import (
    describe_bar,
    describe_range,
    name_row,
    name_scenario,
)
from truth_studies.records.bar import BAND, BIAS, COVERAGE, count_released, list_missed
from truth_studies.records.controls import ANY, Alarm
from truth_studies.records.truth import (
    BOOTSTRAP,
    CALIBRATED,
    DEPARTURES,
    MAIN,
    NULL,
    TruthStudy,
)

HIDDEN = DEPARTURES[0]
ENOUGH_COUNTIES = 200
Alarms = Mapping[tuple[str, str], Alarm]


def list_limits(page: Page, study: TruthStudy, alarms: Alarms) -> list[str]:
    """The five lines, without those that no kept table tells."""
    told = (
        _describe_unbiased(page, study),
        _describe_too_sure(page, study),
        describe_hidden(page, study, alarms),
        _describe_false_alarms(page, study, alarms),
        _describe_untried(page, study),
    )
    return [one for one in told if one]


def describe_trust(page: Page, study: TruthStudy) -> str:
    """How far any answer is to be trusted, in one sentence; empty without counties to say it of."""
    rows = _read(study, HIDDEN)
    if rows.empty:
        return ""
    return page.say("truth_study.trust", coverage=describe_range(page, [*rows["coverage"]]))


def _read(study: TruthStudy, scenario: str) -> pd.DataFrame:
    """The main method's risk differences of a scenario whose bias and coverage are known."""
    rows = study.rows(scenario, MAIN)
    return rows.dropna(subset=["bias_in_errors", "coverage"]) if len(rows) else rows


def _describe_unbiased(page: Page, study: TruthStudy) -> str:
    """How far from the truth at most where what the method supposes holds."""
    rows = _read(study, CALIBRATED)
    if rows.empty:
        return ""
    worst = rows.iloc[int(rows["bias_in_errors"].abs().argmax())]
    n_beyond = len(list_missed(rows, BIAS))
    return page.say(
        "truth_study.unbiased" if not n_beyond else "truth_study.biased",
        n_beyond=page.formats.count(n_beyond), n_all=page.formats.count(len(rows)),
        bias=page.formats.decimal(abs(worst["bias_in_errors"]), 2), where=name_row(page, worst),
        **describe_bar(page),
    )  # fmt: skip


def _describe_too_sure(page: Page, study: TruthStudy) -> str:
    """In which scenarios intervals cover too seldom, hidden differences aside."""
    told = []
    for scenario in study.scenarios:
        rows = _read(study, scenario) if scenario != HIDDEN else pd.DataFrame()
        under = [row for row in list_missed(rows, COVERAGE) if row["coverage"] < BAND[0]]
        under += [row for row in list_missed(rows) if row["scenario"] == NULL
                  and row["coverage"] < BAND[0]]  # fmt: skip
        if under:
            least = page.formats.percent(min(row["coverage"] for row in under), 0)
            told.append(f"{name_scenario(page, scenario)} ({least})")
    key = "too_sure" if told else "sure_enough"
    return "" if study.is_empty else page.say(f"truth_study.{key}", where=list_names(page, told))


def describe_hidden(page: Page, study: TruthStudy, alarms: Alarms) -> str:
    """What matters most: how a hidden difference escapes the intervals, the gates, the controls."""
    rows = _read(study, HIDDEN)
    if rows.empty:
        return ""
    told = [page.say("truth_study.hidden", coverage=describe_range(page, [*rows["coverage"]]))]
    share, usual = (count_released(study.rows(one, MAIN))[0] for one in (HIDDEN, CALIBRATED))
    if share is not None and usual is not None:
        given = {"share": page.formats.percent(share, 0), "usual": page.formats.percent(usual, 0)}
        told.append(page.say("truth_study.hidden_released", **given))
    one = [alarm.share for (scenario, name), alarm in alarms.items()
           if scenario == HIDDEN and name != ANY]  # fmt: skip
    if one:
        told.append(page.say("truth_study.hidden_alarms", share=describe_range(page, one)))
    return " ".join(told)


def _describe_false_alarms(page: Page, study: TruthStudy, alarms: Alarms) -> str:
    """How often something is called an effect, or held back, though nothing is there."""
    told = []
    rows = study.rows(NULL, MAIN)
    rows = rows.dropna(subset=["rejection_rate"]) if len(rows) else rows
    if len(rows):
        called = page.formats.percent(rows["rejection_rate"].mean(), 0)
        told.append(page.say("truth_study.false_calls", share=called, **describe_bar(page)))
    kept = [alarms[one, ANY].share for one in (CALIBRATED, NULL) if (one, ANY) in alarms]
    if kept:
        told.append(page.say("truth_study.false_alarms", share=describe_range(page, kept)))
    return " ".join([page.say("truth_study.false_lead"), *told]) if told else ""


def _describe_untried(page: Page, study: TruthStudy) -> str:
    """What the pages show and no county of known truth has tried, and how few were made."""
    told = []
    tried = study.measures(CALIBRATED, (MAIN,))
    missing = [name_measure(page, name) for name in page.plan.measure_names if name not in tried]
    if tried and missing:
        told += missing
    without = [
        name_scenario(page, scenario) for scenario in study.scenarios
        if not study.find_kind(scenario, MAIN.estimator).startswith(BOOTSTRAP)
    ]  # fmt: skip
    if study.has_bootstrap and without:
        told.append(page.say("truth_study.untried_bootstrap", scenarios=list_names(page, without)))
    few = [study.count_counties(scenario) for scenario in study.scenarios]
    if few and min(few) < ENOUGH_COUNTIES:
        n = page.formats.count
        told.append(page.say("truth_study.too_few", least=n(min(few)), enough=n(ENOUGH_COUNTIES)))
    return page.say("truth_study.untried", what="; ".join(told)) if told else ""


def show_limits(page: Page, study: TruthStudy, alarms: Alarms) -> Piece:
    """What was done, the bar, and the five lines; one sentence if nothing is kept."""
    if study.is_empty:
        return page.text("truth_study.none")
    lines = Text("\n".join(f"- {one}" for one in list_limits(page, study, alarms)))
    return join([page.text("truth_study.done", **describe_bar(page)), lines])
