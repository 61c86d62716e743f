"""Page 02: whether measures reach people: who gets what, on what way, how soon, and together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from revictimisation.estimators.intervals import difference_interval
from revictimisation.report.curves import make_curve
from revictimisation.report.described import (
    MOST_ROWS,
    NOTHING,
    Cell,
    Curves,
    CurveSeries,
    Folded,
    Piece,
    Table,
    Text,
    Written,
    join,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import IN, OUT, name_level
from revictimisation.report.measure_use import (
    ANY,
    HIGH,
    LOW,
    NEITHER,
    RISK,
    find_any,
    find_share,
    find_start,
    find_start_by,
    find_start_told,
    list_codes,
    list_used,
    name_agency,
    name_code,
    name_risk,
    note_grouped,
)
from revictimisation.report.page import DAYS, SHARE, Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import list_names
from revictimisation.report.texts import load_references
from revictimisation.report.trials import has_rows
from revictimisation.report.verdicts import is_joint, judge, name_measure

STEPS = ("offered", "granted", "declined", "denied", "carried_out")
KINDS = ("joint", "both_apart", "police_only", "social_services_only", NEITHER)
HONOUR, SHELTER = "is_honour", "sheltered_housing"
# the order in which groupings are shown, as long as there is room for all their levels
FIRST, LAST = (RISK, HONOUR), ("sex", "age_group", "relation", "police_district", "index_year")
N_SHADES = 10
NEARLY = 0.995  # would be said as a hundred of a hundred
N_ORDERS, NO_ORDER = 6, "none"


def describe_reach(page: Page) -> str:
    """The answer for the first page, in a line: what those at high risk got, and what was shared.

    Where who got nothing is too few to be told, how many had got something by the last of the days.
    """
    high, everyone = {"subgroup": RISK, "level": HIGH}, find_any(page)
    if not everyone.is_shown:
        return page.say("reach.line_hidden", why=page.why_not(everyone))
    day = _list_sharing_days(page)[-1]
    shared, own, key = _find_shared(page, day), find_any(page, **high), "line"
    if not own.is_shown:
        own, everyone, key = (
            *(find_start_by(page, ANY, day, **one) for one in (high, {})),
            "line_start",
        )
    if not (own.is_shown and shared.is_shown and everyone.is_shown):
        return page.say("reach.line_any", any=_hundred(page, find_any(page)))
    return page.say(f"reach.{key}", high=_hundred(page, own), any=_hundred(page, everyone),
                    days=page.formats.days(day), shared=_hundred(page, shared))  # fmt: skip


def _hundred(page: Page, number: Number) -> str:
    """`89 av 100`; not a hundred where somebody is left."""
    share = number.estimate or 0.0
    return page.say("reach.nearly") if NEARLY <= share < 1 else page.formats.of_hundred(share)


def show_lead(page: Page) -> Piece:
    """Whether something is done, and the three measures that are used most."""
    facts = join([_describe_any(page), page.text("reach.facts", horizon=page.horizon)])
    shown = [(code, number) for code, number in list_used(page) if number.is_shown][:3]
    parts: list[Piece] = [Text(f"**{describe_reach(page)}**")]
    if len(shown) == 3:
        used = [
            page.say("reach.used_one", measure=name_measure(page, code), share=_hundred(page, one))
            for code, one in shown
        ]
        of_shown = page.say_of_shown(number for _, number in list_used(page))
        parts.append(page.text("reach.used", measures=list_names(page, used), of_shown=of_shown))
    return join([*parts, facts])


def _describe_any(page: Page) -> Piece:
    """What counts as something, and how many got a measure that the study asks about."""
    none = _find_order(page, NO_ORDER)
    if not none.is_shown:
        return page.text("reach.any_means_plain")
    share = start_upper(_hundred(page, replace(none, estimate=1 - (none.estimate or 0.0))))
    return page.text("reach.any_means", share=share)


def show_who(page: Page) -> Piece:
    """Groups as rows, measures as columns, shaded by how many got the measure."""
    measures = page.plan.measure_names
    if not measures:
        return page.text("common.no_measures")
    rows: list[list[Written]] = [_shade_row(page, start_upper(page.say("common.everyone")), {})]
    for found in _list_parts(page):
        if len(rows) + len(found) <= MOST_ROWS:
            rows += found
    heads = [page.say("common.group"), page.say("reach.any"),
             *(start_upper(name_measure(page, one)) for one in measures)]  # fmt: skip
    high, low = (find_any(page, subgroup=RISK, level=one) for one in (HIGH, LOW))
    key = "who_caption" if high.is_shown and low.is_shown else "who_caption_plain"
    given = (
        {}
        if key == "who_caption_plain"
        else {"high": _hundred(page, high), "low": _hundred(page, low)}
    )
    notes = [page.say("reach.who_note")]
    table = Table(page.say(f"reach.{key}", **given), heads, rows, notes, "heat",
                  take=page.say("common.take_along"))  # fmt: skip
    return join([table, _show_claims(page)])


def _list_parts(page: Page) -> Iterator[list[list[Written]]]:
    """Of each grouping its name and its levels; the groups that claims are about together."""
    for grouping in FIRST:
        yield _list_levels(page, grouping)
    combined = [one for one in page.plan.for_whom.combined if page.levels("q1", one)]
    yield _head_rows(page.say("reach.combined"), [
        _shade_row(page, page.labels.group(one), {"subgroup": one, "level": IN}) for one in combined
    ])  # fmt: skip
    for grouping in LAST:
        yield _list_levels(page, grouping)


def _list_levels(page: Page, grouping: str) -> list[list[Written]]:
    name = name_risk if grouping == RISK else lambda page, one: page.labels.level(grouping, one)
    return _head_rows(page.labels.group(grouping), [
        _shade_row(page, start_upper(name(page, one)), {"subgroup": grouping, "level": one})
        for one in page.levels("q1", grouping)
    ])  # fmt: skip


def _head_rows(title: str, rows: list[list[Written]]) -> list[list[Written]]:
    return [[Cell(title, kind="part")], *rows] if rows else []


def _shade_row(page: Page, name: str, keys: dict[str, str]) -> list[Written]:
    """A row: its name with how many follow-ups, the share with anything, and with each measure."""
    found = [find_any(page, **keys),
             *(find_share(page, one, **keys) for one in page.plan.measure_names)]  # fmt: skip
    n = page.release.count_level(keys.get("subgroup", ""), keys.get("level", ""))
    head = Cell(name) if n is None else Cell(name).above(page.formats.count(n))
    return [head, *(show_shade(page, one) for one in found)]


def show_shade(page: Page, number: Number) -> Cell:
    """A cell with a share in whole per cent, the darker the larger it is."""
    cell = page.show(number, lambda share: page.formats.percent_short(share)[:-1].strip(), SHARE)
    if not number.is_shown:
        return replace(cell, told="–", kind="shade none")
    step = min(int((number.estimate or 0.0) * N_SHADES), N_SHADES - 1)
    return replace(cell, kind=f"shade s{step}")


def _show_claims(page: Page) -> Piece:
    """The field's claims about who is reached, tried on who got anything at all."""
    combined = page.plan.for_whom.combined
    told = [_describe_claim(page, one) for one in (HONOUR, *combined) if page.levels("q1", one)]
    told += [
        page.say("reach.claim_one_municipality", group=page.labels.group(one))
        for one in combined
        if has_rows(page, subgroup=one, reason="one_municipality")
    ]
    if not told:
        return NOTHING
    return join([page.text("reach.claims"), Text("\n".join(f"- {one}" for one in told))])


