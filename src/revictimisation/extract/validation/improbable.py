"""Findings on a delivery as a whole: volumes, the last delivery, what the dictionary expects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from revictimisation.dictionary import Dictionary, Text
from revictimisation.dictionary.model import Severity
from revictimisation.extract.sources.faults import MAX_ROWS_TOLD
from revictimisation.extract.validation.findings import Finding, make_finding
from revictimisation.extract.validation.volumes import DROP, FELL, JUMP, ROSE, find_early_ends

if TYPE_CHECKING:
    from revictimisation.plan.parts import ValidationLimits

MARKS = {"volume_drop": (DROP, FELL), "volume_jump": (JUMP, ROSE)}


def find_improbable(
    facts: pd.DataFrame,
    volumes: pd.DataFrame,
    changes: pd.DataFrame | None,
    expected: pd.DataFrame,
    dictionary: Dictionary,
    limits: ValidationLimits,
) -> list[Finding]:
    """A finding per table (and column) that stands out; none of them stops a study.

    `changes` is what differs from the last delivery, or None where there is none to hold against;
    then (and only then) figures outside the dictionary's expected ranges are findings.
    """
    found = list(_describe_volumes(volumes, dictionary))
    for name, months in find_early_ends(facts, limits).items():
        found.append(make_finding(dictionary, "ends_early", "warning", name, count=months))
    if changes is not None:
        marked = changes[changes["is_changed"]]
        found += _describe_columns(marked, "changed_since_last", "warning", dictionary)
    else:
        marked = expected[expected["is_outside"]]
        found += _describe_columns(marked, "outside_expected", "notice", dictionary)
    return found


def _describe_volumes(volumes: pd.DataFrame, dictionary: Dictionary) -> Iterator[Finding]:
    for rule, marks in MARKS.items():
        marked = volumes[volumes["mark"].isin(marks)]
        for name, rows in marked.groupby("table", sort=False):
            told = _describe_periods(list(zip(rows["period"], rows["mark"], strict=True)))
            count = len(rows)
            yield make_finding(dictionary, rule, "warning", str(name), count=count, periods=told)


def _describe_periods(marked: list[tuple[str, str]]) -> Text:
    """The marked periods in words, the first ten; where a new level begins, *from* it on."""
    sv, en = [], []
    for period, mark in marked[:MAX_ROWS_TOLD]:
        is_level = mark in (FELL, ROSE)
        sv.append(("ny nivå från " if is_level else "enstaka ") + period.replace("Q", "kv "))
        en.append(("a new level from " if is_level else "single ") + period)
    more = " …" if len(marked) > MAX_ROWS_TOLD else ""
    return Text("; ".join(sv) + more, "; ".join(en) + more)


def _describe_columns(
    marked: pd.DataFrame, rule: str, severity: Severity, dictionary: Dictionary
) -> Iterator[Finding]:
    for (name, column), rows in marked.groupby(["table", "column"], sort=False):
        shown = [str(column)] if column else []
        yield make_finding(dictionary, rule, severity, str(name), shown, count=len(rows))
