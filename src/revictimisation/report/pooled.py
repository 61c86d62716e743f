"""The page of several counties together, from the table `pooled` and what their files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from revictimisation.core.results import OK, choose
from revictimisation.dictionary import Dictionary
from revictimisation.plan import StudyPlan
from revictimisation.report.described import (
    Content,
    Dots,
    DotSeries,
    Figure,
    Heading,
    Piece,
    Point,
    Scale,
    Table,
    join,
)
from revictimisation.report.formats import start_upper
from revictimisation.report.page import DASH, WIDE, StudyWriter
from revictimisation.report.release import Number
from revictimisation.report.rendering import read_style, wrap
from revictimisation.report.site import list_sections, load_template
from revictimisation.report.texts import load_texts
from revictimisation.report.verdicts import FEWER, MORE, OPEN, judge, name_measure

Keys = dict[str, Any]
COX: Keys = {"estimator": "cox_time_varying", "estimand": "hazard_ratio"}
RISKS: Keys = {"estimator": "clone_censor_weight", "estimand": "risk_difference"}
AGAIN: Keys = {"estimator": "aalen_johansen", "estimand": "cumulative_incidence"}
JOINT = ("one_step", "random_effects", "prediction")
TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SETTLED = 0.01  # standard errors from where counties were asked, at most, to be called settled
FILES = {"sv": "index.html", "en": "index_en.html"}


@dataclass(frozen=True)
class PooledPage(StudyWriter):
    """What the page is written with, in one language; `about` is that of each file."""

    table: pd.DataFrame
    about: Sequence[Mapping[str, Any]]
    case_mix: Mapping[str, pd.DataFrame]
    dictionary: Dictionary
    language: str
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=load_texts, repr=False)

    @cached_property
    def plan(self) -> StudyPlan:
        """What all the studies ask."""
        first = self.about[0]
        asked = first["question"]
        kept = ("outcome", "horizon_days", "report_at_days", "measures")
        return StudyPlan.model_validate(
            {"name": first["study"], "accrual": first["accrual"],
             "data_end_on": first["data_end_on"], **{name: asked[name] for name in kept}},
            strict=False,
        )  # fmt: skip

    @property
    def places(self) -> list[str]:
        """The counties, in the order of their files."""
        return [str(one["place"]) for one in self.about]

    @property
    def measures(self) -> list[str]:
        """The measures that any county tells of, in the studies' order."""
        known = {*self.table["measure"]}
        return [name for name in self.plan.measure_names if name in known]

    @property
    def last_day(self) -> int:
        """The last day at which risks are reported."""
        return max(self.plan.days_within_horizon, default=self.plan.horizon_days)

    def find(self, measure: str, method: str, place: str = "", **keys: Any) -> Number:
        """One number of the table; without a status where it is not there."""
        rows = choose(self.table, measure=measure, method=method, place=place, **keys)
        return to_number(rows.iloc[0]) if len(rows) else Number()

    def name(self, measure: str) -> str:
        """A measure as it is called, with a capital."""
        return start_upper(name_measure(self, measure))

    def write_ratio(self, number: Number) -> str:
        """A ratio and its interval; words where there is none."""
        if not number.is_shown or number.estimate is None:
            return self.say("pooled.not_shown")
        told = self.formats.decimal(number.estimate, 2)
        return f"{told} ({self.write_range(number)})" if number.has_interval else told

    def write_range(self, number: Number) -> str:
        """The interval of a ratio."""
        return self.formats.range(number.ci_low or 0.0, number.ci_high or 0.0, 2)

    def table_of(
        self,
        caption: str,
        heads: Sequence[str],
        rows: Sequence[Sequence[Any]],
        notes: Sequence[str] = (),
    ) -> Table:
        """A table whose heads are texts of the page."""
        return self.wide_table(
            caption, [self.say(f"pooled.head_{one}") for one in heads], rows, notes
        )

    def wide_table(
        self,
        caption: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        notes: Sequence[str] = (),
    ) -> Table:
        """A table that tells those with a narrow screen how to see it whole."""
        swipe = self.say("common.swipe") if len(columns) >= WIDE else ""
        return Table(caption, columns, rows, notes, swipe=swipe)


