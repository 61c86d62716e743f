"""The page of `compare`: the verdict, what does not fit and what to do, numbers by topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from revictimisation.core.results import OK
from revictimisation.report.comparison import (
    CANNOT_TELL,
    FITS,
    LOOKS,
    REFERENCE,
    TOPICS,
    Sheet,
)
from revictimisation.report.described import (
    NOTHING,
    Cell,
    Dots,
    DotSeries,
    Figure,
    Folded,
    Group,
    Heading,
    Item,
    Items,
    Periods,
    Piece,
    Point,
    Scale,
    Table,
    Text,
    join,
)
from revictimisation.report.formats import start_lower, start_upper

RATIO_TICKS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
QUARTERS = ("index_quarter", "calendar_quarter")
REST = "rest"  # of a covariate: who is at no level that both show
MOST_RATIO = 1000.0  # between the limits of an interval that says something
FEW = 3  # cohorts with which it can be told what another may show


def show_verdict(sheet: Sheet) -> Piece:
    """The answer in a box, one for each cohort that is held against the reference."""
    parts: list[Piece] = []
    for letter in sheet.others:
        (row,) = sheet.choose(check="overall", subject="", cohort=letter).itertuples()
        n_all = len(_list_judged(sheet, letter))
        told = {
            "n": sheet.formats.count(float(str(row.difference))),
            "n_all": sheet.formats.count(n_all),
        }
        key = f"comparison.verdict_{row.light}"
        who = "comparison.who" if len(sheet.others) == 1 else "comparison.who_more"
        named = sheet.say(who, new=sheet.names[letter], letter=letter,
                          reference=sheet.names[REFERENCE])  # fmt: skip
        parts.append(Text(named))
        n = int(_list_judged(sheet, letter)["light"].eq(CANNOT_TELL).sum())
        short = f"{key}_so_far" if n and row.light == FITS else key
        answer = f"**{sheet.say(short)}**\n\n{sheet.say(f'{key}_why', **told)}"
        if n:
            answer += f"\n\n{sheet.say('comparison.not_told', n=n, n_all=n_all)}"
        parts.append(Group((Text(answer),), f"answer {LOOKS[str(row.light)]}"))
    return join([*parts, sheet.text("comparison.only_released")])


def _list_judged(sheet: Sheet, letter: str) -> pd.DataFrame:
    rows = sheet.choose(cohort=letter)
    return rows[rows["light"].ne("") & rows["check"].ne("overall")]


def _list_remarks(sheet: Sheet, letter: str) -> pd.DataFrame:
    """The checks that do not fit, most serious first."""
    judged = _list_judged(sheet, letter)
    remarks = judged[~judged["light"].isin([FITS, CANNOT_TELL])]
    order = remarks["light"].map(sheet.severity)
    return remarks.loc[order.sort_values(ascending=False, kind="stable").index]


def show_remarks(sheet: Sheet) -> Piece:
    """Each check that does not fit: what it is, what may lie behind it, what to do."""
    parts: list[Piece] = []
    for letter in sheet.others:
        remarks = _list_remarks(sheet, letter)
        if remarks.empty:
            continue
        if len(sheet.others) > 1:
            parts.append(Heading(f"{letter}: {sheet.names[letter]}", 3))
        items = [_describe_remark(sheet, row) for row in remarks.itertuples()]
        parts.append(Items(tuple(items), "findings remarks"))
    if not parts:
        return NOTHING
    return join([sheet.heading("comparison.remarks"), sheet.text("comparison.remarks_order"),
                 *parts])  # fmt: skip


def _describe_remark(sheet: Sheet, row: Any) -> Item:
    key = f"comparison.remark_{row.check}"
    both = np.isfinite([row.value_reference, row.value_new]).all()
    if key not in sheet.texts:
        key = "comparison.remark_other" if both else "comparison.remark_other_alone"
    blanks = {
        "subject": row.subject,
        "table": sheet.name_object(row),
        "level": _name_level(sheet, row.subgroup or row.subject, row.level),
        "a": sheet.value(row, row.value_reference),
        "b": sheet.value(row, row.value_new),
        "n": sheet.formats.count(row.difference),
        "difference": sheet.difference(row, row.difference),
        "limit": sheet.limit(row),
        "period": "" if pd.isna(row.time_days) else sheet.period(row),
        "most": _find_most(sheet, row),
    }
    lines = [f"**{sheet.name_check(row)}**: {sheet.say(key, **blanks)}."]
    lines += [
        sheet.say(told)
        for told in (f"comparison.means_{row.check}", f"comparison.do_{row.check}")
        if told in sheet.texts
    ]
    told = "\n\n".join([f"**{start_upper(sheet.light(row.light))}**", *lines])
    return Item(Text(told), LOOKS[row.light])


def _name_level(sheet: Sheet, group: str, level: str) -> str:
    if group in QUARTERS and level:
        year, number = level.split("-Q")
        return sheet.say("comparison.quarter", year=year, number=number)
    if level == REST:
        return sheet.say("comparison.rest_level")
    return sheet.labels.level(group, level) if level else ""


def _find_most(sheet: Sheet, row: Any) -> str:
    """Of a covariate the level of which the shares differ most."""
    if row.check != "case_mix":
        return ""
    levels = sheet.choose(check="case_mix_level", subject=row.subject, cohort=row.cohort)
    if levels.empty:
        return ""
    most = levels.iloc[int(levels["difference"].abs().argmax())].to_dict()
    return sheet.say(
        "comparison.remark_case_mix_most",
        level=_name_level(sheet, row.subject, str(most["level"])),
        a=sheet.formats.percent(most["value_reference"], 0),
        b=sheet.formats.percent(most["value_new"], 0),
    )


def show_topics(sheet: Sheet) -> Piece:
    """The answer of each topic, a column a cohort."""
    rows = []
    for topic in TOPICS:
        name = sheet.labels.code("comparison_topic", topic)
        cells: list[Cell | str] = []
        for letter in sheet.others:
            found = sheet.choose(check="overall", subject=topic, cohort=letter)
            light = str(found["light"].iloc[0]) if len(found) else CANNOT_TELL
            judged = _list_judged(sheet, letter)
            n_all = int(judged["topic"].eq(topic).sum())
            counts = {"checks_made": int(found["difference"].iloc[0]) if len(found) else 0,
                      "checks_untold": int(judged["topic"].eq(topic).mul(
                          judged["light"].eq(CANNOT_TELL)).sum())}  # fmt: skip
            cells.append(sheet.mark(light))
            cells += [
                Cell(
                    sheet.say("comparison.of_all", n=n, n_all=n_all),
                    label=sheet.say(f"comparison.{key}"),
                )
                for key, n in counts.items()
            ]
        rows.append([name, *cells])
    heads = [sheet.say("comparison.topic")]
    for letter in sheet.others:
        end = "" if len(sheet.others) == 1 else f" ({letter})"
        heads += [sheet.say(f"comparison.{one}") + end
                  for one in ("answer", "checks_made", "checks_untold")]  # fmt: skip
    caption = sheet.say("comparison.topics_caption")
    return join(
        [sheet.heading("comparison.topics"), Table(caption, heads, rows, kind="words stacked")]
    )


def show_data(sheet: Sheet) -> Piece:
    """Is it the same kind of data: case mix drawn, quarters drawn, then each check."""
    return join([
        sheet.heading("comparison.data"),
        sheet.text("comparison.data_text"),
        _draw_mix(sheet),
        _show_levels(sheet),
        _draw_quarters(sheet),
        *_tabulate(sheet, "data"),
    ])  # fmt: skip


def show_risk(sheet: Sheet) -> Piece:
    """Do the reference's risks fit."""
    return join([sheet.heading("comparison.risk"), sheet.text("comparison.risk_text"),
                 *_tabulate(sheet, "risk"), _tabulate_groups(sheet)])  # fmt: skip


