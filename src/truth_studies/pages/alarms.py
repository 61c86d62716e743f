"""Notebook 7: how often the negative controls sound an alarm, where they should and where not."""

from __future__ import annotations

from collections.abc import Mapping

from revictimisation.report.described import NOTHING, Cell, Piece, Text, join
from revictimisation.report.page import DASH, SHARE, Page
from revictimisation.report.verdicts import name_measure
from truth_studies.pages.answer import name_scenario
from truth_studies.records.controls import ANY, Alarm
from truth_studies.records.truth import CALIBRATED, DEPARTURES, NULL

HIDDEN = DEPARTURES[0]
SCENARIOS = (CALIBRATED, NULL, HIDDEN)


def show_alarms(page: Page, kept: Mapping[tuple[str, str], Alarm]) -> Piece:
    """Alarms in counties where nothing hidden misleads, and where something does; a table."""
    there = [one for one in SCENARIOS if (one, ANY) in kept]
    if not there:
        return NOTHING
    measures = list(dict.fromkeys(measure for _, measure in kept if measure != ANY))
    rows: list[list[Cell | str]] = [
        [page.say("truth_study.alarm_any") if one == ANY else name_measure(page, one),
         *(_show_share(page, kept.get((scenario, one))) for scenario in there)]
        for one in (ANY, *measures)
    ]  # fmt: skip
    heads = [page.say("common.measure"), *(name_scenario(page, one) for one in there)]
    told = [f"- {_describe_any(page, one, kept[one, ANY])}" for one in there]
    return join([
        page.heading("truth_study.alarms"),
        page.text("truth_study.alarms_text"),
        Text("\n".join(told)),
        page.table(page.say("truth_study.alarms_caption"), heads, rows),
    ])  # fmt: skip


def _describe_any(page: Page, scenario: str, alarm: Alarm) -> str:
    """In how many of a hundred counties an alarm sounded for some measure."""
    key = "truth_study.alarm_hidden" if scenario == HIDDEN else "truth_study.alarm_false"
    return page.say(key, scenario=name_scenario(page, scenario),
                    share=page.formats.of_hundred(alarm.share),
                    n=page.formats.count(alarm.n_counties))  # fmt: skip


def _show_share(page: Page, alarm: Alarm | None) -> Cell | str:
    if alarm is None:
        return DASH
    told = Cell(page.formats.percent(alarm.share, 0), alarm.share, unit=SHARE)
    return told.above(f"± {page.formats.percent(alarm.error, 0)}")
