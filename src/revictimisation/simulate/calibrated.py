"""The numbers of the scenario ``calibrated``.

What each is held against stands in docs/simulator.md. Levels that are not named have coefficient 0.
The coefficients were tuned until ``calibration_table`` agreed with the published figures.
"""

from __future__ import annotations

from types import MappingProxyType

from revictimisation.simulate.scenarios import (
    Effect,
    Length,
    Linear,
    Scenario,
    SideMeasure,
    StartClock,
    StudyMeasure,
    freeze_terms,
)

EVENT = Linear(
    intercept=-0.97,
    per_earlier_report=0.18,
    terms=freeze_terms({
        "sex": {"male": -0.20},
        "age_group": {
            "0-12": -0.25, "13-17": 0.10, "18-26": 0.20, "45-64": -0.10, "65+": -0.30,
        },
        "relation": {
            "former_partner": 0.15, "parent": -0.05, "sibling": -0.20, "child": 0.05,
            "other_relative": -0.35,
        },
        "is_honour": {"true": 0.25, "missing": 0.05},
        "risk_level": {"moderate": 0.50, "high": 1.15, "missing": 0.40},
        "offence_group": {
            "threat": -0.10, "unlawful_persecution": 0.30, "gross_violation_of_integrity": 0.25,
            "rape_sexual": -0.05, "molestation": 0.10,
        },
        "index_year": {"2012": 0.03, "2013": 0.02, "2014": -0.05},
        "police_district": {
            "sodertorn": 0.12, "vasterort": 0.10, "nacka": -0.08, "city": -0.05, "sodertalje": 0.06,
        },
    }),
)  # fmt: skip

OTHER_EVENT = Linear(
    intercept=-1.9,
    per_earlier_report=0.20,
    terms=freeze_terms({
        "sex": {"male": 0.2},
        "age_group": {"0-12": -1.0, "18-26": 0.3, "65+": -0.8},
        "risk_level": {"high": 0.2},
    }),
)  # fmt: skip

NON_CONTACT_ORDER = StudyMeasure(
    name="non_contact_order",
    table="police_measures",
    codes=MappingProxyType({
        "non_contact_order": 0.80, "non_contact_order_shared_home": 0.08,
        "non_contact_order_extended": 0.10, "non_contact_order_electronic": 0.02,
    }),
    grace_days=30,
    start=Linear(
        intercept=-2.05,
        per_earlier_report=0.24,
        terms=freeze_terms({
            "risk_level": {"moderate": 0.75, "high": 1.65, "missing": 0.6},
            "relation": {"former_partner": 0.40, "parent": -0.35, "sibling": -0.35},
            "sex": {"male": -0.40},
            "is_honour": {"true": 0.10},
            "age_group": {"0-12": -0.60, "65+": -0.30},
            "offence_group": {"unlawful_persecution": 0.40, "gross_violation_of_integrity": 0.30},
        }),
    ),
    clock=StartClock(shape=0.8, scale_days=8.0, trickle_per_year=0.02),
    length=Length(shape=3.0, mean_days=270.0, largest_days=365),
    effect=Effect(
        by="risk_level",
        per_level=MappingProxyType({
            "low": 0.25, "moderate": -0.20, "high": -0.60, "missing": -0.10,
        }),
    ),
    log_start_when_in_force=MappingProxyType({"sheltered_housing": 0.40}),
    log_restart=0.2,
    running_share=0.08,
    denied_share=0.22,
    declined_share=0.08,
    not_carried_out_share=0.03,
)  # fmt: skip