def _tabulate_groups(sheet: Sheet) -> Piece:
    """What the reference's model predicted in groups of the new people, and what came about."""
    parts: list[Piece] = []
    keys = ("risk_group", "n_people", "predicted_risk", "seen_risk")
    heads = [sheet.say(f"comparison.{key}") for key in keys]
    for letter in sheet.others:
        found = sheet.choose(check="calibration_group", status=OK, cohort=letter)
        if found.empty:
            continue
        if len(sheet.others) > 1:
            parts.append(Heading(f"{letter}: {sheet.names[letter]}", 3))
        rows = [
            _label([row["level"], sheet.cell(sheet.formats.count(row["n_new"]), row["n_new"]),
                    *(sheet.cell(sheet.formats.percent(row[name]), row[name])
                      for name in ("value_reference", "value_new"))], heads)
            for row in found.to_dict("records")
        ]  # fmt: skip
        period = sheet.formats.period(int(found["time_days"].iloc[0]))
        caption = sheet.say("comparison.groups_caption", period=period)
        parts.append(Table(caption, heads, rows, kind="stacked"))
        shift = sheet.choose(check="recalibration", subject="shift_alone", cohort=letter)
        odds = float(np.exp(shift["difference"].iloc[0]))
        parts.append(sheet.text("comparison.recalibrate", odds=sheet.formats.decimal(odds, 2)))
    return join(parts) if parts else NOTHING


