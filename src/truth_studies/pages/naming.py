"""What methods, scenarios, intervals and rows of the truth studies are called."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from revictimisation.report.page import DASH, Page
from revictimisation.report.verdicts import name_measure
from truth_studies.records.bar import ALLOWED_CALLS, BAND, MOST_BIAS
from truth_studies.records.truth import BOOTSTRAP, INFLUENCE, Way


def name_way(page: Page, way: Way) -> str:
    """A way to estimate as it is called here; one the texts do not know by its code's label."""
    if way.intervals:
        return page.say(f"truth_study.way_{way.estimator}_by_{way.intervals}")
    key = f"truth_study.way_{way.estimator}_{way.analysis}"
    if key in page.texts:
        return page.say(key)
    name = page.labels.code("estimator", way.estimator).replace("_", " ")
    return name if way.analysis == "main" else f"{name}, {way.analysis.replace('_', ' ')}"


def name_scenario(page: Page, scenario: str) -> str:
    """A scenario in a few words."""
    key = f"truth_study.scenario_{scenario}"
    return page.say(key) if key in page.texts else scenario.replace("_", " ")


def name_intervals(page: Page, kind: str) -> str:
    """`bootstrap200` or `influence` in words."""
    if not kind.startswith(BOOTSTRAP):
        return page.say("truth_study.by_influence") if kind == INFLUENCE else kind
    drawn = kind.removeprefix(BOOTSTRAP)
    return page.say("truth_study.by_bootstrap", replicates=drawn or DASH)


def name_row(page: Page, row: pd.Series) -> str:
    """A row's measure, with its day where it has one."""
    name = name_measure(page, row["measure"])
    if pd.isna(row["time_days"]):
        return name
    day = page.formats.period(int(row["time_days"])).replace(" ", "\xa0")
    return f"{name}, {day}"


def describe_bar(page: Page) -> dict[str, str]:
    """What is asked for, in words."""
    return {
        "most": page.formats.decimal(MOST_BIAS, 1),
        "band": page.formats.percent_range(*BAND, digits=0),
        "allowed": page.formats.percent(ALLOWED_CALLS, 0),
    }


def describe_range(page: Page, shares: Sequence[float]) -> str:
    """`5–85 %`: from the least to the largest of some shares, in whole per cent."""
    low, high = min(shares), max(shares)
    if round(low, 2) == round(high, 2):
        return page.formats.percent(low, 0)
    return page.formats.percent_range(low, high, 0)


def describe_counts(page: Page, counts: Sequence[float]) -> str:
    """`59–100`: from the least to the largest of some counts."""
    low, high = min(counts), max(counts)
    return page.formats.count(low) if low == high else page.formats.range(low, high, 0)