ALARM_PACKAGE = StudyMeasure(
    name="alarm_package",
    table="police_measures",
    codes=MappingProxyType({"alarm_package": 1.0}),
    grace_days=30,
    start=Linear(
        intercept=-4.0,
        per_earlier_report=0.3,
        terms=freeze_terms({
            "risk_level": {"moderate": 0.9, "high": 2.2, "missing": 0.7},
            "relation": {"former_partner": 0.40},
            "is_honour": {"true": 0.30},
            "sex": {"male": -0.50},
            "age_group": {"0-12": -1.0},
        }),
    ),
    clock=StartClock(shape=0.8, scale_days=7.0, trickle_per_year=0.02),
    length=Length(shape=1.5, mean_days=150.0, largest_days=730),
    effect=Effect(log_hazard_ratio=-0.35),
    log_start_when_in_force=MappingProxyType({"support_talks": 0.30}),
    log_restart=0.2,
    running_share=0.04,
    declined_share=0.15,
    not_carried_out_share=0.05,
)  # fmt: skip

SAFETY_TALK = StudyMeasure(
    name="safety_talk",
    table="police_measures",
    codes=MappingProxyType({"safety_talk": 1.0}),
    grace_days=14,
    start=Linear(
        intercept=-1.8,
        per_earlier_report=0.2,
        terms=freeze_terms({
            "risk_level": {"moderate": 0.7, "high": 1.5, "missing": 0.5},
            "is_honour": {"true": 0.15},
            "police_district": {"sodertorn": 0.40, "norrort": 0.30},
            "age_group": {"0-12": -0.80},
        }),
    ),
    clock=StartClock(shape=0.9, scale_days=4.0, trickle_per_year=0.02),
    length=Length(shape=1.5, mean_days=14.0, largest_days=60),
    effect=Effect(log_hazard_ratio=0.0),
    log_restart=0.0,
    declined_share=0.20,
    not_carried_out_share=0.05,
)  # fmt: skip

SHELTERED_HOUSING = StudyMeasure(
    name="sheltered_housing",
    table="social_interventions",
    codes=MappingProxyType({"sheltered_housing": 1.0}),
    grace_days=30,
    start=Linear(
        intercept=-4.4,
        per_earlier_report=0.3,
        terms=freeze_terms({
            "risk_level": {"moderate": 1.1, "high": 2.5, "missing": 0.9},
            "relation": {"current_partner": 0.50},
            "is_honour": {"true": 0.50},
            "sex": {"male": -1.20},
            "age_group": {"18-26": 0.20, "45-64": -0.30, "65+": -1.0},
            "offence_group": {"gross_violation_of_integrity": 0.30},
        }),
    ),
    clock=StartClock(shape=0.8, scale_days=5.0, trickle_per_year=0.02),
    length=Length(shape=1.1, mean_days=80.0, largest_days=730),
    effect=Effect(log_hazard_ratio=-0.90),
    log_start_when_in_force=MappingProxyType({"support_talks": 0.25}),
    log_restart=0.2,
    running_share=0.03,
    declined_share=0.18,
    not_carried_out_share=0.04,
)  # fmt: skip

SUPPORT_TALKS = StudyMeasure(
    name="support_talks",
    table="social_interventions",
    codes=MappingProxyType({"support_talks": 1.0}),
    grace_days=60,
    start=Linear(
        intercept=-2.55,
        per_earlier_report=0.30,
        terms=freeze_terms({
            "risk_level": {"moderate": 0.9, "high": 2.1, "missing": 0.65},
            "is_honour": {"true": 0.20},
            "sex": {"male": -0.70},
            "age_group": {"65+": -0.50, "18-26": 0.15},
        }),
    ),
    clock=StartClock(shape=0.9, scale_days=14.0, trickle_per_year=0.03),
    length=Length(shape=1.2, mean_days=140.0, largest_days=730),
    effect=Effect(log_hazard_ratio=-0.25, carry_share=0.5, carry_days=180),
    log_start_when_in_force=MappingProxyType({"sheltered_housing": 0.90}),
    log_restart=0.1,
    running_share=0.05,
    declined_share=0.25,
    not_carried_out_share=0.05,
)  # fmt: skip

