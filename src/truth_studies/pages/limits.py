"""What the truth studies found, line by line: where the answers hold, and where they do not.

Page 08 has every line, page 06 the same in plain words. Coverage is told among the numbers that
the gates let through, which are those that a study would show; then of all. Every number is
computed from a kept table; a line whose table is not kept is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from revictimisation.report.described import Piece, Text, join
from revictimisation.report.page import Page
from revictimisation.report.sections.answer import list_names
from revictimisation.report.trials import has_answer
from revictimisation.report.verdicts import name_measure
from truth_studies.pages.naming import (
    describe_bar,
    describe_counts,
    describe_range,
    name_row,
    name_scenario,
)
from truth_studies.records.bar import (
    BAND,
    BIAS,
    COVERAGE,
    INSIDE,
    count_released,
    count_surely_inside,
    find_bias_interval,
    find_faults,
    list_effects,
    list_missed,
    list_released,
    tally,
)
from truth_studies.records.controls import ANY, Alarm, expect_any, list_alarms
from truth_studies.records.truth import (
    BOOTSTRAP,
    CALIBRATED,
    DEPARTURES,
    MAIN,
    NULL,
    TruthStudy,
    read_joint_study,
    read_truth_study,
)

HIDDEN = DEPARTURES[0]
UNHIDDEN = (CALIBRATED, NULL)
ENOUGH_COUNTIES = 200
Alarms = Mapping[tuple[str, str], Alarm]


def list_limits(page: Page, study: TruthStudy, alarms: Alarms) -> list[str]:
    """The lines of page 08, without those that no kept table tells."""
    told = (
        _describe_coverage(page, study),
        _describe_inside(page, study),
        describe_hidden(page, study, alarms),
        _describe_bias(page, study),
        _describe_false_calls(page, study),
        _describe_power(page, study),
        _describe_unanswered(page, study, "unanswered"),
        _describe_too_sure(page, study),
        _describe_joint(page),
        _describe_untried(page, study),
        _describe_few(page, study, "few"),
    )
    return [one for one in told if one]


def list_plain_limits(page: Page, study: TruthStudy, alarms: Alarms) -> list[str]:
    """The same in plain words, for page 06."""
    told = (
        _describe_hidden_plainly(page, study, alarms),
        _describe_coverage_plainly(page, study),
        _describe_power_plainly(page, study),
        _describe_unanswered(page, study, "plain_unanswered"),
        _describe_few(page, study, "plain_few"),
    )
    return [one for one in told if one]


def describe_trust(page: Page, study: TruthStudy) -> str:
    """How far any answer is to be trusted, in one sentence; empty without counties to say it of."""
    rows = _read_released(study, HIDDEN)
    if rows.empty:
        return ""
    return page.say("truth_study.trust", **_describe_span(page, rows))


def _read(study: TruthStudy, scenario: str) -> pd.DataFrame:
    """The main method's risk differences of a scenario, by the intervals that most counties have;
    those whose bias and coverage are known.
    """
    rows = study.rows(scenario, study.find_most(scenario))
    return rows.dropna(subset=["bias_in_errors", "coverage"]) if len(rows) else rows


def _read_released(study: TruthStudy, scenario: str) -> pd.DataFrame:
    return list_released(_read(study, scenario))


def _describe_span(page: Page, rows: pd.DataFrame) -> dict[str, str]:
    """Coverage among the numbers let through, from least to most, and of how many counties."""
    return {
        "coverage": describe_range(page, [*rows["coverage_released"]]),
        "n": describe_counts(page, [*rows["n_released"]]),
    }


def _describe_inside(page: Page, study: TruthStudy) -> str:
    """How many of the main method's numbers clear the bar, and each part of it."""
    rows = _read(study, CALIBRATED)
    if rows.empty:
        return ""
    cleared = [find_faults(row, INSIDE) for _, row in rows.iterrows()]
    n_bias, n_coverage = (sum(part in one for one in cleared) for part in (BIAS, COVERAGE))
    given = {"n": tally(rows).n_inside, "n_bias": n_bias, "n_coverage": n_coverage}
    told = {name: page.formats.count(number) for name, number in given.items()}
    return page.say("truth_study.inside", n_all=page.formats.count(len(rows)), **told)


