"""The study plan: the only place for a study's dates, windows and thresholds.

`read_plan` turns the text of a study file into a frozen `StudyPlan`. Every key but `name` has a
default; all faults are reported at once, an unknown key together with the nearest known one.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from revictimisation.errors import StudyError
from revictimisation.plan_parts import (
    Bootstrap,
    CleaningRules,
    Count,
    Exploration,
    ForWhom,
    Linkage,
    Name,
    NegativeControls,
    OpenEnds,
    Part,
    Title,
    ValidationLimits,
    Weights,
)
from revictimisation.study_text import load_keys, name_nearest, tell_fault


def _read_date(value: object) -> object:
    if isinstance(value, dt.datetime) or not isinstance(value, str | dt.date):
        raise ValueError("must be a date like 2013-04-27")
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a date like 2013-04-27") from None
    return value


Day = Annotated[dt.date, BeforeValidator(_read_date)]
Language = Literal["sv", "en"]


def _ascending(days: tuple[int, ...]) -> tuple[int, ...]:
    if list(days) != sorted(set(days)):
        raise ValueError("days must ascend")
    return days


Bounds = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1), AfterValidator(_ascending)
]


class Accrual(Part):
    """The first and the last day (both included) on which an index report may be made."""

    from_on: Day = dt.date(2011, 1, 1)
    to_on: Day = dt.date(2014, 12, 31)

    @model_validator(mode="after")
    def _in_order(self) -> Accrual:
        if self.to_on < self.from_on:
            raise ValueError("to_on is before from_on")
        return self


class Eligibility(Part):
    """Which reports may be an index report. `None` for districts and municipalities means all."""

    min_age: Count = 0
    max_age: Count = 120
    relations: tuple[str, ...] = (
        "current_partner",
        "former_partner",
        "parent",
        "sibling",
        "child",
        "other_relative",
    )
    districts: tuple[str, ...] | None = None
    municipalities: tuple[str, ...] | None = None
    washout_days: Count = 365


class Outcome(Part):
    """What counts as a new report: against whom, breach-only or not, and from which day."""

    who: Literal["same_suspect", "any_suspect"] = "same_suspect"
    drop_breach_only: bool = False
    lag_days: Count = 1


class Measure(Part):
    """One exposure: a set of codes, or `joint_within_days` for what two agencies start together."""

    codes: tuple[str, ...] = ()
    joint_within_days: Annotated[int, Field(ge=0)] | None = None
    grace_days: Count = 30

    @model_validator(mode="after")
    def _one_kind(self) -> Measure:
        if self.codes and self.joint_within_days is not None:
            raise ValueError("has both codes and joint_within_days: choose one")
        return self

    @property
    def is_joint(self) -> bool:
        """True for a measure defined by two agencies starting something close in time."""
        return self.joint_within_days is not None


class Variants(Part):
    """Where the variants of the hazard ratios are cut (exposure_variants).

    Last days of the bands since a start and after an end; days in force from which on a band of
    those that ended begins; and how many days in force the dose is told in.
    """

    since_start_days: Bounds = (30, 90)
    after_end_days: Bounds = (90, 180)
    lasted_days: Bounds = (30, 90)
    dose_per_days: Annotated[int, Field(ge=1)] = 30


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
    """

    largest_standardised_difference: Annotated[float, Field(gt=0)] = 0.1
    effective_sample_size: Annotated[float, Field(ge=0)] = 50.0
    events_per_arm: Annotated[float, Field(ge=0)] = 10.0
    share_outside_support: Annotated[float, Field(ge=0, le=1)] = 0.05
    minimum_detectable_difference: Annotated[float, Field(gt=0)] = 0.15
    negative_control_bias: Annotated[float, Field(gt=0, le=1)] = 0.02
    exposed_victims: Annotated[float, Field(ge=2)] = 15.0
    failed_replicates: Annotated[float, Field(ge=0, lt=1)] = 0.05
    largest_disagreement: Annotated[float, Field(gt=0)] = 2.0
    tolerated_disagreement: Annotated[float, Field(ge=0, lt=1)] = 0.01
    same_day_starts: Annotated[float, Field(ge=0, le=1)] = 0.05


class Convictions(Part):
    """Question 4. Definitions, and what it takes to say how a measure goes with conviction.

    `definitions_change_on`: the first day of the newer official definitions of clearance.
    `least_events`: with fewer convictions in all among those compared nothing is estimated.
    `firth_below_events`: with fewer among those who started, or among the others, Firth's penalty.
    """

    definitions_change_on: Day = dt.date(2014, 1, 1)
    least_events: Annotated[int, Field(ge=1)] = 10
    firth_below_events: Count = 10


class Disclosure(Part):
    """Counts from 1 to `threshold` - 1 are suppressed; the others are rounded to `rounding`."""

    threshold: Annotated[int, Field(ge=1)] = 5
    rounding: Annotated[int, Field(ge=1)] = 5


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
NUMBER_COVARIATES = ("n_earlier_reports", "index_year", "age")