CONTACT_PERSON = StudyMeasure(
    name="contact_person",
    table="social_interventions",
    codes=MappingProxyType({"contact_person": 1.0}),
    grace_days=60,
    start=Linear(
        intercept=-4.25,
        per_earlier_report=0.36,
        terms=freeze_terms({
            "risk_level": {"moderate": 0.9, "high": 2.0, "missing": 0.7},
            "is_honour": {"true": 1.10, "missing": 0.30},
            "age_group": {"13-17": 0.60, "18-26": 0.40, "65+": -0.60},
            "sex": {"male": -0.20},
        }),
    ),
    clock=StartClock(shape=1.0, scale_days=16.0, trickle_per_year=0.03),
    length=Length(shape=1.5, mean_days=240.0, largest_days=900),
    effect=Effect(
        by="is_honour", per_level=MappingProxyType({"true": -0.70, "false": 0.0, "missing": 0.0})
    ),
    log_start_when_in_force=MappingProxyType({"support_talks": 0.30, "sheltered_housing": 0.40}),
    log_restart=0.0,
    running_share=0.03,
    declined_share=0.20,
    not_carried_out_share=0.06,
)  # fmt: skip


def _side(
    name: str, table: str, log_share: float, start_days: float, mean_days: float,
    *, high: float = 0.6, honour: float = 0.0, min_age: int = 0, max_age: int = 120,
    declined: float = 0.1,
) -> SideMeasure:  # fmt: skip
    terms = freeze_terms(
        {
            "risk_level": {"moderate": high / 2, "high": high, "missing": high / 3},
            "is_honour": {"true": honour},
        }
    )
    return SideMeasure(
        name, table, Linear(log_share, terms, 0.1), start_days,
        Length(1.2, mean_days, 900), declined, min_age, max_age,
    )  # fmt: skip


POLICE, SOCIAL = "police_measures", "social_interventions"
SIDE_MEASURES = (
    _side("crime_victim_unit", POLICE, -1.8, 10, 60, high=1.0),
    _side("personal_security", POLICE, -6.5, 20, 200, high=2.0, honour=0.5),
    _side("special_representative", POLICE, -1.2, 6, 60, max_age=17),
    _side("injured_party_counsel", POLICE, -1.5, 15, 200, high=0.4),
    _side("case_conference", POLICE, -3.4, 20, 1, high=1.2, honour=0.5),
    _side("special_contact_person", SOCIAL, -4.5, 60, 200, honour=0.5, min_age=10, max_age=20),
    _side("financial_assistance", SOCIAL, -1.9, 30, 120, high=0.6, min_age=18, declined=0.05),
    _side("permanent_housing", SOCIAL, -4.4, 150, 500, high=0.8, min_age=18),
    _side("placement", SOCIAL, -2.4, 20, 200, high=0.9, honour=0.8, max_age=20),
    _side("compulsory_care", SOCIAL, -4.2, 15, 200, high=1.0, honour=0.8, max_age=19, declined=0),
    _side("coordinated_plan", SOCIAL, -3.4, 40, 180, high=0.8),
    _side("child_support_talks", SOCIAL, -1.6, 40, 120, max_age=17),
    _side("resource_centre", SOCIAL, -5.0, 20, 80, honour=3.2, min_age=13, max_age=26),
    _side("network_support", SOCIAL, -4.2, 50, 150, honour=0.5),
)

CALIBRATED = Scenario(
    name="calibrated",
    default_people=3000,
    accrual_from_on="2011-01-01",
    accrual_to_on="2014-12-31",
    data_end_on="2018-12-31",
    horizon_days=1461,
    report_at_days=(182, 365, 730, 1461),
    grow_per_year=0.03,
    weibull_shape=0.46,
    weibull_scale_days=2900.0,
    event=EVENT,
    other_event=OTHER_EVENT,
    shared_share=0.35,
    breach_share=0.30,
    measures=(
        NON_CONTACT_ORDER, ALARM_PACKAGE, SAFETY_TALK,
        SHELTERED_HOUSING, SUPPORT_TALKS, CONTACT_PERSON,
    ),
    side_measures=SIDE_MEASURES,
)  # fmt: skip
