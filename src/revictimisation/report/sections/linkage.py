"""Notebook 8: whether the police's and the social services' people are the same, and what errs."""

from __future__ import annotations

import math

from revictimisation.report.charts import list_shares
from revictimisation.report.described import (
    NOTHING,
    Bars,
    Cell,
    Dots,
    DotSeries,
    Folded,
    Group,
    Piece,
    Scale,
    Table,
    Text,
    join,
    list_findings,
)
from revictimisation.report.forest import list_ticks
from revictimisation.report.natural_frequencies import show_gap
from revictimisation.report.page import DASH, Page
from revictimisation.report.release import LINKAGE, Number
from revictimisation.report.sections.cohort import list_words
from revictimisation.report.trials import find_effect, has_rows
from revictimisation.report.verdicts import judge, name_measure

SOCIAL, POLICE = AGENCIES = ("social_services", "police")
STATUSES = (
    "linked_by_number",
    "linked_by_probability",
    "unlinked_with_number",
    "no_number_unlinked",
)
STATUS, LINKED, MISSING = "link_status", "linked", "no_number_unlinked"
FOUND = 2  # so many of the statuses are links
YEAR, UNKNOWN = "index_year", "missing"
GROUPS = (YEAR, "age_group", "sex", "is_honour", "municipality_group")
PLACE = "municipality_code"
ERROR = "linkage_error"
OVERALL = ("missed_link_rate", "false_link_rate")
RATES = (
    "missed_link_rate", "missed_link_rate_by_probability", "false_link_rate",
    "false_link_rate_by_probability", "checked_missed_link_rate", "checked_false_link_rate",
)  # fmt: skip
# what is less is not told by how much
LEAST_MOVE = LEAST_SHARE = 0.001


def is_joined(page: Page) -> bool:
    """True if the extract was joined by `link`."""
    return has_rows(page, analysis=LINKAGE)


def _is_off(page: Page) -> bool:
    """Nobody was linked by probability: there is no trial on those with numbers."""
    return find_check(page, "checked_missed_link_rate") is None


def find_link_status(
    page: Page, agency: str, subgroup: str, level: str, outcome: str = ""
) -> Number:
    """The share of an agency's people of a group, or with a link status."""
    return page.release.find(
        question="q1", analysis=LINKAGE, measure=agency, subgroup=subgroup, level=level,
        outcome=outcome, estimator="description", estimand="share",
    )  # fmt: skip


def find_check(page: Page, name: str) -> Number | None:
    """A count or rate of the linkage, with its limits where it has any; None where it is not."""
    frame = page.release.diagnostics
    mine = frame[frame["analysis"].eq(LINKAGE)].drop_duplicates("check").set_index("check")
    if name not in mine.index:
        return None
    status = str(mine.loc[name, "status"])
    ends = [mine["value"].get(f"{name}{end}", math.nan) for end in ("", "_low", "_high")]
    value, low, high = (None if math.isnan(one) else float(one) for one in ends)
    return Number(value, low, high, status=status)


def show_lead(page: Page) -> Piece:
    """What a reader in haste must know: how many, how sure, and what it does to the answers."""
    if not is_joined(page):
        return page.text("linkage.not_joined")
    told = [_describe_found(page), _describe_errors(page), describe_moves(page)]
    return list_findings(told)


def _describe_found(page: Page) -> str:
    number, probable = (
        find_link_status(page, SOCIAL, STATUS, status) for status in STATUSES[:FOUND]
    )
    if number.estimate is None:
        return page.say("linkage.lead_unknown", why=page.why_not(number))
    write = page.formats.percent
    return page.say(
        "linkage.lead_found",
        n_clients=page.formats.count(number.n_people or 0),
        linked=write(number.estimate + (probable.estimate or 0.0)),
        number=write(number.estimate),
        probable=page.show_share(probable) if probable.is_shown else page.why_not(probable),
    )


def _describe_errors(page: Page) -> str:
    missed, false = (find_check(page, name) for name in OVERALL)
    if not (missed and false and missed.has_interval and false.has_interval):
        return ""
    spans = [page.formats.percent_range(one.ci_low or 0, one.ci_high or 0)
             for one in (missed, false)]  # fmt: skip
    return page.say(
        "linkage.lead_missed",
        missed=_describe_rate(page, missed),
        false=_describe_rate(page, false),
        missed_span=spans[0],
        false_span=spans[1],
    )


def _describe_rate(page: Page, number: Number) -> str:
    """A rate in per cent; less than can be written is not none."""
    if number.ci_high and (number.estimate or 0.0) < LEAST_SHARE:
        return page.say("linkage.under", least=page.formats.percent(LEAST_SHARE))
    return str(page.show_share(number))