def _tabulate(sheet: Sheet, topic: str) -> list[Piece]:
    """Every check of a topic that is judged, a table a cohort: those that fit are folded."""
    parts: list[Piece] = []
    name = sheet.labels.code("comparison_topic", topic)
    for letter in sheet.others:
        judged = _list_judged(sheet, letter)
        mine = judged[judged["topic"].eq(topic)]
        if mine.empty:
            continue
        if len(sheet.others) > 1:
            parts.append(Heading(f"{letter}: {sheet.names[letter]}", 3))
        order = mine["light"].map(sheet.severity).sort_values(ascending=False, kind="stable")
        mine = mine.loc[order.index]
        fitting, untold = (mine[mine["light"].eq(one)] for one in (FITS, CANNOT_TELL))
        remarks = mine[~mine["light"].isin([FITS, CANNOT_TELL])]
        if len(remarks):
            caption = sheet.say("comparison.table_caption", topic=name)
            parts.append(_write_table(sheet, caption, remarks))
        if len(untold):
            told = sheet.say("comparison.table_untold", n=len(untold))
            parts.append(Folded(told, _write_untold(sheet, told, untold)))
        if len(fitting):
            told = sheet.say("comparison.table_fits", n=len(fitting))
            parts.append(Folded(told, _write_table(sheet, told, fitting)))
    return parts


def _write_untold(sheet: Sheet, caption: str, rows: pd.DataFrame) -> Table:
    """Checks without an answer, and why there is none."""
    heads = [sheet.say("comparison.check"), sheet.say("comparison.why")]
    cells = [[sheet.name_subject(row), sheet.explain(row)]
             for row in rows.itertuples()]  # fmt: skip
    return Table(caption, heads, cells, kind="words", most_rows=len(cells))


def _write_table(sheet: Sheet, caption: str, rows: pd.DataFrame) -> Table:
    keys = ("check", "value_reference", "value_new", "difference", "limit", "chance", "light")
    heads = [sheet.say(f"comparison.{one}") for one in keys]
    cells = [_write_row(sheet, row, heads) for row in rows.itertuples()]
    notes = [sheet.say("comparison.units")]
    return Table(caption, heads, cells, notes, kind="stacked", most_rows=len(cells))


def _write_row(sheet: Sheet, row: Any, heads: Sequence[str]) -> list[Cell | str]:
    written = (
        (sheet.value(row, row.value_reference, is_cell=True), row.value_reference),
        (sheet.value(row, row.value_new, is_cell=True), row.value_new),
        (sheet.difference(row, row.difference, is_cell=True), row.difference),
        (sheet.limit(row, is_cell=True), row.limit),
        (sheet.chance(row), row.p_value_holm),
    )
    numbers = [replace(sheet.cell(told, value), label=head)
               for (told, value), head in zip(written, heads[1:], strict=False)]  # fmt: skip
    return [sheet.name_subject(row), *numbers, sheet.mark(row.light)]


