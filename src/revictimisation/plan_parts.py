"""Parts of the study plan: what all parts are made of, and the groups of question 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=60)]


class Part(BaseModel):
    """Frozen, strict, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Title(Part):
    """The study's title in both languages."""

    sv: str = ""
    en: str = ""


class Exploration(Part):
    """Question 3 without named groups: does any measure help some more than others.

    `splits`: how often victims are dealt anew, of which the median is told. `folds`: into how many
    parts each time. `largest_weight`: of a score, times the weight without covariates.
    """

    is_on: bool = True
    splits: Annotated[int, Field(ge=1)] = 10
    folds: Annotated[int, Field(ge=3, le=50)] = 10
    largest_weight: Annotated[float, Field(ge=1)] = 10.0


class CombinedGroup(Part):
    """A group that a claim is about: who has one of the levels named of each covariate.

    Levels of the study are then true (in the group), false (not in it), missing (not known).
    """

    title: Title = Title()
    levels: Annotated[dict[str, tuple[str, ...]], Field(min_length=1)]


def _default_claims() -> dict[str, CombinedGroup]:
    """The field's claims: men over 18 all but lack protection; sparsely populated areas differ."""
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
            title=Title(sv="Glest befolkade kommuner", en="Sparsely populated municipalities"),
            levels={"municipality_group": ("small_town", "tourism", "rural")},
        ),
    }


class Linkage(Part):
    """How two agencies' people are joined (`link`): by number alone, unless `is_on`.

    Pairs with at least the chance `threshold` are links; those from `review_from` to `review_to`
    are shown for a human to judge.
    """

    is_on: bool = False
    threshold: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    review_from: Annotated[float, Field(gt=0, lt=1)] = 0.1
    review_to: Annotated[float, Field(gt=0, lt=1)] = 0.99


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
