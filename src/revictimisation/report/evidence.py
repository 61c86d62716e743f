"""Fixed words for what is known of a measure, and how far to trust it: a rule, not a judgement.

The words stand in the dictionary (`codes/evidence.csv`), the limits in the study file (`evidence`).
Directions and four steps of certainty follow GRADE's practice (Guyatt et al. 2011; Santesso et al.
2020 for the words) and SBU's handbook. Nobody drew lots, so registers begin at three steps of four.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from revictimisation.core.results import SUPPRESSED, WITHHELD
from revictimisation.dictionary import load_dictionary
from revictimisation.plan import EvidenceLimits
from revictimisation.report.known_truth import find_coverage
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.trials import (
    CONTROL,
    CONTROL_CHECK,
    WARNING,
    WAYS,
    WEIGHTING,
    find_checks,
    find_effect,
    list_checks,
    list_failures,
)
from revictimisation.report.verdicts import judge

STEPS = 4
LIST = "evidence"
# the same comparison with something done otherwise
VARIANTS = ("weights_truncated", "calibrated_weights", "fitted_weights", "influence_interval",
            "linkage_error")  # fmt: skip
SAME_POINT = "influence_interval"  # another interval around the same number
FEWER, LEANS_FEWER, OPEN, LITTLE, LEANS_MORE, MORE = (
    *("fewer", "leans_fewer", "unclear", "little", "leans_more", "more"),
)
NOT_COMPUTED = "no_answer_not_computed"
# the code of each direction by its steps of certainty
CODES: Mapping[str, Mapping[int, str]] = {
    FEWER: {4: "reduces", 3: "probably_reduces", 2: "may_reduce", 1: "leans_fewer"},
    LEANS_FEWER: dict.fromkeys(range(1, STEPS + 1), "leans_fewer"),
    OPEN: dict.fromkeys(range(1, STEPS + 1), "unclear"),
    LITTLE: {**dict.fromkeys(range(2, STEPS + 1), "little_or_none"), 1: "unclear"},
    LEANS_MORE: dict.fromkeys(range(1, STEPS + 1), "leans_more"),
    MORE: {4: "increases", 3: "probably_increases", 2: "may_increase", 1: "leans_more"},
}

Held = Literal["yes", "no", "untried"]


@dataclass(frozen=True)
class Grounds:
    """What an answer rests on: its interval, and whether what could speak against it does not.

    `control`: reports that the measure cannot prevent do not differ. `ways`: the other estimators
    lie in the interval. `variants`: the same comparison done otherwise gives the same verdict.
    `coverage`: such an interval holds the truth often enough where it is known. `background`: the
    study allows for what those compared were like before.
    """

    low: float
    high: float
    control: Held
    ways: Held
    variants: Held
    coverage: Held
    background: Held = "yes"


@dataclass(frozen=True)
class Evidence:
    """What is said of a measure: the code of its words, and of `STEPS` how many are filled.

    `rating` is None where there is no answer. `lowered`: why it is not more, by the keys
    `evidence.lowered_<key>`; without an answer `failed` names what did not hold, as reasons.
    """

    code: str
    rating: int | None = None
    lowered: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """`fewer`, `more`, `little`, `open` or `none`: one look for each on a page."""
        rows = load_dictionary().code_lists[LIST]
        return str(rows.loc[rows["code"] == self.code, "kind"].iloc[0])


def find_direction(low: float, high: float, limits: EvidenceLimits) -> str:
    """Where an interval lies; differences up to `small_difference`, itself included, are small.

    >>> limits = EvidenceLimits(small_difference=0.02)
    >>> find_direction(-0.08, -0.01, limits), find_direction(-0.08, 0.0, limits)
    ('fewer', 'leans_fewer')
    >>> find_direction(-0.02, 0.02, limits), find_direction(-0.03, 0.03, limits)
    ('little', 'unclear')
    """
    small = limits.small_difference
    if -small <= low and high <= small:
        return LITTLE
    if high < 0:
        return FEWER
    if low > 0:
        return MORE
    if high <= small:
        return LEANS_FEWER
    return LEANS_MORE if low >= -small else OPEN


def rate(grounds: Grounds, limits: EvidenceLimits) -> Evidence:
    """The rule: a step down for each thing that speaks against the answer, one step at least left.

    The interval takes one where it leaves the direction open, one more where it holds an
    `important_difference`, itself included, both ways. Control, ways, variants and coverage take
    one each where they do not hold, and where they could not be tried: what is not examined is not
    sound.
    Where nothing is allowed for one step is left.
    """
    direction = find_direction(grounds.low, grounds.high, limits)
    most = limits.important_difference
    lowered = []
    if direction in (LEANS_FEWER, OPEN, LEANS_MORE):
        lowered.append("direction")
    if grounds.low <= -most and grounds.high >= most:
        lowered.append("wide")
    for name in ("control", "ways", "variants", "coverage", "background"):
        held: Held = getattr(grounds, name)
        if held != "yes":
            lowered.append(f"{name}_{held}")
    is_bare = grounds.background != "yes"
    rating = 1 if is_bare else max(limits.highest_rating - len(lowered), 1)
    return Evidence(CODES[direction][rating], rating, tuple(lowered))


def rate_measure(page: Page, measure: str) -> Evidence:
    """What is said of a measure by the last of the study's days."""
    number = find_effect(page, measure)
    if not number.has_interval:
        failed = tuple(_list_failed(page, measure, number))
        return Evidence(find_no_answer(failed[0]), failed=failed)
    return rate(find_grounds(page, measure, number), page.plan.evidence)


