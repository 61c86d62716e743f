"""Page 07: the estimand, the target trial beside its emulation, and the study file."""

from __future__ import annotations

import yaml

from revictimisation.report.described import (
    NOTHING,
    Attachment,
    Cell,
    Folded,
    Listing,
    Piece,
    Text,
    join,
)
from revictimisation.report.page import Page
from revictimisation.report.sections.answer import describe_against, describe_grace
from revictimisation.report.sections.cohort import describe_definitions, list_words
from revictimisation.report.verdicts import is_joint, name_measure

# the attributes of an estimand (ICH E9(R1), 2019), and the events that may come between
ATTRIBUTES = ("treatment", "population", "variable", "intercurrent", "summary")
EVENTS = ("death", "other_measures", "ends", "late_start", "data_end")
ITEMS = ("eligibility", "strategies", "assignment", "time_zero", "covariates",
         "follow_up", "outcome", "contrast", "assumptions", "analysis")  # fmt: skip
BARE = ("assignment", "covariates", "assumptions", "analysis")  # other words without covariates


def list_covariates(page: Page) -> str:
    """What the study allows for, in words; empty where it allows for nothing."""
    names = [page.labels.group(name).lower() for name in page.plan.adjust_for]
    return list_words(names, page.say("effects.and"))


def show_estimand(page: Page) -> Piece:
    """The estimand of question 2 by its five attributes."""
    terms = describe_definitions(page)
    events = "\n".join(f"- {page.say(f'trial.event_{name}')}" for name in EVENTS)
    told = {
        "treatment": page.say("trial.estimand_treatment"),
        "population": f"{terms['population']} {page.say('trial.estimand_population')}",
        "variable": page.say("trial.estimand_variable", against=describe_against(page)),
        "intercurrent": Text(events),
        "summary": page.say("trial.estimand_summary", days=_list_days(page)),
    }
    heads = [page.say(f"trial.head_{name}") for name in ("attribute", "estimand")]
    rows = [[page.say(f"trial.attribute_{name}"), told[name]] for name in ATTRIBUTES]
    return page.table(page.say("trial.estimand_caption"), heads, rows, kind="words")


def _list_days(page: Page) -> str:
    days = [page.formats.period(day) for day in page.plan.days_within_horizon]
    return list_words(days, page.say("effects.and"))


def show_protocol(page: Page) -> Piece:
    """The target trial beside what is done with the registers."""
    heads = [page.say(f"trial.head_{name}") for name in ("item", "ideal", "done")]
    rows = [
        [page.say(f"trial.item_{item}"),
         Cell(page.say(f"trial.ideal_{item}"), label=heads[1]),
         Cell(_describe_done(page, item), label=heads[2])]
        for item in ITEMS
    ]  # fmt: skip
    return page.table(page.say("trial.caption"), heads, rows, kind="words stacked")


def _describe_done(page: Page, item: str) -> str:
    plan, terms = page.plan, describe_definitions(page)
    is_bare = item in BARE and not plan.adjust_for
    if item == "covariates" and not is_bare:
        return _describe_covariates(page)
    return page.say(
        f"trial.bare_{item}" if is_bare else f"trial.done_{item}",
        population=terms["population"],
        index=terms["index"],
        outcome=terms["outcome"],
        follow_up=terms["follow_up"],
        covariates=list_covariates(page),
        days=_list_days(page),
        last=page.formats.period(page.last_day),
        uncertainty=_describe_uncertainty(page),
    )


def _describe_covariates(page: Page) -> str:
    """When what the study allows for is measured, and what may then come after an early start."""
    told = [page.say("trial.done_covariates")]
    if "risk_level" in page.plan.adjust_for:
        day = page.plan.definitions.risk_level_by_day
        told.append(page.say("trial.covariates_risk", risk_day=day))
    return " ".join([*told, page.say("trial.covariates_change")])


def _describe_uncertainty(page: Page) -> str:
    replicates = page.plan.bootstrap.replicates
    if not replicates:
        return page.say("trial.uncertainty_influence")
    return page.say("trial.uncertainty_bootstrap", replicates=page.formats.count(replicates))


def show_measures(page: Page) -> Piece:
    """What counts as each measure, and how soon it must start."""
    if not page.plan.measure_names:
        return page.text("common.no_measures")
    rows = [
        [name_measure(page, name), describe_grace(page, name), _describe_content(page, name)]
        for name in page.plan.measure_names
    ]
    heads = [page.say(f"trial.head_{name}") for name in ("measure", "grace", "content")]
    notes = [page.say("trial.measures_note")]
    return page.table(page.say("trial.measures_caption"), heads, rows, notes, kind="words")


def _describe_content(page: Page, measure: str) -> str:
    one = page.plan.measures[measure]
    if is_joint(page, measure):
        within = page.formats.days(one.joint_within_days or 0)
        return page.say("trial.content_joint", within=within)
    return ", ".join(page.labels.measure(code) for code in one.codes)


def show_record(page: Page) -> Piece:
    """When the protocol was settled and what was changed since, and the study file as it stands."""
    record, write = page.plan.protocol, page.formats
    day = record.decided_on
    told = page.say("trial.decided", day=write.date(day)) if day else page.say("trial.undecided")
    changes = [f"- {write.date(one.made_on)}: {getattr(one.what, page.language)}"
               for one in record.amendments]  # fmt: skip
    amended = page.say("trial.amended" if changes else "trial.not_amended")
    written = write_plan(page)
    is_invented = page.release.is_synthetic
    parts = [page.text("trial.study_file_text"),
             page.text("trial.study_file_invented") if is_invented else NOTHING,
             Listing(written, page.say("trial.study_file")),
             Attachment(page.say("common.take_along"), "study.yaml", written)]  # fmt: skip
    folded = Folded(page.say("trial.study_file"), join(parts))
    return join([Text(f"{told} {amended}"), Text("\n".join(changes)), folded])


def write_plan(page: Page) -> str:
    """The study file: what differs from the defaults, as a run reads it."""
    told = page.plan.model_dump(mode="json", exclude_defaults=True)
    written: str = yaml.safe_dump(told, allow_unicode=True, sort_keys=False, width=88)
    return written
