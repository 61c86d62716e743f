"""The built-in effects are in the reports: observed against expected, by plain counting.

With one measure at a time that has an effect, the reports that happen while it is in force are held
against the number the baseline hazard leads one to expect. Their ratio is the hazard ratio.
"""

from dataclasses import replace

import numpy as np
import pytest

from revictimisation.simulate import kernel
from revictimisation.simulate.calibrated import CALIBRATED
from revictimisation.simulate.population import draw_victims
from revictimisation.simulate.process import prepare_setting, run_setting, tabulate_event
from revictimisation.simulate.scenarios import Effect

N_PEOPLE = 25_000
PLACES = {measure.name: place for place, measure in enumerate(CALIBRATED.measures)}


def keep_one_effect(name):
    measures = tuple(m if m.name == name else replace(m, effect=Effect())
                     for m in CALIBRATED.measures)  # fmt: skip
    return replace(CALIBRATED, measures=measures)


def count(setting, events, spells):
    """Observed reports within the spells (start, end], and those expected without any effect."""
    rate = np.where(np.arange(3) < setting.n_suspects[:, None], np.exp(setting.given.log_event), 0)
    table = tabulate_event(CALIBRATED)
    victim, start, end = spells["victim"].to_numpy(), spells["day"], spells["end_day"]
    end = np.minimum(end, setting.last_day[victim])
    expected = rate.sum(axis=1)[victim] * (table[end + 1] - table[np.minimum(start, end) + 1])
    reports = events[events["kind"] == kernel.KIND_REPORT][["victim", "day"]]
    joined = reports.merge(spells, on="victim", suffixes=("", "_start"))
    is_in = (joined["day_start"] < joined["day"]) & (joined["day"] <= joined["end_day"])
    return int(is_in.sum()), float(expected.sum())


def find_spells(setting, events, name):
    return events[(events["kind"] == kernel.KIND_MEASURE) & (events["index"] == PLACES[name])]


def assert_ratio(observed, expected, log_ratio):
    # reports that name several suspects at once come in twos and threes: a wider margin
    margin = 4.5 * 1.15 / np.sqrt(observed)
    assert observed > 60
    assert abs(np.log(observed / expected) - log_ratio) < margin


@pytest.mark.parametrize("measure", CALIBRATED.measures, ids=lambda measure: measure.name)
def test_reports_while_in_force_follow_the_built_in_hazard_ratio(measure):
    scenario = keep_one_effect(measure.name)
    setting = prepare_setting(scenario, N_PEOPLE, 31)
    events, _ = run_setting(setting, scenario)
    spells = find_spells(setting, events, measure.name)
    effect = measure.effect
    levels = effect.per_level or {"": effect.log_hazard_ratio}
    for level, log_ratio in levels.items():
        mine = setting.victims[effect.by] == level if level else np.ones(N_PEOPLE, bool)
        chosen = spells[np.asarray(mine)[spells["victim"]]]
        assert_ratio(*count(setting, events, chosen), log_ratio)


def test_half_of_support_carries_over_for_half_a_year():
    scenario = keep_one_effect("support_talks")
    setting = prepare_setting(scenario, N_PEOPLE, 31)
    events, _ = run_setting(setting, scenario)
    spells = find_spells(setting, events, "support_talks").sort_values(["victim", "day"])
    next_start = spells.groupby("victim")["day"].shift(-1).fillna(10**6).astype(int)
    after = spells.assign(day=spells["end_day"])
    for first, last, log_ratio in ((0, 180, -0.125), (180, 900, 0.0)):
        start, end = after["day"] + first, np.minimum(after["day"] + last, next_start)
        window = after.assign(day=start, end_day=end)
        is_any = (end > start) & (start < setting.last_day[after["victim"]])
        assert_ratio(*count(setting, events, window[is_any]), log_ratio)


def test_people_at_high_risk_get_more_of_everything_and_report_more():
    """Confounding by indication, without which the naive comparison would not mislead."""
    setting = prepare_setting(CALIBRATED, N_PEOPLE, 31)
    is_high = (setting.victims["risk_level"] == "high").to_numpy()
    is_low = (setting.victims["risk_level"] == "low").to_numpy()
    events, _ = run_setting(setting, CALIBRATED)
    for place in range(len(CALIBRATED.measures)):
        mine = events[(events["kind"] == kernel.KIND_MEASURE) & (events["index"] == place)]
        share = np.isin(np.arange(N_PEOPLE), mine.loc[mine["day"] <= 60, "victim"])
        assert share[is_high].mean() > 2 * share[is_low].mean()
    again = np.isin(np.arange(N_PEOPLE), events.loc[events["kind"] == 0, "victim"])
    assert again[is_high].mean() > again[is_low].mean() + 0.2


def test_the_recorded_level_is_all_there_is():
    """No hidden confounder in the calibrated county."""
    assert CALIBRATED.hidden.log_event == CALIBRATED.hidden.log_start == 0
    victims = draw_victims(CALIBRATED, 100, 1)
    assert not victims["is_hidden"].any()