def to_number(row: pd.Series) -> Number:
    """A row of the table as the pages' number."""
    told = {name: None if pd.isna(row[name]) else float(row[name])
            for name in ("estimate", "ci_low", "ci_high", "n_people", "n_events")}  # fmt: skip
    return Number(**told, status=str(row["status"]), reason=str(row["reason"]))  # type: ignore[arg-type]


def render_pooled(
    table: pd.DataFrame,
    about: Sequence[Mapping[str, Any]],
    case_mix: Mapping[str, pd.DataFrame],
    dictionary: Dictionary,
    language: str,
) -> str:
    """The page in one language: one file that loads nothing. `case_mix`: by county."""
    page = PooledPage(table, about, case_mix, dictionary, language)
    body = show_pooled(page)
    other = next(name for name in FILES if name != language)
    hashes = ", ".join(f"{one['place']} {one['run']}" for one in about)
    return load_template().render(
        language=language,
        title=page.say("pooled.title"),
        study=page.say("pooled.title"),
        opening=wrap(Content(body.parts[:2])),
        body=wrap(Content(body.parts[2:])),
        banner=page.text("common.banner").html if any(one["is_synthetic"] for one in about) else "",
        sections=list_sections(body),
        menu=[],
        others=[(other, page.texts["common.language_name"][other], FILES[other])],
        style="".join(map(read_style, ("report.css", "site.css"))),
        say=page.say,
        footer=page.say("pooled.footer", files=hashes),
        assurance="pooled.assurance",
    )


def show_pooled(page: PooledPage) -> Content:
    """The whole page."""
    return join([
        Heading(page.say("pooled.title"), 1, "pooled-title"),
        show_opening(page),
        page.heading("pooled.summary_heading"),
        show_summary(page),
        page.heading("pooled.measures_heading"),
        *(piece for measure in page.measures for piece in show_measure(page, measure)),
        page.heading("pooled.risk_heading"),
        show_risks(page),
        page.heading("pooled.alike_heading"),
        *show_alike(page),
        page.heading("pooled.how_heading"),
        *show_how(page),
    ])  # fmt: skip


def show_opening(page: PooledPage) -> Piece:
    """Whose files they are, and which are drafts."""
    drafts = [str(one["place"]) for one in page.about if one["is_draft"]]
    told = page.text("pooled.opening", n=len(page.about), places=", ".join(page.places))
    draft = page.text("pooled.draft", places=", ".join(drafts)) if drafts else None
    return join([told, *([draft] if draft else [])])


def show_summary(page: PooledPage) -> Piece:
    """A row per measure: the joint answers, and whether counties differ."""
    rows = []
    for measure in page.measures:
        joint = [page.find(measure, method, **COX) for method in JOINT]
        count = choose(page.table, measure=measure, method="place", status=OK, **COX)
        told = [describe_spread(page, measure), page.formats.count(len(count))]
        rows.append([page.name(measure), *map(page.write_ratio, joint), *told])
    heads = ("measure", "one_step", "mean", "further", "differ", "n")
    notes = [page.say("pooled.differ_note")]
    table = page.table_of(page.say("pooled.summary_caption"), heads, rows, notes)
    return join([page.text("pooled.summary_how"), table])


def describe_spread(page: PooledPage, measure: str) -> str:
    """The share of the spread that is no chance, and the test that counties are alike."""
    log = {**COX, "estimand": "log_hazard_ratio"}
    share, p = (page.find(measure, method, **log) for method in ("between_share", "heterogeneity"))
    if share.estimate is None or p.estimate is None:
        return DASH
    return page.say("pooled.differ", i2=page.formats.percent(share.estimate, 0),
                    p=page.formats.decimal(p.estimate, 2))  # fmt: skip