def _describe_claim(page: Page, grouping: str) -> str:
    """How many of a group got anything, against all others, and whether it is more than chance."""
    own, other = (find_any(page, subgroup=grouping, level=level) for level in (IN, OUT))
    group = start_upper(name_level(page, grouping, IN))
    if not (own.has_interval and other.has_interval):
        return page.say(
            "reach.claim_hidden", group=group, why=page.why_not(other if own.is_shown else own)
        )
    verdict = judge(find_share_gap(own, other), same=0.0)
    return page.say(f"reach.claim_{verdict}", group=group, share=_hundred(page, own),
                    other=_hundred(page, other))  # fmt: skip


def find_share_gap(own: Number, other: Number) -> Number:
    """A share less another of other people, by their intervals (Newcombe 1998)."""
    one, two = ((number.estimate, number.ci_low, number.ci_high) for number in (own, other))
    low, high = difference_interval(*one, two)  # type: ignore[arg-type]
    return replace(own, estimate=one[0] - two[0], ci_low=float(low), ci_high=float(high))  # type: ignore[operator]


def show_way(page: Page) -> Piece:
    """From considered to carried out: a bar for each step of each measure."""
    names = [one for one in page.plan.measure_names if not is_joint(page, one)]
    if not names:
        return page.text("common.no_measures")
    heads = [page.say(f"common.{step}") for step in STEPS]
    shares = {name: [find_share(page, name, step) for step in STEPS] for name in names}
    top = max([one.estimate or 0.0 for found in shares.values() for one in found if one.is_shown],
              default=1.0)  # fmt: skip
    rows = [
        [start_upper(name_measure(page, name)),
         *(page.show_bar(one, head, top) for one, head in zip(found, heads, strict=True))]
        for name, found in shares.items()
    ]  # fmt: skip
    most = {step: _find_most(page, shares, step) for step in ("denied", "declined")}
    caption = page.say("reach.way_caption", **most) if all(most.values()) else (
        page.say("reach.way_plain"))  # fmt: skip
    table = page.table(caption, [page.say("common.measure"), *heads], rows, kind="stacked steps")
    return join([table, page.text("reach.way_note")])