def list_moved(page: Page) -> list[tuple[str, Number, Number]]:
    """The measures with a difference to correct: as it was found, and without linkage error."""
    found = [(name, find_effect(page, name), find_effect(page, name, analysis=ERROR))
             for name in page.plan.measure_names]  # fmt: skip
    return [one for one in found if one[1].has_interval and one[2].has_interval]


def describe_moves(page: Page) -> str:
    """How far linkage error moves the answers, and whether one of them becomes another."""
    moved = list_moved(page)
    if not moved:
        return page.say("linkage.lead_moves_none")
    changed = [name_measure(page, name) for name, before, after in moved
               if judge(before, 0.0) != judge(after, 0.0)]  # fmt: skip
    words = list_words(changed, page.say("linkage.and"))
    key = "linkage.verdicts_changed" if changed else "linkage.verdicts_same"
    verdicts = page.say(key, measures=words) if changed else page.say(key)
    most = find_most(moved)
    if most < LEAST_MOVE:
        return page.say("linkage.lead_moves_little", verdicts=verdicts)
    return page.say("linkage.lead_moves", most=_hundreds(page, most), verdicts=verdicts)


def find_most(moved: list[tuple[str, Number, Number]]) -> float:
    """The longest way between a difference before and after, as a share."""
    return max(abs(_move(before, after)) for _, before, after in moved)


def _move(before: Number, after: Number) -> float:
    return round((after.estimate or 0.0) - (before.estimate or 0.0), 6)


def _hundreds(page: Page, share: float) -> str:
    return page.formats.decimal(share * 100, 1)


def show_found(page: Page) -> Piece:
    """What became of the clients, as bars; the table holds both agencies."""
    if not is_joined(page):
        return NOTHING
    numbers = [find_link_status(page, SOCIAL, STATUS, status) for status in STATUSES]
    names = [page.say(f"linkage.status_{status}") for status in STATUSES]
    points = [
        None if number.estimate is None else (number.estimate, None, None) for number in numbers
    ]
    scale = Scale(
        page.formats.way("percent_short"),
        list_shares(max(number.estimate or 0.0 for number in numbers)),
        page.say("linkage.found_axis"),
    )
    picture = Bars(names, points, [0, 0, 2, 2], [], scale)
    told = "; ".join(f"{name}: {page.show_share(one)}"
                     for name, one in zip(names, numbers, strict=True))  # fmt: skip
    alt, caption = page.say("linkage.found_alt", told=told), page.say("linkage.found_caption")
    figure = page.figure(picture, alt, caption, _found_table(page))
    return join([page.heading("linkage.found"), page.text("linkage.found_text"), figure])


def _found_table(page: Page) -> Piece:
    numbers = {agency: [find_link_status(page, agency, STATUS, one) for one in STATUSES]
               for agency in AGENCIES}  # fmt: skip
    rows = []
    for at, status in enumerate(STATUSES):
        cells = [cell for agency in AGENCIES
                 for cell in (page.show_events(numbers[agency][at]),
                              page.show_share(numbers[agency][at]))]  # fmt: skip
        rows.append([page.say(f"linkage.status_{status}"), *cells])
    agencies = [page.say(f"linkage.agency_{one}") for one in AGENCIES]
    heads = [page.say("linkage.head_status")]
    for name in agencies:
        heads += [f"{name}: {page.say('common.people').lower()}",
                  page.say("common.share").lower()]  # fmt: skip
    notes = [_describe_rounding(page)]
    return page.table(page.say("linkage.found_table"), heads, rows, notes)


def _describe_rounding(page: Page) -> str:
    return page.say("common.note_rounded", rounding=page.plan.disclosure.rounding)


def show_errors(page: Page) -> Piece:
    """The shares missed and false with their limits, new identities, and what is not seen."""
    if not is_joined(page):
        return NOTHING
    rows = []
    for name in RATES:
        found = find_check(page, name)
        if found is not None:
            interval = page.show_share_interval(found) if found.has_interval else Cell(DASH)
            rows.append([page.say(f"linkage.rate_{name}"), _describe_rate(page, found), interval])
    heads = [page.say("linkage.head_error"), page.say("linkage.head_share")]
    table = page.table(
        page.say("linkage.errors_caption"), [*heads, page.say("common.interval")], rows
    )
    text = page.text("linkage.errors_text_off" if _is_off(page) else "linkage.errors_text")
    parts = [
        page.heading("linkage.errors"),
        text,
        table,
        _describe_identities(page),
        _describe_absent(page),
    ]
    return join([*parts, page.text("linkage.limits_text")])


def _describe_identities(page: Page) -> Piece:
    n, lost = (find_check(page, name)
               for name in ("n_new_identities", "n_links_lost_to_new_identities"))  # fmt: skip
    if n is None or lost is None or not n.is_shown:
        return page.text("linkage.identities_few")
    few = page.say("linkage.few", threshold=page.plan.disclosure.threshold)
    told = page.show_count(lost) if lost.is_shown else few
    return page.text("linkage.identities", n=page.show_count(n), lost=told)


