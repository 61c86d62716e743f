"""Question 3 as it was released: groups, effects within them, what parts them, who gets what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType
from typing import Any

from revictimisation.core.codes import MISSING
from revictimisation.core.packing import pack_contrast, unpack_check, unpack_contrast
from revictimisation.core.results import OK
from revictimisation.report.formats import start_upper
from revictimisation.report.labels import PARENTHESIS
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.texts import load_texts
from revictimisation.report.trials import DIFFERENCE, WEIGHTING, describe_gates

COX, RATIO, LOG_RATIO = "cox_time_varying", "hazard_ratio", "log_hazard_ratio"
POOLED, CONTRAST = "partially_pooled", "contrast"
IN, OUT = "true", "false"
# how a level or two of them is named among the diagnostics
DIAGNOSED, DETECTABLE = "subgroup_effects", "minimum_detectable_difference"
# what is called: Holm's adjusted p-value below this
SIGNIFICANCE, POWER = 0.05, 0.8
Pair = tuple[str, str]


def choose_day(page: Page) -> int:
    """The day whose risks are tested for differences between groups, and told first."""
    days = page.plan.days_within_horizon
    return page.plan.for_whom.choose_day(days) or page.last_day


def list_groupings(page: Page) -> list[str]:
    """The groupings that the release has levels of: subgroups, then combined groups."""
    named = (*page.plan.subgroups, *page.plan.for_whom.combined)
    return [fromkey for fromkey in dict.fromkeys(named) if list_levels(page, fromkey)]


def list_levels(page: Page, grouping: str, *, is_named: bool = True) -> list[str]:
    """The levels of a grouping; `is_named`: without those whose level is not stated."""
    found = [level for level in page.levels("q3", grouping) if not find_pair(page, grouping, level)]
    return [one for one in found if one != MISSING or not is_named]


def list_pairs(page: Page, grouping: str) -> list[Pair]:
    """The two levels of each contrast, the reference last; without those not stated."""
    known = page.release.level_names.get(("q3", grouping), ())
    order = list_levels(page, grouping)
    pairs = [pair for one in known if (pair := find_pair(page, grouping, one))]
    return sorted(
        (pair for pair in pairs if MISSING not in pair),
        key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order),
    )


def join_pair(pair: Pair) -> str:
    """The level of the rows that tell the difference of two levels."""
    return pack_contrast(*pair)


def find_pair(page: Page, grouping: str, level: str) -> Pair | None:
    """The two levels whose difference a row tells; None: it is of a level itself."""
    return unpack_contrast(level, page.release.single_levels.get(grouping, ()))


def find_gap(
    page: Page, measure: str, grouping: str, level: str, analysis: str = "main", **keys: Any
) -> Number:
    """A risk difference of the tested day within a level, pooled, or between two levels."""
    given = {"estimand": DIFFERENCE, "time_days": choose_day(page), **keys}
    return page.release.find(
        question="q3", analysis=analysis, measure=measure, subgroup=grouping, level=level,
        outcome=page.plan.outcome.who, estimator=WEIGHTING, **given,
    )  # fmt: skip


def find_ratio(
    page: Page, measure: str, grouping: str, level: str, analysis: str = "main",
    estimand: str = RATIO,
) -> Number:  # fmt: skip
    """A hazard ratio within a level, pooled, or the ratio of two levels' ratios.

    Where there is none its row is the logarithm, whatever is asked for.
    """
    names = (estimand, LOG_RATIO)
    found = [
        page.release.find(
            question="q3", analysis=analysis, measure=measure, subgroup=grouping, level=level,
            outcome=page.plan.outcome.who, estimator=COX, estimand=name,
        )
        for name in names
    ]  # fmt: skip
    is_absent = found[0].reason == "not_computed"
    return found[1] if is_absent and not found[1].is_shown else found[0]


def find_pooled(
    page: Page, measure: str, grouping: str, level: str, *, is_ratio: bool = False
) -> Number:
    """A level's number drawn towards those of its grouping; none where it has no others to be
    drawn to, or is not shown itself.
    """
    find = find_ratio if is_ratio else find_gap
    shown = [one for one in list_levels(page, grouping, is_named=False)
             if find(page, measure, grouping, one, POOLED).is_shown
             and find(page, measure, grouping, one).is_shown]  # fmt: skip
    is_among = len(shown) > 1 and level in shown
    return find(page, measure, grouping, level, POOLED) if is_among else Number()


@dataclass(frozen=True)
class Difference:
    """What was tested of a measure and a grouping: p-values on both scales, `ok` or why not."""

    measure: str
    grouping: str
    risk: Number
    risk_holm: Number
    hazard: Number
    hazard_holm: Number

    @property
    def adjusted(self) -> float:
        """The smaller adjusted p-value; infinite where nothing was tested."""
        return _least(self.risk_holm, self.hazard_holm)

    @property
    def unadjusted(self) -> float:
        """The smaller p-value of the tests in the family."""
        tests = ((self.risk, self.risk_holm), (self.hazard, self.hazard_holm))
        return _least(*(raw for raw, holm in tests if holm.is_shown))

    @property
    def is_tested(self) -> bool:
        """True if it is in the family on either scale."""
        return self.adjusted < math.inf

    @property
    def is_called(self) -> bool:
        """True if it is more than chance with all tests together, on either scale."""
        return self.adjusted < SIGNIFICANCE

    @property
    def is_called_by_risk(self) -> bool:
        """True if it is so on the scale of people in a hundred."""
        return self.risk_holm.is_shown and (self.risk_holm.estimate or 0.0) < SIGNIFICANCE


def _least(*numbers: Number) -> float:
    known = [
        number.estimate for number in numbers if number.is_shown and number.estimate is not None
    ]
    return min(known, default=math.inf)


def find_difference(page: Page, measure: str, grouping: str) -> Difference:
    """The tests that all levels of a grouping are equal."""
    gap = [find_gap(page, measure, grouping, "", CONTRAST, estimand=name)
           for name in ("p_value", "p_value_holm")]  # fmt: skip
    ratio = [find_ratio(page, measure, grouping, "", CONTRAST, name)
             for name in ("p_value", "p_value_holm")]  # fmt: skip
    return Difference(measure, grouping, *gap, *ratio)


def list_differences(page: Page) -> list[Difference]:
    """All that was asked, what matters most first.

    Called ones by how far apart their groups are, in people; the others by their p-value.
    """
    groupings = list_groupings(page)
    found = [
        find_difference(page, measure, grouping)
        for measure in page.plan.measure_names
        for grouping in groupings
    ]

    def place(one: Difference) -> tuple[bool, bool, float, float]:
        spread = find_spread(page, one) if one.is_called else 0.0
        return not one.is_called, not one.is_called_by_risk, -spread, one.unadjusted

    return sorted(found, key=place)


def find_spread(page: Page, one: Difference) -> float:
    """How far apart the outermost groups are, in shares; 0 with fewer than two."""
    values = [number.estimate or 0.0 for _, number in list_shown(page, one.measure, one.grouping)]
    return max(values) - min(values) if len(values) > 1 else 0.0


def list_shown(page: Page, measure: str, grouping: str) -> list[tuple[str, Number]]:
    """The levels with a risk difference to show, the lowest first."""
    found = [(one, find_gap(page, measure, grouping, one)) for one in list_levels(page, grouping)]
    return sorted(((level, one) for level, one in found if one.has_interval),
                  key=lambda pair: pair[1].estimate or 0.0)  # fmt: skip


def count_tests(page: Page) -> int:
    """How many tests Holm's adjustment allows for."""
    frame = page.release.estimates
    rows = frame["question"].eq("q3") & frame["analysis"].eq(CONTRAST)
    rows &= frame["estimand"].eq("p_value_holm")
    return int((rows & frame["status"].eq(OK)).sum())


