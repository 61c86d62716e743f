"""Question 2's main comparison as it was released: numbers, checks, verdicts, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from revictimisation.report.page import Page
from revictimisation.report.release import Number, list_rows
from revictimisation.report.texts import load_texts
from revictimisation.report.verdicts import HIDDEN, judge
from revictimisation.results import OK, WITHHELD

WEIGHTING = "clone_censor_weight"
WAYS = (WEIGHTING, "g_formula", "doubly_robust")
DIFFERENCE = "risk_difference"
BALANCE = "largest_standardised_difference"
FAILED, WARNING = "failed", "warning"
# reports that no measure towards this suspect can prevent, and the check of them
CONTROL: dict[str, Any] = {"analysis": "negative_control_outcome", "outcome": "other_suspect"}
CONTROL_CHECK = "negative_control_difference"
ARMS = ("start", "no_start")


@dataclass(frozen=True)
class Check:
    """One of the checks behind a measure's comparison; `arm` and `day` where it has them."""

    name: str
    arm: str
    day: int | None
    value: float | None
    limit: float | None
    status: str


def find_effect(
    page: Page, measure: str, estimand: str = DIFFERENCE, day: int | None = None, **keys: str
) -> Number:
    """A number of the comparison `everyone starts` against `no one does`, or why there is none.

    The day is the last of the study's days unless given. Where a comparison could not be made at
    all its row is the risk difference, whatever is asked for.
    """
    at = page.last_day if day is None else day
    given: dict[str, str | int] = {
        "question": "q2",
        "measure": measure,
        "outcome": page.plan.outcome.who,
        "estimator": WEIGHTING,
        "time_days": at,
        **keys,
    }
    found = page.release.find(estimand=estimand, **given)
    if found.reason == "not_computed":
        instead = page.release.find(estimand=DIFFERENCE, **given)
        return found if instead.is_shown else instead
    return found


def judge_measure(page: Page, measure: str) -> str:
    """The verdict on a measure: `fewer`, `more`, `open` or `hidden`, by the study's last day."""
    return judge(find_effect(page, measure), same=0.0)


def list_by_verdict(page: Page, verdict: str) -> list[str]:
    """The study's measures that have a verdict."""
    return [one for one in page.plan.measure_names if judge_measure(page, one) == verdict]


def list_checks(page: Page, measure: str, analysis: str = WEIGHTING) -> list[Check]:
    """The checks of a measure's comparison, in the order in which they were made."""
    frame = page.release.diagnostics
    mine = frame[(frame["measure"] == measure) & (frame["analysis"] == analysis)]
    return [_read_check(row) for row in list_rows(mine)]


def _read_check(row: Any) -> Check:
    """`n_events:start:182` is the check `n_events` of the arm `start` up to day 182."""
    name, *parts = str(row.check).split(":")
    days = [int(part) for part in parts if part.isdigit()]
    arms = [part for part in parts if not part.isdigit()]
    return Check(
        name, arms[0] if arms else "", days[0] if days else None, row.value, row.limit, row.status
    )


def find_checks(
    checks: list[Check], name: str, day: int | None = None, *, is_held: bool = False
) -> dict[str, Check]:
    """The checks of a name by arm, the last where there are several; `is_held`: with a limit."""
    return {
        one.arm: one
        for one in checks
        if one.name == name and day in (None, one.day) and (one.limit is not None or not is_held)
    }


def list_failures(page: Page, measure: str) -> list[str]:
    """The names of the checks that did not hold for the last of the study's days, each once."""
    checks = [*list_checks(page, measure), *list_checks(page, measure, CONTROL["analysis"])]
    failed = [
        one.name
        for one in checks
        if one.status == FAILED and (one.name == BALANCE or one.day in (None, page.last_day))
    ]
    return list(dict.fromkeys(failed))


def tell_why(page: Page, measure: str, number: Number, kind: str = "why") -> str:
    """Why a measure has no number, in plain words; `kind` `short` is for beside a picture.

    A number that is withheld names every check that failed, in the order of the checks; of kind
    `first` and `short` only the first.
    """
    if number.status != WITHHELD:
        return page.why_not(number)
    return tell_gates(page, list_failures(page, measure) or [number.reason], number, kind)


def tell_gates(page: Page, names: list[str], number: Number, kind: str = "why") -> str:
    """What it means that these checks failed; `kind` as of `tell_why`."""
    is_short = kind == "short"
    keys = [f"trials.short_{one}" if is_short else f"trials.why_{one}" for one in names]
    told = [page.say(key, **_limits(page)) for key in keys if key in load_texts()]
    if kind != "why":
        told = told[:1]
    also = f" {page.say('trials.also')} "
    return also.join(dict.fromkeys(told)) or page.why_not(number)


def _limits(page: Page) -> dict[str, str]:
    gates = page.plan.gates
    return {
        "most": page.formats.count(gates.minimum_detectable_difference * 100),
        "support": page.formats.percent(gates.share_outside_support, 0),
        "events": page.formats.count(gates.events_per_arm),
        "people": page.formats.count(gates.effective_sample_size),
    }


def list_shown(page: Page) -> list[str]:
    """The measures with a number to show by the last of the study's days."""
    return [one for one in page.plan.measure_names if judge_measure(page, one) != HIDDEN]


def has_rows(page: Page, **keys: str) -> bool:
    """True if the release has any row with these keys, shown or not."""
    frame = page.release.estimates
    chosen = pd.Series(True, index=frame.index)
    for name, value in keys.items():
        chosen &= frame[name] == value
    return bool(chosen.any())


def has_numbers(page: Page, **keys: str) -> bool:
    """True if the release has any number with these keys that may be shown."""
    return has_rows(page, status=OK, **keys)
