"""Page 04: question 3, whether measures help some groups more than others.

A group's number is the pooled one, drawn towards those of the other groups: the outermost of many
groups is so partly by chance. Its own stands beside it only for referees (`group_numbers`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median_high

from revictimisation.report.described import (
    NOTHING,
    Cell,
    Content,
    Figure,
    Forest,
    ForestRow,
    Piece,
    Scale,
    Text,
    join,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    Difference,
    choose_day,
    count_tests,
    describe_missing,
    find_difference,
    find_gap,
    find_pooled,
    find_ratio,
    list_detectable,
    list_differences,
    list_groupings,
    list_levels,
    list_shown,
    name_division,
    name_level,
)
from revictimisation.report.known_truth import describe_known_truth
from revictimisation.report.natural_frequencies import (
    count_people,
    describe_between,
    describe_people,
    show_gap,
)
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import finish, list_names, make_scale
from revictimisation.report.sections.cohort import find_incidence
from revictimisation.report.sections.exploration import list_verdicts
from revictimisation.report.trials import has_answer, has_rows, list_first, list_main
from revictimisation.report.verdicts import (
    FEWER,
    HIDDEN,
    OPEN,
    TWICE,
    describe_about,
    judge,
    name_measure,
)

RATIO_TICKS = {0.25: "¼", 0.5: "½", 1.0: "1", 2.0: "2×", 4.0: "4×"}
HALF = (0.45, 0.55)  # ratios that are said to be half
MOST_CLAIMS = 4  # with a picture each
# in the table of measures and divisions: what each mark stands for
MARKS = {"risk": "●", "force": "◐", "tried": "○", "none": DASH}


def describe_for_whom(page: Page) -> str:
    """The answer for the first page, in a line."""
    tested, called = _list_tested(page), _list_claims(page)
    if not tested:
        return page.say("for_whom.line_none")
    if not called:
        return page.say("for_whom.line_uncalled", n=len(tested))
    told = _describe_direction(page, called[0])
    if len(called) == 1:
        return told
    return page.say("for_whom.line_some", n=len(tested), n_called=len(called), told=told)


def _describe_direction(page: Page, one: Difference) -> str:
    """Which groups differ, and whether only while the measure is in force.

    Then also that no difference is left by the day of the groups, if that was tested.
    """
    if not _is_ratio(one):
        return finish(describe_claim(page, one))
    ends = [
        f"{name_level(page, one.grouping, level)}: {page.say(f'for_whom.line_{judge(number)}')}"
        for level, number in _list_pooled(page, one, is_ratio=True) if number.has_interval
    ]  # fmt: skip
    told = page.say("for_whom.line_in_force", ends="; ".join(ends),
                    measure=start_upper(name_measure(page, one.measure)))  # fmt: skip
    if not one.risk_holm.is_shown:
        return told
    period = page.formats.period(choose_day(page))
    return f"{told} {page.say('for_whom.line_whole', period=period)}"


def describe_measure_groups(page: Page, measure: str) -> str:
    """Whether a measure helps some groups more than others: a sentence for its own page."""
    if not has_answer(page, measure):
        return page.say("for_whom.measure_hidden")
    mine = [one for one in _list_tested(page) if one.measure == measure]
    called = [one for one in mine if one.is_called]
    if called:
        return _describe_direction(page, called[0])
    if not mine:
        return page.say("for_whom.measure_untested")
    known = [value for (name, _), value in list_detectable(page, is_tested=True).items()
             if name == measure]  # fmt: skip
    least = count_people(page, min(known)) if known else ""
    kind = "open" if known else "bare"
    return page.say(f"for_whom.measure_{kind}", n=len(mine), least=least)


def _list_tested(page: Page) -> list[Difference]:
    """What was tested of measures with an answer: no other number stands in for one."""
    first = list_first(page)
    return [one for one in list_differences(page) if one.is_tested and one.measure in first]


def _list_claims(page: Page) -> list[Difference]:
    """The differences that are called, what matters most first."""
    return [one for one in _list_tested(page) if one.is_called]


def show_lead(page: Page) -> Piece:
    """The answer, how it was asked, and how often the method calls what is not there."""
    if not page.plan.measure_names:
        return page.text("common.no_measures")
    groupings = list_groupings(page)
    if not groupings:
        return page.text("for_whom.no_groups")
    how = page.say(
        "for_whom.how",
        n_groupings=len(groupings),
        n_measures=len(list_first(page)),
        n_tests=count_tests(page),
        period=page.formats.period(choose_day(page)),
    )
    told = describe_known_truth(page, "group_tests")
    return join([Text(describe_answer(page)), Text(how), Text(told)])


def describe_answer(page: Page) -> str:
    """How many differences between groups are more than chance, and the first of them."""
    tested, called = _list_tested(page), _list_claims(page)
    if not tested:
        return page.say("for_whom.answer_untested")
    if not called:
        return page.say("for_whom.answer_none", n=len(tested))
    others = list_names(page, [_name(page, one) for one in called[1:]])
    return page.say(
        "for_whom.answer_some" if others else "for_whom.answer_one",
        n=len(tested),
        n_called=len(called),
        n_rest=len(tested) - len(called),
        claim=_describe_direction(page, called[0]),
        others=page.say("for_whom.more", named=others) if others else "",
        not_enough=page.say("for_whom.not_enough"),
    )


def show_claims(page: Page) -> Piece:
    """A picture for each difference that is called; else of the one that comes nearest."""
    claims = _list_claims(page)
    parts: list[Piece] = [_show_claim(page, one) for one in claims[:MOST_CLAIMS]]
    rest = [_name(page, one) for one in claims[MOST_CLAIMS:]]
    if rest:
        parts.append(page.text("for_whom.more", named=list_names(page, rest)))
    if not claims:
        parts.append(_show_nearest(page))
    placebo = [name_measure(page, one) for one in page.plan.negative_controls.measures
               if one in {claim.measure for claim in claims}]  # fmt: skip
    if placebo:
        parts.append(page.text("for_whom.placebo", measures=list_names(page, placebo)))
    if not any(parts):
        return NOTHING
    return join([page.heading("for_whom.claims" if claims else "for_whom.nearest"), *parts,
                 page.text("for_whom.reading")])  # fmt: skip


def _name(page: Page, one: Difference) -> str:
    return f"{name_measure(page, one.measure)}, {name_division(page, one.grouping)}"


def _show_nearest(page: Page) -> Piece:
    """The difference that stands out most of those of measures with an answer: maybe chance."""
    placebo = page.plan.negative_controls.measures
    drawn = [one for one in _list_tested(page) if one.measure not in placebo
             and len(list_shown(page, one.measure, one.grouping)) > 1]  # fmt: skip
    if not drawn:
        return NOTHING
    title = page.say("for_whom.nearest_title", claim=_name(page, drawn[0]))
    return join([_draw(page, drawn[0], title, is_ratio=False)])


def _is_ratio(one: Difference) -> bool:
    """Whether a difference is called only by how common new reports are while in force."""
    return not one.is_called_by_risk


def _show_claim(page: Page, one: Difference) -> Piece:
    title, is_ratio = describe_claim(page, one), _is_ratio(one)
    parts: list[Piece] = [_draw(page, one, title, is_ratio=is_ratio)]
    if is_ratio:
        key = "whole_open" if one.risk_holm.is_shown else "whole_untested"
        period = page.formats.period(choose_day(page))
        parts.append(page.text(f"for_whom.{key}", period=period))
    return join([*parts, _describe_own(page, one, is_ratio=is_ratio)])


def _describe_own(page: Page, one: Difference, *, is_ratio: bool) -> Text:
    """The own numbers of groups whose pooled one is unclear though their own is not."""
    find: Callable[..., Number] = find_ratio if is_ratio else find_gap
    same, told = 1.0 if is_ratio else 0.0, []
    for level, pooled in _list_pooled(page, one, is_ratio=is_ratio):
        own = find(page, one.measure, one.grouping, level)
        is_open = pooled.has_interval and judge(pooled, same) == OPEN
        if not is_open or judge(own, same) in (OPEN, HIDDEN):
            continue
        if is_ratio:
            value = page.say("for_whom.own_ratio", ratio=page.show_ratio(own))
            span = str(page.show_ratio_interval(own))
        else:
            value = page.say("for_whom.own_gap", gap=page.formats.points(own.estimate or 0.0))
            span = describe_between(page, own)
        told.append(page.say("for_whom.own_apart", level=name_level(page, one.grouping, level),
                             told=_describe_level(page, own, is_ratio=is_ratio), number=value,
                             span=span))  # fmt: skip
    return Text(" ".join(told))


def _list_pooled(page: Page, one: Difference, *, is_ratio: bool) -> list[tuple[str, Number]]:
    """The levels of a grouping with their pooled numbers; of those without one, why."""
    find: Callable[..., Number] = find_ratio if is_ratio else find_gap
    found = []
    for level in list_levels(page, one.grouping):
        own = find(page, one.measure, one.grouping, level)
        pooled = find_pooled(page, one.measure, one.grouping, level, is_ratio=is_ratio)
        found.append((level, pooled if pooled.is_shown else own if not own.is_shown else Number()))
    return found


def describe_claim(page: Page, one: Difference) -> str:
    """The groups at either end, in a sentence: what the picture says."""
    is_ratio = _is_ratio(one)
    shown = [pair for pair in _list_pooled(page, one, is_ratio=is_ratio) if pair[1].has_interval]
    if len(shown) < 2:
        return finish(_name(page, one))
    ordered = sorted(shown, key=lambda pair: pair[1].estimate or 0.0)
    ends = [page.say("for_whom.end", level=start_upper(name_level(page, one.grouping, level)),
                     told=_describe_level(page, number, is_ratio=is_ratio))
            for level, number in (ordered[0], ordered[-1])]  # fmt: skip
    kind = "ratio" if is_ratio else "risk"
    return page.say(f"for_whom.claim_{kind}", ends=". ".join(ends),
                    measure=start_upper(name_measure(page, one.measure)),
                    period=page.formats.period(choose_day(page)))  # fmt: skip


def _describe_level(page: Page, number: Number, *, is_ratio: bool) -> str:
    """Beside a row of the picture: what can be said of the group, or why nothing."""
    if not number.has_interval:
        return page.say("answers.none_why", why=describe_missing(page, number, "short"))
    verdict = judge(number, same=1.0 if is_ratio else 0.0)
    if verdict == OPEN:
        return page.say("answers.open")
    if not is_ratio:
        return describe_people(page, number.estimate or 0.0)
    estimate = number.estimate or 1.0
    if HALF[0] <= estimate <= HALF[1]:
        return page.say("for_whom.ratio_half")
    if estimate >= TWICE:
        return page.say("for_whom.ratio_times", about=page.formats.decimal(estimate, 1))
    key = "ratio_fewer" if verdict == FEWER else "ratio_more"
    return page.say(f"for_whom.{key}", about=describe_about(page, number))


def _draw(page: Page, one: Difference, title: str, *, is_ratio: bool) -> Figure:
    """The groups of a difference below each other, by their pooled numbers."""
    same = 1.0 if is_ratio else 0.0
    found = _list_pooled(page, one, is_ratio=is_ratio)
    names = [start_upper(name_level(page, one.grouping, level)) for level, _ in found]
    told = [_describe_level(page, number, is_ratio=is_ratio) for _, number in found]
    numbers = [number for _, number in found]
    rows = [
        ForestRow(name, number.point, judge(number, same) if number.has_interval else HIDDEN, words)
        for name, number, words in zip(names, numbers, told, strict=True)
    ]
    scale = _make_ratio_scale(page) if is_ratio else make_scale(page, numbers)
    show = page.show_ratio_both if is_ratio else lambda number: show_gap(page, number)
    cells = [
        [name, show(number), "" if number.n_people is None else page.show_number(number.n_people)]
        for name, number in zip(names, numbers, strict=True)
    ]
    people = "had" if is_ratio else "people"
    heads = [page.say(f"for_whom.head_{one}") for one in ("group", "pooled", people)]
    key = "in_force" if is_ratio else "within"
    name, period = name_measure(page, one.measure), page.formats.period(choose_day(page))
    caption = page.say(f"for_whom.table_{key}", measure=start_upper(name), period=period)
    alt = " ".join(
        [title, *(finish(f"{name}: {words}") for name, words in zip(names, told, strict=True))]
    )
    return page.figure(Forest(rows, scale), alt, title, page.table(caption, heads, cells))


def _make_ratio_scale(page: Page) -> Scale:
    ticks = {**RATIO_TICKS, 1.0: page.say("trials.tick_same")}
    sides = page.say("for_whom.side_less"), page.say("for_whom.side_more")
    return Scale(
        page.formats.way("count", words=ticks.items()),
        list(RATIO_TICKS),
        page.say("for_whom.ratio_axis"),
        is_log=True,
        reference=1.0,
        sides=sides,
    )


def show_measures(page: Page) -> Piece:
    """For each measure and division: a sure difference, how large one would have been seen, or no
    answer.
    """
    groupings = list_groupings(page)
    if not (page.plan.measure_names and groupings):
        return page.text("for_whom.answer_untested")
    first, detectable = list_first(page), list_detectable(page, is_tested=True)
    known = {pair: value for pair, value in detectable.items() if pair[0] in first}
    rows = [
        [start_upper(name_measure(page, measure)),
         *(_show_answer(page, measure, grouping, known) for grouping in groupings)]
        for measure in list_main(page)
    ]  # fmt: skip
    heads = [page.say("common.measure"), *(page.labels.group(one) for one in groupings)]
    seen = sorted(known.values())
    key = "grid_caption" if seen else "grid_plain"
    given = (
        {"least": count_people(page, seen[0]), "middle": count_people(page, median_high(seen))}
        if seen
        else {}
    )
    table = page.table(page.say(f"for_whom.{key}", **given), heads, rows,
                       [_explain_marks(page, rows)], "heat")  # fmt: skip
    return join([table, _describe_beside(page)])


def _explain_marks(page: Page, rows: Sequence[Sequence[object]]) -> str:
    """What the marks of a table mean, of those that are in it."""
    cells = [str(cell) for row in rows for cell in row[1:]]
    keys = [key for key, mark in MARKS.items() if any(mark in cell for cell in cells)]
    if any(char.isdigit() for cell in cells for char in cell):
        keys = ["number", *keys]
    period = page.formats.period(choose_day(page))
    return " ".join(page.say(f"for_whom.grid_{key}", period=period) for key in keys)


def _show_answer(
    page: Page, measure: str, grouping: str, known: dict[tuple[str, str], float]
) -> Cell:
    if not has_answer(page, measure):
        return Cell(DASH, kind="shade none")
    one = find_difference(page, measure, grouping)
    if one.is_called_by_risk:
        return Cell(MARKS["risk"], kind="shade s8")
    seen = [count_people(page, known[measure, grouping])] if (measure, grouping) in known else []
    if one.is_called:
        return Cell("\xa0".join([*seen, MARKS["force"]]), kind="shade s3")
    if seen or one.is_tested:
        return Cell(seen[0] if seen else MARKS["tried"], kind="shade s1")
    return Cell(DASH, kind="shade none")


def _describe_beside(page: Page) -> Piece:
    """What a difference is to be compared with: how many report again by the same day."""
    share = find_incidence(page, page.plan.outcome.who, time_days=choose_day(page))
    if not share.is_shown:
        return NOTHING
    return page.text("for_whom.beside", share=page.formats.of_hundred(share.estimate or 0.0),
                     period=page.formats.period(choose_day(page)))  # fmt: skip


def show_exploration(page: Page) -> Piece:
    """What was found without naming groups, called exploration; nothing where none was made."""
    if not has_rows(page, question="q3", analysis="exploration"):
        return NOTHING
    lines = Text("\n".join(f"- {verdict}" for verdict in list_verdicts(page)))
    return join(
        [page.heading("for_whom.exploration"), page.text("for_whom.exploration_text"), lines]
    )


def show_limits(page: Page) -> Content:
    """What it does not say, and where each group's own number stands."""
    told = page.link("07_for_researchers", page.say("for_whom.researchers"))
    return join([page.text("for_whom.limits_text"), page.text("for_whom.where", link=told)])
