"""Parts of the study plan: what all are made of, the groups of question 3, and cleaning."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from revictimisation.core.text import name_nearest
from revictimisation.estimators.flexibility import USUAL, Flexibility

# Every number and every list has an upper bound: what lies beyond is a slip of the pen, or work
# and memory without end.
MOST_DAYS = 36525  # a hundred years
MOST_NAMES, MOST_CODES = 100, 500
NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]
Code = Annotated[str, Field(max_length=100)]
Codes = Annotated[tuple[Code, ...], Field(max_length=MOST_CODES)]
Names = Annotated[tuple[Code, ...], Field(max_length=MOST_NAMES)]
Count = Annotated[int, Field(ge=0, le=MOST_DAYS)]
PositiveCount = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
# A measure's own windows: trials are laid out day by day over them.
GraceDays = Annotated[int, Field(ge=0, le=3652)]
Bandwidth = Annotated[int, Field(ge=1, le=3652)]
FIRST_DAY = dt.date(1900, 1, 1)


def _read_date(value: object) -> dt.date:
    """A date that is written as one and has been: nothing is known of days to come."""
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    is_date = isinstance(day, dt.date) and not isinstance(day, dt.datetime)
    if not (isinstance(day, dt.date) and is_date and FIRST_DAY <= day <= dt.date.today()):
        raise PydanticCustomError("date", "no such day")
    return day


Day = Annotated[dt.date, BeforeValidator(_read_date)]


def _ascending(days: tuple[int, ...]) -> tuple[int, ...]:
    if list(days) != sorted(set(days)):
        raise ValueError("dagarna ska stå i stigande ordning / days must ascend")
    return days


Bounds = Annotated[
    tuple[PositiveCount, ...], Field(min_length=1, max_length=20), AfterValidator(_ascending)
]


class Part(BaseModel):
    """Frozen, strict, without unknown keys, and no number without end."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Title(Part):
    """The study's title in both languages."""

    sv: Annotated[str, Field(max_length=300)] = ""
    en: Annotated[str, Field(max_length=300)] = ""


class Amendment(Part):
    """A change of the protocol after its date: when, and what."""

    made_on: Day
    what: Title = Title()


class Protocol(Part):
    """What a person knows of the study and no run can: for the report's lists, never for a number.

    `decided_on`: the day the study file was settled, before its outcomes were seen. What is empty
    is told as missing.
    """

    decided_on: Day | None = None
    registered_as: Annotated[str, Field(max_length=300)] = ""
    ethics_approval: Annotated[str, Field(max_length=300)] = ""
    funding: Title = Title()
    interests: Title = Title()
    data_access: Title = Title()
    amendments: Annotated[tuple[Amendment, ...], Field(max_length=MOST_NAMES)] = ()


class Accrual(Part):
    """The first and the last day (both included) on which an index report may be made."""

    from_on: Day = dt.date(2011, 1, 1)
    to_on: Day = dt.date(2014, 12, 31)

    @model_validator(mode="after")
    def _in_order(self) -> Accrual:
        if self.to_on < self.from_on:
            raise ValueError("to_on ligger före from_on / to_on is before from_on")
        return self


class NegativeControls(Part):
    """What no measure, or this measure, can change: a difference there is bias (method).

    `outcomes`: `other_suspect`, reports against somebody who is no index suspect of the victim, nor
    in honour cases a relative (`cohort.follow_up.find_first_controls`). `against_family`: measures
    of the study that are aimed at a whole family, for which relatives are none in other cases
    either. `measures`: those believed to do nothing lasting (placebos), whose result is a control
    of the others'. No measure is one by nature, a safety talk least of all (planning for safety is
    among what matters most), so none is assumed: the owner of the study names it.
    `least_for_calibration`: how many controls it takes before results are calibrated by them.
    """

    outcomes: Annotated[tuple[Literal["other_suspect"], ...], Field(max_length=1)] = (
        *("other_suspect",),
    )
    measures: Names = ()
    against_family: Names = ()
    least_for_calibration: Annotated[int, Field(ge=3, le=1000)] = 5


