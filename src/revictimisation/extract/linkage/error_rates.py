"""How many links are missed and how many join two people, each with limits.

What a linkage model expects of itself is too good: its fields are not as independent as it takes
them to be (Belin and Rubin, JASA 90 (1995), 694-707, who calibrate on pairs whose truth is known).
Here the truth is known of people with numbers. They are linked as if they had none, and what is
missed and what is wrong among them is what to expect of those without, as far as these are like
them. Limits are those of what will be seen among so few, not of a long run: beta-binomial with
Jeffreys' prior, and always wide enough to hold what the model itself expects.
"""

from __future__ import annotations

from dataclasses import dataclass

COVERED = 0.95


@dataclass(frozen=True)
class Span:
    """A number with 95 % limits: a share, or a count of people."""

    value: float
    low: float
    high: float

    def widen(self, value: float) -> Span:
        """The same number with limits that hold `value` too."""
        return Span(self.value, min(self.low, value), max(self.high, value))

    def add(self, other: Span) -> Span:
        """The sum, with limits added: a little too wide."""
        return Span(self.value + other.value, self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> Span:
        """The number and its limits, times a positive factor."""
        return Span(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Check:
    """What came of linking people with numbers as if they had none.

    `n_true` of them are with both agencies; `n_links` links were made, `n_right` of them right.
    `seen` is the share of the true pairs that agree in a block; `expected_false` and
    `expected_missed` are the shares that the model expected.
    """

    n_true: int
    n_links: int
    n_right: int
    seen: float
    expected_false: float
    expected_missed: float

    def tell(self) -> dict[str, float]:
        """The check as rates by name."""
        return {
            "checked_false_link_rate": 1 - self.n_right / self.n_links if self.n_links else 0.0,
            "checked_missed_link_rate": 1 - self.n_right / self.n_true,
            "expected_false_link_rate": self.expected_false,
            "expected_missed_link_rate": self.expected_missed,
        }


@dataclass(frozen=True)
class Tally:
    """What linking was given and made, in people.

    `n_same`: linked by number; `n_known_police` and `n_known_social`: with a number, by agency.
    Of police and social services each, of those not linked by number: `n_unfound` have no number
    nor anything to be found by, `n_absent` of such are not even in `persons` and so in no study,
    `n_hidden` have a new identity.
    `n_probable`: linked by probability, None where that was not tried; `model_false` and
    `model_missed`: the shares of errors that the model expects; `n_model`: how many without a
    number it expects to be with both agencies.
    """

    n_same: int
    n_known_police: int
    n_known_social: int
    n_unfound: tuple[int, int]
    n_absent: tuple[int, int]
    n_hidden: tuple[int, int]
    n_probable: int | None = None
    model_false: float = 0.0
    model_missed: float = 0.0
    n_model: float = 0.0


def foretell_share(n_hit: float, n_tried: float, n_new: float) -> Span:
    """The share to expect among `n_new` people, if `n_hit` of `n_tried` people like them were hit.

    The mean of the beta posterior under Jeffreys' prior, and the limits of the beta-binomial of so
    many new people; of the posterior itself where there are none.

    >>> share = foretell_share(10, 1000, 100)
    >>> round(share.value, 4), share.low, share.high
    (0.0105, 0.0, 0.04)
    """
    from scipy.stats import beta, betabinom

    hit, rest = n_hit + 0.5, max(n_tried - n_hit, 0.0) + 0.5
    tails = ((1 - COVERED) / 2, (1 + COVERED) / 2)
    n = round(n_new)
    found = beta.ppf(tails, hit, rest) if n < 1 else betabinom.ppf(tails, n, hit, rest) / n
    return Span(hit / (hit + rest), float(found[0]), float(found[1]))


def describe_error_rates(tally: Tally, check: Check | None) -> dict[str, float]:
    """The shares of missed and of false links, with limits (`..._low`, `..._high`).

    `missed_link_rate`: of the people who are with both agencies, the share not linked, through a
    missing number or a new identity; `false_link_rate`: of all links, the share that join two
    people. Both also among links by probability alone. Those who cannot be found at all, or were
    not looked for, are taken to be as often with the other agency as people with a number.
    Somebody who is in no `persons` is left out, as by every study; somebody with two valid numbers
    that differ is counted nowhere: nothing tells that there is one.
    """
    n_probable = tally.n_probable or 0
    false, there = Span(0.0, 0.0, 0.0), Span(0.0, 0.0, 0.0)
    by_probability = {}
    if check is not None and tally.n_probable is not None:
        by_probability = _describe_by_probability(tally, check)
        false, missed = by_probability.values()
        there = _count_there(n_probable * (1 - false.value), missed, tally.n_model)
    unfound, absent, hidden = (
        _count_known(tally, counts) for counts in (tally.n_unfound, tally.n_absent, tally.n_hidden)
    )
    n_right = n_probable * (1 - false.value)
    whole = there.add(unfound).add(hidden)
    missed_of = [max(0.0, n - n_right) for n in (whole.value, whole.low, whole.high)]
    found = tally.n_same + n_right
    rates = {
        "missed_link_rate": Span(*(n / (found + n) if n else 0.0 for n in missed_of)),
        "false_link_rate": false.times(n_probable / max(tally.n_same + n_probable, 1)),
        **by_probability,
    }
    told = {
        "n_expected_without_number": there.add(unfound).value,
        "n_links_lost_to_new_identities": hidden.value,
        "n_links_lost_to_not_in_persons": absent.value,
    }
    for name, one in rates.items():
        told |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    return told


def _describe_by_probability(tally: Tally, check: Check) -> dict[str, Span]:
    """False and missed links among those by probability: the check's, wide enough for the model."""
    n_wrong, n_missed = check.n_links - check.n_right, check.n_true - check.n_right
    false = foretell_share(n_wrong, check.n_links, tally.n_probable or 0)
    missed = foretell_share(n_missed, check.n_true, tally.n_model)
    return {
        "false_link_rate_by_probability": false.widen(tally.model_false),
        "missed_link_rate_by_probability": missed.widen(tally.model_missed),
    }


def _count_there(n_right: float, missed: Span, n_model: float) -> Span:
    """How many there are, if so many were found and such a share was missed."""
    if not n_right:
        return Span(n_model, n_model, n_model)
    ends = (missed.value, missed.low, missed.high)
    return Span(*(n_right / (1 - end) if end < 1 else max(n_right, n_model) for end in ends))


def _count_known(tally: Tally, counts: tuple[int, int]) -> Span:
    """How many of so many of the police's and of the social services' people are with the other.

    By proportion, as of those with a number.
    """
    whole = Span(0.0, 0.0, 0.0)
    for n_known, n in zip((tally.n_known_police, tally.n_known_social), counts, strict=True):
        if n:
            whole = whole.add(foretell_share(tally.n_same, n_known, n).times(n))
    return whole
