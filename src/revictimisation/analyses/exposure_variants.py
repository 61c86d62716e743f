"""Question 2: when do the measures act, and does what they do outlast them.

Three variants of the time-varying Cox model, each with its measure's 0/1 column split by the
history of that measure, the other measures 0/1 while in force as in the main model, the same
covariates and errors clustered by victim. One measure is split at a time: a band in which hardly
anything happens then spoils its own number and no other measure's, and the bands of a joint
measure, which are nearly sums of those of its parts, never stand beside them.

`time_since_start`: in force, by days since the start, each band against not in force (as the main
model has it).

`carry_over`: not in force, by days since the last end, each band against never in force so far (the
level `in_force` is against the same).

`cumulative_days`: does support that ends early lose its effect? After the end, by days in force in
all (subgroup `days_lasted`, each band against never in force so far): if what a measure does lasts
only where it went on long enough, the first band is at 1 and the last below it. And the change in
the hazard per 30 days in force (subgroup `days_so_far`), while in force (`in_force`) and after
it has ended (`ended`): below 1 after the end means that each further month left more behind.

These are associations under the assumption that, given the covariates and the measures in force,
who is in which band does not depend on what would happen next. Whoever is in a late band has stayed
without a new report so long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from revictimisation.analyses.analysis import SETTLED, frame_checks, tell_checks
from revictimisation.cohort.study_data import StudyData
from revictimisation.core.results import combine, make_estimates
from revictimisation.estimators.cox import CoxFit, fit_cox
from revictimisation.estimators.design import Design, add_measures
from revictimisation.estimators.exposure_bands import (
    IN_FORCE,
    band_after_end,
    band_by_length,
    band_since_start,
    count_days_so_far,
    cut_episodes,
    merge_spells,
    name_bands,
)
from revictimisation.estimators.hazard_rows import (
    count_exposed,
    describe_hazard,
    describe_no_answer,
)
from revictimisation.plan import Variants

ESTIMATOR = "cox_time_varying"
ENDED = "ended"


@dataclass(frozen=True)
class _Variant:
    """A model: how the history is laid out, and for each level its column and who counts in it."""

    analysis: str
    subgroup: str
    levels: dict[str, tuple[str, str]]
    lay: Callable[[pd.DataFrame], pd.DataFrame]


def _list_variants(rules: Variants) -> list[_Variant]:
    since = name_bands(rules.since_start_days, first=0)
    after = (IN_FORCE, *name_bands(rules.after_end_days, first=1))
    lasted = name_bands([bound - 1 for bound in rules.lasted_days], first=0)
    dose = {level: (f"{level}_days", level) for level in (IN_FORCE, ENDED)}
    return [
        _Variant("time_since_start", "time_since_start", _same(since),
                 lambda spells: band_since_start(spells, rules.since_start_days)),
        _Variant("carry_over", "after_end", _same(after),
                 lambda spells: band_after_end(spells, rules.after_end_days)),
        _Variant("cumulative_days", "days_lasted", _same(lasted),
                 lambda spells: band_by_length(spells, rules.lasted_days)),
        _Variant("cumulative_days", "days_so_far", dose,
                 lambda spells: count_days_so_far(spells, rules.dose_per_days)),
    ]  # fmt: skip


def _same(bands: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    return {band: (band, band) for band in bands}


def estimate_exposure_variants(data: StudyData) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate the variants of every measure's hazard ratio; also the diagnostics.

    Estimator `cox_time_varying`, estimands `log_hazard_ratio` and `hazard_ratio`, to the first
    outcome; analysis, subgroup and level as this module says, levels named by the bounds in
    `plan.variants`. `n_people` are entries ever in the band, `n_events` events in it; a dose's
    are those of the time it is counted in.
    """
    parts: list[pd.DataFrame] = [make_estimates([])]
    notes: list[dict[str, object]] = []
    base = _Base(data, data.first_episodes.reset_index(drop=True), data.design())
    end_day = data.entries["stop_day"].to_numpy()
    for measure in data.plan.measure_names:
        stretches = merge_spells(data.spells[data.spells["measure"] == measure], end_day)
        for variant in _list_variants(data.plan.variants):
            estimates, note = _fit_variant(base, stretches, measure, variant)
            parts.append(estimates)
            notes += note
    return combine(parts), frame_checks(notes)


@dataclass(frozen=True)
class _Base:
    """What the models share: `people` is the covariates' design, a row per entry."""

    data: StudyData
    episodes: pd.DataFrame
    people: Design


def _fit_variant(
    base: _Base, stretches: pd.DataFrame, measure: str, variant: _Variant
) -> tuple[pd.DataFrame, list[dict[str, object]]]:
    pieces, held = cut_episodes(base.episodes, variant.lay(stretches))
    entry, is_event = pieces["entry_id"].to_numpy(), pieces["is_event"].to_numpy()
    victim = base.data.entries["cluster_id"].to_numpy()[entry]
    exposed = {
        level: count_exposed(entry, victim, is_event, held[counted] != 0)
        for level, (_, counted) in variant.levels.items()
    }
    plan = base.data.plan
    same = {
        "question": "q2",
        "analysis": variant.analysis,
        "measure": measure,
        "subgroup": variant.subgroup,
        "outcome": plan.outcome.who,
        "estimator": ESTIMATOR,
    }
    if not is_event.any() or not held.to_numpy().any():
        reason = "nobody_exposed" if is_event.any() else "no_events"
        rows = [
            {"level": level, **describe_no_answer(reason, exposed[level].counts)}
            for level in exposed
        ]
        return make_estimates(rows, **same), []
    others = pieces[[name for name in plan.measure_names if name != measure]]
    fit = _fit(base, pieces, pd.concat([others, held.add_prefix(f"{measure}:")], axis=1))
    rows = [
        {"level": level, **row}
        for level, (column, _) in variant.levels.items()
        for row in describe_hazard(fit, f"{measure}:{column}", exposed[level], plan.gates)
    ]
    settled = {SETTLED: fit.is_converged}
    return make_estimates(rows, **same), tell_checks(
        settled, f"{ESTIMATOR}_{variant.subgroup}", measure
    )


def _fit(base: _Base, pieces: pd.DataFrame, measures: pd.DataFrame) -> CoxFit:
    entry = pieces["entry_id"].to_numpy()
    return fit_cox(
        add_measures(base.people, entry, measures),
        pieces["start_day"].to_numpy(),
        pieces["stop_day"].to_numpy(),
        pieces["is_event"].to_numpy(),
        cluster=base.data.entries["cluster_id"].to_numpy()[entry],
        corrected=[str(name) for name in measures] if base.data.plan.inference.small_sample else (),
    )
