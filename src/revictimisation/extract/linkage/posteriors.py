"""From weights to links: chances that know that a person is one person, and the errors to expect.

A record of the social services is the same person as at most one record of the police. With prior
chance s of having one there, and N candidates equally likely, its chance of being candidate j is
``s/N * B_j / (1 - s + s/N * sum_k B_k)`` with Bayes factors B; pairs outside the blocks count as
factor 0. s is estimated by expectation maximisation, as the mean chance of having one. So a client
with two equally good candidates is linked to neither.

Source: Fellegi and Sunter (1969); one-to-one as in Sadinle, JASA 112 (2017), a client at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revictimisation.core.arrays import Flags, Floats, Whole

N_ROUNDS = 200
CLOSE = 1e-9
MAX_WEIGHT = 100.0  # log2; more would overflow and says no more


@dataclass(frozen=True)
class Linked:
    """Chances of pairs, the links chosen, and what to expect of them.

    `pairs` has the scored pairs with `probability` and `is_link`. `share` is the estimated share of
    clients who are known to the police, `n_expected` how many that is, outside the blocks too.
    """

    pairs: pd.DataFrame
    share: float
    n_clients: int
    n_expected: float

    @property
    def chances(self) -> Floats:
        """The chances of the links chosen."""
        is_link = self.pairs["is_link"].to_numpy(dtype=bool)
        return self.pairs["probability"].to_numpy(dtype=float)[is_link]

    @property
    def false_link_rate(self) -> float:
        """Of the links chosen, the share expected to be wrong; 0 if there are none."""
        return float(1 - self.chances.mean()) if len(self.chances) else 0.0

    @property
    def missed_link_rate(self) -> float:
        """Of those held to be there, the share expected not to be linked to themselves."""
        right = self.chances.sum()
        return float(max(0.0, 1 - right / self.n_expected)) if self.n_expected > 0 else 0.0


def link_pairs(
    pairs: pd.DataFrame, n_police: int, n_clients: int, threshold: float, seen: float = 1.0
) -> Linked:
    """Choose links: pairs with a chance of at least `threshold`, one-to-one, the best first.

    `seen` is the share of true pairs that the blocks let through, 1 if all.
    """
    clients, factors = _group(pairs)
    share = estimate_share(clients, factors, n_police, n_clients)
    chance = _find_chances(clients, factors, share, n_police)
    chosen = pairs.assign(probability=chance)
    chosen["is_link"] = choose_links(chosen, threshold)
    return Linked(chosen, share, n_clients, float(chance.sum() / seen if seen > 0 else 0.0))


def add_links(first: Linked, second: Linked) -> Linked:
    """Two rounds of linking as one; their people differ."""
    n_clients = first.n_clients + second.n_clients
    whole = first.share * first.n_clients + second.share * second.n_clients
    pairs = pd.concat([first.pairs, second.pairs], ignore_index=True)
    share = whole / n_clients if n_clients else 0.0
    return Linked(pairs, share, n_clients, first.n_expected + second.n_expected)


def _group(pairs: pd.DataFrame) -> tuple[Whole, Floats]:
    clients = pd.factorize(pairs["social_id"])[0].astype(np.int64)
    weights = np.minimum(pairs["weight"].to_numpy(dtype=float), MAX_WEIGHT)
    return clients, np.exp2(weights)


def estimate_share(
    clients: Whole,
    factors: Floats,
    n_police: int,
    n_clients: int,
) -> float:
    """The share of clients who are among the police's records, by expectation maximisation.

    Starts at a half; 0 where there is nobody or nothing to compare.
    """
    if not len(clients) or not n_clients:
        return 0.0
    share = now = 0.5
    for _ in range(N_ROUNDS):
        now = float(_find_chances(clients, factors, share, n_police).sum() / n_clients)
        if abs(now - share) < CLOSE:
            break
        share = now
    return now


def _find_chances(
    clients: Whole,
    factors: Floats,
    share: float,
    n_police: int,
) -> Floats:
    odds = share / max(n_police, 1) * factors
    whole = np.bincount(clients, weights=odds)
    return odds / (1 - share + whole[clients])


def choose_links(pairs: pd.DataFrame, threshold: float) -> Flags:
    """Which pairs are links: at or above the threshold, each person once, the likeliest first.

    Ties go by pseudonym, so that the order of rows does not matter.
    """
    able = pairs[pairs["probability"] >= threshold]
    ordered = able.sort_values(
        ["probability", "social_id", "police_id"], ascending=[False, True, True]
    )
    taken: set[tuple[str, str]] = set()
    chosen = np.zeros(len(pairs), dtype=bool)
    places = pd.Series(np.arange(len(pairs)), index=pairs.index)
    for place, police, social in zip(
        places[ordered.index], ordered["police_id"], ordered["social_id"], strict=True
    ):
        ends = {("police", police), ("social", social)}
        if not ends & taken:
            taken |= ends
            chosen[place] = True
    return chosen
