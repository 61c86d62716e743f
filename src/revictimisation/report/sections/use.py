"""Notebook 2, first half: which measures are used, by whom, how soon, in which order, how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from revictimisation.core.codes import MISSING, POLICE, SOCIAL_SERVICES
from revictimisation.report.described import NOTHING, Bars, Cell, Piece, Scale, Written, join
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.verdicts import is_joint, name_measure

OUTCOMES = ("offered", "granted", "denied", "declined", "carried_out")
AGENCIES = (POLICE, SOCIAL_SERVICES, "other")
KINDS = ("joint", "both_apart", "police_only", "social_services_only", "neither")


def find_share(page: Page, measure: str, outcome: str = "carried_out", **keys: str) -> Number:
    """The released share of follow-ups with a decision on a measure, or with it carried out."""
    return page.release.find(
        **{
            "question": "q1",
            "measure": measure,
            "outcome": outcome,
            "estimator": "description",
            "estimand": "share",
            **keys,
        }
    )


def list_codes(page: Page) -> list[tuple[str, Number]]:
    """Every code with the share in which it was carried out, the commonest first, hidden last."""
    frame = page.release.estimates
    codes = frame.loc[(frame["question"] == "q1") & (frame["analysis"] == "by_code"), "measure"]
    found = [(code, find_share(page, code, analysis="by_code")) for code in sorted(set(codes))]
    return sorted(found, key=lambda one: (-(one[1].estimate or 0), not one[1].is_shown, one[0]))


def list_used(page: Page) -> list[tuple[str, Number]]:
    """The study's measures, their kinds counted together, and the codes that are in none of them.

    With the share in which each was carried out, the commonest first, hidden last; joint measures,
    which are made of the others, are left out.
    """
    plan = page.plan
    names = [name for name in plan.measure_names if not is_joint(page, name)]
    grouped = {code for name in names for code in plan.measures[name].codes}
    found = [(name, find_share(page, name)) for name in names]
    found += [(code, number) for code, number in list_codes(page) if code not in grouped]
    return sorted(found, key=lambda one: (-(one[1].estimate or 0), not one[1].is_shown, one[0]))


def list_grouped(page: Page) -> list[str]:
    """The study's measures of more than one code, of which one is called as the measure is."""
    return [
        name for name in page.plan.measure_names
        if len(page.plan.measures[name].codes) > 1 and name in page.plan.measures[name].codes
    ]  # fmt: skip


def name_code(page: Page, code: str) -> str:
    """A code's name; where a measure of that name counts more kinds: of this kind only."""
    name = page.labels.measure(code)
    return page.say("use.this_kind", name=name) if code in list_grouped(page) else name


def _note_grouped(page: Page) -> list[str]:
    """A note for each measure whose kinds stand by themselves in a table of codes."""
    told = []
    for one in list_grouped(page):
        share = find_share(page, one)
        if share.is_shown and share.n_events is not None:
            n = page.formats.count(share.n_events)
            told.append(page.say("use.kinds_together", measure=name_measure(page, one), n=n))
    return told


def show_lead(page: Page) -> Piece:
    """The three measures that are used most, with their shares."""
    facts = page.text("use.lead_facts", horizon=page.horizon)
    shown = [(code, number) for code, number in list_used(page) if number.is_shown][:3]
    if len(shown) < 3:
        return join([page.text("use.lead_few"), facts])
    values: dict[str, object] = {"n_entries": page.formats.count(shown[0][1].n_people or 0)}
    for place, (code, number) in zip(("first", "second", "third"), shown, strict=True):
        values[place] = name_measure(page, code)
        values[f"{place}_share"] = page.show_share(number)
        values[f"{place}_interval"] = page.show_share_interval(number)
    return join([page.text("use.lead", **values), facts])


