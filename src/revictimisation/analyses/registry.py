"""The registry: every analysis of the study once, in the order in which its tables are laid out."""

from __future__ import annotations

from revictimisation.analyses.after_shelter import estimate_after_shelter
from revictimisation.analyses.analysis import Analysis
from revictimisation.analyses.baseline_risk import estimate_baseline_risk
from revictimisation.analyses.convictions import estimate_convictions
from revictimisation.analyses.course import estimate_course
from revictimisation.analyses.effects import (
    estimate_crude,
    estimate_hazard_ratios,
    estimate_incidence,
)
from revictimisation.analyses.exposure_variants import estimate_exposure_variants
from revictimisation.analyses.heterogeneity import explore_effects
from revictimisation.analyses.joint_strategies import estimate_joint_strategies
from revictimisation.analyses.linkage_quality import describe_linkage
from revictimisation.analyses.measure_use import estimate_use
from revictimisation.analyses.profile import describe_profile, describe_volumes
from revictimisation.analyses.recurrent_events import estimate_recurrent_events
from revictimisation.analyses.sensitivity.breach_only import estimate_without_breaches
from revictimisation.analyses.sensitivity.hidden_bias import find_hidden_bias
from revictimisation.analyses.sensitivity.linkage_error import estimate_linkage_error
from revictimisation.analyses.sensitivity.multiple_imputation import estimate_imputed
from revictimisation.analyses.sensitivity.negative_controls import estimate_negative_controls
from revictimisation.analyses.sensitivity.tipping_points import describe_tipping_points
from revictimisation.analyses.sequential_trials import estimate_sequential_trials
from revictimisation.analyses.subgroup_effects import estimate_subgroup_effects
from revictimisation.analyses.suspects import count_suspects
from revictimisation.analyses.sustained_strategies import estimate_sustained
from revictimisation.analyses.target_trials import estimate_target_trials

CONTROLS, TRIALS = "negative_controls", "target_trials"
ANALYSES = (
    Analysis("course", "course", estimate_course),
    Analysis("measure_use", "q1", estimate_use),
    Analysis("suspects", "q1", count_suspects),
    Analysis("crude", "q2", estimate_crude),
    Analysis("incidence", "q2", estimate_incidence),
    Analysis("baseline_risk", "q2", estimate_baseline_risk),
    Analysis("hazard_ratios", "q2", estimate_hazard_ratios),
    Analysis(TRIALS, "q2", estimate_target_trials, is_controlled=True, is_long=True,
             is_by_measure=True),
    Analysis("exposure_variants", "q2", estimate_exposure_variants),
    Analysis(CONTROLS, "q2", estimate_negative_controls, is_long=True),
    Analysis("hidden_bias", "q2", find_hidden_bias,
             needs=("incidence", "hazard_ratios", TRIALS, CONTROLS)),
    Analysis("tipping_points", "q2", describe_tipping_points, needs=(TRIALS,)),
    Analysis("breach_only", "q2", estimate_without_breaches, needs=(TRIALS,)),
    Analysis("multiple_imputation", "q2", estimate_imputed, needs=(TRIALS,)),
    Analysis("recurrent_events", "q2", estimate_recurrent_events, is_controlled=True, is_long=True),
    Analysis("joint_strategies", "q2", estimate_joint_strategies, is_controlled=True,
             is_long=True, is_by_measure=True),
    Analysis("sequential_trials", "q2", estimate_sequential_trials, is_controlled=True,
             is_by_measure=True),
    Analysis("sustained_strategies", "q2", estimate_sustained, is_controlled=True,
             is_by_measure=True),
    Analysis("after_shelter", "q2", estimate_after_shelter, is_controlled=True),
    Analysis("subgroup_effects", "q3", estimate_subgroup_effects, is_controlled=True, is_long=True),
    Analysis("heterogeneity", "q3", explore_effects, is_controlled=True, follows=TRIALS,
             is_long=True),
    Analysis("convictions", "q4", estimate_convictions),
    Analysis("linkage_error", "q2", estimate_linkage_error, needs=(TRIALS,)),
    Analysis("linkage", "q1", describe_linkage),
    Analysis("profile", "q2", describe_profile),
    Analysis("volumes", "q1", describe_volumes),
)  # fmt: skip
