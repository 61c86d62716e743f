"""The page of one measure: what it is, who gets it, what happens, how sure, what is not said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from revictimisation.report.addresses import SWEDISH
from revictimisation.report.curves import NOBODY, list_ticks, make_curve
from revictimisation.report.described import (
    NOTHING,
    Content,
    Curves,
    CurveSeries,
    Piece,
    Stated,
    Text,
    join,
)
from revictimisation.report.evidence import (
    LIST,
    STEPS,
    Evidence,
    list_other_ways,
    rate_measure,
)
from revictimisation.report.formats import round_half_up, start_upper
from revictimisation.report.known_truth import find_coverage
from revictimisation.report.measure_use import find_share
from revictimisation.report.natural_frequencies import (
    count_people,
    describe_between,
    describe_both,
    describe_needed,
    describe_people,
    show_gap,
    show_hundred,
)
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import describe_within, finish, list_names
from revictimisation.report.sections.for_whom import describe_measure_groups
from revictimisation.report.sections.overlap import describe_overlap
from revictimisation.report.sections.start import CLEAR, show_rating
from revictimisation.report.sections.tipping import describe_nearest
from revictimisation.report.trials import (
    ARMS,
    describe_gates,
    find_arms,
    find_checks,
    find_effect,
    find_started,
    has_answer,
    has_rows,
    list_balance,
    list_checks,
    list_reasons,
)
from revictimisation.report.verdicts import FEWER, MORE, is_coordinated, is_joint, judge

HEIGHTS = (3.0, 3.1)  # in inches, for wide and narrow screens
AT_RISK = "n_at_risk"
LITTLE = "little_or_none"
FITTED = "fitted_weights"  # of whose measures the main answer has calibrated ones
TOO_UNLIKE, TOO_FEW = "no_answer_groups", ("no_answer_few", "no_answer_coarse")
MOST_NAMED = 3  # of what those compared differ in


def show_state(page: Page) -> Piece:
    """The answer in its fixed words, with the steps of certainty."""
    if not page.measure:
        return page.text("common.no_measures")
    found = rate_measure(page, page.measure)
    told = start_upper(page.labels.code(LIST, found.code))
    return Stated(told, show_rating(page, found) if found.rating else None, found.kind)


def show_what(page: Page) -> Piece:
    """What the measure is, who decides on it, on what legal ground, and what is counted."""
    measure = page.measure
    if not measure:
        return NOTHING
    one = page.plan.measures[measure]
    if is_joint(page, measure):
        within = page.formats.days(one.joint_within_days or 0)
        told = [page.say("measure.joint", within=within)]
    elif is_coordinated(page, measure):
        within = page.formats.days(one.shared_within_days or 0)
        told = [page.say("measure.coordinated", within=within)]
    else:
        told = _describe_code(page, measure if measure in one.codes else one.codes[0])
    if len(one.codes) > 1 and not one.is_coordinated:
        kinds = [page.labels.measure(code) for code in one.codes if code != measure]
        told.append(page.say("measure.codes", codes=list_names(page, kinds)))
    return join([page.heading("measure.what"), Text(" ".join(told))])


def _describe_code(page: Page, code: str) -> list[str]:
    """What the dictionary says of a code; nothing of one that it does not know."""
    frame = page.dictionary.code_lists["measures"]
    rows = frame[frame["code"] == code].to_dict("records")
    if not rows:
        return []
    who = rows[0][f"decided_by_{page.language}"]
    basis = rows[0]["legal_basis" if page.language == SWEDISH else f"legal_basis_{page.language}"]
    return [rows[0][f"about_{page.language}"], page.say("measure.decided", who=who),
            page.say("measure.basis", basis=basis)]  # fmt: skip


def show_who(page: Page) -> Piece:
    """Who gets it and who does not, in a sentence."""
    measure = page.measure
    if not measure:
        return NOTHING
    share = find_share(page, measure)
    if not share.is_shown:
        why = page.say("measure.who_hidden", why=page.why_not(share))
        return join([page.heading("measure.who"), Text(why)])
    told = [page.say("measure.who_all", share=page.formats.of_hundred(share.estimate or 0.0))]
    by_risk = {level: find_share(page, measure, subgroup="risk_level", level=level)
               for level in ("high", "low")}  # fmt: skip
    if all(number.is_shown for number in by_risk.values()):
        shares = {level: page.formats.of_hundred(number.estimate or 0.0)
                  for level, number in by_risk.items()}  # fmt: skip
        told.append(page.say("measure.who_risk", **shares))
    started = find_started(page, measure)
    if started.is_shown and started.n_events is not None:
        told.append(page.say("measure.who_started", n=page.formats.count(started.n_events),
                             share=page.formats.of_hundred(started.estimate or 0.0),
                             within=describe_within(page, measure)))  # fmt: skip
    return join([page.heading("measure.who"), Text(" ".join(told))])


def show_effect(page: Page) -> Piece:
    """`Utan: 40, med: 38 av 100`, the interval of the difference, both curves; else why not."""
    measure = page.measure
    if not measure:
        return NOTHING
    gap = find_effect(page, measure)
    if not has_answer(page, measure):
        return join([page.heading("measure.why"), _list_why(page, measure, gap),
                     Text(describe_overlap(page, measure))])  # fmt: skip
    given = {
        "period": page.formats.period(page.last_day),
        "within": describe_within(page, measure),
        "people": describe_people(page, gap.estimate or 0.0),
        "between": describe_between(page, gap),
    }
    start, no_start = find_arms(page, measure)
    kind = rate_measure(page, measure).kind
    if start.is_shown and no_start.is_shown:
        ends = {arm: count_people(page, number.estimate or 0.0)
                for arm, number in zip(ARMS, (start, no_start), strict=True)}  # fmt: skip
        n_start, n_no_start = (
            round_half_up(100 * (one.estimate or 0.0)) for one in (start, no_start)
        )
        is_apart = abs(n_start - n_no_start) != round_half_up(100 * abs(gap.estimate or 0.0))
        given["between"] += f" ({page.say('measure.rounded')})" if is_apart else ""
        key = "measure.arrow_open" if kind == "open" else "measure.arrow"
        told: list[Piece] = [Text(page.say(key, **ends), f"arrow {kind}"),
                             page.text("measure.arrow_told", **given)]  # fmt: skip
    else:
        told = [page.text("measure.gap_told", **given)]
    told.append(Text(_describe_earlier(page, measure, gap)))
    needed = find_effect(page, measure, "number_needed_to_treat")
    told.append(Text(describe_needed(page, gap, needed)))
    return join([page.heading("measure.effect"), *told, _show_curves(page, measure)])


def _list_why(page: Page, measure: str, gap: Number) -> Piece:
    """Why there is no answer, a line for each check that did not hold."""
    told = [finish(describe_gates(page, [one])) for one in list_reasons(page, measure, gap)]
    return Text(told[0] if len(told) == 1 else "\n".join(f"- {one}" for one in told))


def _describe_earlier(page: Page, measure: str, gap: Number) -> str:
    """Differences that exclude none at earlier days, where that of the last day does not."""
    if judge(gap, same=0.0) in (FEWER, MORE):
        return ""
    found = {day: find_effect(page, measure, day=day) for day in page.plan.days_within_horizon}
    told = [page.say("measure.earlier", period=page.formats.period(day),
                     people=describe_people(page, one.estimate or 0.0),
                     between=describe_between(page, one))
            for day, one in found.items() if judge(one, same=0.0) in (FEWER, MORE)]  # fmt: skip
    return " ".join([*told, page.say("measure.earlier_note")]) if told else ""


def _show_curves(page: Page, measure: str) -> Piece:
    """The two curves with their bands and how many are followed; the numbers behind them."""
    curves = [_make_curve(page, measure, arm) for arm in ARMS]
    table = _tabulate(page, measure)
    if not all(len(curve.days) > 1 for curve in curves):
        return table
    picture = Curves(
        curves,
        list_ticks(page),
        page.formats.way("percent_short"),
        HEIGHTS,
        x_label=page.say("measure.curve_x"),
        y_label=page.say("measure.curve_y"),
        at_risk=_list_at_risk(page, measure),
        at_risk_label=page.say("measure.curve_at_risk"),
    )
    ends = {arm: page.formats.of_hundred(one.estimate[-1])
            for arm, one in zip(ARMS, curves, strict=True)}  # fmt: skip
    alt = page.say("measure.curve_alt", period=page.formats.period(int(curves[0].days[-1])), **ends)
    finding = page.say(f"measure.curve_finding_{rate_measure(page, measure).kind}",
                       period=page.formats.period(page.last_day))  # fmt: skip
    return page.figure(picture, alt, finding, table)


def _make_curve(page: Page, measure: str, arm: str) -> CurveSeries:
    found = [
        (day, find_effect(page, measure, f"risk_{arm}", day, analysis="curve"))
        for day in page.plan.curve_days
        if day
    ]
    if not any(number.is_shown for _, number in found):
        days = page.plan.days_within_horizon
        found = [(day, find_effect(page, measure, f"risk_{arm}", day)) for day in days]
    return make_curve(page.say(f"measure.curve_{arm}"), [NOBODY, *found], f"strategies.{arm}")


def _list_at_risk(page: Page, measure: str) -> Sequence[tuple[str, Sequence[tuple[float, str]]]]:
    """How many are followed in each arm by the study's days; nothing where no day is told.

    On day 0 everybody is in both arms.
    """
    checks, every = list_checks(page, measure), find_effect(page, measure).n_people
    told = []
    for arm in ARMS:
        found = {day: find_checks(checks, AT_RISK, day).get(arm)
                 for day in page.plan.days_within_horizon}  # fmt: skip
        known = [(float(day), DASH if one.value is None else page.formats.count(one.value))
                 for day, one in found.items() if one is not None]  # fmt: skip
        if known:
            start = DASH if every is None else page.formats.count(every)
            told.append((page.say(f"measure.curve_{arm}"), [(0.0, start), *known]))
    return told


def _tabulate(page: Page, measure: str) -> Piece:
    """Both risks and their difference at the study's days."""
    rows = []
    for day in page.plan.report_at_days:
        cells = [show_hundred(page, arm) for arm in find_arms(page, measure, day)]
        gap = show_gap(page, find_effect(page, measure, day=day))
        rows.append([page.formats.period(day), *cells, gap])
    heads = [page.say("common.time"), *(page.say(f"trials.head_{name}") for name in (*ARMS, "gap"))]
    return page.table(page.say("measure.curve_table"), heads, rows)