def show_measure(page: PooledPage, measure: str) -> Iterator[Piece]:
    """A forest of the counties and of the joint answers, and who drives them."""
    own = [(place, page.find(measure, "place", place, **COX)) for place in page.places]
    joint = [(page.say(f"pooled.row_{method}"), page.find(measure, method, **COX))
             for method in JOINT]  # fmt: skip
    mean = joint[1][1]
    told = [(name, one) for name, one in (*own, *joint) if one.is_shown]
    if told:
        key = "withheld" if mean.reason == "few_tell" else judge(mean)
        caption = page.say(f"pooled.caption_{key}", measure=page.name(measure))
        answers = " ".join(
            page.say("pooled.answer", name=name, number=page.formats.decimal(one.estimate or 0, 2),
                     interval=page.write_range(one))
            for name, one in told
        )  # fmt: skip
        alt = page.say("pooled.forest_alt", measure=page.name(measure), answers=answers)
        table = list_places(page, measure, own, joint)
        picture = draw_forest(page, own, joint)
        yield Figure(picture, alt, caption, page.say("common.numbers_behind"), table)
    else:
        yield page.text("pooled.caption_hidden", measure=page.name(measure))
    n_shown = sum(one.is_shown for _, one in own)
    is_withheld = mean.reason == "few_tell"
    if is_withheld:
        yield page.text("pooled.withheld", n=n_shown, total=len(own))
    elif 0 < n_shown < len(own):
        yield page.text("pooled.selected", n=n_shown, total=len(own))
    if n_shown == 2 and not is_withheld:
        yield page.text("pooled.two_only")
    yield from show_assumption(page, joint[0][1], mean)
    yield from show_driver(page, measure, mean)


def show_assumption(page: PooledPage, one_step: Number, mean: Number) -> Iterator[Piece]:
    """What the answer would be if the measure worked alike everywhere, where that is another."""
    alike = judge(one_step)
    if mean.is_shown and alike in (FEWER, MORE) and judge(mean) == OPEN:
        yield page.text(f"pooled.alike_{alike}", number=page.write_ratio(one_step))


def draw_forest(
    page: PooledPage, own: Sequence[tuple[str, Number]], joint: Sequence[tuple[str, Number]]
) -> Dots:
    """The counties' points, then the joint ones; a row without a number is left empty."""
    rows = [*own, *(one for one in joint if one[1].is_shown)]
    points = [to_point(one) for _, one in rows]
    is_own = [place < len(own) for place in range(len(rows))]
    ends = [end for point in points if point for end in point if end]
    low, high = min([*ends, 0.5]), max([*ends, 2.0])
    inside = [tick for tick in TICKS if low <= tick <= high]
    ticks = [max([t for t in TICKS if t <= low], default=TICKS[0]), *inside,
             min([t for t in TICKS if t >= high], default=TICKS[-1])]  # fmt: skip
    scale = Scale(
        page.formats.way("decimal", 1), sorted({*ticks}), page.say("pooled.axis"),
        is_log=True, reference=1.0,
        sides=(page.say("pooled.side_low"), page.say("pooled.side_high")),
    )  # fmt: skip
    series = [DotSeries(page.say("pooled.axis"), points, is_open=is_own)]
    return Dots([name for name, _ in rows], series, scale)


def to_point(number: Number) -> Point | None:
    """A number as a point with its interval."""
    if not number.is_shown or number.estimate is None:
        return None
    return (number.estimate, number.ci_low, number.ci_high)


def list_places(
    page: PooledPage,
    measure: str,
    own: Sequence[tuple[str, Number]],
    joint: Sequence[tuple[str, Number]],
) -> Table:
    """The numbers behind a forest."""
    rows = []
    for place, one in own:
        without = page.find(measure, "random_without", place, **COX)
        rows.append([place, page.write_ratio(one), write_count(page, one.n_events),
                     page.write_ratio(without) if without.is_shown else DASH])  # fmt: skip
    for name, one in joint:
        if one.is_shown:
            rows.append([name, page.write_ratio(one), write_count(page, one.n_events), DASH])
    caption = page.say("pooled.table_caption", measure=page.name(measure))
    return page.table_of(caption, ("place", "ratio", "events", "without"), rows)


def write_count(page: PooledPage, count: float | None) -> str:
    """A count, or a dash."""
    return DASH if count is None else page.formats.count(count)


def show_driver(page: PooledPage, measure: str, mean: Number) -> Iterator[Piece]:
    """The county without which the mean moves most."""
    rows = choose(page.table, measure=measure, method="random_without", **COX)
    if mean.estimate is None or rows.empty:
        return
    apart = (rows["estimate"] / mean.estimate).map(lambda ratio: max(ratio, 1 / ratio))
    row = rows.iloc[int(apart.to_numpy().argmax())]
    without = to_number(pd.Series(row))
    key = "drive" if judge(without) == judge(mean) else "drive_changes"
    yield page.text(f"pooled.{key}", place=row["place"], without=page.write_ratio(without),
                    mean=page.write_ratio(mean))  # fmt: skip