def _find_most(page: Page, shares: dict[str, list[Number]], step: str) -> str:
    """The measure of which the largest part of those considered ended so, and that part; empty
    where of no measure both shares are shown.
    """
    offered, ended = 0, STEPS.index(step)
    parts = {name: (found[ended].estimate or 0.0) / whole
             for name, found in shares.items()
             if found[ended].is_shown and (whole := found[offered].estimate)}  # fmt: skip
    if not parts:
        return ""
    most = max(parts, key=lambda name: parts[name])
    told = page.say("reach.way_one", measure=name_measure(page, most),
                    share=page.formats.of_hundred(parts[most]))  # fmt: skip
    return told + page.say_of_shown(found[ended] for found in shares.values())


def show_soon(page: Page) -> Piece:
    """How many have got something, day by day, by risk; and each measure by a few days."""
    if not find_start_by(page, ANY, page.plan.start_days[-1]).is_shown:
        why = page.why_not(find_start(page, ANY, page.plan.start_days[-1]))
        return page.text("common.nothing_to_show", why=why)
    until = min(
        page.plan.definitions.daily_start_days or page.plan.horizon_days, page.plan.horizon_days
    )
    days = [day for day in page.plan.start_days if day <= until]
    levels = [
        level
        for level in page.levels("q1", RISK)
        if any(find_start(page, ANY, day, subgroup=RISK, level=level).is_shown for day in days)
    ]
    series = [_draw_starts(page, days, level) for level in levels] or [_draw_starts(page, days)]
    ticks = [(float(day), page.formats.count(day)) for day in _list_ticks(until)]
    picture = Curves(
        series, ticks, page.formats.way("percent_short"), x_label=page.say("reach.soon_days"),
        y_label=page.say("reach.soon_share"), top=1.0,
    )  # fmt: skip
    caption = _describe_soon(page, levels)
    ends = "; ".join(filter(None, (_describe_end(page, days, one) for one in levels or [""])))
    alt = page.say("reach.soon_alt", finding=caption, ends=ends)
    figure = page.figure(picture, alt, caption, _soon_table(page, levels))
    return join([figure, page.text("reach.soon_note")])


def _list_level(level: str) -> dict[str, str]:
    return {"subgroup": RISK, "level": level} if level else {}


def _draw_starts(page: Page, days: list[int], level: str = "") -> CurveSeries:
    """A curve to the last day: what is not told apart from an earlier day stands as on that."""
    keys = _list_level(level)
    found = [(day, find_start(page, ANY, day, **keys)) for day in days[:-1]]
    found.append((days[-1], find_start_by(page, ANY, days[-1], **keys)))
    return make_curve(name_risk(page, level) if level else "", found, f"risks.{level}")


def _describe_end(page: Page, days: list[int], level: str) -> str:
    """The last day of a curve that is told itself, and its number."""
    found = ((day, find_start(page, ANY, day, **_list_level(level))) for day in reversed(days))
    last = next(((day, one) for day, one in found if one.is_shown), None)
    if last is None:
        return ""
    told = {"day": page.formats.count(last[0]),
            "share": page.formats.percent(last[1].estimate or 0.0, 0)}  # fmt: skip
    name = name_risk(page, level) if level else ""
    return f"{name} {page.say('reach.soon_end', **told)}".strip()


