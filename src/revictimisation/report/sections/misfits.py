"""The first page: where the extract does not hold the days and codes of the study file."""

from __future__ import annotations

from revictimisation.core.packing import PART, unpack_check
from revictimisation.report.described import NOTHING, Piece, Text, join
from revictimisation.report.page import Page

EXTRACT = "extract"  # how these checks are named among the diagnostics


def show_misfits(page: Page) -> Piece:
    """What makes the numbers of the whole study doubtful, before any of them; else nothing."""
    told = _describe_tables(page, "ends_before_data_end") + _describe_tables(
        page, "goes_on_after_data_end"
    )
    codes = [subject for rule, subject, _ in _list(page) if rule == "code_nowhere"]
    if codes:
        told.append(page.say("index.misfit_code_nowhere", codes=", ".join(codes)))
    if not told:
        return NOTHING
    items = Text("\n".join(f"- {one}" for one in told))
    return join([page.heading("index.misfits"), items])


def _list(page: Page) -> list[tuple[str, str, int]]:
    frame = page.release.diagnostics
    mine = frame[frame["analysis"].eq(EXTRACT)]
    checks = [unpack_check(check) for check in mine["check"]]
    return [
        (check.name, PART.join(check.parts), int(months))
        for check, months in zip(checks, mine["value"], strict=True)
    ]


def _describe_tables(page: Page, rule: str) -> list[str]:
    """The tables that end too early or too late, each with by how long."""
    found = [
        f"{page.dictionary.tables[name].label[page.language].lower()}"
        f" ({page.say('index.misfit_months', n=page.formats.count(months))})"
        for kind, name, months in _list(page)
        if kind == rule
    ]
    if not found:
        return []
    end_on = page.formats.date(page.plan.data_end_on)
    return [page.say(f"index.misfit_{rule}", tables=", ".join(found), end_on=end_on)]
