"""Page 07: the lists of what a report must hold, filled in from the run; the rest is counted."""

from __future__ import annotations

from revictimisation.report.checklists import (
    ANOTHER,
    Checklist,
    Item,
    find_answer,
    find_place,
    load_checklists,
)
from revictimisation.report.described import Cell, Folded, Piece, Text, join
from revictimisation.report.page import Page
from revictimisation.report.sections.linkage import is_joined


def show_lists(page: Page) -> Piece:
    """How much of each list the run fills in, then the lists, folded."""
    lists = load_checklists().values()
    lines = "\n".join(f"- {_count(page, one)}" for one in lists)
    return join(
        [page.text("referees.lists_text"), Text(lines), *(_show(page, one) for one in lists)]
    )


def _count(page: Page, checklist: Checklist) -> str:
    counted = [item for item in checklist.items if item.place != ANOTHER]
    n_left = sum(not _is_filled(page, item) for item in counted)
    return page.say("referees.lists_count", name=checklist.name[page.language],
                    n_filled=len(counted) - n_left, n_all=len(counted), n_left=n_left)  # fmt: skip


def _is_filled(page: Page, item: Item) -> bool:
    return (
        bool(find_answer(page, item))
        or find_place(page, item, is_joined=is_joined(page)) is not None
    )


def _show(page: Page, checklist: Checklist) -> Piece:
    rows = [[Cell(item.number), item.asks[page.language], _describe(page, item)]
            for item in checklist.items]  # fmt: skip
    heads = [page.say(f"referees.lists_{name}") for name in ("item", "asks", "where")]
    name = checklist.name[page.language]
    table = page.table(name, heads, rows, [page.say("referees.lists_note")], kind="words")
    return Folded(name, table)


def _describe(page: Page, item: Item) -> Cell | Text:
    """A link to where an item is found, what the study file says of it, or that it is left."""
    answer = find_answer(page, item)
    if answer:
        return Cell(answer)
    place = find_place(page, item, is_joined=is_joined(page))
    if place is None:
        is_other = item.place == ANOTHER
        return Cell(page.say("referees.lists_other" if is_other else "referees.lists_left"))
    name, anchor = place
    told = page.say(f"common.menu_{name}")
    return Cell(page.link(f"{name}#{anchor}" if anchor else name, told))