def show_codes(page: Page) -> Piece:
    """Each code's share as bars, by agency."""
    codes = list_codes(page)
    if not any(number.is_shown for _, number in codes):
        why = page.why_not(codes[0][1] if codes else Number())
        return page.text("common.nothing_to_show", why=why)
    names = [name_code(page, code) for code, _ in codes]
    values = [number.point for _, number in codes]
    agency_names = [page.say(f"use.agency_{agency}") for agency in AGENCIES]
    kinds = [_agency(page, code) for code, _ in codes]
    top = max(number.ci_high or number.estimate or 0 for _, number in codes)
    scale = Scale(page.formats.way("percent_short"), share_ticks(top), page.say("use.codes_axis"))
    picture = Bars(names, values, kinds, agency_names, scale)
    alt = page.say(
        "use.codes_alt",
        first=names[0],
        first_share=page.show_share(codes[0][1]),
        second=names[min(1, len(names) - 1)],
        second_share=page.show_share(codes[min(1, len(names) - 1)][1]),
    )
    caption = page.say("use.codes_caption")
    rows = [
        [name, agency_names[kind], page.show_events(number), page.show_share(number),
         page.show_share_interval(number)]
        for name, kind, (_, number) in zip(names, kinds, codes, strict=True)
    ]  # fmt: skip
    heads = [page.say("common.measure"), "", *_share_heads(page)]
    notes = [*_note_grouped(page)]
    table = page.table(caption, heads, rows, notes)
    return page.figure(picture, alt, caption, table)


def _share_heads(page: Page) -> list[str]:
    return [page.say(f"common.{one}") for one in ("people", "share", "interval")]


def show_bar(page: Page, number: Number) -> Cell:
    """A cell with a share as a bar, and the share."""
    return replace(page.show_share(number), bar=number.estimate or 0.0)


def share_ticks(top: float) -> list[float]:
    """Ticks for shares up to `top`, at most six."""
    step = next(one for one in (0.02, 0.05, 0.1, 0.2) if one * 6 >= top or one == 0.2)
    return [step * at for at in range(int(top / step + 1e-9) + 2) if step * at <= 1.0 + 1e-9]


def _agency(page: Page, code: str) -> int:
    frame = page.dictionary.code_lists["measures"]
    found = frame.loc[frame["code"] == code, "agency"]
    return AGENCIES.index(found.iloc[0]) if len(found) else AGENCIES.index("other")


def show_decisions(page: Page) -> Piece:
    """Offered, granted, denied, declined, carried out: the study's measures and each agency."""
    names = [(name, "main") for name in page.plan.measure_names]
    names += [(f"any_{one}", "by_agency") for one in (POLICE, SOCIAL_SERVICES)]
    rows = []
    for name, analysis in names:
        outcomes = OUTCOMES[-1:] if is_joint(page, name) else OUTCOMES
        found = [find_share(page, name, outcome, analysis=analysis) for outcome in outcomes]
        blank = [""] * (len(OUTCOMES) - len(outcomes))
        rows.append([name_measure(page, name), *blank, *(page.show_events(one) for one in found)])
    heads = [page.say("common.measure"), *(page.say(f"common.{outcome}") for outcome in OUTCOMES)]
    notes = []
    if any(is_joint(page, name) for name, _ in names):
        notes.append(page.say("use.not_decided"))
    notes.append(page.say("common.note_rounded", rounding=page.plan.disclosure.rounding))
    return page.table(page.say("use.decisions_caption"), heads, rows, notes)


def show_agencies(page: Page) -> Piece:
    """Who carried something out: one agency, both, neither; in all and by risk level."""
    numbers = {kind: find_share(page, kind, analysis="agencies") for kind in KINDS}
    present = [kind for kind in KINDS if numbers[kind].reason != "not_computed"]
    windows = [
        measure.joint_within_days for measure in page.plan.measures.values() if measure.is_joint
    ]
    if windows and numbers["joint"].is_shown and numbers["neither"].has_interval:
        lead = page.text(
            "use.agencies_text",
            joint=page.formats.of_hundred(numbers["joint"].estimate or 0),
            within=page.formats.days(max(window or 0 for window in windows)),
            neither=page.formats.of_hundred(numbers["neither"].estimate or 0),
            neither_interval=page.show_share_interval(numbers["neither"]),
        )
    else:
        lead = page.text("use.agencies_plain")
    rows = [
        [page.say(f"use.kind_{kind}"), page.show_events(numbers[kind]),
         show_bar(page, numbers[kind]),
         page.show_share_interval(numbers[kind])]
        for kind in present
    ]  # fmt: skip
    heads = [page.say("common.group"), *_share_heads(page)]
    notes = _note_joint(page, numbers["joint"])
    table = page.table(page.say("use.agencies_caption"), heads, rows, notes, "bars")
    return join([lead, table, _agencies_by_risk(page, present)])


