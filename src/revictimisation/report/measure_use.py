"""Question 1 as it was released: who got what, how soon, and what it is called.

A measure is got where it was carried out: it began during follow-up. Every page says so of the
same number, `find_share`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from revictimisation.core.codes import MISSING, SOCIAL_SERVICES
from revictimisation.report.page import Page
from revictimisation.report.quantities import derive
from revictimisation.report.release import Number
from revictimisation.report.verdicts import is_joint, name_measure

AGENCIES = ("police", SOCIAL_SERVICES, "other")
RISK, HIGH, LOW = "risk_level", "high", "low"
NEITHER = "neither"
NEAR = 0.02  # shares so near that either may stand for a day between theirs
ANY = "any"  # what the curves of first starts call any measure of either agency


def find_share(page: Page, measure: str, outcome: str = "carried_out", **keys: str) -> Number:
    """The share of follow-ups with a decision on a measure, or with it carried out."""
    given = {"question": "q1", "estimator": "description", "estimand": "share", **keys}
    return page.release.find(measure=measure, outcome=outcome, **given)


def find_any(page: Page, **keys: str) -> Number:
    """The share of follow-ups with something carried out by either agency.

    It is what is left of those with nothing: the ends of the interval change places.
    """
    none = find_share(page, NEITHER, analysis="agencies", **keys)
    if not none.is_shown:
        return none
    rest, low, high = (
        None if one is None else derive(1 - one, one, "rest")
        for one in (none.estimate, none.ci_high, none.ci_low)
    )
    return replace(none, estimate=rest, ci_low=low, ci_high=high, n_events=None)


def find_start(page: Page, measure: str, day: int, **keys: str) -> Number:
    """The share in whom a measure (`any`: of either agency) began by a day, before a new report."""
    given: dict[str, Any] = {"question": "q1", "analysis": "first_start", **keys}
    return page.release.find(
        measure=measure,
        outcome="measure_start",
        time_days=day,
        estimator="aalen_johansen",
        estimand="cumulative_incidence",
        **given,
    )


def find_start_by(page: Page, measure: str, day: int, **keys: str) -> Number:
    """The same; of a day that may not be told the last one before it that may."""
    return find_start_told(page, measure, day, **keys)[1]


def find_start_told(page: Page, measure: str, day: int, **keys: str) -> tuple[int, Number]:
    """The same with the day that it is of.

    Between days that are told few started, or the day is nearer to the next of them: so only where
    these two are `NEAR` each other. Else the day stays untold.
    """
    exact = find_start(page, measure, day, **keys)
    if exact.is_shown:
        return day, exact
    found = ((one, find_start(page, measure, one, **keys)) for one in page.plan.start_days)
    told = [(one, number) for one, number in found if number.is_shown]
    last, before = next(
        ((one, number) for one, number in reversed(told) if one < day), (day, exact)
    )
    after = next((number for one, number in told if one > day), exact)
    is_near = (after.estimate or 1.0) - (before.estimate or 0.0) < NEAR
    return (last, before) if before.is_shown and after.is_shown and is_near else (day, exact)


def list_codes(page: Page) -> list[tuple[str, Number]]:
    """Every code with the share in which it was carried out, the commonest first, hidden last."""
    frame = page.release.estimates
    codes = frame.loc[(frame["question"] == "q1") & (frame["analysis"] == "by_code"), "measure"]
    return _sort([(code, find_share(page, code, analysis="by_code")) for code in set(codes)])


def list_used(page: Page) -> list[tuple[str, Number]]:
    """The study's measures, their kinds counted together, and the codes that are in none of them.

    With the share in which each was carried out, the commonest first, hidden last; joint measures,
    which are made of the others, are left out.
    """
    plan = page.plan
    names = [name for name in plan.measure_names if not is_joint(page, name)]
    grouped = {code for name in names for code in plan.measures[name].codes}
    found = [(name, find_share(page, name)) for name in names]
    return _sort(
        found + [(code, number) for code, number in list_codes(page) if code not in grouped]
    )


def _sort(found: list[tuple[str, Number]]) -> list[tuple[str, Number]]:
    return sorted(found, key=lambda one: (-(one[1].estimate or 0), not one[1].is_shown, one[0]))


def list_grouped(page: Page) -> list[str]:
    """The study's measures of more than one code, of which one is called as the measure is."""
    return [
        name for name in page.plan.measure_names
        if len(page.plan.measures[name].codes) > 1 and name in page.plan.measures[name].codes
    ]  # fmt: skip


def name_code(page: Page, code: str) -> str:
    """A code's name; where a measure of that name counts more kinds: of this kind only."""
    name = page.labels.measure(code)
    return page.say("reach.this_kind", name=name) if code in list_grouped(page) else name


def find_agency(page: Page, code: str) -> str:
    """Whose a code is; `other` where the dictionary does not say."""
    frame = page.dictionary.code_lists["measures"]
    found = frame.loc[frame["code"] == code, "agency"]
    return found.iloc[0] if len(found) and found.iloc[0] in AGENCIES else AGENCIES[-1]


def name_agency(page: Page, code: str) -> str:
    """Who decides on a code."""
    return page.say(f"reach.agency_{find_agency(page, code)}")


def note_grouped(page: Page) -> list[str]:
    """A note for each measure whose kinds stand by themselves in a table of codes."""
    told = []
    for one in list_grouped(page):
        share = find_share(page, one)
        if share.is_shown and share.n_events is not None:
            n = page.formats.count(share.n_events)
            told.append(page.say("reach.kinds_together", measure=name_measure(page, one), n=n))
    return told


def name_risk(page: Page, level: str) -> str:
    """A risk level as it is called in a sentence: `hög risk`."""
    if level == MISSING:
        return page.say("reach.risk_missing_name")
    return page.say("reach.risk_level_name", level=page.labels.level(RISK, level))
