"""Parts of the study plan: what all are made of, the groups of question 3, and cleaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from revictimisation.study_text import name_nearest

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """Frozen, strict, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Title(Part):
    """The study's title in both languages."""

    sv: str = ""
    en: str = ""


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

    outcomes: tuple[Literal["other_suspect"], ...] = ("other_suspect",)
    measures: tuple[str, ...] = ()
    against_family: tuple[str, ...] = ()
    least_for_calibration: Annotated[int, Field(ge=3)] = 5


class Exploration(Part):
    """Question 3 without named groups: does any measure help some more than others.

    `splits`: how often victims are dealt anew, of which the median is told. `folds`: into how many
    parts each time. `largest_weight`: of a score, times the weight without covariates.
    """

    is_on: bool = True
    splits: Annotated[int, Field(ge=1)] = 10
    folds: Annotated[int, Field(ge=3, le=50)] = 10
    largest_weight: Annotated[float, Field(ge=1)] = 10.0


class Bootstrap(Part):
    """How many replicates and which seed."""

    replicates: Count = 200
    seed: Count = 1


class Weights(Part):
    """How clones are weighted: the law of starts within the grace time, and where weights are cut.

    `truncate_at`: the quantile at which the variant `weights_truncated` caps the weights; null:
    no such variant. The main analysis never caps.
    """

    grace_law: Literal["natural_law", "censor_at_end"] = "natural_law"
    truncate_at: Annotated[float, Field(gt=0, lt=1)] | None = 0.99


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
    These limits are the project's own judgement.
    """

    neighbours: Annotated[int, Field(ge=2)] = 6
    volume_deviations: Annotated[float, Field(gt=0)] = 3.5
    volume_change: Annotated[float, Field(gt=0)] = 0.4
    rows_per_month: Annotated[int, Field(ge=1)] = 20
    ends_early_months: Annotated[int, Field(ge=1)] = 3
    assessment_before_days: Annotated[int, Field(ge=0)] = 365
    share_change: Annotated[float, Field(gt=0, lt=1)] = 0.05
    rate_change: Annotated[float, Field(gt=0)] = 0.2
    chance_deviations: Annotated[float, Field(gt=0)] = 3.3


class CombinedGroup(Part):
    """A group that a claim is about: who has one of the levels named of each covariate.

    Levels of the study are then true (in the group), false (not in it), missing (not known).
    """

    title: Title = Title()
    levels: Annotated[dict[str, tuple[str, ...]], Field(min_length=1)]


def _default_claims() -> dict[str, CombinedGroup]:
    """The field's claims: men over 18 all but lack protection; sparsely populated areas differ.

    The latter is of the groups of rural municipalities together with small towns.
    """
    adult = ("18-26", "27-44", "45-64", "65+")
    return {
        "men_over_18": CombinedGroup(
            title=Title(sv="Män över 18 år", en="Men over 18"),
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
                    *("small_town", "tourism", "rural"),
                    *("sparsely_populated", "sparsely_populated_region"),
                )
            },
        ),
    }


class Linkage(Part):
    """How two agencies' people are joined (`link`): by number alone, unless `is_on`.

    Pairs with at least the chance `threshold` are links; those from `review_from` to `review_to`
    are shown for a human to judge.

    Of the analysis `linkage_error`: the shares of links missed and made wrongly, if others than
    `link` estimated; and how many more of them are made on trial: one link in so many.
    """

    is_on: bool = False
    threshold: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    review_from: Annotated[float, Field(gt=0, lt=1)] = 0.1
    review_to: Annotated[float, Field(gt=0, lt=1)] = 0.99
    missed_link_rate: Annotated[float, Field(ge=0, lt=0.5)] | None = None
    false_link_rate: Annotated[float, Field(ge=0, lt=0.5)] | None = None
    error_one_in: Annotated[tuple[Annotated[int, Field(ge=2, le=20)], ...], Field(min_length=1)] = (
        *(3, 2),
    )


class ForWhom(Part):
    """Question 3. `least_events`: a hazard ratio of a group takes so many events in it while the
    measure is in force, and as many while it is not.

    `combined` stand beside the study's `subgroups`; one that is only a level of one of these is
    told there. `tested_at_days`: the day whose risks are tested for differences between groups,
    and told first; where the study does not report that day, the last it reports. It is settled
    beforehand: most measures last for months, and later starts make the strategies alike.
    """

    combined: dict[Name, CombinedGroup] = Field(default_factory=_default_claims)
    least_events: Annotated[int, Field(ge=1)] = 10
    tested_at_days: Annotated[int, Field(ge=1)] = 365

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
    faults = [f"unknown rule {name!r}{name_nearest(name, CLEANING_RULES)}" for name in unknown]
    if len(set(names)) < len(names):
        faults.append("a rule is named twice")
    if faults:
        raise ValueError("; ".join(faults))
    return names


CleaningRules = Annotated[tuple[str, ...], AfterValidator(_known_rules)]


class OpenEnds(Part):
    """How long after its start a measure without an end is taken to have ended.

    Used by the cleaning rule `close_open_ends` alone. `after_days` holds for all codes but those of
    `by_code`. A non-contact order holds for a year at most unless it is prolonged (act 1988:688).
    """

    after_days: Annotated[int, Field(ge=1)] = 365
    by_code: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