def _describe_absent(page: Page) -> Piece:
    """People without a number who are in no file of persons; nothing where there are none."""
    n, lost = (find_check(page, name)
               for name in ("n_not_in_persons", "n_links_lost_to_not_in_persons"))  # fmt: skip
    if n is None or lost is None or not n.estimate:
        return NOTHING
    few = page.say("linkage.few", threshold=page.plan.disclosure.threshold)
    told = page.show_count(lost) if lost.is_shown else few
    return page.text("linkage.absent", n=page.show_count(n), lost=told)


def show_moves(page: Page) -> Piece:
    """The differences of the social services' measures before and after linkage error is undone."""
    moved = list_moved(page)
    if not (is_joined(page) or moved):
        return NOTHING
    parts = [page.heading("linkage.moves"), page.text("linkage.moves_text")]
    if not moved:
        return join([*parts, page.text("linkage.lead_moves_none")])
    series = [
        DotSeries(page.say("linkage.moves_before"), [one.point for _, one, _ in moved]),
        DotSeries(page.say("linkage.moves_after"), [one.point for *_, one in moved],
                         is_filled=False),
    ]  # fmt: skip
    ticks = list_ticks([point for one in series for point in one.points])
    scale = Scale(
        page.formats.way("points", 0), ticks, page.say("linkage.moves_axis"),
        reference=0.0,
    )  # fmt: skip
    picture = Dots([name_measure(page, one[0]) for one in moved], series, scale)
    period, most = page.formats.period(page.last_day), _hundreds(page, find_most(moved))
    alt = page.say("linkage.moves_alt", n=len(moved), most=most)
    caption = page.say("linkage.moves_caption", period=period)
    figure = page.figure(picture, alt, caption, _moves_table(page, moved))
    return join([*parts, figure, page.text("linkage.moves_note")])


def _moves_table(page: Page, moved: list[tuple[str, Number, Number]]) -> Piece:
    rows = [
        [name_measure(page, name), show_gap(page, before), show_gap(page, after),
         page.formats.points(_move(before, after))]
        for name, before, after in moved
    ]  # fmt: skip
    heads = [page.say("common.measure"),
             *(page.say(f"linkage.moves_{one}") for one in ("before", "after", "by"))]  # fmt: skip
    period = page.formats.period(page.last_day)
    return page.table(page.say("linkage.moves_table", period=period), heads, rows)


def show_who(page: Page) -> Piece:
    """Who is linked and who may be missing, by agency and group; municipalities folded."""
    if not is_joined(page):
        return NOTHING
    parts = [page.heading("linkage.who"), page.text("linkage.who_text")]
    for agency in AGENCIES:
        parts.append(page.heading(f"linkage.who_{agency}", level=3))
        groups = [one for one in GROUPS if set(_list_levels(page, agency, one)) - {UNKNOWN}]
        tables = [_group_table(page, agency, group) for group in groups]
        parts.append(Group(tuple(tables), "pair"))
        folded = _group_table(page, agency, PLACE)
        parts.append(Folded(page.say("linkage.who_municipalities"), folded))
    notes = [page.say("common.note_suppressed"), _describe_rounding(page)]
    return join([*parts, *(Text(note, "note") for note in notes)])


def _list_levels(page: Page, agency: str, group: str) -> list[str]:
    frame = page.release.estimates
    mine = frame[frame["analysis"].eq(LINKAGE) & frame["measure"].eq(agency)
                 & frame["subgroup"].eq(group)]  # fmt: skip
    return page.labels.sort_levels(group, dict.fromkeys(mine["level"]))


def _group_table(page: Page, agency: str, group: str) -> Piece:
    rows = []
    for level in _list_levels(page, agency, group):
        linked, missing = (
            find_link_status(page, agency, group, level, one) for one in (LINKED, MISSING)
        )
        known = next((one.n_people for one in (linked, missing) if one.n_people is not None), None)
        cells = [page.show_number(known), page.show_share(linked), page.show_share(missing)]
        rows.append([page.labels.level(group, level), *cells])
    heads = [page.say("common.group"), page.say("common.people"),
             page.say("linkage.who_linked"), page.say("linkage.who_missing")]  # fmt: skip
    title = page.say("linkage.who_year") if group == YEAR else page.labels.group(group)
    return Group((Table(title, heads, rows),))


def show_method(page: Page) -> Piece:
    """How the linkage by probability was done, for referees; nothing where it was not."""
    if _is_off(page):
        return NOTHING
    threshold = page.formats.percent(page.plan.linkage.threshold, 0)
    return join(
        [page.heading("linkage.method"), page.text("linkage.method_text", threshold=threshold)]
    )