def _draw_mix(sheet: Sheet) -> Piece:
    """How far apart the case mixes lie, a row a covariate."""
    rows = sheet.choose(check="case_mix", status=OK)
    if rows.empty:
        return NOTHING
    names = list(dict.fromkeys(rows["subject"]))
    limit = float(rows["limit"].iloc[0])
    series = []
    for letter in sheet.others:
        mine = rows[rows["cohort"].eq(letter)].set_index("subject")["difference"]
        points: list[Point | None] = [
            (float(mine[name]), None, None) if name in mine.index else None for name in names
        ]
        series.append(DotSeries(sheet.names[letter], points))
    top = max(float(rows["difference"].max()), 2 * limit)
    step = 0.1 if top <= 0.5 else 0.5
    ticks = [round(at * step, 2) for at in range(int(np.ceil(top / step)) + 1)]
    caption = sheet.say("comparison.mix_caption")
    scale = Scale(sheet.formats.way("decimal", 1), ticks, caption, band=(0.0, limit), pad=0.02)
    labels = [sheet.labels.group(name) for name in names]
    most = rows.iloc[int(rows["difference"].argmax())]
    title = sheet.say(
        "comparison.mix_figure" if most["difference"] > limit else "comparison.mix_figure_within",
        group=start_lower(sheet.labels.group(str(most["subject"]))),
        value=sheet.formats.decimal(float(most["difference"]), 2),
        limit=sheet.formats.decimal(limit, 2),
    )
    cells = [
        [name, *(_cell_of(sheet, one.points[at], 2) for one in series)]
        for at, name in enumerate(labels)
    ]
    table = Table(caption, [sheet.say("comparison.group"), *(one.name for one in series)], cells)
    return _figure(sheet, Dots(labels, series, scale), sheet.say("comparison.mix_alt"), title,
                   table)  # fmt: skip


def _cell_of(sheet: Sheet, point: Point | None, digits: int) -> Cell | str:
    if point is None:
        return sheet.say("comparison.no_value")
    value, low, high = point
    told = Cell(sheet.formats.decimal(value, digits), value, low, high)
    if low is None or high is None:
        return told
    if low > 0 and high / low > MOST_RATIO:
        return Cell(sheet.say("comparison.too_wide"), value, low, high)
    return told.above(sheet.formats.range(low, high, digits))


def _figure(sheet: Sheet, picture: Dots, alt: str, caption: str, table: Piece) -> Figure:
    behind, take = sheet.say("common.numbers_behind"), sheet.say("common.take_along")
    return Figure(picture, alt, caption, behind, table, sheet.source, take)


def _show_levels(sheet: Sheet) -> Piece:
    """The shares of every level, folded."""
    rows = sheet.choose(check="case_mix_level")
    if rows.empty:
        return NOTHING
    keys = rows[["subject", "level"]].drop_duplicates()
    cells = []
    for subject, level in keys.itertuples(index=False):
        mine = rows[rows["subject"].eq(subject) & rows["level"].eq(level)]
        told = [sheet.formats.percent(float(mine["value_reference"].iloc[0]))]
        for letter in sheet.others:
            of = mine[mine["cohort"].eq(letter)]
            told.append(sheet.formats.percent(float(of["value_new"].iloc[0])) if len(of)
                        else sheet.say("comparison.no_value"))  # fmt: skip
        cells.append([sheet.labels.group(subject), _name_level(sheet, subject, level), *told])
    names = [sheet.names[letter] for letter in sheet.letters]
    heads = [sheet.say("comparison.group"), sheet.say("comparison.level"), *names]
    caption = sheet.say("comparison.mix_levels")
    return Folded(caption, Table(caption, heads, cells, most_rows=len(cells)))