def _list_failed(page: Page, measure: str, number: Number) -> list[str]:
    """Why there is no answer, the reason of the number first."""
    reason = number.reason
    if number.status == SUPPRESSED:
        reason = page.name_reason(number)
    others = list_failures(page, measure) if number.status == WITHHELD else []
    return [reason, *(one for one in others if one != reason)]


def find_no_answer(reason: str) -> str:
    """The code of what is said where there is no answer for a reason.

    >>> find_no_answer("few_events"), find_no_answer("a_reason_of_tomorrow")
    ('no_answer_few', 'no_answer_not_computed')
    """
    rows = load_dictionary().code_lists[LIST]
    codes = zip(rows["code"], rows["reasons"], strict=True)
    return next((code for code, known in codes if reason in known.split()), NOT_COMPUTED)


def find_grounds(page: Page, measure: str, number: Number) -> Grounds:
    """What a released answer rests on."""
    assert number.ci_low is not None and number.ci_high is not None
    return Grounds(
        number.ci_low, number.ci_high,
        control=_hold_control(page, measure),
        ways=_hold(_hold_ways(page, measure, number)),
        variants=_hold(_hold_variants(page, measure, number)),
        coverage=_hold_coverage(page, measure),
        background="yes" if page.plan.adjust_for else "no",
    )  # fmt: skip


def list_other_ways(page: Page, measure: str) -> list[tuple[str, Number, bool]]:
    """The other ways of counting: what each is called, its number, whether it says what the answer
    says. Another interval around the same number is no other way.
    """
    verdict = judge(find_effect(page, measure), same=0.0)
    found = [(page.say(f"trials.way_{way}"), find_effect(page, measure, estimator=way))
             for way in WAYS if way != WEIGHTING]  # fmt: skip
    found += [(page.labels.code("analysis", one), find_effect(page, measure, analysis=one))
              for one in VARIANTS if one != SAME_POINT]  # fmt: skip
    return [(name, one, judge(one, same=0.0) == verdict) for name, one in found if one.has_interval]


def _hold_ways(page: Page, measure: str, number: Number) -> list[bool]:
    """Of each other estimator whether it lies in the answer's interval, the ends included."""
    found = (find_effect(page, measure, estimator=way) for way in WAYS if way != WEIGHTING)
    low, high = number.ci_low or 0.0, number.ci_high or 0.0
    return [low <= (one.estimate or 0.0) <= high for one in found if one.is_shown]


def _hold_variants(page: Page, measure: str, number: Number) -> list[bool]:
    """Of the comparison with something done otherwise whether its verdict is the answer's."""
    found = (find_effect(page, measure, analysis=variant) for variant in VARIANTS)
    verdict = judge(number, same=0.0)
    return [judge(one, same=0.0) == verdict for one in found if one.has_interval]


def _hold(found: list[bool]) -> Held:
    if not found:
        return "untried"
    return "yes" if all(found) else "no"


def _hold_coverage(page: Page, measure: str) -> Held:
    """Whether the method's intervals for the measure are wide enough, `least_coverage` included."""
    known = find_coverage(page, measure)
    return _hold([] if known is None else [known[0] >= page.plan.evidence.least_coverage])


def _hold_control(page: Page, measure: str) -> Held:
    """Whether reports that the measure cannot prevent stay as they are; `untried` with too few."""
    number = find_effect(page, measure, **CONTROL)
    checks = list_checks(page, measure, CONTROL["analysis"])
    enough = find_checks(checks, "effective_events").values()
    shown = find_checks(checks, CONTROL_CHECK).values()
    if not number.has_interval or WARNING in {check.status for check in (*enough, *shown)}:
        return "untried"
    return "yes" if judge(number, same=0.0) == "open" else "no"