def show_sure(page: Page) -> Piece:
    """The steps of certainty, and what lowers them."""
    if not page.measure:
        return NOTHING
    found = rate_measure(page, page.measure)
    if found.kind == "none":
        return NOTHING
    return join([page.heading("measure.sure"), Text(_describe_rating(page, found))])


def _describe_rating(page: Page, found: Evidence) -> str:
    told = page.say("measure.sure_rating", n=found.rating, steps=STEPS,
                    most=page.plan.evidence.highest_rating)  # fmt: skip
    if found.code == LITTLE:
        least = page.formats.count(100 * page.plan.evidence.small_difference)
        told = f"{told} {page.say('measure.sure_little', least=least)}"
    if has_rows(page, analysis=FITTED, measure=page.measure):
        told = f"{told} {page.say('measure.sure_calibrated')}"
    if not found.lowered:
        return f"{told} {page.say('measure.sure_unlowered')}"
    share, n = find_coverage(page, page.measure) or (0.0, 0)
    held = {"coverage": page.formats.percent(share, 0), "n": page.formats.count(n)}
    why = [page.say(f"measure.lowered_{one}", **held) for one in found.lowered]
    return f"{told} {page.say('measure.sure_lowered')} {list_names(page, why)}."


def show_for_whom(page: Page) -> Piece:
    """A line on who is helped more, with a link; nothing without an answer."""
    if not (page.measure and has_answer(page, page.measure)):
        return NOTHING
    heading = page.heading("measure.for_whom")
    link = page.link("04_for_whom", page.say("measure.for_whom_link"))
    return join([heading, Text(f"{describe_measure_groups(page, page.measure)} {link}.")])