def _describe_bias(page: Page, study: TruthStudy) -> str:
    """How far from the truth at most where what the method supposes holds."""
    rows = _read(study, CALIBRATED)
    rows = rows[rows["empirical_error"].gt(0)] if len(rows) else rows
    if rows.empty:
        return ""
    worst = rows.iloc[int(rows["bias_in_errors"].abs().argmax())]
    bias, low, high = (page.formats.decimal(end, 2) for end in find_bias_interval(worst))
    n_beyond = len(list_missed(rows, BIAS))
    return page.say(
        "truth_study.biased" if n_beyond else "truth_study.unbiased",
        n_beyond=page.formats.count(n_beyond), n_all=page.formats.count(len(rows)),
        n_sure=page.formats.count(count_surely_inside(rows)), bias=bias, low=low, high=high,
        where=name_row(page, worst), **describe_bar(page),
    )  # fmt: skip


def _describe_coverage(page: Page, study: TruthStudy) -> str:
    """How often intervals hold the truth among the numbers that would have been shown."""
    rows = _read_released(study, CALIBRATED)
    if rows.empty:
        return ""
    worst = rows.iloc[int(rows["coverage_released"].argmin())]
    told = [page.say("truth_study.released", where=name_row(page, worst),
                     **_describe_span(page, rows), **describe_bar(page))]  # fmt: skip
    others = [
        page.say("truth_study.released_in", scenario=name_scenario(page, scenario),
                 **_describe_span(page, found))
        for scenario in study.scenarios if scenario not in (CALIBRATED, HIDDEN)
        if len(found := _read_released(study, scenario))
    ]  # fmt: skip
    if others:
        told.append(page.say("truth_study.released_others", others="; ".join(others)))
    return " ".join([*told, _describe_kind(page, study)]).strip()


def _describe_kind(page: Page, study: TruthStudy) -> str:
    """In how few counties the kind of intervals that the study shows was tried."""
    kind = study.find_kind(CALIBRATED, MAIN.estimator)
    rows = list_released(study.rows(CALIBRATED, MAIN))
    if not (page.plan.bootstrap.replicates and study.has_two_kinds(CALIBRATED) and len(rows)):
        return ""
    return page.say(
        "truth_study.released_kind", replicates=kind.removeprefix(BOOTSTRAP),
        counties=page.formats.count(rows["n_counties"].max()), **_describe_span(page, rows),
    )  # fmt: skip


def _describe_too_sure(page: Page, study: TruthStudy) -> str:
    """In which scenarios intervals of all numbers cover too seldom, hidden differences aside."""
    told = []
    for scenario in study.scenarios:
        rows = _read(study, scenario) if scenario != HIDDEN else pd.DataFrame()
        under = [row for row in list_missed(rows, COVERAGE) if row["coverage"] < BAND[0]]
        under += [row for row in list_missed(rows) if row["scenario"] == NULL
                  and row["coverage"] < BAND[0]]  # fmt: skip
        if under:
            worst = min(under, key=lambda row: float(row["coverage"]))
            least = page.formats.percent(worst["coverage"], 0)
            told.append(f"{name_scenario(page, scenario)} ({name_row(page, worst)}: {least})")
    key = "too_sure" if told else "sure_enough"
    return "" if study.is_empty else page.say(f"truth_study.{key}", where="; ".join(told))


def describe_hidden(page: Page, study: TruthStudy, alarms: Alarms) -> str:
    """What matters most: how a hidden difference escapes the intervals, the gates, the controls."""
    rows = _read_released(study, HIDDEN)
    if rows.empty:
        return ""
    told = [page.say("truth_study.hidden", **_describe_span(page, rows))]
    share, usual = (count_released(_read(study, one))[0] for one in (HIDDEN, CALIBRATED))
    is_alike = (HIDDEN in study.reweighted) == (CALIBRATED in study.reweighted)
    if is_alike and share is not None and usual is not None:
        given = {"share": page.formats.percent(share, 0), "usual": page.formats.percent(usual, 0)}
        told.append(page.say("truth_study.hidden_released", **given))
    given = _describe_alarms(page, alarms)
    if given:
        told.append(page.say("truth_study.hidden_alarms", **given))
    return " ".join(told)