def _list_ticks(until: int) -> Iterator[int]:
    """Days below the curves: every tenth, or as many parts of a longer time."""
    step = max(10, -(-until // 6))
    return iter(range(0, until + 1, step))


def _list_sharing_days(page: Page) -> tuple[int, ...]:
    return tuple(page.plan.definitions.shared_within_days)


def _describe_soon(page: Page, levels: Sequence[str]) -> str:
    """How many had got something within the first of the days that assessments are shared in."""
    day = _list_sharing_days(page)[0]
    found = {one: find_start_by(page, ANY, day, subgroup=RISK, level=one) for one in levels}
    if all(one in found and found[one].is_shown for one in (HIGH, LOW)):
        return page.say(
            "reach.soon_by_risk",
            days=page.formats.days(day),
            high=_hundred(page, found[HIGH]),
            low=_hundred(page, found[LOW]),
        )
    everyone = find_start_by(page, ANY, day)
    if not everyone.is_shown:
        return page.say("reach.soon_plain")
    return page.say("reach.soon_all", days=page.formats.days(day), share=_hundred(page, everyone))


def _soon_table(page: Page, levels: Sequence[str]) -> Piece:
    """By risk, and each measure by itself: the share by a few days, and by the end."""
    days = sorted(
        {0, *_list_sharing_days(page), page.plan.definitions.daily_start_days, page.last_day}
    )
    days = [day for day in days if day <= page.plan.horizon_days]
    kinds: list[tuple[str, str, dict[str, str]]] = [(page.say("reach.any_everyone"), ANY, {})]
    kinds += [
        (
            page.say("reach.any_level", level=name_risk(page, one)),
            ANY,
            {"subgroup": RISK, "level": one},
        )
        for one in levels
    ]
    kinds += [(start_upper(name_measure(page, one)), one, {}) for one in page.plan.measure_names]
    rows = [
        [name, *(_show_start(page, of, day, **keys) for day in days)] for name, of, keys in kinds
    ]
    heads = [page.say("common.measure")]
    heads += [page.formats.period(one) if one == page.last_day else page.formats.days(one)
              for one in days]  # fmt: skip
    return page.table(
        page.say("reach.soon_table"), heads, rows, [page.say("reach.soon_table_note")]
    )


def _show_start(page: Page, measure: str, day: int, **keys: str) -> Cell:
    """The share by a day; where that of an earlier day stands for it, with that day."""
    told, number = find_start_told(page, measure, day, **keys)
    cell = page.show_share_both(number)
    return cell if told == day else cell.above(page.say("reach.soon_day", day=told))


def _find_shared(page: Page, day: int | None = None, **keys: str) -> Number:
    """The share of risk assessments that the other agency got, within some days or ever."""
    if day is None:
        return find_share(page, "", "shared", analysis="risk_assessment", **keys)
    return page.release.find(question="q1", analysis="risk_assessment", outcome="shared",
                             estimator="kaplan_meier", estimand="cumulative_incidence",
                             time_days=day, **keys)  # fmt: skip


def show_shared(page: Page) -> Piece:
    """Whether risk assessments reach the other agency, and whether something is done after them."""
    days, last = _list_sharing_days(page), _list_sharing_days(page)[-1]
    everyone = _find_shared(page, last)
    if not everyone.is_shown:
        return page.text("reach.shared_hidden", why=page.why_not(everyone))
    heads = [page.say("reach.shared_within", days=page.formats.days(day)) for day in days]
    heads += [page.say("reach.begun_within", days=page.formats.days(last)), page.say("reach.never")]
    rows = []
    for name, level in [(page.say("common.everyone"), ""), *(
        (name_risk(page, one), one) for one in (*page.levels("q1", RISK),) if one != "missing"
    )]:  # fmt: skip
        keys = {"subgroup": RISK, "level": level} if level else {}
        found = [*(_find_shared(page, day, **keys) for day in days),
                 find_start_by(page, ANY, last, **keys),
                 find_share(page, NEITHER, analysis="agencies", **keys)]  # fmt: skip
        rows.append(
            [
                start_upper(name),
                *(page.show_bar(one, head) for one, head in zip(found, heads, strict=True)),
            ]
        )
    caption = page.say("reach.shared_caption", share=_hundred(page, everyone),
                       days=page.formats.days(last))  # fmt: skip
    table = page.table(caption, [page.labels.group(RISK), *heads], rows, kind="stacked steps")
    return join([table, page.text("reach.shared_note")])


def show_together(page: Page) -> Piece:
    """Who carried something out: one agency, both, neither; and the commonest orders."""
    found = {kind: find_share(page, kind, analysis="agencies") for kind in KINDS}
    rows = [[start_upper(page.say(f"reach.kind_{kind}")), page.show_bar(one)]
            for kind, one in found.items() if one.reason != "not_computed"]  # fmt: skip
    if not rows:
        return page.text("common.nothing_to_show", why=page.why_not(Number()))
    within = [one.joint_within_days or 0 for one in page.plan.measures.values() if one.is_joint]
    joint, key = found["joint"], "together_plain"
    given: dict[str, str] = {}
    if within and joint.is_shown:
        key = "together_caption"
        given = {"joint": _hundred(page, joint), "within": page.formats.days(max(within))}
    heads = [page.say("common.group"), page.say("common.share")]
    notes = [page.say("reach.rounded")]
    table = page.table(page.say(f"reach.{key}", **given), heads, rows, notes, kind="bars")
    return join([table, _note_joint(page, joint)])


def _note_joint(page: Page, joint: Number) -> Piece:
    """Why the joint measure itself may count more follow-ups: one agency may begin before day 0."""
    names = [name for name in page.plan.measure_names if is_joint(page, name)]
    shares = [find_share(page, name) for name in names]
    if len(shares) != 1 or not (joint.is_shown and shares[0].is_shown):
        return NOTHING
    if _hundred(page, shares[0]) == _hundred(page, joint):
        return NOTHING
    return Text(page.say("reach.joint_before", share=_hundred(page, shares[0])), "note")


def _show_orders(page: Page) -> Piece:
    """The commonest orders in which people got the study's measures."""
    levels = page.release.level_names.get(("q1", "sequence"), ())[:N_ORDERS]
    rows = [[start_upper(_describe_order(page, level)), page.show_bar(_find_order(page, level))]
            for level in levels]  # fmt: skip
    if not rows:
        return NOTHING
    heads = [page.say("reach.order"), page.say("common.share")]
    return page.table(page.say("reach.order_caption"), heads, rows, kind="bars")


def _find_order(page: Page, level: str) -> Number:
    return find_share(page, "", level=level, analysis="sequence", subgroup="sequence")


def _describe_order(page: Page, level: str) -> str:
    if level == NO_ORDER:
        return page.say("reach.order_none")
    return " → ".join(name_measure(page, name) for name in level.split(" > "))


def show_codes(page: Page) -> Piece:
    """Folded, each code by itself: who decides, how often it is carried out, how long it lasts."""
    codes = list_codes(page)
    if not codes:
        return NOTHING
    rows = []
    for code, share in codes:
        mean, median = (_find_duration(page, code, kind) for kind in ("mean", "median"))
        rows.append(
            [
                start_upper(name_code(page, code)),
                name_agency(page, code),
                page.show_events(share),
                page.show_share_both(share),
                *(page.show(one, page.formats.count, DAYS) for one in (mean, median)),
            ]
        )
    names = ("agency", "n", "share", "mean", "median")
    heads = [page.say("common.measure"), *(page.say(f"reach.codes_{one}") for one in names)]
    notes = [*note_grouped(page), page.say("reach.codes_note")]
    table = page.table(page.say("reach.codes_caption"), heads, rows, notes)
    shelter = Text(_describe_shelter(page))
    return Folded(page.say("reach.codes"), join([_show_orders(page), shelter, table]))


def _find_duration(page: Page, code: str, kind: str) -> Number:
    keys = {"question": "q1", "analysis": "duration", "outcome": "carried_out"}
    estimand = f"duration_{kind}_days"
    return page.release.find(measure=code, estimator="description", estimand=estimand, **keys)


def _describe_shelter(page: Page) -> str:
    """How long stays in sheltered housing last; beside the published mean in a real county."""
    mean, known = _find_duration(page, SHELTER, "mean"), load_references()["shelter_stay"]
    beside = page.say("common.set_by") if page.release.is_synthetic else page.say(
        "reach.shelter_published", published=page.formats.days(known["estimate"]),
        year=int(known["year"]),
    )  # fmt: skip
    if not mean.is_shown:
        return ""
    interval = page.show_interval(mean, lambda low, high: page.formats.range(low, high, 0), DAYS)
    told = page.say(
        "reach.shelter", mean=page.formats.days(mean.estimate or 0.0), interval=interval
    )
    return f"{told} {beside}"