def show_change(page: Page) -> Piece:
    """What would change the answer: other ways of counting, and something unknown.

    Without an answer what one would take, where the data can tell.
    """
    measure = page.measure
    if not measure:
        return NOTHING
    if not has_answer(page, measure):
        told = _list_needed(page, measure)
        return join([page.heading("measure.needed"), Text(" ".join(told))]) if told else NOTHING
    ways = list_other_ways(page, measure)
    given: dict[str, Any] = {"n": sum(agrees for _, _, agrees in ways), "n_all": len(ways)}
    told = [page.say("measure.change_ways" if ways else "measure.change_none", **given)]
    told += [page.say("measure.change_other", way=way, both=describe_both(page, gap))
             for way, gap, agrees in ways if not agrees]  # fmt: skip
    told.append(describe_nearest(page, measure))
    link = page.link("06_how_we_know", page.say("common.menu_06_how_we_know"))
    told.append(page.say("measure.change_hidden", link=link))
    return join([page.heading("measure.change"), Text(" ".join(told))])


def _list_needed(page: Page, measure: str) -> list[str]:
    """What an answer would take: people who are alike, or more of them."""
    code = rate_measure(page, measure).code
    if code in TOO_FEW:
        return [page.say("measure.needed_more")]
    if code != TOO_UNLIKE:
        return []
    limit = page.plan.gates.largest_standardised_difference
    apart = {name: value for name, value in list_balance(page, measure).items() if value > limit}
    most = sorted(apart, key=lambda name: -apart[name])[:MOST_NAMED]
    names = [page.labels.group(name).lower() for name in most]
    told = [page.say("measure.needed_unlike", groups=list_names(page, names))] if names else []
    return [*told, page.say("measure.needed_match")]


def show_unsaid(page: Page) -> Content:
    """What can be decided on the answer, and what it does not say."""
    if not page.measure:
        return NOTHING
    kind = rate_measure(page, page.measure).kind
    decide = "clear" if kind in CLEAR else "open"
    decided = page.say(f"measure.decide_{decide}")
    invented = page.say("measure.decide_invented") if page.release.is_synthetic else ""
    decided = start_upper(f"{invented} {decided}".strip())
    told = [page.say(f"measure.unsaid_{kind}")] if kind in ("open", "none") else []
    told.append(page.say("measure.unsaid_text"))
    return join([page.heading("measure.unsaid"), Text(decided), Text(" ".join(told))])
