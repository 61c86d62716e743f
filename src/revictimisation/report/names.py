"""What a row of any table is of, in words: measures, groupings, levels, checks and steps.

For pages that list rows of every kind, as the officer's does; a code of the study file's own is its
own name.
"""

from __future__ import annotations

from revictimisation.core.packing import unpack_check, unpack_within
from revictimisation.report.page import StudyWriter
from revictimisation.report.verdicts import name_measure

BANDS = ("time_since_start", "after_end", "days_lasted", "days_so_far")  # of one code list
VARIANTS = ("main", "unadjusted")
THEN, NONE = " > ", "none"


def name_any_measure(writer: StudyWriter, name: str) -> str:
    """A measure, a code, any measure of an agency, or which of the agencies did something."""
    key = f"reach.kind_{name}"
    if key in writer.texts and name not in writer.plan.measures:
        return writer.say(key)
    return writer.say("review.any_measure") if name == "any" else name_measure(writer, name)


def name_level(writer: StudyWriter, group: str, level: str) -> str:
    """A level; measures in an order, and beside another, are levels too."""
    if group == "sequence":
        names = [name_any_measure(writer, name) for name in level.split(THEN)]
        return writer.say("reach.order_none") if level == NONE else " → ".join(names)
    if group == "combined_with":
        return name_any_measure(writer, level)
    if group in BANDS:
        return writer.labels.code("exposure_band", level)
    return writer.labels.level(group, level)


def name_whole(writer: StudyWriter, group: str, level: str) -> str:
    """A grouping with its level, where several meet each; or what holds for all its levels."""
    parts = unpack_within(group, level or group)
    if not level:
        return ", ".join(writer.labels.group(of) for of, _ in parts)
    return ", ".join(f"{writer.labels.group(of)}: {name_level(writer, of, at)}" for of, at in parts)


def name_analysis(writer: StudyWriter, analysis: str) -> str:
    """An analysis, or an estimator with its variant (`cox_time_varying_unadjusted`)."""
    for variant in VARIANTS:
        estimator = analysis.removesuffix(f"_{variant}")
        if estimator not in (analysis, "") and _is_code(writer, "estimator", estimator):
            parts = (("estimator", estimator), ("analysis", variant))
            return ", ".join(writer.labels.code(*part) for part in parts)
    named = "analysis" if _is_code(writer, "analysis", analysis) else "estimator"
    return writer.labels.code(named, analysis)


def _is_code(writer: StudyWriter, codes: str, code: str) -> bool:
    return code in set(writer.dictionary.code_lists[codes]["code"])


def name_check(writer: StudyWriter, text: str) -> str:
    """A check and what it is of: an arm or strategy, a day, a grouping or a level of it."""
    of = unpack_check(text)
    parts = [_name_part(writer, part) for part in of.parts]
    groups = [name_whole(writer, of.group, of.level)] if of.group else []
    return ", ".join([writer.labels.code("check", of.name), *parts, *groups])


def _name_part(writer: StudyWriter, part: str) -> str:
    if part.isdigit():
        return writer.formats.period(int(part))
    if f"referees.arm_{part}" in writer.texts:
        return writer.say(f"referees.arm_{part}")
    if _is_code(writer, "strategy", part):
        return writer.labels.code("strategy", part)
    if part in writer.dictionary.tables:
        return writer.dictionary.tables[part].label[writer.language]
    if part in writer.dictionary.rules:
        return writer.dictionary.rules[part].label[writer.language]
    return writer.labels.group(part)


def name_step(writer: StudyWriter, table: str, reason: str) -> str:
    """A step of the attrition: the table that is counted, and the rule."""
    key = f"cohort.step_{reason}"
    washout = writer.formats.period(writer.plan.eligibility.washout_days)
    told = writer.say(key if key in writer.texts else "cohort.step_other", washout=washout)
    return f"{name_table(writer, table)}: {told}"


def name_table(writer: StudyWriter, table: str) -> str:
    """A table of the dictionary by its label."""
    known = writer.dictionary.tables
    return known[table].label[writer.language] if table in known else table
