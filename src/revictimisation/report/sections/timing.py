"""Does it matter when help comes and how long it lasts: what trials that begin later say."""

from __future__ import annotations

from revictimisation.core.packing import (
    AFTER_SHELTER,
    ALL_STARTS,
    CONTINUED,
    KEPT,
    LANDMARK,
    PER_PROTOCOL,
    SEQUENTIAL,
    SHELTER_END,
    SUSTAINED,
    TRIAL_START,
    pack_contrast,
    pack_day,
)
from revictimisation.report.described import NOTHING, Folded, Piece, Text, join
from revictimisation.report.natural_frequencies import (
    describe_between,
    describe_people,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import finish
from revictimisation.report.trials import (
    ARMS,
    DIFFERENCE,
    WEIGHTING,
    add_events,
    describe_gates,
    has_answer,
    has_rows,
)
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, judge

PHASES = ("acute", "intermediate", "long_term")
LATER = PHASES[1:]
LASTING = (KEPT, CONTINUED)


def find_trials(
    page: Page, measure: str, level: str, day: int, estimand: str, analysis: str = SEQUENTIAL
) -> Number:
    """A number of the trials of a phase or a landmark, so many days after they began."""
    return page.release.find(
        question="q2",
        analysis=analysis,
        measure=measure,
        subgroup=LANDMARK if level.startswith("day_") else TRIAL_START,
        level=level,
        outcome=page.plan.outcome.who,
        estimator="sequential_trial",
        estimand=estimand,
        time_days=day,
    )


def show_when(page: Page) -> Piece:
    """On a measure's page: whether early and late help differ; folded, what each phase says.

    Nothing where the main question has no answer; a phase without one says why.
    """
    measure = page.measure
    is_told = measure and has_rows(page, analysis=SEQUENTIAL, measure=measure)
    if not is_told or not has_answer(page, measure):
        return NOTHING
    day = page.plan.sequential.at_days[-1]
    found = {phase: find_trials(page, measure, phase, day, DIFFERENCE) for phase in PHASES}
    lines = [f"- **{_name_phase(page, phase)}:** {_describe_phase(page, number)}"
             for phase, number in found.items()]  # fmt: skip
    told = page.text("measure.when_text", period=page.formats.period(day))
    by_phase = Folded(page.say("measure.when_phases"), join([told, Text("\n".join(lines))]))
    apart = Text(_describe_contrasts(page, measure, day))
    return join([page.heading("measure.when"), apart, by_phase])


def _name_phase(page: Page, phase: str) -> str:
    """`Dag 31–180`: the days of a phase."""
    first, second = page.plan.sequential.phase_ends
    days = {"acute": (0, first), "intermediate": (first + 1, second)}
    if phase not in days:
        return page.say("measure.when_from", day=second + 1)
    return page.say("measure.when_days", first=days[phase][0], last=days[phase][1])


def _describe_phase(page: Page, gap: Number) -> str:
    verdict = judge(gap, same=0.0)
    if verdict == HIDDEN:
        why = describe_gates(page, [page.name_reason(gap)], "short")
        return page.say("measure.when_hidden", why=finish(why))
    between = describe_between(page, gap)
    if verdict not in (FEWER, MORE):
        return page.say("measure.when_open", between=between)
    people = describe_people(page, gap.estimate or 0.0)
    return page.say("measure.when_clear", people=people, between=between)


def _describe_contrasts(page: Page, measure: str, day: int) -> str:
    """Whether a later phase differs from the first: yes, cannot be told, or not compared."""
    gaps = [find_trials(page, measure, pack_contrast(phase, PHASES[0]), day, DIFFERENCE)
            for phase in LATER]  # fmt: skip
    verdicts = [judge(gap, same=0.0) for gap in gaps]
    if all(one == HIDDEN for one in verdicts):
        return page.say("measure.when_uncompared")
    if any(one in (FEWER, MORE) for one in verdicts):
        return page.say("measure.when_differs")
    return page.say("measure.when_same")


def show_lasting(page: Page) -> Piece:
    """On a measure's page, folded: whether it matters how long it lasts, from its start and later.

    Nothing where the main question has no answer; a comparison without one says why.
    """
    measure = page.measure
    is_told = measure and has_rows(page, analysis=SUSTAINED, measure=measure)
    if not is_told or not has_answer(page, measure):
        return NOTHING
    asked, days = page.plan.sequential, page.formats.days
    keep, period = days(asked.keep_days), page.formats.period(asked.at_days[-1])
    names = [page.say("measure.lasting_kept"),
             page.say("measure.lasting_continued", quiet=days(asked.quiet_days))]  # fmt: skip
    answers = [_describe_phase(page, _find_lasting(page, measure, level, DIFFERENCE))
               for level in LASTING]  # fmt: skip
    lines = [f"- **{name}:** {answer}" for name, answer in zip(names, answers, strict=True)]
    content = [page.text("measure.lasting_text", keep=keep, period=period), Text("\n".join(lines)),
               page.text("measure.lasting_unseen")]  # fmt: skip
    return join([
        page.heading("measure.lasting"),
        Folded(page.say("measure.lasting_both"), join(content)),
    ])  # fmt: skip


def _find_lasting(page: Page, measure: str, level: str, estimand: str) -> Number:
    """A number of keeping a measure against ending it, by the last day."""
    return page.release.find(
        question="q2", analysis=SUSTAINED, measure=measure, subgroup=TRIAL_START, level=level,
        outcome=page.plan.outcome.who, estimator=WEIGHTING, estimand=estimand,
        time_days=page.plan.sequential.at_days[-1],
    )  # fmt: skip


def show_when_numbers(page: Page) -> Piece:
    """For referees: the difference of each phase and landmark, and between phases, by measure.

    After a stay in shelter; and how long the measure lasts.
    """
    parts = [_tabulate(page, [*PHASES, ALL_STARTS], "when_phases")]
    contrasts = [pack_contrast(phase, PHASES[0]) for phase in LATER]
    landmarks = [pack_day(day) for day in page.plan.sequential.landmarks]
    parts += [_tabulate(page, [*landmarks, *contrasts], "when_apart"), _tabulate_shelter(page)]
    told = [part for part in parts if part is not NOTHING]
    told = [page.text("referees.when_text"), *told] if told else []
    lasting = [part for part in _tabulate_lasting(page) if part is not NOTHING]
    if lasting:
        keep = page.formats.days(page.plan.sequential.keep_days)
        told += [page.text("referees.lasting_text", keep=keep), *lasting]
    return join(told) if told else NOTHING


def _tabulate_lasting(page: Page) -> list[Piece]:
    """Both risks and their difference of keeping a measure; the phases with it kept."""
    named = [one for one in page.plan.sequential.keep
             if has_rows(page, analysis=SUSTAINED, measure=one)]  # fmt: skip
    if not named:
        return []
    rows = []
    for measure in named:
        for level in LASTING:
            gap = _find_lasting(page, measure, level, DIFFERENCE)
            arms = (_find_lasting(page, measure, level, f"risk_{arm}") for arm in ARMS)
            cells = [show_hundred(page, one if gap.is_shown else gap) for one in arms]
            name = page.labels.level(TRIAL_START, level)
            rows.append([page.labels.measure(measure), name, *cells, show_gap(page, gap)])
    heads = [page.say("common.measure"), page.say("referees.lasting_head_from"),
             *(page.say(f"referees.lasting_head_{name}") for name in ("kept", "ended")),
             page.say("trials.head_gap")]  # fmt: skip
    asked = page.plan.sequential
    told = {"keep": page.formats.days(asked.keep_days),
            "period": page.formats.period(asked.at_days[-1])}  # fmt: skip
    phases = _tabulate(page, [*PHASES, ALL_STARTS], "lasting_phases", PER_PROTOCOL, **told)
    return [page.table(page.say("referees.lasting_table", **told), heads, rows), phases]


def _tabulate(
    page: Page, levels: list[str], text: str, analysis: str = SEQUENTIAL, **told: str
) -> Piece:
    """The differences of these levels by their last day, a row per measure."""
    named = [one for one in page.plan.measure_names
             if has_rows(page, analysis=analysis, measure=one)]  # fmt: skip
    if not named:
        return NOTHING
    day = page.plan.sequential.at_days[-1]
    rows = []
    for measure in named:
        gaps = [find_trials(page, measure, level, day, DIFFERENCE, analysis) for level in levels]
        cells = [add_events(page, measure, gap, show_gap(page, gap)) for gap in gaps]
        rows.append([page.labels.measure(measure), *cells])
    heads = [page.say("common.measure"), *(_name_level(page, level) for level in levels)]
    caption = page.say(f"referees.{text}", **{"period": page.formats.period(day), **told})
    return page.table(caption, heads, rows)


def _name_level(page: Page, level: str) -> str:
    return _name_phase(page, level) if level in PHASES else page.labels.level(TRIAL_START, level)


def _tabulate_shelter(page: Page) -> Piece:
    """Both risks and their difference of what may follow a stay in shelter."""
    asked = page.plan.sequential
    named = [one for one in asked.after_shelter
             if has_rows(page, analysis=AFTER_SHELTER, measure=one)]  # fmt: skip
    if not named:
        return NOTHING
    day, rows = asked.at_days[-1], []
    same: dict[str, str | int] = {
        "question": "q2", "analysis": AFTER_SHELTER, "subgroup": TRIAL_START, "level": SHELTER_END,
        "outcome": page.plan.outcome.who, "time_days": day, "estimator": WEIGHTING,
    }  # fmt: skip
    for code in named:
        gap = page.release.find(measure=code, estimand=DIFFERENCE, **same)
        arms = (page.release.find(measure=code, estimand=f"risk_{arm}", **same) for arm in ARMS)
        cells = [show_hundred(page, one if gap.is_shown else gap) for one in arms]
        rows.append([page.labels.measure(code), *cells, show_gap(page, gap)])
    heads = [page.say("common.measure"),
             *(page.say(f"trials.head_{name}") for name in (*ARMS, "gap"))]  # fmt: skip
    within = page.formats.days(asked.after_shelter_days)
    caption = page.say("referees.when_shelter", within=within, period=page.formats.period(day))
    return page.table(caption, heads, rows)