def widen_for_family(n_tests: int) -> float:
    """How much larger a difference must be to be seen among so many tests than alone.

    Holm's first step is Bonferroni's: the quantile of 5 % over the number of tests. Power 80 %.

    >>> round(widen_for_family(1), 2), round(widen_for_family(50), 2)
    (1.0, 1.47)
    """
    normal = NormalDist()
    alone, first = (normal.inv_cdf(1 - SIGNIFICANCE / 2 / n) for n in (1, max(n_tests, 1)))
    return (first + normal.inv_cdf(POWER)) / (alone + normal.inv_cdf(POWER))


def read_detectable(page: Page) -> Mapping[tuple[str, str, str], float]:
    """The smallest differences that would probably have been seen by the tested day.

    By measure, grouping and level, or two levels (`a_less_b`); of a single test.
    """
    frame = page.release.diagnostics
    mine = frame[frame["analysis"].eq(DIAGNOSED) & frame["value"].notna()]
    found = {}
    for measure, check, value in mine[["measure", "check", "value"]].itertuples(index=False):
        of = unpack_check(check)
        if of.name == DETECTABLE and of.group and of.day == choose_day(page):
            found[measure, of.group, of.level] = float(value)
    return MappingProxyType(found)


def list_detectable(page: Page, *, is_tested: bool) -> dict[tuple[str, str], float]:
    """By measure and grouping the smallest difference of two groups that would have been seen,
    with all tests together; `is_tested`: only of those in the family on the scale of people.
    """
    known, factor = read_detectable(page), widen_for_family(count_tests(page))
    found: dict[tuple[str, str], float] = {}
    for measure in page.plan.measure_names:
        for grouping in list_groupings(page):
            if is_tested and not find_difference(page, measure, grouping).risk_holm.is_shown:
                continue
            keys = [(measure, grouping, join_pair(pair)) for pair in list_pairs(page, grouping)]
            values = [factor * known[key] for key in keys if key in known]
            if values:
                found[measure, grouping] = min(values)
    return found


def describe_missing(page: Page, number: Number, kind: str = "why") -> str:
    """Why a group has no number, in plain words; `short` is for beside a picture."""
    return describe_gates(page, [page.name_reason(number)], "short" if kind == "short" else "first")


def name_level(page: Page, grouping: str, level: str) -> str:
    """A group as people call it: `hög risk`, `män`, `hedersrelaterade ärenden`."""
    if level == MISSING:
        return page.say("for_whom.level_missing")
    key = f"for_whom.level_{grouping}_{level}"
    if key in load_texts():
        return page.say(key)
    if grouping in page.plan.for_whom.combined:
        title = page.labels.group(grouping)
        return page.say("for_whom.level_others") if level == OUT else title[:1].lower() + title[1:]
    return PARENTHESIS.sub("", page.labels.level(grouping, level))


def name_row(page: Page, grouping: str, level: str) -> str:
    """A group in a table of several groupings: with its grouping where it does not tell it."""
    told = name_level(page, grouping, level)
    is_own = grouping in page.plan.for_whom.combined and level == IN
    if is_own or f"for_whom.level_{grouping}_{level}" in load_texts():
        return start_upper(told)
    return f"{page.labels.group(grouping)}: {told}"


def name_division(page: Page, grouping: str) -> str:
    """How a grouping divides people: `efter risknivå`, `män över 18 år mot övriga`."""
    key = f"for_whom.by_{grouping}"
    if key in load_texts():
        return page.say(key)
    group = page.labels.group(grouping)
    kind = "combined" if grouping in page.plan.for_whom.combined else "group"
    return page.say(f"for_whom.by_{kind}", group=group[:1].lower() + group[1:])