class Exploration(Part):
    """Question 3 without named groups: does any measure help some more than others.

    `splits`: how often victims are divided anew, of which the median is reported. `folds`: into how
    many parts each time; `scoring_folds`: when scores are made. `largest_weight`: of a score, times
    the weight without covariates. `most_levels`: of more levels too few people tell anything.
    """

    is_on: bool = True
    splits: Annotated[int, Field(ge=1, le=1000)] = 10
    folds: Annotated[int, Field(ge=3, le=50)] = 10
    scoring_folds: Annotated[int, Field(ge=2, le=50)] = 5
    most_levels: Annotated[int, Field(ge=2, le=1000)] = 30
    largest_weight: Annotated[float, Field(ge=1, le=1e6)] = 10.0


class Bootstrap(Part):
    """How many replicates and which seed."""

    replicates: Annotated[int, Field(ge=0, le=10_000)] = 200
    seed: Seed = 1


class Inference(Part):
    """How errors become intervals.

    `small_sample`: held to few exposed victims: hazards by the jackknife of clusters and Student's
    t, risks by leverage, Student's t and both arms' own limits; with many next to the normal ones.
    """

    small_sample: bool = True


Needed = Annotated[int, Field(ge=1, le=1_000_000)]
Pieces = Annotated[int, Field(ge=1, le=1000)]


class Models(Part):
    """How finely the target trials' models follow time: `estimators.flexibility` says what each is.

    The defaults are the estimators' own.
    """

    starts_per_interval: Needed = USUAL.starts_per_interval
    start_intervals: Pieces = USUAL.start_intervals
    starts_on_day_0: Needed = USUAL.starts_on_day_0
    events_per_interval: Needed = USUAL.events_per_interval
    events_per_grace_interval: Needed = USUAL.events_per_grace_interval
    outcome_intervals: Pieces = USUAL.outcome_intervals
    leaving_intervals: Pieces = USUAL.leaving_intervals
    events_per_effect: Needed = USUAL.events_per_effect
    events_per_group_effect: Needed = USUAL.events_per_group_effect
    effects: Pieces = USUAL.effects
    events_per_covariate: Needed = USUAL.events_per_covariate
    periods: Pieces = USUAL.periods
    people_per_change: Needed = USUAL.people_per_change
    people_per_same_day: Needed = USUAL.people_per_same_day

    @property
    def flexibility(self) -> Flexibility:
        """What the estimators are given."""
        return Flexibility(**self.model_dump())


class Weights(Part):
    """How clones are weighted: the law of starts within the grace time, and where weights are cut.

    `truncate_at`: the quantile at which the variant `weights_truncated` caps the weights; null:
    no such variant. The main analysis never caps. `calibration`: weights tilted until each arm's
    covariates have the cohort's means; as the main answer where the fitted weights fail the gate on
    balance (`where_needed`) or always (`main`), else as the variant `calibrated_weights` beside it,
    or not at all; their intervals are by influence. Means may still differ by
    `balance_tolerance` standard deviations, and by `balance_ridge` times a covariate's coefficient
    of the tilt where they cannot be made alike. With fewer than `starters_per_covariate` for each
    column that is balanced nothing is calibrated: the intervals would be far too short.
    `overlap`: where too few are alike for an answer about all, also the answer about those in whom
    both strategies occur. `doubly_robust`: the weights in that estimator.
    """

    grace_law: Literal["natural_law", "censor_at_end"] = "natural_law"
    truncate_at: Annotated[float, Field(gt=0, lt=1)] | None = 0.99
    calibration: Literal["none", "beside", "where_needed", "main"] = "where_needed"
    balance_tolerance: Annotated[float, Field(ge=0, le=1)] = 0.05
    balance_ridge: Annotated[float, Field(ge=0, le=1)] = 0.01
    starters_per_covariate: Annotated[float, Field(ge=0, le=1000)] = 5.0
    overlap: bool = True
    doubly_robust: Literal["fitted", "calibrated"] = "fitted"


Deviations = Annotated[float, Field(gt=0, le=100)]


