"""The one place that asks the truth studies, a package beside this one that may be missing."""

from __future__ import annotations

from typing import Literal

from revictimisation.report.page import Page

About = Literal["hidden_difference", "group_tests", "exploration"]


def tell_known_truth(page: Page, about: About) -> str:
    """What `truth_studies` says of how often an answer is wrong where the truth is known.

    Empty where its table is not kept; a sentence that nothing is, where there is no such package.
    """
    try:
        from truth_studies.pages.sentences import SENTENCES
    except ModuleNotFoundError as fault:
        if fault.name != "truth_studies":
            raise
        return page.say("common.no_truth_studies")
    return SENTENCES[about](page)