def _draw_quarters(sheet: Sheet) -> Piece:
    """The reports quarter by quarter: what the reference lets expect and what is there.

    Both on one scale; odd quarters are marked.
    """
    parts: list[Piece] = []
    for letter in sheet.others:
        rows = sheet.choose(check="volume_by_quarter", subject="reports", cohort=letter)
        spikes = sheet.choose(check="volume_spike", subject="reports", cohort=letter)
        odd = set(spikes.loc[~spikes["light"].isin([FITS, CANNOT_TELL]), "level"])
        both = rows[["level", "value_reference", "value_new"]].dropna()
        if both.empty:
            continue
        most = float(both[["value_reference", "value_new"]].to_numpy(float).max()) or 1.0
        for key, column, marked in (("expected", "value_reference", set()),
                                    ("seen", "value_new", odd)):  # fmt: skip
            told = sheet.say(f"comparison.volumes_{key}", new=sheet.names[letter],
                             reference=sheet.names[REFERENCE])  # fmt: skip
            parts += _draw_bars(sheet, told, both[["level", column]], most, marked)
    if not parts:
        return NOTHING
    return join([Heading(sheet.say("comparison.volumes_heading"), 3), *parts])


def _draw_bars(
    sheet: Sheet, who: str, told: pd.DataFrame, most: float, odd: Iterable[str]
) -> list[Piece]:
    """Bars of `told` (quarter, rows) as high as the largest number, `most`, lets them be."""
    counts = told.iloc[:, 1].to_numpy(float)
    names = [str(one) for one in told["level"]]
    bars = tuple(
        (name.replace("-", " "), count / most, "odd" if name in set(odd) else "")
        for name, count in zip(names, counts, strict=True)
    )
    said = {"who": who, "most": sheet.formats.count(float(counts.max()))}
    alt = sheet.say("comparison.volumes_alt", first=names[0], last=names[-1], **said)
    return [sheet.text("comparison.volumes_text", **said), Periods(bars, alt)]


def show_effects(sheet: Sheet) -> Piece:
    """Each measure's hazard ratio in each cohort and pooled, the tests, and what to expect."""
    parts: list[Piece] = [sheet.heading("comparison.effects"),
                          sheet.text("comparison.effects_text")]  # fmt: skip
    own = sheet.choose(check="own_hazard_ratio", status=OK)
    if len(own):
        parts.append(_draw_effects(sheet, own))
    parts += _tabulate(sheet, "effects")
    parts.append(_tabulate_pooled(sheet))
    if len(sheet.letters) < FEW:
        parts.append(sheet.text("comparison.few_pooled"))
    return join(parts)


def _draw_effects(sheet: Sheet, own: pd.DataFrame) -> Piece:
    measures = list(dict.fromkeys(own["measure"]))
    series = [
        DotSeries(f"{letter}: {sheet.names[letter]}",
                  [_point(own[own["cohort"].eq(letter)], name) for name in measures])
        for letter in sheet.letters
    ]  # fmt: skip
    few = "_two" if len(sheet.letters) < FEW else ""
    if not few:
        pooled = sheet.choose(check="pooled_hazard_ratio", status=OK)
        series.append(
            DotSeries(sheet.say("comparison.pooled"), [_point(pooled, name) for name in measures],
                      is_filled=False)
        )  # fmt: skip
    ends = [end for one in series for point in one.points if point for end in point if end]
    low, high = max(min(ends), RATIO_TICKS[0]), min(max(ends), RATIO_TICKS[-1])
    ticks = [one for one in RATIO_TICKS if low / 2 <= one <= high * 2]
    drawn = [_clip(one, ticks[0], ticks[-1]) for one in series]
    scale = Scale(sheet.formats.way("decimal", 2), ticks, is_log=True, reference=1.0)
    labels = [start_upper(sheet.name_measure(name)) for name in measures]
    judged = sheet.choose(check="hazard_ratio", status=OK)
    alike = judged["light"].isin([FITS, CANNOT_TELL])
    title = sheet.say("comparison.effects_figure", agree=int(alike.sum()), n=len(judged))
    heads = [sheet.say("common.measure"), *(one.name for one in series)]
    cells = [
        [name, *(_cell_of(sheet, one.points[at], 2) for one in series)]
        for at, name in enumerate(labels)
    ]
    table = Table(sheet.say(f"comparison.effects_caption{few}"), heads, cells)
    return _figure(sheet, Dots(labels, drawn, scale), sheet.say(f"comparison.effects_alt{few}"),
                   title, table)  # fmt: skip


