"""The one place that asks the truth studies, a package beside this one that may be missing."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from revictimisation.core.codes import SAME_SUSPECT
from revictimisation.report.outline import Outline
from revictimisation.report.page import Page

About = Literal["trust", "hidden_difference", "group_tests", "exploration"]


def describe_known_truth(page: Page, about: About) -> str:
    """What `truth_studies` says of how often an answer is wrong where the truth is known.

    Empty where its table is not kept; a sentence that nothing is, where there is no such package.
    """
    if find_spec("truth_studies") is None:
        return page.say("common.no_truth_studies")
    from truth_studies.pages.sentences import SENTENCES

    return SENTENCES[about](page)


def find_coverage(page: Page, measure: str) -> tuple[float, int] | None:
    """In what share of how many counties of known truth a measure's interval held the truth.

    By the study's last day, among the numbers that the gates let through; None: untried, as every
    other outcome than a new report against the same suspect is.
    """
    if page.plan.outcome.who != SAME_SUSPECT or find_spec("truth_studies") is None:
        return None
    from truth_studies.pages.limits import find_coverage as find

    return find(measure, page.last_day)


def list_known_limits(page: Page) -> list[str]:
    """Where the answers hold and where they do not, by counties of known truth, in plain words."""
    if find_spec("truth_studies") is None:
        return [page.say("common.no_truth_studies")]
    from truth_studies.pages.sentences import list_known_limits as list_limits

    return list_limits(page)


def list_outlines() -> list[Outline]:
    """The page of `truth_studies`; none where there is no such package."""
    if find_spec("truth_studies") is None:
        return []
    from truth_studies.pages.outline import OUTLINE

    return [OUTLINE]