def _note_joint(page: Page, joint: Number) -> list[str]:
    """Why the joint measure itself may count more follow-ups: one agency may begin before day 0."""
    names = [name for name in page.plan.measure_names if is_joint(page, name)]
    shares = [find_share(page, name) for name in names]
    if len(shares) != 1 or not (joint.is_shown and shares[0].is_shown):
        return []
    n, here = shares[0].n_events, joint.n_events
    if n is None or n == here:
        return []
    within = page.formats.days(page.plan.measures[names[0]].joint_within_days or 0)
    return [page.say("use.joint_before", measure=name_measure(page, names[0]),
                     n=page.formats.count(n), within=within)]  # fmt: skip


def _agencies_by_risk(page: Page, present: Sequence[str]) -> Piece:
    levels = page.levels("q1", "risk_level")
    levels = [one for one in levels if page.release.count_level("risk_level", one)]
    if not levels:
        return NOTHING
    keys = {"analysis": "agencies", "subgroup": "risk_level"}
    cells = [[find_share(page, kind, level=level, **keys) for kind in present] for level in levels]
    rows = [
        [page.labels.level("risk_level", level), *(page.show_share(one) for one in row)]
        for level, row in zip(levels, cells, strict=True)
    ]
    heads = [page.labels.group("risk_level"), *(page.say(f"use.kind_{one}") for one in present)]
    return page.table(page.say("use.agencies_by_risk_caption"), heads, rows)


def show_combinations(page: Page) -> Piece:
    """Which two measures the same people got, and how often the row's came first."""
    names = [name for name in page.plan.measure_names if not is_joint(page, name)]
    if len(names) < 2:
        return page.text("use.combined_none")
    rows = []
    for one in names:
        cells: list[Written] = []
        for other in names:
            if one == other:
                cells.append("·")
                continue
            keys = {"analysis": "combination", "subgroup": "combined_with", "level": other}
            together = find_share(page, one, "together", **keys)
            before = find_share(page, one, "before", **keys)
            both = page.show_events(together), page.show_events(before)
            hidden = both[1] if together.is_shown else both[0]
            cells.append(replace(hidden, told=f"{both[0]} ({both[1]})", value=both[0].value))
        rows.append([name_measure(page, one), *cells])
    heads = [page.say("common.measure"), *(name_measure(page, name) for name in names)]
    return page.table(page.say("use.combined_caption"), heads, rows)


def show_orders(page: Page) -> Piece:
    """The commonest orders in which people got the study's measures."""
    levels = page.release.level_names.get(("q1", "sequence"), ())
    keys = {"analysis": "sequence", "subgroup": "sequence"}
    found = [(level, find_share(page, "", level=level, **keys)) for level in levels]
    rows = [
        [_describe_order(page, level), page.show_events(number),
         show_bar(page, number)]
        for level, number in found
    ]  # fmt: skip
    if not rows:
        return NOTHING
    heads = [page.say("use.order"), page.say("common.people"), page.say("common.share")]
    return page.table(page.say("use.order_caption"), heads, rows, kind="bars")


def _describe_order(page: Page, level: str) -> str:
    if level == "none":
        return page.say("use.order_none")
    return " → ".join(name_measure(page, name) for name in level.split(" > "))


def name_risk(page: Page, level: str) -> str:
    """A risk level as it is called beside a curve: `hög risk`."""
    if level == MISSING:
        return page.say("use.risk_missing_name")
    return page.say("use.risk_level_name", level=page.labels.level("risk_level", level))
