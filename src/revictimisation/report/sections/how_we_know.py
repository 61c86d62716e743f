"""Page 06: why the simple comparison misleads, the trial one would have wanted, and limits."""

from __future__ import annotations

from dataclasses import replace

from revictimisation.report import verdicts
from revictimisation.report.described import NOTHING, Dots, Piece, Text, TrialDiagram, join, plain
from revictimisation.report.formats import start_lower, start_upper
from revictimisation.report.known_truth import describe_known_truth, list_known_limits
from revictimisation.report.natural_frequencies import show_gap
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import (
    describe_against,
    list_names,
    make_scale,
    make_series,
)
from revictimisation.report.trials import DIFFERENCE, find_effect, list_first
from revictimisation.report.verdicts import OPEN, judge, name_measure

METHODS = {"crude": "methods.crude", "main": "methods.clone_censor_weight"}
COMPILERS = ("assembler", "county")  # who keep no register of their own
UNUSED = "not_used_by_this_study"
MORE = {"researchers": "07_for_researchers", "validation": "08_validation"}


def describe_trust(page: Page) -> str:
    """How the answers could be wrong, in one line for the first page."""
    told = describe_known_truth(page, "trust")
    return told or page.say("how_we_know.trust")


def find_crude(page: Page, measure: str, estimand: str = DIFFERENCE) -> Number:
    """A number of the comparison of ever against never, by the last of the study's days."""
    return find_effect(page, measure, estimand, estimator="crude")


def show_lead(page: Page) -> Piece:
    """What the registers show, and what the page is about."""
    return page.text("how_we_know.lead")


def show_simple(page: Page) -> Piece:
    """Why ever against never misleads: both ways to count beside each other, released numbers only.

    Of measures without an answer the simple comparison stands only with what is for referees.
    """
    measures = list_first(page)
    crude = [find_crude(page, measure) for measure in measures]
    main = [find_effect(page, measure) for measure in measures]
    text = page.text("how_we_know.simple_text")
    if not any(number.is_shown for number in crude):
        return join([text, page.text("trials.none")])
    counts = {
        "n_crude": count_more(crude),
        "n_crude_all": sum(number.is_shown for number in crude),
        "n_main": count_more(main),
        "n_main_all": sum(number.is_shown for number in main),
    }
    names = ("crude", "main")
    series = [make_series(page.say(f"how_we_know.series_{name}"), numbers, METHODS[name])
              for name, numbers in zip(names, (crude, main), strict=True)]  # fmt: skip
    told = [name_measure(page, measure) for measure in measures]
    picture = Dots(told, series, make_scale(page, [*crude, *main]))
    rows = [[name, show_gap(page, one), show_gap(page, other)]
            for name, one, other in zip(told, crude, main, strict=True)]  # fmt: skip
    heads = [page.say("common.measure"), *(one.name for one in series)]
    period = page.formats.period(page.last_day)
    table = page.table(page.say("how_we_know.simple_table", period=period), heads, rows)
    found = page.say("how_we_know.simple_found", **counts)
    figure = page.figure(picture, plain(found), found, table)
    note = page.say("how_we_know.simple_note", period=period)
    return join([text, figure, Text(f"{note} {_describe_open(page, main)}".strip(), "note")])


def _describe_open(page: Page, main: list[Number]) -> str:
    """That the answers are unclear either way, where all of them are."""
    verdicts = {judge(number, same=0.0) for number in main if number.is_shown}
    return page.say("how_we_know.simple_open") if verdicts == {OPEN} else ""


def count_more(numbers: list[Number]) -> int:
    """How many differences lie on the side of more with their whole interval."""
    return sum(judge(number, same=0.0) == verdicts.MORE for number in numbers)


def show_wanted(page: Page) -> Piece:
    """The trial one would have wanted: in a few words, and as a small diagram."""
    given = {"against": describe_against(page), "period": page.formats.period(page.last_day)}
    names = ("eligible", "start", "no_start", "grace", "follow_up", "outcome")
    words = {name: page.say(f"how_we_know.trial_{name}", **given) for name in names}
    picture = TrialDiagram(
        words["eligible"], (words["start"], words["no_start"]), words["grace"],
        words["follow_up"], words["outcome"],
    )  # fmt: skip
    alt, caption = (page.say(f"how_we_know.trial_{name}", **given) for name in ("alt", "caption"))
    graces = [[name_measure(page, name), page.formats.days(one.grace_days)]
              for name, one in page.plan.measures.items()]  # fmt: skip
    heads = [page.say(f"trial.head_{name}") for name in ("measure", "grace")]
    table = page.table(page.say("trial.measures_caption"), heads, graces)
    key = "wanted_text" if page.plan.adjust_for else "wanted_bare"
    text = page.text(f"how_we_know.{key}")
    return join([text, replace(page.figure(picture, alt, caption, table), source="")])


def show_sources(page: Page) -> Piece:
    """Which registers the numbers come from, by who delivers them: the tables that were used."""
    attrition = page.release.attrition
    unused = attrition.loc[attrition["reason"].eq(UNUSED), "step"]
    used = {*attrition["step"]} - {*unused}
    found: dict[str, list[str]] = {}
    for name, table in page.dictionary.tables.items():
        if name in used and table.delivered_by not in COMPILERS:
            told = start_lower(getattr(table.label, page.language))
            found.setdefault(table.delivered_by, []).append(told)
    if not found:
        return NOTHING
    lines = [f"- **{start_upper(page.labels.code('delivered_by', by))}:** {list_names(page, names)}"
             for by, names in found.items()]  # fmt: skip
    key = "sources_invented" if page.release.is_synthetic else "sources_text"
    link = page.link("dictionary", page.say("common.menu_dictionary"))
    until = page.formats.date(page.plan.data_end_on)
    return join([
        page.heading("how_we_know.sources"), page.text(f"how_we_know.{key}", until=until),
        Text("\n".join(lines)), page.text("how_we_know.sources_more", link=link),
    ])  # fmt: skip


def show_limits(page: Page) -> Piece:
    """What could make the answers wrong: what no register holds first, then what was tried."""
    lines = "\n".join(f"- {line}" for line in list_known_limits(page))
    hidden, tried = page.text("how_we_know.unseen"), page.text("how_we_know.tried")
    return join([hidden, tried, Text(lines)])


def show_reading(page: Page) -> Piece:
    """How the answers are to be read, and where more stands."""
    more = {name: page.link(path, page.say(f"common.menu_{path}"))
            for name, path in MORE.items()}  # fmt: skip
    return join([page.text("how_we_know.reading"), page.text("how_we_know.more", **more)])
