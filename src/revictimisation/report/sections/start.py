"""The first page: one sentence, a hundred dots, a row a measure, and a line a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from revictimisation.report.described import (
    NOTHING,
    Cell,
    Group,
    Heading,
    IconArray,
    Piece,
    Table,
    Text,
    join,
)
from revictimisation.report.evidence import LIST, STEPS, Evidence, rate_measure
from revictimisation.report.forest import list_ticks
from revictimisation.report.formats import round_half_up, start_upper
from revictimisation.report.measure_use import find_agency, find_share
from revictimisation.report.natural_frequencies import describe_both, show_gap
from revictimisation.report.page import DASH, HUNDREDTHS, SHARE, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import describe_against, list_names
from revictimisation.report.sections.cohort import find_incidence
from revictimisation.report.sections.course import describe_course
from revictimisation.report.sections.courts import describe_convictions
from revictimisation.report.sections.for_whom import describe_for_whom
from revictimisation.report.sections.honour import describe_honour
from revictimisation.report.sections.how_we_know import describe_trust
from revictimisation.report.sections.misfits import show_misfits
from revictimisation.report.sections.reach import describe_reach
from revictimisation.report.trials import find_effect, list_main
from revictimisation.report.verdicts import is_coordinated, is_joint, name_measure

FULL, EMPTY = "●", "○"
STACKED = (1, 2, 4)  # cells that say their column's head where the table is stacked
CLEAR = ("fewer", "more", "little")  # kinds of evidence that say something


# a question's page, its heading, and its answer in a line
QUESTIONS: Sequence[tuple[str, str, Callable[[Page], str]]] = (
    ("01_does_it_fall", "index.ask_course", describe_course),
    ("honour", "index.ask_honour", describe_honour),
    ("02_reach", "index.ask_reach", describe_reach),
    ("04_for_whom", "index.ask_for_whom", describe_for_whom),
    ("05_convictions", "index.ask_convictions", describe_convictions),
    ("06_how_we_know", "index.ask_wrong", describe_trust),
)


def show_lead(page: Page) -> Piece:
    """The answer in one sentence, and of a hundred how many report again."""
    told = (Text(_describe_answer(page)), Text(_describe_followed(page), "note"))
    return join([show_misfits(page), Group((Group(told, "answer-lead"), _draw(page)), "opening")])


def _describe_answer(page: Page) -> str:
    repeated = _describe_repeat(page)
    measures = list_main(page)
    if not measures:
        return f"**{page.say('common.no_measures')}** {repeated}"
    found = {measure: rate_measure(page, measure) for measure in measures}
    clear = [one for one in CLEAR if any(each.kind == one for each in found.values())]
    n_open = sum(each.kind == "open" for each in found.values())
    if not clear:
        key = f"index.answer_{'open' if n_open else 'none'}{'_one' if len(measures) == 1 else ''}"
        n, period = _count(page, len(measures)), page.formats.period(page.last_day)
        return f"**{page.say(key, n=n, period=period)}** {repeated}"
    told = [_describe_kind(page, found, kind) for kind in clear]
    left = [each.kind for each in found.values() if each.kind not in CLEAR]
    if left:
        only = f"_{left[0]}" if len(set(left)) == 1 else ""
        told.append(page.say(f"index.answer_left{only}", n=page.formats.count(len(left))))
    return f"**{' '.join(told)}** {repeated}"


def _count(page: Page, number: int) -> str:
    """A number up to twelve in letters."""
    words = page.say("index.numbers").split()
    return words[number - 1] if number <= len(words) else page.formats.count(number)


def _describe_kind(page: Page, found: dict[str, Evidence], kind: str) -> str:
    """The measures of which the same is said, behind its words: `Kan minska: skyddat boende.`"""
    told, period = [], page.formats.period(page.last_day)
    for code in dict.fromkeys(each.code for each in found.values() if each.kind == kind):
        names = [name_measure(page, one) for one, each in found.items() if each.code == code]
        told.append(page.say(f"index.answer_{kind}", period=period,
                             measures=start_upper(list_names(page, names)),
                             lower=page.labels.code(LIST, code)))  # fmt: skip
    return " ".join(told)


def _describe_repeat(page: Page) -> str:
    """How many of a hundred cases are followed by another report."""
    last = find_incidence(page, page.plan.outcome.who)
    if not last.is_shown:
        return page.say("index.repeat_hidden", why=page.why_not(last))
    given = {"share": page.formats.of_hundred(last.estimate or 0.0),
             "against": describe_against(page),
             "period": page.formats.period(page.last_day)}  # fmt: skip
    return page.say("index.repeat", **given)


def _find_early(page: Page) -> tuple[Number, int]:
    """The share at the first of the study's days, and the day; none where that is the last."""
    day = page.plan.report_at_days[0]
    if day >= page.last_day:
        return Number(), day
    return find_incidence(page, page.plan.outcome.who, time_days=day), day


def _describe_followed(page: Page) -> str:
    """How many reports of which years, and until when they are followed."""
    last = find_incidence(page, page.plan.outcome.who)
    if not last.is_shown or last.n_people is None:
        return ""
    accrual = page.plan.accrual
    return page.say("index.followed", n=page.formats.count(last.n_people),
                    first=accrual.from_on.year, last=accrual.to_on.year,
                    end=page.plan.data_end_on.year)  # fmt: skip


