"""What the courts of a synthetic county go by, as frozen data.

Kept apart from `Scenario`, whose process of reports and measures nothing here touches: cases are
drawn afterwards, from streams of their own. What it does to a case that a measure started is told
by `Court.participation` and `Court.cleared`; in `null` nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from revictimisation.simulate.scenarios import Linear, Numbers, no_numbers

ASSAULT_ON_MEN = "assault_men"


@dataclass(frozen=True)
class Court:
    """Parameters of a case.

    Attributes:
        evidence: share of cases that have it. weight: log odds of prosecution, fine or waiver
            (`cleared`) for each kind, the victim's participation among them.
        injury: what raises the log odds of a documented injury; takes_part: of participation.
        strength: what else raises the log odds of being cleared, which also drives measures
            (confounding).
        base: intercept of the log odds of being cleared by offence group, tuned to what was
            published; of groups that are not named nobody is cleared.
        measures_part: log odds of participation by measure started (see
            `justice_tables.mark_started`); measures_cleared: log odds of being cleared, past
            participation.
    """

    evidence: Numbers
    weight: Numbers
    injury: Linear
    takes_part: Linear
    strength: Linear
    base: Numbers
    measures_part: Numbers = field(default_factory=no_numbers)
    measures_cleared: Numbers = field(default_factory=no_numbers)
