"""Notebook 3, first part: the answer in a few sentences and in one picture."""

from __future__ import annotations

from collections.abc import Sequence

from revictimisation.report.described import DotSeries, Forest, ForestRow, Piece, Scale, Text, join
from revictimisation.report.forest import list_ticks
from revictimisation.report.natural_frequencies import (
    count_people,
    describe_both,
    describe_people,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.cohort import list_words
from revictimisation.report.trials import (
    ARMS,
    describe_reason,
    find_arms,
    find_effect,
    judge_measure,
    list_by_verdict,
    list_main,
)
from revictimisation.report.verdicts import (
    FEWER,
    HIDDEN,
    MORE,
    OPEN,
    judge,
    name_answer,
    warn_untried,
)


def describe_against(page: Page) -> str:
    """`mot samma misstänkta person`, or against any."""
    return page.say(f"effects.against_{page.plan.outcome.who}")


def describe_grace(page: Page, measure: str) -> str:
    """`30 dagar`: how soon a measure must start to count; `samma dag` for no days at all."""
    days = page.plan.measures[measure].grace_days
    return page.formats.days(days) if days else page.say("trials.same_day")


def describe_within(page: Page, measure: str) -> str:
    """`inom 30 dagar`, to stand in a sentence."""
    grace = describe_grace(page, measure)
    return (
        page.say("trials.within", grace=grace) if page.plan.measures[measure].grace_days else grace
    )


def show_lead(page: Page) -> Piece:
    """The question, the answers by verdict, and what they rest on."""
    if not page.plan.measure_names:
        return page.text("common.no_measures")
    period = page.formats.period(page.last_day)
    question = page.text("trials.question", against=describe_against(page), period=period)
    lines = "\n".join(f"- {answer}" for answer in list_answers(page))
    counts = Text(f"{describe_counts(page)} {describe_scope(page)}")
    untried = Text(warn_untried(page))
    return join([question, counts, Text(lines), show_caution(page), untried])


def describe_counts(page: Page) -> str:
    """How many measures make a difference, are unclear either way, and have no answer."""
    n_open, n_hidden = (len(list_by_verdict(page, one)) for one in (OPEN, HIDDEN))
    n_all = len(list_main(page))
    n_clear = n_all - n_open - n_hidden
    given = {"n_all": n_all, "n_open": n_open, "n_hidden": n_hidden}
    if not n_clear:
        key = "none" if n_open else "hidden"
        return page.say(f"trials.counts_{key}", **given)
    return page.say("trials.counts", n_clear=n_clear, **given)


def describe_scope(page: Page) -> str:
    """What the counts hold for: the main question, not other days and outcomes."""
    period = page.formats.period(page.last_day)
    return page.say("trials.counts_scope", against=describe_against(page), period=period)


def show_caution(page: Page) -> Piece:
    """What an answer rests on; with no covariates, that it allows for nothing."""
    return page.text("trials.caution" if page.plan.adjust_for else "trials.caution_bare")


def list_answers(page: Page) -> list[str]:
    """A sentence per verdict with its measures; those without a number grouped by why."""
    told = list_clear(page)
    names = list_by_verdict(page, OPEN)
    if names:
        each = [name_answer(page, name) for name in names]
        told.append(page.say("trials.answer_open", measures=list_names(page, each)))
    return told + _list_hidden(page)


def list_clear(page: Page) -> list[str]:
    """A sentence for the measures with fewer, and one for those with more new reports."""
    told = []
    for verdict in (FEWER, MORE):
        names = list_by_verdict(page, verdict)
        if names:
            each = [_describe_one(page, name) for name in names]
            told.append(page.say(f"trials.answer_{verdict}", measures=list_names(page, each)))
    return told


def _describe_one(page: Page, measure: str) -> str:
    gap = describe_both(page, find_effect(page, measure))
    return page.say("trials.answer_one", measure=name_answer(page, measure), gap=gap)


def list_names(page: Page, words: list[str]) -> str:
    """Words in a row, `and` before the last."""
    return list_words(words, page.say("effects.and"))


def _list_hidden(page: Page) -> list[str]:
    """Measures without a number, one sentence a reason."""
    groups: dict[str, list[str]] = {}
    for one in list_by_verdict(page, HIDDEN):
        why = finish(describe_reason(page, one, find_effect(page, one), kind="first"))
        groups.setdefault(why, []).append(name_answer(page, one))
    return [
        page.say("trials.answer_hidden", measures=list_names(page, names), why=why)
        for why, names in groups.items()
    ]


def finish(told: str) -> str:
    """A sentence of its own: a capital first and a full stop last.

    >>> finish("the group is too small"), finish("Whole.")
    ('The group is too small.', 'Whole.')
    """
    return told[:1].upper() + told[1:] + ("" if told.endswith(".") else ".")


def show_picture(page: Page) -> Piece:
    """All measures in one picture, the withheld ones with why; and the numbers behind it.

    Without measures near in time, whose answer is untried.
    """
    measures = list_main(page)
    gaps = [find_effect(page, measure) for measure in measures]
    if not any(one.is_shown for one in gaps):
        return join([page.text("trials.none"), _table(page, gaps)])
    rows = [_row(page, one, gap) for one, gap in zip(measures, gaps, strict=True)]
    period = page.formats.period(page.last_day)
    picture = Forest(rows, make_scale(page, gaps))
    told = " ".join(finish(f"{row.name}: {row.told}") for row in rows)
    alt = page.say("trials.picture_alt", rows=told)
    caption = page.say("trials.picture_caption", period=period)
    return page.figure(picture, alt, caption, _table(page, gaps))


def _row(page: Page, measure: str, gap: Number) -> ForestRow:
    verdict = judge_measure(page, measure)
    if verdict == HIDDEN:
        told = page.say("answers.none_why", why=describe_reason(page, measure, gap, kind="short"))
    elif verdict == OPEN:
        told = page.say("answers.open")
    else:
        told = describe_people(page, gap.estimate or 0.0)
    return ForestRow(name_answer(page, measure), gap.point, verdict, told)


def make_series(name: str, numbers: Sequence[Number], look: str = "") -> DotSeries:
    """Differences as a series of dots, open where it is unclear whether there is one."""
    is_open = [judge(number, same=0.0) not in (FEWER, MORE) for number in numbers]
    return DotSeries(name, [number.point for number in numbers], is_open=is_open, look=look)


def make_scale(page: Page, numbers: Sequence[Number]) -> Scale:
    """An axis of people in a hundred around no difference, that holds every interval."""
    ticks = list_ticks([number.point for number in numbers])
    told = [count_people(page, tick) if tick else page.say("trials.tick_same") for tick in ticks]
    return Scale(
        page.formats.way("count", words=zip(ticks, told, strict=True)),
        ticks,
        page.say("trials.axis"),
        reference=0.0,
        sides=(page.say("trials.side_fewer"), page.say("trials.side_more")),
    )


def _table(page: Page, gaps: Sequence[Number]) -> Piece:
    rows = []
    has_why = not all(one.is_shown for one in gaps)
    for measure, gap in zip(list_main(page), gaps, strict=True):
        arms = find_arms(page, measure)
        cells = [show_hundred(page, arm) for arm in arms]
        why = DASH if gap.is_shown else finish(describe_reason(page, measure, gap))
        row = [
            name_answer(page, measure),
            describe_grace(page, measure),
            *cells,
            show_gap(page, gap),
        ]
        rows.append([*row, why] if has_why else row)
    names = ("grace", *ARMS, "gap", *(("why",) if has_why else ()))
    heads = [page.say("common.measure"), *(page.say(f"trials.head_{name}") for name in names)]
    caption = page.say("trials.picture_table", period=page.formats.period(page.last_day))
    return page.table(caption, heads, rows, kind="why" if has_why else "")
