"""Do sequential trials find the truth of a built-in county: strategies forced day by day.

    python benchmarks/sequential_truth.py [--measure support_talks] [--people 10000] [--counties 1]

For each day d of the acute phase the process is run as it is, with the measure first started on d,
and with its start barred to the end of d, with the same chance; of the pairs who are event-free and
have not started when d begins (which the three runs share) the risks by d + t are means. Days count
by how many start on them by themselves. Beside it the study's own sequential trials, level `acute`,
of counties that go the whole way from extract to analysis: mean, and distance in standard errors.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from county_truth import NO_EVENT, find_first_days, list_pairs
from simulate_truth import prepare_county

from revictimisation.analyses.sequential_trials import estimate_sequential_trials, list_days
from revictimisation.plan import StudyPlan
from revictimisation.simulate import kernel
from revictimisation.simulate.county import SCENARIOS
from revictimisation.simulate.course import run_course
from revictimisation.simulate.kernel import FORCE_NO_START, FORCE_START
from revictimisation.simulate.process import Force, prepare_setting, run_setting
from revictimisation.simulate.scenarios import Scenario

SEED = 20261201


def find_truth(scenario: Scenario, measure: str, plan: StudyPlan, n_people: int) -> np.ndarray:
    """Risks start and no start (rows) of the acute phase by the plan's days since the start."""
    place = [one.name for one in scenario.measures].index(measure)
    setting = prepare_setting(scenario, n_people, SEED, 0)
    pairs, at_days = list_pairs(setting), np.array(list_days(plan))
    events, _ = run_setting(setting, scenario)
    mine = events[(events["kind"] == kernel.KIND_MEASURE) & (events["index"] == place)]
    natural = np.full(n_people, NO_EVENT)
    np.minimum.at(natural, mine["victim"].to_numpy(), mine["day"].to_numpy())
    natural, last = natural[pairs.victim], setting.last_day[pairs.victim]
    is_in = (setting.given.running[:, place] == 0)[pairs.victim]
    first = find_first_days(setting, scenario, pairs, None)[""]
    summed, total = np.zeros((2, len(at_days))), 0
    for day in range(plan.sequential.phase_ends[0] + 1):
        at_risk = is_in & (np.minimum(first, last) > day) & (natural >= day)
        n_starts = int((natural[at_risk] == day).sum())
        days = np.full(n_people, day, np.int64)
        for arm, mode in enumerate((FORCE_START, FORCE_NO_START)):
            forced = find_first_days(setting, scenario, pairs, Force(place, mode, day, days))[""]
            by = forced[at_risk][:, None] <= day + at_days
            summed[arm] += n_starts * by.mean(axis=0)
        total += n_starts
    return summed / total


def main() -> None:
    """Print the truth and what the counties' studies say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", default="support_talks")
    parser.add_argument("--scenario", default="calibrated")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--counties", type=int, default=1)
    parser.add_argument("--truth-people", type=int, default=50_000)
    asked = parser.parse_args()
    scenario, gaps = SCENARIOS[asked.scenario], []
    truth = None
    for county in range(asked.counties):
        data = prepare_county(run_course(scenario, asked.people, SEED + 1 + county))
        if truth is None:
            truth = find_truth(scenario, asked.measure, data.plan, asked.truth_people)
            print(json.dumps({"truth": truth.round(4).tolist()}))
        rows = estimate_sequential_trials(data, [asked.measure]).estimates
        acute = rows[rows["level"].eq("acute")]
        found = acute.pivot(index="estimand", columns="time_days", values=["estimate", "se"])
        gap = found.loc["risk_difference"]
        gaps.append((gap["estimate"] - (truth[0] - truth[1])) / gap["se"])
        risks = found["estimate"].loc[["risk_start", "risk_no_start"]]
        print(json.dumps({
            "risks": risks.round(4).to_numpy().tolist(),
            "se": gap["se"].round(4).tolist(), "off_in_errors": gaps[-1].round(2).tolist(),
        }))  # fmt: skip
    told = np.array(gaps)
    covered = (np.abs(told) < 1.96).mean(axis=0).round(3).tolist()
    print(json.dumps({"mean_off": told.mean(axis=0).round(2).tolist(), "covered": covered}))


if __name__ == "__main__":
    main()
