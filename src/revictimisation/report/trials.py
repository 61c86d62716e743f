"""Question 2's main comparison as it was released: numbers, checks, verdicts, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from revictimisation.core.packing import CheckName, unpack_check
from revictimisation.core.results import OK, WITHHELD
from revictimisation.estimators.target_trial.gates import list_gates
from revictimisation.report.described import Cell
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.texts import load_texts
from revictimisation.report.verdicts import HIDDEN, is_joint, judge

WEIGHTING = "clone_censor_weight"
WAYS = (WEIGHTING, "g_formula", "doubly_robust")
DIFFERENCE = "risk_difference"
BALANCE, COVARIATE = "largest_standardised_difference", "standardised_difference"
FAILED, WARNING = "failed", "warning"
# reports that no measure towards this suspect can prevent, and the check of them
CONTROL: dict[str, Any] = {"analysis": "negative_control_outcome", "outcome": "other_suspect"}
CONTROL_CHECK = "negative_control_difference"
ARMS = ("start", "no_start")


@dataclass(frozen=True)
class Check:
    """One of the checks behind a measure's comparison; `arm` and `day` where it has them."""

    of: CheckName
    value: float | None
    limit: float | None
    status: str

    @property
    def known(self) -> float | None:
        """Its value, or None where it is not told."""
        return None if self.value is None or pd.isna(self.value) else self.value

    @property
    def name(self) -> str:
        """What is checked."""
        return self.of.name

    @property
    def arm(self) -> str:
        """The arm that it is of; empty: both or neither."""
        return self.of.arm

    @property
    def day(self) -> int | None:
        """The day up to which it counts; None: every day."""
        return self.of.day


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


def find_arms(page: Page, measure: str, day: int | None = None) -> list[Number]:
    """The risks of both arms; where their difference is not shown they are not either."""
    gap = find_effect(page, measure, day=day)
    return [find_effect(page, measure, f"risk_{arm}", day) if gap.is_shown else gap for arm in ARMS]


def find_started(page: Page, measure: str, group: str = "", level: str = "") -> Number:
    """The share of those eligible for a measure (or of a level of them) who started in time."""
    return page.release.find(
        question="q3", analysis="treatment_share", measure=measure, subgroup=group, level=level,
        outcome="started", estimator="description", estimand="share",
    )  # fmt: skip


def has_answer(page: Page, measure: str) -> bool:
    """Whether the main question has an answer for a measure: the rule of what is withheld.

    Without one the first page holds no other number of what the measure does (while in force, by
    another estimator, day, variant or group), and page 3 only in its part for referees, with the
    events that it rests on. Every section asks here.
    """
    return judge_measure(page, measure) != HIDDEN


def add_events(page: Page, measure: str, number: Number, cell: Cell) -> Cell:
    """A cell for referees; of a measure without an answer with the events that it rests on."""
    if has_answer(page, measure) or not number.is_shown or number.n_events is None:
        return cell
    events = page.say("models.rests_on_events", n=page.formats.count(number.n_events))
    return cell.above(events)


def list_main(page: Page) -> list[str]:
    """The measures that the answers are counted of: all but those near in time."""
    return [name for name in page.plan.measure_names if not is_joint(page, name)]


def list_first(page: Page) -> list[str]:
    """The measures with an answer that may stand on the first page, and by itself elsewhere."""
    return [one for one in list_main(page) if has_answer(page, one)]


def judge_measure(page: Page, measure: str) -> str:
    """The verdict on a measure: `fewer`, `more`, `open` or `hidden`, by the study's last day."""
    return judge(find_effect(page, measure), same=0.0)


def list_checks(page: Page, measure: str, analysis: str = WEIGHTING) -> list[Check]:
    """The checks of a measure's comparison, in the order in which they were made."""
    return [_read_check(row) for row in page.release.checks.get((measure, analysis), [])]


def _read_check(row: Any) -> Check:
    """`n_events:start:182` is the check `n_events` of the arm `start` up to day 182."""
    return Check(unpack_check(row.check), row.value, row.limit, row.status)


def find_checks(checks: list[Check], name: str, day: int | None = None) -> dict[str, Check]:
    """The checks of a name by arm, the last where there are several."""
    return {check.arm: check for check in checks if check.name == name and day in (None, check.day)}


def list_balance(page: Page, measure: str) -> dict[str, float]:
    """The larger of both arms' standardised differences of each covariate after weighting."""
    found: dict[str, float] = {}
    for check in list_checks(page, measure):
        if check.name == COVARIATE and check.known is not None:
            name = check.of.parts[-1]
            found[name] = max(found.get(name, 0.0), check.known)
    return found


def list_failures(page: Page, measure: str) -> list[str]:
    """What the checks that did not hold by the last of the study's days are called as reasons."""
    reasons = {gate.check: gate.reason or gate.check for gate in list_gates(page.plan.gates)}
    checks = [*list_checks(page, measure), *list_checks(page, measure, CONTROL["analysis"])]
    failed = [
        reasons.get(check.name, check.name)
        for check in checks
        if check.status == FAILED and (check.name == BALANCE or check.day in (None, page.last_day))
    ]
    return list(dict.fromkeys(failed))


def describe_reason(page: Page, measure: str, number: Number, kind: str = "why") -> str:
    """Why a measure has no number, in plain words; `kind` `short` is for beside a picture.

    A number that is withheld names every check that failed, in the order of the checks; of kind
    `first` and `short` only the first.
    """
    return describe_gates(page, list_reasons(page, measure, number), kind)


def list_reasons(page: Page, measure: str, number: Number) -> list[str]:
    """The reasons of the vocabulary for which a measure has no number, at least one."""
    failed = list_failures(page, measure) if number.status == WITHHELD else []
    known = [one for one in failed if f"answers.short_{one}" in load_texts()]
    return known or [page.name_reason(number)]


def describe_gates(page: Page, names: list[str], kind: str = "why") -> str:
    """What these reasons of the vocabulary mean; `kind` as of `describe_reason`.

    Without a sentence of its own a reason is told by its phrase.
    """
    told = []
    for name in names:
        key = f"answers.why_{name}"
        is_short = kind == "short" or key not in load_texts()
        told.append(page.say(f"answers.short_{name}" if is_short else key, **_limits(page)))
    also = f" {page.say('trials.also')} "
    return also.join(dict.fromkeys(told if kind == "why" else told[:1]))


def _limits(page: Page) -> dict[str, str]:
    gates = page.plan.gates
    return {
        "most": page.formats.count(gates.minimum_detectable_difference * 100),
        "support": page.formats.percent(gates.share_outside_support, 0),
        "events": page.formats.count(gates.events_per_arm),
        "people": page.formats.count(gates.effective_sample_size),
        "victims": page.formats.count(gates.exposed_victims),
    }


def has_rows(page: Page, **keys: str) -> bool:
    """True if the release has any row with these keys, shown or not."""
    return page.release.has_rows(**keys)


def has_numbers(page: Page, **keys: str) -> bool:
    """True if the release has any number with these keys that may be shown."""
    return has_rows(page, status=OK, **keys)