def show_risks(page: PooledPage) -> Piece:
    """Risk differences at the last day, on average and in a further county."""
    period = page.formats.period(page.last_day)
    rows = []
    for measure in page.measures:
        keys = {**RISKS, "time_days": page.last_day}
        cells = [write_points(page, page.find(measure, method, **keys))
                 for method in ("random_effects", "prediction")]  # fmt: skip
        shown = choose(page.table, measure=measure, method="place", status=OK, **keys)
        rows.append([page.name(measure), *cells, page.formats.count(len(shown))])
    caption = page.say("pooled.risk_caption", period=period)
    table = page.table_of(caption, ("measure", "mean", "further", "n"), rows)
    return join([page.text("pooled.risk_how", period=period), table])


def write_points(page: PooledPage, number: Number) -> str:
    """A difference in percentage points with its interval."""
    if not number.is_shown or number.estimate is None:
        return page.say("pooled.not_shown")
    told = page.formats.points(number.estimate)
    if number.ci_low is None or number.ci_high is None:
        return told
    interval = page.formats.range(100 * number.ci_low, 100 * number.ci_high, 1)
    return f"{told} ({interval})"


def show_alike(page: PooledPage) -> Iterator[Piece]:
    """How many report again in each county, and who the people are."""
    yield page.text("pooled.alike_how")
    rows = []
    for place in page.places:
        one = page.find("", "place", place, **{**AGAIN, "time_days": page.last_day})
        shown = one.is_shown and one.estimate is not None
        told = page.formats.percent(one.estimate or 0.0) if shown else page.say("pooled.not_shown")
        if shown and one.has_interval:
            told += f" ({page.formats.percent_range(one.ci_low or 0.0, one.ci_high or 0.0)})"
        rows.append([place, told])
    caption = page.say("pooled.again_caption", period=page.formats.period(page.last_day))
    yield page.table_of(caption, ("place", "share"), rows)
    yield list_case_mix(page)


def list_case_mix(page: PooledPage) -> Table:
    """A row per group, a column per county."""
    known: dict[str, set[str]] = {}
    shares: dict[tuple[str, str, str], float] = {}
    for place, table in page.case_mix.items():
        columns = (table["group"], table["level"], table["share"].to_numpy(float))
        for group, level, share in zip(*columns, strict=True):
            known.setdefault(str(group), set()).add(str(level))
            if not pd.isna(share):
                shares[place, str(group), str(level)] = share
    rows = []
    for group, levels in known.items():
        for level in page.labels.sort_levels(group, levels):
            cells = [shares.get((place, group, level)) for place in page.places]
            name = f"{start_upper(page.labels.group(group))}: {page.labels.level(group, level)}"
            rows.append([name, *(DASH if cell is None else page.formats.percent(cell, 0)
                                 for cell in cells)])  # fmt: skip
    heads = [page.say("pooled.head_group"), *page.places]
    hidden = any(DASH in row for row in rows)
    notes = [page.say("pooled.dash")] if hidden else []
    return page.wide_table(page.say("pooled.alike_caption"), heads, rows, notes)


def show_how(page: PooledPage) -> Iterator[Piece]:
    """How near the one model is to that of the joined rows, and the methods."""
    log = {**COX, "estimand": "log_hazard_ratio"}
    steps = choose(page.table, method="step", **log)["estimate"].dropna()
    if len(steps):
        key = "settled" if steps.max() <= SETTLED else "not_settled"
        digits = 3 if steps.max() <= SETTLED else 1
        yield page.text(f"pooled.{key}", step=page.formats.decimal(float(steps.max()), digits))
        errors = choose(page.table, method="one_step", **log).set_index("measure")["se"]
        noise = choose(page.table, method="rounding", **log).set_index("measure")["estimate"]
        share = float((noise / errors).to_numpy(float).max())
        yield page.text("pooled.rounding", share=page.formats.percent(share))
    yield page.text("pooled.hidden")
    yield page.text("pooled.method")