class ValidationLimits(Part):
    """What the validation report marks as improbable in an extract that may still conform.

    `volume_deviations`: a month's (or quarter's) rows lie further than this many robust standard
    deviations from the median of `neighbours` periods on each side (1.4826 times the median
    absolute deviation, at least a Poisson's; 3.5 as Iglewicz & Hoaglin 1993), and by more than the
    share `volume_change` of that median. `rows_per_month`: with a lower median, by quarter.
    `ends_early_months`: a table that ends so long before the reports do is told.
    `assessment_before_days`: how long before a victim's first report an assessment may lie.
    Against an earlier delivery: a share has changed by more than `share_change`, or rows a month by
    more than `rate_change` of what they were, and by more than `chance_deviations` standard errors.
    Against `data_end_on`: a table's last rows lie more than `data_end_days` before it, and by the
    rate so far a gap that long has at most the chance `data_end_chance`; or rows go on for more
    than `data_goes_on_days` after it. So many days with rows as `stray_days` may be mistyped.
    These limits are the project's own judgement.
    """

    neighbours: Annotated[int, Field(ge=2, le=120)] = 6
    volume_deviations: Deviations = 3.5
    volume_change: Annotated[float, Field(gt=0, le=100)] = 0.4
    rows_per_month: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    ends_early_months: Annotated[int, Field(ge=1, le=1200)] = 3
    assessment_before_days: Count = 365
    share_change: Annotated[float, Field(gt=0, lt=1)] = 0.05
    rate_change: Annotated[float, Field(gt=0, le=100)] = 0.2
    chance_deviations: Deviations = 3.3
    data_end_days: PositiveCount = 30
    data_end_chance: Annotated[float, Field(gt=0, lt=1)] = 0.00001
    data_goes_on_days: PositiveCount = 90
    stray_days: Annotated[int, Field(ge=0, le=100)] = 2


