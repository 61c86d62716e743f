"""Notebook 3: the trial that the study imitates, filled in from the study file."""

from __future__ import annotations

from revictimisation.report.described import NOTHING, Cell, Piece, join
from revictimisation.report.page import Page
from revictimisation.report.sections.answer import describe_grace
from revictimisation.report.sections.cohort import describe_definitions, list_words
from revictimisation.report.verdicts import is_joint, name_measure

ITEMS = ("eligibility", "strategies", "assignment", "time_zero", "covariates",
         "follow_up", "outcome", "contrast", "analysis")  # fmt: skip


def list_covariates(page: Page) -> str:
    """What the study allows for, in words; empty where it allows for nothing."""
    names = [page.labels.group(name).lower() for name in page.plan.adjust_for]
    return list_words(names, page.say("effects.and"))


def show_trial(page: Page) -> Piece:
    """The target trial beside what is done with the registers, and how measures differ in it."""
    heads = [page.say(f"trial.head_{one}") for one in ("item", "ideal", "done")]
    rows = [
        [page.say(f"trial.item_{one}"),
         Cell(page.say(f"trial.ideal_{one}"), label=heads[1]),
         Cell(_describe_done(page, one), label=heads[2])]
        for one in ITEMS
    ]  # fmt: skip
    table = page.table(page.say("trial.caption"), heads, rows, kind="words stacked")
    return join([page.text("trial.text"), table, _show_measures(page)])


def _describe_done(page: Page, item: str) -> str:
    plan, terms = page.plan, describe_definitions(page)
    is_bare = item in ("assignment", "analysis", "covariates") and not plan.adjust_for
    if item == "covariates" and not is_bare:
        return _describe_covariates(page)
    days = [page.formats.period(day) for day in plan.days_within_horizon]
    return page.say(
        f"trial.bare_{item}" if is_bare else f"trial.done_{item}",
        population=terms["population"],
        index=terms["index"],
        outcome=terms["outcome"],
        follow_up=terms["follow_up"],
        covariates=list_covariates(page),
        days=list_words(days, page.say("effects.and")),
        uncertainty=_describe_uncertainty(page),
    )


def _describe_covariates(page: Page) -> str:
    """When what the study allows for is measured, and what may then come after an early start."""
    told = [page.say("trial.done_covariates")]
    if "risk_level" in page.plan.adjust_for:
        told.append(
            page.say("trial.covariates_risk", risk_day=page.plan.definitions.risk_level_by_day)
        )
    return " ".join([*told, page.say("trial.covariates_change")])


def _describe_uncertainty(page: Page) -> str:
    replicates = page.plan.bootstrap.replicates
    if not replicates:
        return page.say("trial.uncertainty_influence")
    return page.say("trial.uncertainty_bootstrap", replicates=page.formats.count(replicates))


def _show_measures(page: Page) -> Piece:
    """What counts as each measure, and how soon it must start."""
    if not page.plan.measure_names:
        return NOTHING
    rows = [
        [name_measure(page, name), describe_grace(page, name), _describe_content(page, name)]
        for name in page.plan.measure_names
    ]
    names = ("measure", "grace", "content")
    heads = [page.say(f"trial.head_{name}") for name in names]
    notes = [page.say("trial.measures_note")]
    return page.table(page.say("trial.measures_caption"), heads, rows, notes, kind="words")


def _describe_content(page: Page, measure: str) -> str:
    one = page.plan.measures[measure]
    if is_joint(page, measure):
        within = page.formats.days(one.joint_within_days or 0)
        return page.say("trial.content_joint", within=within)
    return ", ".join(page.labels.measure(code) for code in one.codes)
