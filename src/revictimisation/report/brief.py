"""Two pages for a meeting: the answer, every measure, why some have none, what may be decided.

They hold without the site. The sections say it as on their pages; no number is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from revictimisation.report.described import Content, Heading, Piece, Text, join
from revictimisation.report.evidence import rate_measure
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import list_differences
from revictimisation.report.page import Page
from revictimisation.report.sections import courts, how_we_know, start
from revictimisation.report.sections.answer import list_names
from revictimisation.report.sections.course import describe_course
from revictimisation.report.sections.for_whom import describe_for_whom, describe_measure_groups
from revictimisation.report.sections.reach import describe_reach
from revictimisation.report.sections.words import describe_word
from revictimisation.report.trials import describe_reason, find_effect, list_first, list_main
from revictimisation.report.verdicts import name_measure

# of the word list: what has to be known to read the rest
WORDS = (("study", "case"), ("study", "new_report"), ("numbers", "uncertainty"),
         ("numbers", "certainty"))  # fmt: skip


def describe_brief(page: Page) -> Content:
    """What matters first stands first: where there is no room the last parts give way."""
    return join([
        start.show_lead(page),
        Heading(page.say("brief.measures", period=page.formats.period(page.last_day)), 2),
        start.show_measures(page),
        *_list_under(page, "brief.none", list(_list_reasons(page))),
        page.heading("brief.wrong"),
        Text(how_we_know.describe_trust(page)),
        page.text("how_we_know.unseen"),
        *_list_under(page, "brief.decide", _list_decisions(page), _warn(page)),
        page.heading("brief.groups"),
        Text(_describe_groups(page)),
        page.heading("brief.convictions"),
        Text(f"{courts.describe_convictions(page)} {page.say('courts.lead_association')}"),
        page.heading("brief.reach"),
        Text(describe_reach(page)),
        page.heading("brief.course"),
        Text(describe_course(page)),
        page.heading("brief.counted"),
        page.text("how_we_know.wanted_text" if page.plan.adjust_for else "how_we_know.wanted_bare"),
        Text("\n".join(f"- {describe_word(page, *word)}" for word in WORDS)),
    ])  # fmt: skip


def _list_under(page: Page, key: str, told: Sequence[str], *before: Piece) -> list[Piece]:
    """A list below its heading; nothing without either."""
    if not told:
        return []
    return [page.heading(key), *before, Text("\n".join(f"- {one}" for one in told))]


def _list_reasons(page: Page) -> Iterator[str]:
    """Why measures have no answer, those for the same reason together."""
    first = set(list_first(page))
    found: dict[str, list[str]] = {}
    for measure in list_main(page):
        if measure not in first:
            why = describe_reason(page, measure, find_effect(page, measure), "first")
            found.setdefault(why, []).append(name_measure(page, measure))
    for why, names in found.items():
        yield f"**{start_upper(list_names(page, names))}:** {start_upper(why)}"


def _describe_groups(page: Page) -> str:
    """How many differences between groups are more than chance, and which way they go."""
    called = {one.measure for one in list_differences(page) if one.is_tested and one.is_called}
    first = describe_for_whom(page)
    told = (describe_measure_groups(page, one) for one in list_first(page) if one in called)
    return " ".join([first, *(one for one in told if one not in first)])  # each sentence once


def _warn(page: Page) -> Piece:
    return page.text("brief.invented") if page.release.is_synthetic else join([])


def _list_decisions(page: Page) -> list[str]:
    """What the answers may be used for, and what they may not."""
    clear = [name_measure(page, one) for one in list_main(page)
             if rate_measure(page, one).kind in start.CLEAR]  # fmt: skip
    told = [page.say("brief.can_clear", measures=list_names(page, clear))] if clear else []
    return [*told, page.say("brief.can"), page.say("brief.cannot")]