def _describe_alarms(page: Page, alarms: Alarms) -> dict[str, str]:
    """Alarms with a hidden difference beside those without one: of any measure, and of each."""
    usual = [alarms[one, ANY].share for one in UNHIDDEN if (one, ANY) in alarms]
    each, each_usual = (list_alarms(alarms, one) for one in ((HIDDEN,), UNHIDDEN))
    if not (usual and each and each_usual and (HIDDEN, ANY) in alarms):
        return {}
    counties = [one.n_counties for one in (*each, *each_usual)]
    return {
        "any": page.formats.percent(alarms[HIDDEN, ANY].share, 0),
        "any_usual": describe_range(page, usual),
        "each": describe_range(page, [one.share for one in each]),
        "each_usual": describe_range(page, [one.share for one in each_usual]),
        "chance": page.formats.percent(expect_any(len(each)), 0),
        "n_measures": page.formats.count(len(each)),
        "n": describe_counts(page, counties),
    }


def _describe_hidden_plainly(page: Page, study: TruthStudy, alarms: Alarms) -> str:
    rows = _read_released(study, HIDDEN)
    if rows.empty:
        return ""
    told = [page.say("truth_study.plain_hidden", **_describe_span(page, rows))]
    given = _describe_alarms(page, alarms)
    if given:
        told.append(page.say("truth_study.plain_alarms", **given))
    return " ".join(told)


def _describe_coverage_plainly(page: Page, study: TruthStudy) -> str:
    rows = _read_released(study, CALIBRATED)
    if rows.empty:
        return ""
    worst = rows.iloc[int(rows["coverage_released"].argmin())]
    return page.say("truth_study.plain_coverage", where=name_row(page, worst),
                    **_describe_span(page, rows))  # fmt: skip


def find_coverage(measure: str, day: int) -> tuple[float, int] | None:
    """How often a measure's interval held the truth by a day, and of how many counties."""
    rows = _read_released(read_truth_study(), CALIBRATED)
    if rows.empty:
        return None
    mine = rows[rows["time_days"].eq(day) & rows["measure"].eq(measure)]
    kept = zip(mine["coverage_released"], mine["n_released"], strict=True)
    return next(((float(share), int(n)) for share, n in kept), None)


def _describe_false_calls(page: Page, study: TruthStudy) -> str:
    """How often something is called an effect though nothing is there: let through, and of all."""
    rows = _read(study, NULL)
    if rows.empty:
        return ""
    released, called = list_released(rows), rows["rejection_rate"]
    _, covered = count_released(rows)
    shares = {"all": called.mean(), "highest_all": called.max()}
    if covered is not None:
        shares |= {"share": 1 - covered, "highest": 1 - released["coverage_released"].min()}
    given = {name: page.formats.percent(share, 0) for name, share in shares.items()}
    key = "false_calls_all" if covered is None else "false_calls"
    return page.say(f"truth_study.{key}", **given, **describe_bar(page))


def _describe_power(page: Page, study: TruthStudy) -> str:
    """How often a difference that is there was found, by measure and day."""
    rows = list_effects(_read(study, CALIBRATED))
    if rows.empty:
        return ""
    found = "; ".join(f"{name_row(page, row)}: {page.formats.percent(row['rejection_rate'], 0)}"
                      for _, row in rows.iterrows())  # fmt: skip
    n = describe_counts(page, [*rows["n_counties"]])
    return page.say("truth_study.power", found=found, n=n)


