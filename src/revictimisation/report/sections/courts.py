"""Notebook 5: question 4, what became of the reports in court and what goes with a conviction."""

from __future__ import annotations

from revictimisation.report.described import Bars, Curves, CurveSeries, Piece, Scale, Text, join
from revictimisation.report.page import Page
from revictimisation.report.release import Number
from revictimisation.report.sections.court_association import describe_answer
from revictimisation.report.sections.court_times import describe_decisions, show_hazards
from revictimisation.report.sections.use import share_ticks
from revictimisation.report.sections.words import describe_word
from revictimisation.report.verdicts import warn_untried

# where the cases stand, in the order of the table, and those that the picture draws
STATES = (
    "reported", "investigated", "not_investigated", "discontinued", "prosecuted",
    "summary_penalty", "prosecution_waived", "prosecution_dropped", "acquitted", "convicted",
)  # fmt: skip
DRAWN = ("investigated", "discontinued", "prosecuted", "convicted")
RUNGS = ("cleared", "prosecuted", "sanctioned", "convicted")
DENOMINATORS = ("of_reports", "of_prosecuted", "of_tried")
PERIODS = ("", "before_change", "from_change")
EXPLAINED = ("cleared", "sanctioned", "convicted")
REASONS_LISTED = "closing_reason"


def _days(page: Page) -> list[int]:
    return page.plan.days_within_horizon


def find_reached(page: Page, outcome: str, day: int, **keys: str) -> Number:
    """The share of index reports that have come to a rung of the ladder by a day."""
    given: dict[str, str | int] = {
        "question": "q4", "analysis": "ladder", "outcome": outcome, "time_days": day,
        "estimator": "aalen_johansen", "estimand": "cumulative_incidence", **keys,
    }  # fmt: skip
    return page.release.find(**given)


def find_standing(page: Page, state: str, day: int, analysis: str = "ladder") -> Number:
    """The share of cases that stand in a state on a day."""
    return page.release.find(
        question="q4", analysis=analysis, subgroup="case_state", level=state,
        outcome="case_state", estimator="aalen_johansen", estimand="share", time_days=day,
    )  # fmt: skip


def find_share_of(page: Page, denominator: str, period: str = "") -> Number:
    """The share convicted over one of the three denominators, at the last day."""
    is_tried = denominator == "of_tried"
    keys = {"subgroup": "definition_period", "level": period} if period else {}
    if not is_tried:
        return find_reached(page, "convicted", page.last_day, analysis=denominator, **keys)
    return page.release.find(question="q4", analysis=denominator, outcome="convicted",
                             estimator="description", estimand="share", **keys)  # fmt: skip


def show_lead(page: Page) -> Piece:
    """How many of a hundred reports end in a conviction, and that what follows is association."""
    share = find_reached(page, "convicted", page.last_day)
    period = page.formats.period(page.last_day)
    if not share.has_interval:
        told = page.text("courts.lead_hidden", why=page.why_not(share))
    else:
        told = page.text(
            "courts.lead", share=page.formats.of_hundred(share.estimate or 0.0), period=period,
            between=page.show_share_interval(share),
            n_entries=page.formats.count(share.n_people or 0),
        )  # fmt: skip
    answer = f"{describe_answer(page)} {describe_decisions(page)}".strip()
    parts = [told, Text(answer), page.text("courts.lead_association")]
    return join([*parts, Text(warn_untried(page))])


def show_ladder(page: Page) -> Piece:
    """Where the cases stand over time, as curves and as a table."""
    days = [0, *_days(page)]
    rows = []
    for state in STATES:
        found = [find_standing(page, state, day, _analysis(day)) for day in days]
        if all(one.is_shown and one.estimate == 0 for one in found):
            continue  # a state that nothing was ever in
        label = page.labels.code("case_state", state)
        rows.append([label, *(page.show_share(one) for one in found)])
    caption = page.say("courts.ladder_caption")
    heads = ["", *(page.say("courts.at_once") if not day else page.formats.period(day)
                   for day in days)]  # fmt: skip
    table = page.table(caption, heads, rows)
    series = [_curve(page, state) for state in DRAWN]
    if not all(one.days for one in series):
        return table
    ticks = [(float(day), page.formats.period(day)) for day in _days(page)]
    picture = Curves(series, ticks, page.formats.way("percent_short"))
    last = [page.show_share(find_standing(page, one, page.last_day)) for one in DRAWN]
    alt = page.say("courts.ladder_alt", discontinued=last[1], convicted=last[3],
                   period=page.formats.period(page.last_day))  # fmt: skip
    return page.figure(picture, alt, caption, table)


