"""Notebook 4, second part: who gets what, also where no effect can be computed."""

from __future__ import annotations

from dataclasses import replace

from revictimisation.report.described import (
    NOTHING,
    Dots,
    DotSeries,
    Folded,
    Heading,
    Piece,
    Scale,
    Text,
    join,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.group_effects import (
    IN,
    OUT,
    OUTSIDE,
    STARTED,
    describe_missing,
    find_gap,
    find_share,
    join_pair,
    list_groupings,
    list_levels,
    name_level,
)
from revictimisation.report.natural_frequencies import HUNDRED, show_gap
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.answer import describe_within, finish, list_names
from revictimisation.report.sections.use import share_ticks
from revictimisation.report.texts import load_texts
from revictimisation.report.trials import has_rows
from revictimisation.report.verdicts import FEWER, HIDDEN, MORE, OPEN, is_joint, judge, name_measure

CLAIMS = {FEWER: "claim_fewer", MORE: "claim_more", OPEN: "claim_open", HIDDEN: "claim_hidden"}
HONOUR = "is_honour"


def list_claims(page: Page) -> list[str]:
    """The groupings that are a group against all others: honour, and the combined groups."""
    return [grouping for grouping in list_groupings(page)
            if grouping == HONOUR or grouping in page.plan.for_whom.combined]  # fmt: skip


def show_claims(page: Page) -> Piece:
    """Each claim of the field about who is reached, tried on the study."""
    if not page.plan.measure_names:
        return page.text("common.no_measures")
    claims = list_claims(page)
    alone = [name for name in page.plan.for_whom.combined
             if has_rows(page, subgroup=name, reason="one_municipality")]  # fmt: skip
    if not (claims or alone):
        return page.text("for_whom.no_groups")
    untried = page.text("for_whom.claim_one_municipality")
    return join([
        *(_show_claim(page, name) for name in claims),
        *(join([_introduce_claim(page, name), untried]) for name in alone),
    ])  # fmt: skip


def find_share_gap(page: Page, measure: str, grouping: str) -> Number:
    """The share of a group less that of all others in whom the measure started in time.

    The release tells the smaller group less the larger: turned where the group is the larger.
    """
    gap = find_share(page, measure, grouping, join_pair((IN, OUT)), STARTED)
    if gap.reason != "not_computed":
        return gap
    other = find_share(page, measure, grouping, join_pair((OUT, IN)), STARTED)
    if not other.has_interval:
        return other
    middle, high, low = (-(one or 0.0) for one in (other.estimate, other.ci_low, other.ci_high))
    return replace(other, estimate=middle, ci_low=low, ci_high=high)


def _introduce_claim(page: Page, grouping: str) -> Piece:
    heading = Heading(start_upper(name_level(page, grouping, IN)), 3,
                             f"claim-{grouping}".replace("_", "-"))  # fmt: skip
    key = f"for_whom.claim_{grouping}"
    claim = page.text(key) if key in load_texts() else NOTHING
    return join([heading, claim])


def _show_claim(page: Page, grouping: str) -> Piece:
    lines = "\n".join(f"- {verdict}" for verdict in _list_verdicts(page, grouping))
    told = [_introduce_claim(page, grouping), Text(lines), _picture(page, grouping)]
    return join(told)


def _list_verdicts(page: Page, grouping: str) -> list[str]:
    """A sentence each for the measures the group gets less often, more often, or as far as seen."""
    measures = page.plan.measure_names
    verdicts = {
        measure: judge(find_share_gap(page, measure, grouping), same=0.0) for measure in measures
    }
    told = []
    for verdict, key in CLAIMS.items():
        mine = [measure for measure in measures if verdicts[measure] == verdict]
        is_clear = verdict in (FEWER, MORE)
        names = [_describe_one(page, one, grouping) if is_clear else name_measure(page, one)
                 for one in mine]  # fmt: skip
        if mine and verdict != HIDDEN:
            told.append(page.say(f"for_whom.{key}", measures=list_names(page, names)))
    hidden: dict[str, list[str]] = {}
    for measure in measures:
        if verdicts[measure] == HIDDEN:
            why = finish(page.why_not(find_share_gap(page, measure, grouping)))
            hidden.setdefault(why, []).append(name_measure(page, measure))
    told += [page.say("for_whom.claim_hidden", measures=list_names(page, names), why=why)
             for why, names in hidden.items()]  # fmt: skip
    return [*told, *_describe_reach(page, grouping)]


def _describe_reach(page: Page, grouping: str) -> list[str]:
    """What the group gets most, and of how many measures its effect can be computed."""
    measures = page.plan.measure_names
    single = [one for one in measures if not is_joint(page, one)]
    shares = [(find_share(page, one, grouping, IN, STARTED), one) for one in single]
    shown = [(share.estimate or 0.0, share, one) for share, one in shares if share.is_shown]
    told = []
    if shown:
        _, share, measure = max(shown, key=lambda one: one[0])
        told.append(page.say("for_whom.claim_top", share=_hundred(page, share),
                             within=describe_within(page, measure),
                             measure=name_measure(page, measure)))  # fmt: skip
    n = sum(find_gap(page, one, grouping, IN).is_shown for one in measures)
    if not n:
        return [*told, page.say("for_whom.claim_effects_none")]
    return [*told, page.say("for_whom.claim_effects", n=n, n_all=len(measures))]


def _describe_one(page: Page, measure: str, grouping: str) -> str:
    share, other = (find_share(page, measure, grouping, level, STARTED) for level in (IN, OUT))
    return page.say("for_whom.claim_one", measure=name_measure(page, measure),
                    within=describe_within(page, measure), share=_hundred(page, share),
                    other=_hundred(page, other))  # fmt: skip


def _hundred(page: Page, number: Number) -> str:
    """People out of a hundred; below one with a decimal."""
    value = (number.estimate or 0.0) * HUNDRED
    return page.formats.decimal(value, 1) if 0 < value < 1 else page.formats.count(value)


def _picture(page: Page, grouping: str) -> Piece:
    measures = page.plan.measure_names
    names = [name_measure(page, measure) for measure in measures]
    levels = [name_level(page, grouping, level) for level in (IN, OUT)]
    shares = [[find_share(page, measure, grouping, level, STARTED) for measure in measures]
              for level in (IN, OUT)]  # fmt: skip
    table = _claim_table(page, grouping)
    shown = [one for row in shares for one in row if one.is_shown]
    if not shown:
        return table
    series = [DotSeries(name, [one.point for one in row], is_filled=place == 0)
              for place, (name, row) in enumerate(zip(levels, shares, strict=True))]  # fmt: skip
    top = max(one.ci_high or one.estimate or 0.0 for one in shown)
    scale = Scale(
        page.formats.way("percent_short"), share_ticks(top), page.say("for_whom.claim_axis")
    )
    picture = Dots(names, series, scale)
    told = " ".join(
        f"{start_upper(name)}: {page.show_share(one)}, {page.show_share(other)}."
        for name, one, other in zip(names, *shares, strict=True)
    )
    group = start_upper(levels[0])
    alt = page.say("for_whom.claim_alt", group=levels[0], told=told)
    return page.figure(picture, alt, page.say("for_whom.claim_caption", group=group), table)


def _claim_table(page: Page, grouping: str) -> Piece:
    rows = []
    for measure in page.plan.measure_names:
        found = [find_share(page, measure, grouping, level, STARTED) for level in (IN, OUT)]
        gap = find_share_gap(page, measure, grouping)
        rows.append([name_measure(page, measure), *(page.show_share_both(one) for one in found),
                     show_gap(page, gap), _format_effect(page, measure, grouping)])  # fmt: skip
    heads = [page.say("common.measure"),
             *(start_upper(name_level(page, grouping, level)) for level in (IN, OUT)),
             *(page.say(f"for_whom.head_{one}") for one in ("difference", "effect"))]  # fmt: skip
    caption = page.say("for_whom.claim_table")
    return page.table(caption, heads, rows, kind="why")


def _format_effect(page: Page, measure: str, grouping: str) -> str:
    """Whether the effect in the group can be computed, and if not why."""
    effect = find_gap(page, measure, grouping, IN)
    if effect.is_shown:
        return page.say("for_whom.effect_known")
    return page.say("for_whom.effect_hidden", why=describe_missing(page, effect, "short"))


def show_all_shares(page: Page) -> Piece:
    """Folded, a table per grouping: who got what, and who is like nobody in the other group."""
    groupings = list_groupings(page)
    if not (groupings and page.plan.measure_names):
        return NOTHING
    parts = []
    for grouping in groupings:
        tables = join([_share_table(page, grouping, one) for one in (STARTED, OUTSIDE)])
        parts.append(Folded(page.labels.group(grouping), tables))
    return join([page.heading("for_whom.shares_all", level=3),
                 page.text("for_whom.shares_all_text"), *parts])  # fmt: skip


def _share_table(page: Page, grouping: str, outcome: str) -> Piece:
    measures, rows = page.plan.measure_names, []
    show = page.show_share_both if outcome == STARTED else page.show_share
    for level in list_levels(page, grouping, is_named=False):
        found = [find_share(page, measure, grouping, level, outcome) for measure in measures]
        rows.append([start_upper(name_level(page, grouping, level)), *(show(one) for one in found)])
    group = page.labels.group(grouping)
    key = "shares_caption" if outcome == STARTED else "outside_caption"
    caption = page.say(f"for_whom.{key}", grouping=group[:1].lower() + group[1:])
    heads = [
        page.say("for_whom.head_group"),
        *(name_measure(page, measure) for measure in measures),
    ]
    return page.table(caption, heads, rows)