def _default_measures() -> dict[str, Measure]:
    order = "non_contact_order"
    kinds = ("", "_shared_home", "_extended", "_electronic")
    return {
        order: Measure(codes=tuple(order + kind for kind in kinds), grace_days=30),
        "joint": Measure(joint_within_days=30, grace_days=60),
    }


class StudyPlan(Part):
    """Everything a study decides, frozen.

    Days count from the index report, which is day 0. `splines` (such as `{age: 4}`) names numbers
    of `adjust_for` that enter as restricted cubic splines with 3 to 7 knots; the others enter
    linearly. The class variables are definitions that hold for every study: the first two are the
    contract's, the next three say how question 1 is shown; `common_outcome`: an outcome in a larger
    share than this is common, and a hazard ratio then no risk ratio (VanderWeele & Ding 2017,
    Table 2); from `last_event_stratum` on new reports share a baseline hazard
    (Prentice-Williams-Peterson); a new report counts as recent on its day and the days after it,
    `recent_report_days` in all.
    """

    risk_level_by_day: ClassVar[int] = 7
    earlier_reports_cap: ClassVar[int] = 5
    shared_within_days: ClassVar[tuple[int, ...]] = (7, 30)
    n_sequences: ClassVar[int] = 12
    shown_groups: ClassVar[tuple[str, ...]] = (
        "sex",
        "age_group",
        "relation",
        "is_honour",
        "risk_level",
        "police_district",
        "index_year",
    )
    common_outcome: ClassVar[float] = 0.15
    last_event_stratum: ClassVar[int] = 4
    recent_report_days: ClassVar[int] = 7

    name: Name
    title: Title = Title()
    accrual: Accrual = Accrual()
    data_end_on: Day = dt.date(2018, 12, 31)
    eligibility: Eligibility = Eligibility()
    outcome: Outcome = Outcome()
    horizon_days: Annotated[int, Field(ge=1, le=36525)] = 1461
    report_at_days: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (
        *(182, 365, 730, 1461),
    )
    measures: dict[Name, Measure] = Field(default_factory=_default_measures)
    adjust_for: tuple[str, ...] = DEFAULT_ADJUST_FOR
    splines: dict[str, Annotated[int, Field(ge=3, le=7)]] = Field(default_factory=dict)
    subgroups: tuple[str, ...] = DEFAULT_SUBGROUPS
    cleaning: CleaningRules = ()
    open_ends: OpenEnds = OpenEnds()
    bootstrap: Bootstrap = Bootstrap()
    weights: Weights = Weights()
    variants: Variants = Variants()
    gates: Gates = Gates()
    for_whom: ForWhom = ForWhom()
    exploration: Exploration = Exploration()
    negative_controls: NegativeControls = NegativeControls()
    convictions: Convictions = Convictions()
    linkage: Linkage = Linkage()
    disclosure: Disclosure = Disclosure()
    validation: ValidationLimits = ValidationLimits()
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("sv", "en")

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
                    faults.append(f"{key}: unknown covariate {name!r}{near}")
            if len(set(names)) < len(names):
                faults.append(f"{key}: a covariate is named twice")
        for name in self.subgroups:
            if name in NUMBER_COVARIATES:
                faults.append(f"subgroups: {name!r} is a number, not a group")
        faults += self._combined_faults()
        for key in ("measures", "against_family"):
            for name in getattr(self.negative_controls, key):
                if name not in self.measures:
                    near = name_nearest(name, self.measure_names)
                    what = f"negative_controls.{key}"
                    faults.append(f"{what}: no measure of the study {name!r}{near}")
        faults += [f"splines: {fault}" for fault in self._spline_faults()]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _combined_faults(self) -> list[str]:
        """Combined groups are made of known groups and have names of their own."""
        faults = []
        for name, group in self.for_whom.combined.items():
            if name in COVARIATES:
                faults.append(f"for_whom.combined: {name!r} is the name of a covariate")
            for one in group.levels:
                if one not in COVARIATES:
                    near = name_nearest(one, COVARIATES)
                    faults.append(f"for_whom.combined.{name}: unknown covariate {one!r}{near}")
                elif one in NUMBER_COVARIATES:
                    faults.append(f"for_whom.combined.{name}: {one!r} is a number, not a group")
        return faults

    def _spline_faults(self) -> list[str]:
        """A spline bends a number that is adjusted for; of an x_ column the extract decides."""
        faults = []
        for name in self.splines:
            if name not in self.adjust_for:
                faults.append(f"{name!r} is not among adjust_for")
            elif name not in NUMBER_COVARIATES and not name.startswith("x_"):
                numbers = ", ".join(NUMBER_COVARIATES)
                faults.append(f"{name!r} is text, not a number; numbers are {numbers} and x_ ones")
        return faults

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
    revictimisation.errors.StudyError: Studiefilen följer inte formen. / It does not conform:
    - horizon_day: okänd nyckel / unknown key; menade du / did you mean horizon_days?
    """
    try:
        return StudyPlan.model_validate(load_keys(text))
    except ValidationError as fault:
        lines = [f"- {tell_fault(error, StudyPlan)}" for error in fault.errors()]
        raise StudyError("\n".join([HEAD, *lines])) from None
