"""The compiled course, which leaps from change to change, against a walk through every day."""

from dataclasses import replace

import numpy as np

from revictimisation.simulate import kernel
from revictimisation.simulate.calibrated import CALIBRATED
from revictimisation.simulate.process import Force, prepare_setting, run_setting
from revictimisation.simulate.scenarios import Effect
from tests.cases import for_each

N_WALKED = 150
LAST_DAY = 500


def threshold(key, slot, turn):
    return kernel._draw_threshold(key, slot, turn)


def walk(i, given, scenario):
    """The course of one victim, day by day, as the module's text says it: the oracle."""
    key, kinds, names = given.keys[i], given.kinds, range(given.kinds.size)
    n_suspects = given.n_suspects[i]
    ends = {k: given.running[i, k] for k in names if given.running[i, k] > 0}
    carry = dict.fromkeys(names, -1)
    turns, left = dict.fromkeys(names, 0), {k: threshold(key, k, 0) for k in names}
    report_turns = [0] * 5
    report_left = [threshold(key, 20 + j, 0) for j in range(5)]
    rows, clock = [], 0
    for day in range(min(LAST_DAY, given.last_day[i]) + 1):
        in_force = set(ends)
        effect = sum(given.effect[i, k] for k in in_force) + sum(
            given.effect[i, k] * kinds[k]["carry_share"]
            for k in names
            if k not in in_force and carry[k] >= day
        )
        own = [np.exp(given.log_event[i, j] + effect) for j in range(n_suspects)]
        shared = scenario.shared_share * min(own) if n_suspects > 1 else 0.0
        step = given.event_table[day + 1] - given.event_table[day]
        other_step = given.other_table[day + 1] - given.other_table[day]
        hazards = {j: (rate - shared) * step for j, rate in enumerate(own)}
        hazards[3], hazards[4] = shared * step, np.exp(given.log_other[i]) * other_step
        is_again = False
        for j, hazard in sorted(hazards.items()):
            report_left[j] -= hazard
            if hazard > 0 and report_left[j] <= 1e-13:
                report_turns[j] += 1
                report_left[j] = threshold(key, 20 + j, report_turns[j])
                if j == 4:
                    rows.append((kernel.KIND_OTHER, -1, day, day))
                else:
                    is_again = True
                    who = range(n_suspects) if j == 3 else [j]
                    rows += [(kernel.KIND_REPORT, s, day, day) for s in who]
        if day == min(LAST_DAY, given.last_day[i]):
            break
        for k in names:
            if k in in_force:
                if ends[k] == day:
                    del ends[k]
                    carry[k] = day + kinds[k]["carry_days"]
                continue
            log_rate = given.log_start[i, k] + sum(given.between[o, k] for o in in_force)
            log_rate += kinds[k]["restart"] if turns[k] else 0.0
            table = given.start_tables[k]
            left[k] -= np.exp(log_rate) * (table[day - clock + 1] - table[day - clock])
            if left[k] <= 1e-13:
                turns[k] += 1
                left[k] = threshold(key, k, turns[k])
                length = kernel._draw_length(kinds[k], kernel._draw_uniform(key, 40 + k, turns[k]))
                ends[k] = day + length
                rows.append((kernel.KIND_MEASURE, k, day, day + length))
        if is_again:
            clock = day
    return sorted(rows)


@for_each("seed", [1, 2])
def test_leaping_gives_what_walking_gives(seed):
    # strong effects, so that a slip in what acts when would show
    measures = tuple(
        replace(m, effect=Effect(log_hazard_ratio=1.5, carry_share=0.5, carry_days=30))
        for m in CALIBRATED.measures
    )
    scenario = replace(CALIBRATED, measures=measures)
    setting = prepare_setting(scenario, N_WALKED, seed)
    last = np.minimum(setting.last_day, LAST_DAY)
    events, _ = run_setting(setting, scenario, last_day=last)
    columns = ["kind", "index", "day", "end_day"]
    assert len(events) > 2 * N_WALKED
    for i in range(N_WALKED):
        leapt = sorted(map(tuple, events.loc[events["victim"] == i, columns].to_numpy().tolist()))
        assert leapt == walk(i, setting.given, scenario), f"victim {i}"


def test_nothing_is_reported_before_day_two_nor_starts_on_the_last_day():
    setting = prepare_setting(CALIBRATED, 3000, 5)
    events, _ = run_setting(setting, CALIBRATED)
    last = setting.last_day[events["victim"]]
    reports = events["kind"] == kernel.KIND_REPORT
    assert events.loc[reports, "day"].min() == 2
    assert (events["day"] <= last).all()
    starts = events["kind"] == kernel.KIND_MEASURE
    assert (events.loc[starts, "day"] < last[starts]).all()
    assert (events.loc[starts, "end_day"] > events.loc[starts, "day"]).all()


def test_a_full_buffer_is_enlarged_and_changes_nothing(monkeypatch):
    setting = prepare_setting(CALIBRATED, 200, 5)
    whole, _ = run_setting(setting, CALIBRATED)
    small = np.empty((50, 5), dtype=np.int64)
    rule = kernel.Rule(0, 0, 0, 0.35, True, np.zeros(1, np.int64), np.zeros((1, 1)))
    assert kernel.run_courses(setting.given, rule, small) == -1
    assert len(whole) > 50


@for_each("grace", [0, 14])
def test_forced_strategies_do_what_they_say(grace):
    setting = prepare_setting(CALIBRATED, 2000, 5)
    eligible = np.flatnonzero(setting.given.running[:, 0] == 0)
    days = np.full(2000, grace)
    for mode, low, high in (
        (kernel.FORCE_START, grace, grace),
        (kernel.FORCE_NO_START, grace + 1, 10**6),
    ):
        events, _ = run_setting(setting, CALIBRATED, Force(0, mode, grace, days))
        mine = events[(events["kind"] == 1) & (events["index"] == 0)]
        first = mine.groupby("victim")["day"].min().reindex(eligible).dropna()
        assert first.between(low, high).all()
        assert len(first) > 300