def _describe_power_plainly(page: Page, study: TruthStudy) -> str:
    rows = list_effects(_read(study, CALIBRATED))
    rows = rows[rows["time_days"].eq(rows["time_days"].max())] if len(rows) else rows
    if rows.empty:
        return ""
    day = page.formats.period(int(rows["time_days"].iloc[0]))
    found = list_names(page, [
        page.say("truth_study.plain_found", measure=name_measure(page, row["measure"]),
                 share=page.formats.percent(row["rejection_rate"], 0))
        for _, row in rows.iterrows()
    ])  # fmt: skip
    told = page.say("truth_study.plain_power", period=day, found=found)
    nothing = list_released(_read(study, CALIBRATED)).loc[lambda every: every["truth"].eq(0)]
    left = [one for one in page.plan.measure_names
            if one in {*nothing["measure"]} - {*rows["measure"]}]  # fmt: skip
    names = list_names(page, [name_measure(page, one) for one in left])
    return f"{told} {page.say('truth_study.no_effect', measures=names)}" if left else told


def _describe_unanswered(page: Page, study: TruthStudy, key: str) -> str:
    """Of which measures without an answer here no county gave a number either."""
    rows = _read(study, CALIBRATED)
    people = study.describe_run(CALIBRATED).get("people_per_county")
    if rows.empty or people is None:
        return ""
    released = rows.groupby("measure")["n_released"].max()
    unanswered = (one for one in page.plan.measure_names if not has_answer(page, one))
    names = [name_measure(page, one) for one in unanswered
             if one in released.index and not released[one]]  # fmt: skip
    if not names:
        return ""
    n = describe_counts(page, [*rows["n_counties"]])
    return page.say(f"truth_study.{key}", measures=list_names(page, names), n=n,
                    people=page.formats.count(people))  # fmt: skip


def _describe_joint(page: Page) -> str:
    """How often the interval of starts near in time held the truth: why they are withheld."""
    rows = read_joint_study()
    names = [name_measure(page, one) for one in page.plan.measure_names if page.plan.is_joint(one)]
    if rows.empty or not names:
        return ""
    last = rows.sort_values("time_days").iloc[-1]
    return page.say(
        "truth_study.joint",
        measures=list_names(page, names),
        n=page.formats.count(int(last["n_counties"])),
        coverage=page.formats.percent(float(last["coverage"]), 0),
        bias=page.formats.decimal(float(last["bias_in_errors"]), 2),
        period=page.formats.period(int(last["time_days"])),
    )


def _describe_untried(page: Page, study: TruthStudy) -> str:
    """What the pages show and no county of known truth has tried."""
    tried = study.measures(CALIBRATED, (MAIN,))
    joint = read_joint_study()
    asked = (name for name in page.plan.measure_names
             if joint.empty or not page.plan.is_joint(name))  # fmt: skip
    missing = [name_measure(page, name) for name in asked if name not in tried]
    told = []
    if tried and missing:
        names = list_names(page, missing)
        told.append(page.say("truth_study.untried_measures", measures=names))
    without = [
        name_scenario(page, scenario) for scenario in study.scenarios
        if not study.find_kind(scenario, MAIN.estimator).startswith(BOOTSTRAP)
    ]  # fmt: skip
    plainly = [name_scenario(page, scenario) for scenario in study.scenarios
               if study.reweighted and scenario not in study.reweighted]  # fmt: skip
    if plainly:
        told.append(page.say("truth_study.untried_weights", scenarios=list_names(page, plainly)))
    if study.has_bootstrap and without:
        told.append(page.say("truth_study.untried_bootstrap", scenarios=list_names(page, without)))
    return page.say("truth_study.untried", what="; ".join(told)) if told else ""


def _describe_few(page: Page, study: TruthStudy, key: str) -> str:
    """How few counties were made, where they are fewer than it takes."""
    counts = [study.count_counties(scenario) for scenario in study.scenarios]
    if not counts or min(counts) >= ENOUGH_COUNTIES:
        return ""
    n = describe_counts(page, counts)
    return page.say(f"truth_study.{key}", n=n, enough=page.formats.count(ENOUGH_COUNTIES))


def show_lines(lines: Sequence[str]) -> Text:
    """Lines as a list."""
    return Text("\n".join(f"- {one}" for one in lines))


def show_limits(page: Page, study: TruthStudy, alarms: Alarms) -> Piece:
    """What was done, the bar, and the lines; one sentence if nothing is kept."""
    if study.is_empty:
        return page.text("truth_study.none")
    lines = show_lines(list_limits(page, study, alarms))
    return join([page.text("truth_study.done", **describe_bar(page)), lines])