def _clip(series: DotSeries, low: float, high: float) -> DotSeries:
    """The same with limits that end where the axis does."""

    def cut(end: float | None) -> float | None:
        return None if end is None else min(max(end, low), high)

    points = [
        None if point is None else (min(max(point[0], low), high), cut(point[1]), cut(point[2]))
        for point in series.points
    ]
    return DotSeries(series.name, points, series.is_filled)


def _point(rows: pd.DataFrame, measure: str) -> Point | None:
    mine = rows[rows["measure"].eq(measure)]
    if mine.empty:
        return None
    value, low, high = (float(np.exp(mine[name].iloc[0]))
                        for name in ("difference", "ci_low", "ci_high"))  # fmt: skip
    return (value, low, high) if np.isfinite([low, high]).all() else (value, None, None)


def _tabulate_pooled(sheet: Sheet) -> Piece:
    """The pooled answers, what to expect in a further cohort, and the spread between them.

    Of two cohorts, in place of what to expect, the answer if the effect is the same in both.
    """
    keys = ("pooled", "common" if len(sheet.letters) < FEW else "predicted")
    heads = [sheet.say("common.measure"),
             *(sheet.say(f"comparison.{key}") for key in (*keys, "spread"))]  # fmt: skip
    rows: list[Sequence[Cell | str]] = []
    for name in dict.fromkeys(sheet.choose(check="pooled_hazard_ratio", status=OK)["measure"]):
        cells: list[Cell | str] = [start_upper(sheet.name_measure(name))]
        for key in keys:
            found = sheet.choose(check=f"{key}_hazard_ratio", measure=name, status=OK)
            cells.append(_cell_of(sheet, _point(found, name), 2))
        spread = sheet.choose(check="heterogeneity", measure=name, subject="hazard_ratio")
        share = float(spread["difference"].iloc[0]) if len(spread) else float("nan")
        cells.append(sheet.cell(sheet.formats.percent(share, 0), share) if np.isfinite(share)
                     else sheet.say("comparison.no_value"))  # fmt: skip
        rows.append(_label(cells, heads))
    if not rows:
        return NOTHING
    table = Table(sheet.say("comparison.pooled_caption"), heads, rows, kind="stacked")
    return join([table, _tabulate_rest(sheet)])


def _tabulate_rest(sheet: Sheet) -> Piece:
    """Of three or more: each measure's hazard ratio in each cohort over that of the others."""
    found = sheet.choose(check="against_rest", subject="hazard_ratio", status=OK)
    if found.empty:
        return NOTHING
    heads = [sheet.say("common.measure"), *(sheet.names[letter] for letter in sheet.letters)]
    rows: list[Sequence[Cell | str]] = []
    for name in dict.fromkeys(found["measure"]):
        points = [_point(found[found["cohort"].eq(letter)], name) for letter in sheet.letters]
        cells = [_cell_of(sheet, point, 2) for point in points]
        rows.append(_label([start_upper(sheet.name_measure(name)), *cells], heads))
    return Table(sheet.say("comparison.rest_caption"), heads, rows, kind="stacked")


def _label(cells: Sequence[Cell | str], heads: Sequence[str]) -> list[Cell | str]:
    """The cells of a row, each with its column's name for where they stand below each other."""
    return [
        replace(cell, label=head) if isinstance(cell, Cell) else cell
        for cell, head in zip(cells, heads, strict=True)
    ]


