"""The study plan: the only place for a study's dates, windows and thresholds.

`read_plan` turns the text of a study file into a frozen `StudyPlan`. Every key but `name` has a
default; all faults are reported at once, an unknown key together with the nearest known one.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from revictimisation.core.errors import StudyError
from revictimisation.core.plain_yaml import load_keys
from revictimisation.core.text import Language, find_nearest, name_nearest, name_one
from revictimisation.dictionary import load_dictionary
from revictimisation.plan.faults import describe_fault
from revictimisation.plan.keys import find_key_faults
from revictimisation.plan.parts import (
    MOST_NAMES,
    Accrual,
    Bandwidth,
    Bootstrap,
    Bounds,
    CleaningRules,
    Code,
    Codes,
    Comparison,
    Convictions,
    Count,
    Course,
    Day,
    Exploration,
    ForWhom,
    GraceDays,
    Inference,
    Linkage,
    Models,
    Name,
    Names,
    NegativeControls,
    OpenEnds,
    Part,
    PositiveCount,
    Protocol,
    Sequential,
    Title,
    ValidationLimits,
    Weights,
)


class Eligibility(Part):
    """Which reports may be an index report. `None` for districts and municipalities means all.

    `honour`: `only` those that are honour-related.
    """

    min_age: Annotated[int, Field(ge=0, le=150)] = 0
    max_age: Annotated[int, Field(ge=0, le=150)] = 120
    relations: Names = (
        "current_partner",
        "former_partner",
        "parent",
        "sibling",
        "child",
        "other_relative",
    )
    districts: Codes | None = None
    municipalities: Codes | None = None
    honour: Literal["all", "only"] = "all"
    washout_days: Count = 365


class Outcome(Part):
    """What counts as a new report: against whom, breach-only or not, and from which day."""

    who: Literal["same_suspect", "any_suspect", "any_kin"] = "same_suspect"
    drop_breach_only: bool = False
    lag_days: Count = 1


class Measure(Part):
    """One exposure: a set of codes, or `joint_within_days` for two agencies' starts near in time.

    `shared_within_days`: beside the codes a risk assessment that reached the other agency within so
    many days of being made is a start, on the day it did. With the codes of case conferences and
    coordinated plans that is coordinated work, which two starts near in time are not.
    `grace_days`: within so many days a start is a start of the strategy. `landmark_days`: the day
    from which question 4 and Fine-Gray count, with the measure started by then or not; without it
    the last day of the grace time.
    """

    codes: Codes = ()
    joint_within_days: GraceDays | None = None
    shared_within_days: GraceDays | None = None
    grace_days: GraceDays = 30
    landmark_days: GraceDays | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Measure:
        if self.codes and self.joint_within_days is not None:
            raise ValueError(
                "har både codes och joint_within_days: välj ett"
                " / has both codes and joint_within_days: choose one"
            )
        if self.shared_within_days is not None and not self.codes:
            raise ValueError(
                "har shared_within_days utan codes: nämn samråd och gemensam plan"
                " / has shared_within_days without codes: name case conferences and plans"
            )
        return self

    @property
    def landmark_day(self) -> int:
        """The last day on which a start counts where those are compared who are left then."""
        return self.grace_days if self.landmark_days is None else self.landmark_days

    @property
    def is_joint(self) -> bool:
        """True for a measure defined by two agencies starting something close in time."""
        return self.joint_within_days is not None

    @property
    def is_coordinated(self) -> bool:
        """True for coordinated work, shared assessments among it."""
        return self.shared_within_days is not None

    @property
    def is_composed(self) -> bool:
        """True for what no decision on a code makes by itself."""
        return self.is_joint or self.is_coordinated


class Variants(Part):
    """Where the variants of the hazard ratios are cut (exposure_variants).

    Last days of the bands since a start and after an end; days in force from which on a band of
    those that ended begins; and how many days in force the dose is told in.
    """

    since_start_days: Bounds = (30, 90)
    after_end_days: Bounds = (90, 180)
    lasted_days: Bounds = (30, 90)
    dose_per_days: Bandwidth = 30


class Sensitivity(Part):
    """How many times missing values are filled in (multiple_imputation), and in how many rounds.

    None or one: not at all. Every table costs a comparison of each measure anew.
    """

    imputations: Annotated[int, Field(ge=0, le=200)] = 0
    imputation_rounds: Annotated[int, Field(ge=1, le=100)] = 5


class Gates(Part):
    """What the diagnostics must show before a comparison is released (method: Gates).

    `negative_control_bias`: a measure's result is withheld when reports that it cannot prevent
    differ by more than this between starting and not, and the intervals exclude no difference.
    They are rarer than new reports against the same suspect: 2 points of 10 in a hundred are a
    ratio that would be 8 points of 40. `exposed_victims`: fewer give no number of any kind; from 15
    on the robust intervals hold the truth as often as they say (`benchmarks/exposed_victims.py`).
    `failed_replicates`: share of the bootstrap's that may be without an answer.
    `largest_disagreement`: how far g-formula or doubly robust estimate may lie from the weighted
    one, in its standard errors; distances up to `tolerated_disagreement` never count.
    `same_day_starts`: share of a measure's starts that fall on the day another starts, beyond what
    those who do not start have, from which the two are told apart by adjustment, or not at all.
    `pooled_share`: counties pooled have a joint answer where those who may tell theirs have so
    large a share of all their people (the project's own judgement: who may not is no chance).
    """

    largest_standardised_difference: Annotated[float, Field(gt=0, le=10)] = 0.1
    effective_sample_size: Annotated[float, Field(ge=0, le=1e6)] = 50.0
    events_per_arm: Annotated[float, Field(ge=0, le=1e6)] = 10.0
    share_outside_support: Annotated[float, Field(ge=0, le=1)] = 0.05
    minimum_detectable_difference: Annotated[float, Field(gt=0, le=1)] = 0.15
    negative_control_bias: Annotated[float, Field(gt=0, le=1)] = 0.02
    exposed_victims: Annotated[float, Field(ge=2, le=1e6)] = 15.0
    failed_replicates: Annotated[float, Field(ge=0, lt=1)] = 0.05
    largest_disagreement: Annotated[float, Field(gt=0, le=100)] = 2.0
    tolerated_disagreement: Annotated[float, Field(ge=0, lt=1)] = 0.01
    same_day_starts: Annotated[float, Field(ge=0, le=1)] = 0.05
    pooled_share: Annotated[float, Field(ge=0, le=1)] = 0.5


class EvidenceLimits(Part):
    """What decides the words and the steps of certainty of an answer (`report.evidence`).

    A difference in risk up to `small_difference` is little or none; one from `important_difference`
    on matters to whoever decides. `highest_rating`: the steps of four that an answer begins with;
    what nobody drew lots for begins at three at most. `least_coverage`: in counties of known truth
    a measure's 95 % interval has to hold the truth so often, or it is too sure. The limits are the
    project's own judgement: whoever owns a study settles them before the numbers are seen.
    """

    small_difference: Annotated[float, Field(gt=0, lt=1)] = 0.02
    important_difference: Annotated[float, Field(gt=0, lt=1)] = 0.05
    highest_rating: Annotated[int, Field(ge=1, le=3)] = 3
    least_coverage: Annotated[float, Field(ge=0, le=1)] = 0.93


class Disclosure(Part):
    """Counts from 1 to `threshold` - 1 are suppressed; the others are rounded to `rounding`.

    Of a study that follows fewer than `smallest_cohort` nothing is released. A study file may set
    none below what the dictionary asks for (`study_keys.yaml`).
    """

    threshold: Annotated[int, Field(ge=1, le=1000)] = 5
    rounding: Annotated[int, Field(ge=1, le=1000)] = 5
    smallest_cohort: Annotated[int, Field(ge=0, le=1_000_000)] = 50


DEFAULT_ADJUST_FOR = (
    "sex",
    "age_group",
    "relation",
    "is_honour",
    "risk_level",
    "n_earlier_reports",
    "offence_group",
    "index_year",
    "police_district",
)
DEFAULT_SUBGROUPS = (
    "is_honour",
    "relation_group",
    "sex",
    "age_group",
    "risk_level",
    "municipality_group",
)
COVARIATES = (
    *DEFAULT_ADJUST_FOR,
    "age",
    "relation_group",
    "municipality_group",
    "municipality_code",
    "protected_identity",
)
NO_GROUP = "är ett tal, ingen grupp / is a number, not a group"
# Of no use to another county or a later year, which have others.
WHEN_AND_WHERE = ("index_year", "police_district", "municipality_code")
NUMBER_COVARIATES = ("n_earlier_reports", "index_year", "age")


def _default_measures() -> dict[str, Measure]:
    order = "non_contact_order"
    kinds = ("", "_shared_home", "_extended", "_electronic")
    return {
        order: Measure(codes=tuple(order + kind for kind in kinds), grace_days=30),
        "joint": Measure(joint_within_days=30, grace_days=60),
    }


class Definitions(Part):
    """What the words of the analyses mean in numbers.

    `risk_level_by_day`: last day of an assessment that counts at baseline; earlier reports count up
    to `earlier_reports_cap`; `shared_within_days`: how soon the other agency knew;
    `n_sequences`: how many orders of measures are listed; `daily_start_days`: until when it is told
    day by day how many have got a first measure. An outcome in a larger share than
    `common_outcome` is common, and a hazard ratio then no risk ratio (VanderWeele & Ding 2017,
    Table 2). From `last_event_stratum` on new reports share a baseline hazard
    (Prentice-Williams-Peterson); a stratum each, as in R's `strata(enum)`: as many as there are. A
    new report counts as recent on its day and the days after it, `recent_report_days` in all.
    """

    risk_level_by_day: Count = 7
    earlier_reports_cap: Annotated[int, Field(ge=1, le=1000)] = 5
    shared_within_days: Bounds = (7, 30)
    n_sequences: Annotated[int, Field(ge=1, le=1000)] = 12
    daily_start_days: Annotated[int, Field(ge=0, le=365)] = 60
    common_outcome: Annotated[float, Field(gt=0, lt=1)] = 0.15
    last_event_stratum: Annotated[int, Field(ge=1, le=1000)] = 4
    recent_report_days: PositiveCount = 7


class StudyPlan(Part):
    """Everything a study decides, frozen.

    Days count from the index report, which is day 0. `splines` (such as `{age: 4}`) names numbers
    of `adjust_for` that enter as restricted cubic splines with 3 to 7 knots; the others enter
    linearly. Those of `strata` have a baseline hazard for each level in the hazard ratios, in place
    of a coefficient; elsewhere they are adjusted for as the others. Question 1 is shown by
    `shown_groups`.
    """

    shown_groups: ClassVar[tuple[str, ...]] = (
        "sex",
        "age_group",
        "relation",
        "is_honour",
        "risk_level",
        "police_district",
        "index_year",
    )

    name: Name
    title: Title = Title()
    protocol: Protocol = Protocol()
    accrual: Accrual = Accrual()
    data_end_on: Day = dt.date(2018, 12, 31)
    eligibility: Eligibility = Eligibility()
    outcome: Outcome = Outcome()
    horizon_days: PositiveCount = 1461
    report_at_days: Annotated[tuple[PositiveCount, ...], Field(min_length=1, max_length=50)] = (
        *(182, 365, 730, 1461),
    )
    measures: Annotated[dict[Name, Measure], Field(max_length=MOST_NAMES)] = Field(
        default_factory=_default_measures
    )
    adjust_for: Names = DEFAULT_ADJUST_FOR
    splines: Annotated[
        dict[Code, Annotated[int, Field(ge=3, le=7)]], Field(max_length=MOST_NAMES)
    ] = Field(default_factory=dict)
    strata: Names = ()
    subgroups: Names = DEFAULT_SUBGROUPS
    subgroup_levels: Annotated[dict[Code, Codes], Field(max_length=MOST_NAMES)] = Field(
        default_factory=dict
    )
    cleaning: CleaningRules = ()
    open_ends: OpenEnds = OpenEnds()
    bootstrap: Bootstrap = Bootstrap()
    inference: Inference = Inference()
    weights: Weights = Weights()
    models: Models = Models()
    variants: Variants = Variants()
    sensitivity: Sensitivity = Sensitivity()
    gates: Gates = Gates()
    evidence: EvidenceLimits = EvidenceLimits()
    definitions: Definitions = Definitions()
    course: Course = Course()
    sequential: Sequential = Sequential()
    for_whom: ForWhom = ForWhom()
    exploration: Exploration = Exploration()
    negative_controls: NegativeControls = NegativeControls()
    convictions: Convictions = Convictions()
    linkage: Linkage = Linkage()
    comparison: Comparison = Comparison()
    disclosure: Disclosure = Disclosure()
    validation: ValidationLimits = ValidationLimits()
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=2)] = ("sv", "en")

    @property
    def days_within_horizon(self) -> list[int]:
        """The days to report that follow-up may reach, in the study file's order."""
        return [day for day in self.report_at_days if day <= self.horizon_days]

    @property
    def days_beyond_horizon(self) -> list[int]:
        """The days to report of which the study can say nothing."""
        return [day for day in self.report_at_days if day > self.horizon_days]

    @model_validator(mode="before")
    @classmethod
    def _default_codes(cls, given: Any) -> Any:
        """A measure that names neither codes nor a joint window has the code of its own name."""
        measures = given.get("measures") if isinstance(given, dict) else None
        if not isinstance(measures, dict):
            return given
        named = {
            key: {**(one or {}), "codes": (key,)}
            if one is None
            or (isinstance(one, dict) and not {"codes", "joint_within_days"} & set(one))
            else one
            for key, one in measures.items()
        }
        return {**given, "measures": named}

    @model_validator(mode="after")
    def _known_covariates(self) -> StudyPlan:
        faults = []
        for key in ("adjust_for", "subgroups"):
            names: tuple[str, ...] = getattr(self, key)
            for name in names:
                if name not in COVARIATES and not name.startswith("x_"):
                    near = name_nearest(name, COVARIATES)
                    faults.append(f"{key}: okänd kovariat / unknown covariate {name!r}{near}")
            if len(set(names)) < len(names):
                faults.append(f"{key}: en kovariat nämns två gånger / a covariate is named twice")
        for name in self.subgroups:
            if name in NUMBER_COVARIATES:
                faults.append(f"subgroups: {name!r} {NO_GROUP}")
        for name in self.course.groups:
            if name not in COVARIATES:
                near = name_nearest(name, COVARIATES)
                faults.append(f"course.groups: okänd kovariat / unknown covariate {name!r}{near}")
            elif name in NUMBER_COVARIATES:
                faults.append(f"course.groups: {name!r} {NO_GROUP}")
        if len(set(self.course.groups)) < len(self.course.groups):
            faults.append(
                "course.groups: en kovariat nämns två gånger / a covariate is named twice"
            )
        for name in self.subgroup_levels:
            if name not in (*self.subgroups, *self.adjust_for) or not name.startswith("x_"):
                told = "ska vara en egen x_-kolumn i subgroups / must be an x_ column of subgroups"
                faults.append(f"subgroup_levels: {name!r} {told}")
        for name in self.strata:
            if name not in self.adjust_for or name in NUMBER_COVARIATES:
                told = (
                    "ska vara en av adjust_for och inget tal / must be one of adjust_for, no number"
                )
                faults.append(f"strata: {name!r} {told}")
        faults += self._combined_faults()
        for key in ("measures", "against_family"):
            for name in getattr(self.negative_controls, key):
                if name not in self.measures:
                    near = name_nearest(name, self.measure_names)
                    told = "ingen åtgärd i studien / no measure of the study"
                    faults.append(f"negative_controls.{key}: {told} {name!r}{near}")
        faults += [f"splines: {fault}" for fault in self._spline_faults()]
        if self.accrual.from_on >= self.data_end_on:
            faults.append(
                "accrual.from_on: ska ligga före data_end_on; ingen kan annars följas / must lie"
                " before data_end_on; nobody can be followed else"
            )
        if faults:
            raise ValueError("\n- ".join(faults))
        return self

    def _combined_faults(self) -> list[str]:
        """Combined groups are made of known groups and have names of their own."""
        faults = []
        for name, group in self.for_whom.combined.items():
            if name in COVARIATES:
                faults.append(
                    f"for_whom.combined: {name!r} är en kovariats namn / is a covariate's name"
                )
            for level in group.levels:
                if level not in COVARIATES:
                    near = name_nearest(level, COVARIATES)
                    faults.append(
                        f"for_whom.combined.{name}: okänd kovariat / unknown covariate"
                        f" {level!r}{near}"
                    )
                elif level in NUMBER_COVARIATES:
                    faults.append(f"for_whom.combined.{name}: {level!r} {NO_GROUP}")
        return faults

    def _spline_faults(self) -> list[str]:
        """A spline bends a number that is adjusted for; of an x_ column the extract decides."""
        faults = []
        for name in self.splines:
            if not (name in NUMBER_COVARIATES or name.startswith("x_")):
                number = name.removesuffix("_group")  # age_group is age
                near = (
                    number if number in NUMBER_COVARIATES else find_nearest(name, NUMBER_COVARIATES)
                )
                told = name_one(near, (*NUMBER_COVARIATES, "x_..."))
                faults.append(f"{name!r} är inget tal / is no number{told}")
            elif name not in self.adjust_for:
                listed, group = ", ".join(self.adjust_for), f"{name}_group"
                sv, en = (f" i stället för {group}", f" in place of {group}") if (
                    group in self.adjust_for) else ("", "")  # fmt: skip
                faults.append(
                    f"{name!r} finns inte bland adjust_for; sätt {name} där{sv} / is not among"
                    f" adjust_for; put {name} there{en}: {listed}"
                )
        return faults

    @property
    def carried_covariates(self) -> tuple[str, ...]:
        """What is adjusted for less when and where: what people elsewhere may have in common."""
        return tuple(name for name in self.adjust_for if name not in WHEN_AND_WHERE)

    @property
    def measure_names(self) -> tuple[str, ...]:
        """The measures in the order of the study file."""
        return tuple(self.measures)

    def is_joint(self, name: str) -> bool:
        """True if `name` is a measure of the study that two agencies start together."""
        return name in self.measures and self.measures[name].is_joint

    @property
    def x_columns(self) -> tuple[str, ...]:
        """The extract's own covariates (`x_...`) that the study names, each once."""
        named = (*self.adjust_for, *self.subgroups)
        return tuple(dict.fromkeys(name for name in named if name.startswith("x_")))

    @property
    def curve_days(self) -> tuple[int, ...]:
        """Days at which curves are reported: about fifty, with every day of `report_at_days`."""
        step = math.ceil(self.horizon_days / 48)
        days = {*range(0, self.horizon_days + 1, step), self.horizon_days, *self.report_at_days}
        return tuple(sorted(day for day in days if day <= self.horizon_days))

    @property
    def start_days(self) -> tuple[int, ...]:
        """The days of the curves of first starts: every one of the first, then the curve days."""
        daily = range(min(self.definitions.daily_start_days, self.horizon_days) + 1)
        return tuple(sorted({*daily, *self.curve_days}))

    def title_in(self, language: str) -> str:
        """The title in a language, else in the other, else the name."""
        texts = (getattr(self.title, language), self.title.sv, self.title.en, self.name)
        return next(text for text in texts if text)


HEAD = "Studiefilen följer inte formen. / It does not conform:"


def read_plan(text: str) -> StudyPlan:
    """Read the text of a study file into a frozen plan.

    Raises `StudyError` with every fault at once: unknown keys with the nearest known one, wrong
    types, dates out of order.

    >>> read_plan("name: mini").report_at_days
    (182, 365, 730, 1461)
    >>> read_plan("name: mini\\nhorizon_day: 365")
    Traceback (most recent call last):
    revictimisation.core.errors.StudyError: Studiefilen följer inte formen. / It does not conform:
    - horizon_day: okänd nyckel / unknown key; menade du / did you mean horizon_days?
    """
    return make_plan(load_keys(text))


def make_plan(keys: Mapping[str, Any]) -> StudyPlan:
    """The plan of a study file's keys and values, lists as tuples; faults as of `read_plan`.

    >>> make_plan({"name": "mini", "report_at_days": (365,)}).report_at_days
    (365,)
    """
    try:
        plan = StudyPlan.model_validate(keys)
        faults = find_key_faults(plan, load_dictionary())
    except ValidationError as fault:
        faults = [describe_fault(error, StudyPlan) for error in fault.errors()]
    if faults:
        raise StudyError("\n- ".join([HEAD, *faults]))
    return plan