def _analysis(day: int) -> str:
    return "ladder" if day else "ladder_curve"


def _curve(page: Page, state: str) -> CurveSeries:
    days = [day for day in page.plan.curve_days
            if find_standing(page, state, day, "ladder_curve").is_shown]  # fmt: skip
    found = [find_standing(page, state, day, "ladder_curve") for day in days]
    return CurveSeries(
        page.say(f"courts.curve_{state}"), days, [one.estimate or 0.0 for one in found],
        [one.ci_low or 0.0 for one in found], [one.ci_high or 0.0 for one in found],
    )  # fmt: skip


def show_reasons(page: Page) -> Piece:
    """Why cases were discontinued."""
    rows = []
    for reason in page.levels("q4", REASONS_LISTED):
        one = find_reached(
            page, "discontinued", page.last_day, subgroup=REASONS_LISTED, level=reason
        )
        label = page.labels.code(REASONS_LISTED, reason)
        rows.append([page.labels.code("common", reason) if label == reason else label,
                     page.show_events(one), page.show_share_both(one)])  # fmt: skip
    heads = ["", page.say("courts.cases"), page.say("common.share")]
    return page.table(page.say("courts.reasons_caption"), heads, rows)


def show_denominators(page: Page) -> Piece:
    """The share convicted of the reports, of the prosecuted and of the tried; by period too."""
    names = [page.say(f"courts.{one}") for one in DENOMINATORS]
    found = [find_share_of(page, one) for one in DENOMINATORS]
    scale = Scale(page.formats.way("percent_short"), share_ticks(1.0))
    picture = Bars(names, [one.point for one in found], [0, 1, 2], [""], scale)
    rows = []
    for name, denominator in zip(names, DENOMINATORS, strict=True):
        cells = [find_share_of(page, denominator, period) for period in PERIODS]
        rows.append([name, *(page.show_share_both(cell) for cell in cells)])
    heads = ["", page.say("courts.all_years"), page.say("courts.before_change"),
             page.say("courts.from_change")]  # fmt: skip
    caption = page.say("courts.denominators_caption")
    table = page.table(caption, heads, rows)
    shares = dict(zip(DENOMINATORS, [page.show_share(one) for one in found], strict=True))
    alt = page.say("courts.denominators_alt", **shares)
    return join([page.figure(picture, alt, caption, table), _published(page)])


def _published(page: Page) -> Piece:
    """What authorities published, beside the study's own share of the same group.

    Not what stands for women and for men apart: the study's share is of both. An invented county
    is set to them: then only that is said.
    """
    if page.release.is_synthetic:
        return page.text("common.set_by")
    frame = page.dictionary.code_lists["published_clearance"]
    of_both = frame.groupby(["offence_group", "measured"])["victims"].transform("nunique") == 1
    rows = []
    for row in frame[of_both].to_dict("records"):
        own = find_reached(page, row["measured"], page.last_day, subgroup="offence_group",
                           level=row["offence_group"])  # fmt: skip
        crime, of, area = (row[f"{what}_{page.language}"] for what in ("label", "of", "area"))
        what = page.say(
            "courts.published_of", rung=page.say(f"courts.rung_{row['measured']}"), of=of
        )
        rows.append([crime, what, f"{area}, {row['years']}",
                     page.formats.percent_short(float(row["share"])),
                     page.show_share_both(own)])  # fmt: skip
    names = ("crime", "what", "place", "share", "own")
    heads = [page.say(f"courts.published_{name}") for name in names]
    caption = page.say("courts.published_caption")
    return page.table(caption, heads, rows, kind="words")


def show_decision_time(page: Page) -> Piece:
    """How many have a first decision and each rung by each day, and the measures' hazard ratios."""
    days = _days(page)
    rows = []
    for outcome in ("decided", *RUNGS):
        found = [find_reached(page, outcome, day) for day in days]
        rows.append([page.say(f"courts.rung_{outcome}"),
                     *(page.show_share_both(one) for one in found)])  # fmt: skip
    heads = ["", *(page.formats.period(day) for day in days)]
    table = page.table(page.say("courts.time_caption"), heads, rows)
    return join([table, page.text("courts.time_hazards"), show_hazards(page)])


def show_steps(page: Page) -> Piece:
    """What the steps are, each in the words of the word list."""
    told = "\n".join(f"- {describe_word(page, 'court', one)}" for one in EXPLAINED)
    return join([page.text("courts.time_text"), Text(told)])