def show_transport(sheet: Sheet) -> Piece:
    """May old conclusions be carried over: where both runs' rows were there to tell.

    Of released tables alone what one covariate at a time can tell.
    """
    parts: list[Piece] = [sheet.heading("comparison.transport")]
    tables = _tabulate(sheet, "transport")
    has_answer = len(sheet.choose(check="carried_effect", status=OK))
    key = "comparison.transport_text" if has_answer else "comparison.transport_none"
    shown = _tabulate_carried(sheet) if has_answer else _tabulate_levels(sheet)
    return join([*parts, sheet.text(key), *tables, shown])


def _tabulate_carried(sheet: Sheet) -> Piece:
    """Each measure's effect in the reference, among the new people, and the new cohort's own."""
    parts: list[Piece] = []
    heads = [sheet.say(key) for key in ("common.measure", "comparison.reference_effect",
             "comparison.carried_over", "comparison.own_effect")]  # fmt: skip
    for letter in sheet.others:
        found = sheet.choose(check="carried_effect", status=OK, cohort=letter)
        if found.empty:
            continue
        if len(sheet.others) > 1:
            parts.append(Heading(f"{letter}: {sheet.names[letter]}", 3))
        rows: list[Sequence[Cell | str]] = []
        for row in found.to_dict("records"):
            own = sheet.choose(check="transported_effect", status=OK, cohort=letter,
                               measure=row["measure"])  # fmt: skip
            limits = sheet.formats.points(row["ci_low"]), sheet.formats.points(row["ci_high"])
            told = sheet.say("comparison.with_limits", low=limits[0], high=limits[1],
                             value=sheet.formats.points(row["difference"]))  # fmt: skip
            values = (row["value_reference"], row["difference"],
                      own["value_new"].iloc[0] if len(own) else np.nan)  # fmt: skip
            texts = (sheet.formats.points(values[0]), told,
                     sheet.formats.points(values[2]) if len(own) else sheet.say(
                         "comparison.no_value"))  # fmt: skip
            each = zip(texts, values, heads[1:], strict=True)
            cells = [replace(sheet.cell(text, value), label=head) for text, value, head in each]
            rows.append([start_upper(sheet.name_measure(row["measure"])), *cells])
        parts.append(Table(sheet.say("comparison.carried_caption"), heads, rows, kind="stacked"))
    return join(parts)


def _tabulate_levels(sheet: Sheet) -> Piece:
    """The reference's effects in the levels of a covariate, weighted as the new people are."""
    parts: list[Piece] = []
    heads = [sheet.say(key) for key in ("comparison.measure_weighted",
             "comparison.carried_over", "comparison.own_effect")]  # fmt: skip
    for letter in sheet.others:
        found = sheet.choose(check="standardised_effect", status=OK, cohort=letter)
        if found.empty:
            continue
        if len(sheet.others) > 1:
            parts.append(Heading(f"{letter}: {sheet.names[letter]}", 3))
        rows = [
            [sheet.say("comparison.weighted_by", measure=start_upper(sheet.name_measure(
                row["measure"])), group=start_lower(sheet.labels.group(row["subject"]))),
             *(sheet.cell(sheet.formats.points(row[name]), row[name])
               for name in ("value_reference", "value_new"))]
            for row in found.to_dict("records")
        ]  # fmt: skip
        told = sheet.say("comparison.transport_caption")
        parts.append(Folded(told, Table(told, heads, rows, most_rows=len(rows))))
    return join([sheet.text("comparison.transport_levels"), *parts]) if parts else NOTHING


def show_how(sheet: Sheet) -> Piece:
    """The rule behind the lights, and what each word means."""
    error = sheet.comparison.facts["limits"]["familywise_error"]
    table = sheet.dictionary.codes("comparison_light")
    rows = [
        [sheet.mark(row["code"]), row[f"definition_{sheet.language}"]]
        for row in table.to_dict("records")
        if row["code"] != CANNOT_TELL
    ]
    heads = [sheet.say("comparison.word"), sheet.say("comparison.meaning")]
    return join([
        sheet.heading("comparison.how"),
        sheet.text("comparison.how_text", error=sheet.formats.decimal(100 * error, 0)),
        Table(sheet.say("comparison.lights_caption"), heads, rows, kind="words"),
    ])  # fmt: skip