Ratio = Annotated[float, Field(gt=1, le=100)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Comparison(Part):
    """What `compare` calls unlike: how large a difference matters, and how much chance may do.

    A light is given for a difference beyond its limit that is also more than chance. Of two cohorts
    that are alike `familywise_error` is the largest probability that any such light is given.
    Ratios hold in both directions (1.25: also 0.8). `standardised_difference`: of a covariate's
    distribution (0.1, Austin 2009); `drift`: of the offence groups of one year beyond the mean of
    all. `level_share`: a level, or code, that so large a share has in one cohort and hardly anybody
    in the other is missing there; hardly anybody is a tenth of that. `volume_ratio`: a quarter over
    those around it. `share_change`: of rows that are filled, merged or linked. `followed_share`:
    of those who can be followed to a day. `months_short`: data that end before the study does.
    Of the reference's risk model: `calibration_ratio` (expected to observed risk),
    `calibration_slope` (from 1), `discrimination` (a c-statistic's fall). Of effects:
    `hazard_ratio`, `risk_difference`. Of transport: `outside_support`, and `effective_share`, the
    least share of the reference's people that the weights may leave. They are the project's own
    judgement but where a source is named.
    """

    familywise_error: Annotated[float, Field(gt=0, le=0.2)] = 0.02
    standardised_difference: Deviations = 0.1
    drift: Deviations = 0.1
    level_share: Share = 0.02
    volume_shape: Deviations = 0.2
    volume_ratio: Ratio = 1.5
    share_change: Share = 0.05
    linkage_ratio: Ratio = 1.25
    followed_share: Share = 0.1
    months_short: PositiveCount = 1
    incidence_ratio: Ratio = 1.2
    reporting_ratio: Ratio = 1.2
    calibration_ratio: Ratio = 1.2
    calibration_slope: Share = 0.2
    discrimination: Share = 0.05
    hazard_ratio: Ratio = 1.25
    risk_difference: Share = 0.05
    outside_support: Share = 0.05
    effective_share: Share = 0.2


class CombinedGroup(Part):
    """A group that a claim is about: who has one of the levels named of each covariate.

    Levels of the study are then true (in the group), false (not in it), missing (not known).
    """

    title: Title = Title()
    levels: Annotated[dict[Code, Names], Field(min_length=1, max_length=MOST_NAMES)]


def _default_claims() -> dict[str, CombinedGroup]:
    """The field's claims: men over 18 all but lack protection; sparsely populated areas differ.

    The latter is of the groups of rural municipalities together with small towns and those that
    commute to them, by the divisions of 2011, 2017 and 2023.
    """
    adult = ("18-26", "27-44", "45-64", "65+")
    return {
        "men_over_18": CombinedGroup(
            title=Title(sv="Män 18 år och äldre", en="Men aged 18 or over"),
            levels={"sex": ("male",), "age_group": adult},
        ),
        "honour": CombinedGroup(
            title=Title(sv="Hedersrelaterade ärenden", en="Honour-related cases"),
            levels={"is_honour": ("true",)},
        ),
        "sparsely_populated": CombinedGroup(
            title=Title(
                sv="Landsbygdskommuner och mindre städer",
                en="Rural municipalities and small towns",
            ),
            levels={
                "municipality_group": (
                    *("small_town", "commuting_near_small_town", "rural", "rural_tourism"),
                    *("tourism", "sparsely_populated", "sparsely_populated_region"),
                )
            },
        ),
    }


class Linkage(Part):
    """How two agencies' people are joined (`link`): by number alone, unless `is_on`.

    Pairs with at least the chance `threshold` are links; those from `review_from` to `review_to`
    are shown for a human to judge.

    The model by probability learns from `least_known_links` people whose numbers say who they are,
    or not at all; contacts with both agencies within `contact_gap_days` speak for one person, the
    nearer the more; how often different people agree is told by `random_pairs`, drawn by `seed`.

    Of the analysis `linkage_error`: the shares of links missed and made wrongly, if others than
    `link` estimated; and how many more of them are made on trial: one link in so many.
    """

    is_on: bool = False
    threshold: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    review_from: Annotated[float, Field(gt=0, lt=1)] = 0.1
    review_to: Annotated[float, Field(gt=0, lt=1)] = 0.99
    least_known_links: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    contact_gap_days: Bounds = (14, 90, 365)
    random_pairs: Annotated[int, Field(ge=1000, le=1_000_000_000)] = 2_000_000
    seed: Seed = 1
    missed_link_rate: Annotated[float, Field(ge=0, lt=0.5)] | None = None
    false_link_rate: Annotated[float, Field(ge=0, lt=0.5)] | None = None
    error_one_in: Annotated[
        tuple[Annotated[int, Field(ge=2, le=20)], ...], Field(min_length=1, max_length=20)
    ] = (3, 2)


class Convictions(Part):
    """Question 4. Definitions, and what it takes to say how a measure goes with conviction.

    `definitions_change_on`: the first day of the newer official definitions of clearance.
    `least_events`: with fewer convictions in all among those compared nothing is estimated.
    `firth_below_events`: with fewer, or fewer cases without a conviction, among those who started
    or among the others, Firth's penalty.
    """

    definitions_change_on: Day = dt.date(2014, 1, 1)
    least_events: Annotated[int, Field(ge=1, le=10_000)] = 10
    firth_below_events: Annotated[int, Field(ge=0, le=10_000)] = 10


class Course(Part):
    """Does repeat victimisation fall: by quarter and year of the index report.

    `at_days`: the shares with a new report by these days. `groups`: covariates within whose levels
    the course is told too. `least_quarters`: with fewer quarters no change is told, as seasons
    would seem one. `firth_below_events`: with fewer outcomes, or fewer without one, in any period
    Firth's penalty.
    """

    at_days: Bounds = (182, 365)
    groups: Names = ("is_honour", "police_district")
    least_quarters: Annotated[int, Field(ge=2, le=400)] = 4
    firth_below_events: Annotated[int, Field(ge=0, le=10_000)] = 10


class Sequential(Part):
    """Does it matter when help comes: trials that begin later than the index report.

    A trial begins on each day on which the measure has not been given and nothing has happened.
    Days of a block share an intercept in the model of starts: blocks of `every_days` up to
    `until_day`, of `then_every_days` after. `phase_ends`: the last days of the acute and the
    intermediate phase. `landmarks`: trials of that day and of the others of
    `landmark_window_days` from it on, pooled. `at_days`: since the start of a trial; the last trial
    begins so long before the horizon that all can be followed to the last of them. `replicates`: of
    the bootstrap; with fewer than two intervals are by influence.

    `after_shelter`: what may follow a stay of `shelter` within `after_shelter_days`.

    `keep`: measures of which it is asked how long they last: at least `keep_days`, against ended
    earlier, from the start and after `quiet_days` in force without a new report; and, in trials
    that begin every day, started and kept so long. A break of at most `gap_days` is none.
    """

    is_on: bool = True
    every_days: PositiveCount = 7
    until_day: PositiveCount = 84
    then_every_days: PositiveCount = 30
    phase_ends: Annotated[Bounds, Field(min_length=2, max_length=2)] = (30, 180)
    landmarks: Annotated[tuple[PositiveCount, ...], Field(max_length=20)] = (90, 180, 365)
    landmark_window_days: PositiveCount = 30
    at_days: Bounds = (182, 365)
    replicates: Annotated[int, Field(ge=0, le=10_000)] = 0
    shelter: Codes = ("sheltered_housing",)
    after_shelter: Names = ("contact_person", "network_support", "permanent_housing")
    after_shelter_days: PositiveCount = 30
    keep: Names = ("support_talks", "contact_person")
    keep_days: PositiveCount = 90
    quiet_days: PositiveCount = 90
    gap_days: Annotated[int, Field(ge=0, le=36_500)] = 7


class ForWhom(Part):
    """Question 3. `least_events`: a hazard ratio of a group takes so many events in it while the
    measure is in force, and as many while it is not.

    `combined` stand beside the study's `subgroups`; one that is only a level of one of these is
    told there. `tested_at_days`: the day whose risks are tested for differences between groups,
    and told first; where the study does not report that day, the last it reports. It is settled
    beforehand: most measures last for months, and later starts make the strategies alike.
    """

    combined: Annotated[dict[Name, CombinedGroup], Field(max_length=MOST_NAMES)] = Field(
        default_factory=_default_claims
    )
    least_events: Annotated[int, Field(ge=1, le=10_000)] = 10
    tested_at_days: PositiveCount = 365

    def choose_day(self, days: Sequence[int]) -> int | None:
        """The day that is tested, of those with risks; None where there is none.

        >>> ForWhom().choose_day([182, 365, 730]), ForWhom().choose_day([30, 90])
        (365, 90)
        """
        return self.tested_at_days if self.tested_at_days in days else max(days, default=None)


# What a study may have mended in its extract (cleaning), in the order in which it is done: first
# what makes rows alike, then rows that cannot be used, then what was registered more than once.
CLEANING_RULES = (
    "lower_case_codes",
    "drop_exact_duplicates",
    "empty_ends_after_today",
    "drop_dates_out_of_range",
    "drop_end_before_start",
    "drop_unknown_people",
    "merge_reports_registered_twice",
    "close_open_ends",
    "merge_overlapping_spells",
)


def _known_rules(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in CLEANING_RULES]
    faults = [
        f"okänd regel / unknown rule {name!r}{name_nearest(name, CLEANING_RULES)}"
        for name in unknown
    ]
    if len(set(names)) < len(names):
        faults.append("en regel nämns två gånger / a rule is named twice")
    if faults:
        raise ValueError("; ".join(faults))
    return names


CleaningRules = Annotated[Names, AfterValidator(_known_rules)]


class OpenEnds(Part):
    """How long after its start a measure without an end is taken to have ended.

    Used by the cleaning rule `close_open_ends` alone. `after_days` holds for all codes but those of
    `by_code`. A non-contact order holds for a year at most unless it is prolonged (act 1988:688).
    """

    after_days: PositiveCount = 365
    by_code: Annotated[dict[Code, PositiveCount], Field(max_length=MOST_CODES)] = Field(
        default_factory=dict
    )