def _draw(page: Page) -> Piece:
    """A hundred dots: reported again soon, later, not."""
    last = find_incidence(page, page.plan.outcome.who)
    if not last.is_shown:
        return NOTHING
    period, total = page.formats.period(page.last_day), _count_dots(last)
    first, day = _find_early(page)
    if not first.is_shown:
        parts = [(total, page.say("index.dots_within", period=period))]
    else:
        early = _count_dots(first)
        parts = [(early, page.say("index.dots_within", period=page.formats.period(day))),
                 (total - early, page.say("index.dots_later", period=period))]  # fmt: skip
    alt = page.say("index.dots_alt", total=total, period=period)
    return IconArray(tuple(parts), page.say("index.dots_rest"), alt)


def _count_dots(number: Number) -> int:
    """Of a hundred so many: the same number in the sentence and in the dots."""
    return int(round_half_up((number.estimate or 0.0) * 100))


def show_measures(page: Page) -> Piece:
    """A row a measure: how many got it, the interval, the answer in fixed words, how sure."""
    measures = list_main(page)
    if not measures:
        return NOTHING
    gaps = [find_effect(page, measure) for measure in measures]
    ticks = list_ticks([gap.point for gap in gaps])
    most = max(-ticks[0], ticks[-1])
    ends = {"period": page.formats.period(page.last_day),
            "best": FULL * page.plan.evidence.highest_rating}  # fmt: skip
    heads = [page.say(f"index.head_{one}", **ends)
             for one in ("measure", "use", "gap", "answer", "rating")]  # fmt: skip
    rows = [
        [replace(cell, label=head if number in STACKED else "")
         for number, (head, cell) in enumerate(zip(heads, _row(page, one, gap, most), strict=True))]
        for one, gap in zip(measures, gaps, strict=True)
    ]  # fmt: skip
    table = Table(page.say("index.table", **ends), heads, rows, kind="answers",
                  take=page.say("common.take_along"))  # fmt: skip
    notes = [page.say("index.unclear_note"), page.say("index.table_note", **ends),
             *_list_near_in_time(page)]  # fmt: skip
    if any(find_share(page, one).status == "suppressed" for one in measures):
        notes.append(page.say("common.note_suppressed"))
    return join([table, *(Text(note, "note") for note in notes)])


def _row(page: Page, measure: str, gap: Number, most: float) -> list[Cell]:
    share, found = find_share(page, measure), rate_measure(page, measure)
    use = page.show(share, page.formats.way("of_hundred"), SHARE)
    answer = start_upper(page.labels.code(LIST, found.code))
    name = page.link(f"measure_{measure}", start_upper(name_measure(page, measure)))
    code = page.plan.measures[measure].codes[0]
    by = page.say("index.by_both" if is_coordinated(page, measure)
                  else f"index.by_{find_agency(page, code)}")  # fmt: skip
    return [Cell(name).above(by), use, show_span(page, gap, most), Cell(answer, kind=found.kind),
            show_rating(page, found)]  # fmt: skip


def show_span(page: Page, gap: Number, most: float) -> Cell:
    """A cell with a difference drawn between `most` fewer and `most` more; none: that it is not."""
    if not gap.has_interval:
        hidden = page.say("index.not_shown")
        return Cell(DASH, kind="blank", spoken=hidden, status=gap.status, reason=gap.reason)
    gap_cell = show_gap(page, gap, 0)
    told = " ".join([gap_cell.told, *(f"({one})" for one in gap_cell.below)])
    return Cell(told, gap.estimate, gap.ci_low, gap.ci_high, HUNDREDTHS, gap.status,
                span=(-most, most), spoken=describe_both(page, gap))  # fmt: skip


def show_rating(page: Page, found: Evidence) -> Cell:
    """A cell with the steps of certainty as dots; a dash where there is no answer to rate."""
    if found.rating is None:
        return Cell(DASH, kind="blank", spoken=page.say("index.no_rating"))
    dots = FULL * found.rating + EMPTY * (STEPS - found.rating)
    spoken = page.say("index.rating", n=found.rating, steps=STEPS)
    return Cell(dots, found.rating, kind="rating", spoken=spoken)


def _list_near_in_time(page: Page) -> list[str]:
    """That measures near in time have no answer here, with a link to their page."""
    return [
        page.say(
            "index.near_in_time",
            measure=page.link(f"measure_{one}", name_measure(page, one)),
        )
        for one in page.plan.measure_names
        if is_joint(page, one)
    ]


def show_questions(page: Page) -> Piece:
    """The other questions: each a link, with its answer in a line."""
    told = []
    for name, key, describe in QUESTIONS:
        line = describe(page)
        if line:
            heading = Heading(page.link(name, page.say(key)), 3)
            told.append(Group((heading, Text(line))))
    return Group(tuple(told), "questions")


def show_more(page: Page) -> Piece:
    """Where referees read on."""
    return Text(page.link("07_for_researchers", page.say("common.menu_07_for_researchers")), "more")
