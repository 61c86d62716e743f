"""Reports that were filed only because a measure in force had raised the propensity to report.

Reports come at the usual rate times the reporting ratio of what is in force. The reports that would
have been filed at the usual will are therefore a thinning of those that were: each is kept with
chance 1 / ratio, and what is kept comes at the usual rate whatever came before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revictimisation.simulate.course import number_filings
from revictimisation.simulate.kernel import KIND_MEASURE, KIND_OTHER
from revictimisation.simulate.process import Setting
from revictimisation.simulate.randoms import Floats, Integers, draw_chance
from revictimisation.simulate.scenarios import Scenario


def is_reporting_changed(scenario: Scenario) -> bool:
    """Say whether any measure of the scenario changes the propensity to report."""
    return any(measure.log_reporting_ratio for measure in scenario.measures)


def list_spells(running: Integers, events: pd.DataFrame, measure: int) -> pd.DataFrame:
    """A row per time in force of a measure: victim, start_day, end_day; before day 0 starts at -1.

    Arguments as of ``mark_in_force``.
    """
    spells = events[(events["kind"] == KIND_MEASURE) & (events["index"] == measure)]
    own = running[:, measure]
    early = pd.DataFrame({"victim": np.arange(len(own)), "day": -1, "end_day": own})
    spells = pd.concat([early[own > 0], spells[["victim", "day", "end_day"]]])
    return spells.rename(columns={"day": "start_day"})


def mark_in_force(
    running: Integers, events: pd.DataFrame, rows: pd.DataFrame, measure: int
) -> np.ndarray:
    """Say for each row (victim, day) whether the measure is in force: start < day <= end.

    ``running`` (victims, measures) holds the last day of what ran before day 0; ``events`` is what
    ``run_setting`` returns.
    """
    spells = list_spells(running, events, measure)
    joined = rows[["victim", "day"]].reset_index(names="row").merge(spells, on="victim")
    is_in = (joined["start_day"] < joined["day"]) & (joined["day"] <= joined["end_day"])
    found = np.zeros(len(rows), dtype=bool)
    found[joined.loc[is_in, "row"].to_numpy()] = True
    return found


def sum_log_ratios(setting: Setting, scenario: Scenario, events: pd.DataFrame) -> Floats:
    """Sum for each event the log reporting ratios of the measures in force on its day."""
    rows, total = events.reset_index(drop=True), np.zeros(len(events))
    for place, measure in enumerate(scenario.measures):
        if measure.log_reporting_ratio:
            is_in = mark_in_force(setting.given.running, rows, rows, place)
            total += measure.log_reporting_ratio * is_in
    return total


def keep_usual(
    setting: Setting, scenario: Scenario, events: pd.DataFrame, seed: int
) -> pd.DataFrame:  # fmt: skip
    """Keep the measures, and of the reports those that would have been filed at the usual will.

    Reports of one victim on one day share one chance, so the strategies do too.
    """
    units = setting.victims["unit"].to_numpy()[events["victim"]]
    filings = number_filings(units, events["day"].to_numpy(), False)
    is_other = (events["kind"] == KIND_OTHER).to_numpy()
    chance = np.exp(-sum_log_ratios(setting, scenario, events))
    is_kept = draw_chance(seed, filings + is_other, "usual_will", chance)
    return events[is_kept | (events["kind"] == KIND_MEASURE).to_numpy()]
