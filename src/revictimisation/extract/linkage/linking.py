"""Who in one agency's extract is who in the other's: by number first, then by probability."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from revictimisation.extract.linkage.error_rates import Check, Tally, describe_error_rates
from revictimisation.extract.linkage.model import BLOCKS, score_pairs, train_model
from revictimisation.extract.linkage.posteriors import Linked, add_links, link_pairs
from revictimisation.extract.linkage.records import FAULTY_PREFIX
from revictimisation.plan.parts import Linkage

NUMBER, FAULTY, PROBABLE = "number", "faulty_number", "probability"
LINK_COLUMNS = ("social_id", "police_id", "kind", "probability")


@dataclass(frozen=True)
class Links:
    """Links between two agencies' people, and how good they are held to be.

    `table` has a row per link (`LINK_COLUMNS`); `review` a row per pair for a human to look at,
    with what agrees and no pseudonym; `review_key` which pair is which. `rates`: see
    `describe_rates`. `reason` says why nobody was linked by probability, if so.
    """

    table: pd.DataFrame
    review: pd.DataFrame
    review_key: pd.DataFrame
    rates: dict[str, float] = field(default_factory=dict)
    reason: str = ""


def link_people(police: pd.DataFrame, social: pd.DataFrame, rules: Linkage) -> Links:
    """Link two agencies' people (`make_records`).

    The same pseudonym is the same person, be it of a valid number or of one mistyped in the same
    way. The others may be linked by probability, if the study asks for it (`rules.is_on`): pairs of
    people not both of whom have a valid number, neither of whom is linked yet nor has a new
    identity. What the model finds among people with numbers, as if they had none, is its check.
    """
    same = sorted(set(police["unique_id"]) & set(social["unique_id"]))
    kinds = [FAULTY if one.startswith(FAULTY_PREFIX) else NUMBER for one in same]
    certain = pd.DataFrame(
        {"social_id": same, "police_id": same, "kind": kinds, "probability": 1.0},
        columns=list(LINK_COLUMNS),
    )
    mine, theirs = (find_open(one, set(same)) for one in (police, social))
    reason = _find_obstacle(rules, len(same), mine, theirs)
    if reason:
        rates = describe_rates(police, social, len(same), None, None)
        return Links(certain, _no_review(), _no_review(), rates, reason)
    model = train_model(police, social, rules)
    check = check_on_numbers(police, social, model, rules.threshold)
    found = _link_open(mine, theirs, model, rules.threshold, check.seen)
    chosen = found.pairs[found.pairs["is_link"]].assign(kind=PROBABLE)
    table = pd.concat([certain, chosen[list(LINK_COLUMNS)]], ignore_index=True)
    review, key = make_review(found, rules)
    rates = describe_rates(police, social, len(same), found, check)
    return Links(table, review, key, rates)


def _link_open(
    police: pd.DataFrame,
    social: pd.DataFrame,
    model: dict[str, Any],
    threshold: float,
    seen: float,
) -> Linked:
    """Clients without a number to anybody, then clients with one to the police's without."""
    first = social[~social["has_number"]]
    found = link_pairs(score_pairs(police, first, model), len(police), len(first), threshold, seen)
    taken = set(found.pairs.loc[found.pairs["is_link"], "police_id"])
    left = police[~police["has_number"] & ~police["unique_id"].isin(taken)]
    second = social[social["has_number"]]
    if left.empty or second.empty:
        return found
    pairs = score_pairs(left, second, model)
    return add_links(found, link_pairs(pairs, len(left), len(second), threshold, seen))


def find_open(records: pd.DataFrame, linked: set[str]) -> pd.DataFrame:
    """Those who may still be linked: not linked by number, no new identity."""
    return records[~records["unique_id"].isin(linked) & ~records["is_hidden"]]


def _find_obstacle(rules: Linkage, n_known: int, police: pd.DataFrame, social: pd.DataFrame) -> str:
    if not rules.is_on:
        return "off"
    if n_known < rules.least_known_links:
        return "too_few_known_links"
    if police.empty or social.empty or (social["has_number"].all() and police["has_number"].all()):
        return "nobody_without_number"
    return ""


def check_on_numbers(
    police: pd.DataFrame, social: pd.DataFrame, model: dict[str, Any], threshold: float
) -> Check:
    """Link people with numbers as if they had none, and count what was right."""
    known = social[social["has_number"] & ~social["is_hidden"]]
    with_number = police[police["has_number"] & ~police["is_hidden"]]
    pairs = score_pairs(with_number, known, model)
    found = link_pairs(pairs, len(with_number), len(known), threshold)
    is_same = found.pairs["police_id"].eq(found.pairs["social_id"])
    n_true = len(set(known["unique_id"]) & set(with_number["unique_id"]))
    is_link = found.pairs["is_link"]
    return Check(
        n_true=n_true,
        n_links=int(is_link.sum()),
        n_right=int((is_same & is_link).sum()),
        seen=float(is_same.sum() / n_true),
        expected_false=found.false_link_rate,
        expected_missed=found.missed_link_rate,
    )


def find_blank(records: pd.DataFrame) -> pd.Series:
    """Who has nothing to be found by: no number, and no block whose fields are all known."""
    is_known = [records[list(block)].notna().all(axis=1) for block in BLOCKS]
    return ~(records["has_number"] | pd.concat(is_known, axis=1).any(axis=1))


def describe_rates(
    police: pd.DataFrame, social: pd.DataFrame, n_same: int, found: Linked | None,
    check: Check | None,
) -> dict[str, float]:  # fmt: skip
    """Counts of the linkage, and its error rates (`describe_error_rates`), by name."""
    same = set(police["unique_id"]) & set(social["unique_id"])
    left = [one[~one["unique_id"].isin(same)] for one in (police, social)]
    n_hidden = [int(one["is_hidden"].sum()) for one in left]
    seen = [one[~one["is_hidden"]] for one in left]
    # what linkage by probability cannot find; where it is off, nobody without a number
    unfound = [find_blank(one) if found else ~one["has_number"] for one in seen]
    n_lost, n_absent = (
        [int((lost & one["is_listed"].eq(is_listed)).sum())
         for one, lost in zip(seen, unfound, strict=True)]
        for is_listed in (True, False)
    )  # fmt: skip
    tally = Tally(
        n_same=n_same,
        n_known_police=int(police["has_number"].sum()),
        n_known_social=int(social["has_number"].sum()),
        n_unfound=(n_lost[0], n_lost[1]),
        n_absent=(n_absent[0], n_absent[1]),
        n_hidden=(n_hidden[0], n_hidden[1]),
        n_probable=int(found.pairs["is_link"].sum()) if found else None,
        model_false=found.false_link_rate if found else 0.0,
        model_missed=found.missed_link_rate if found else 0.0,
        n_model=found.n_expected if found else 0.0,
    )
    return {
        "n_clients": len(social),
        "n_clients_without_number": int((~social["has_number"]).sum()),
        "n_linked_by_number": n_same,
        "n_linked_by_probability": tally.n_probable or 0,
        "n_new_identities": sum(n_hidden),
        "n_not_in_persons": sum(n_absent),
        **describe_error_rates(tally, check),
        **(check.tell() if check else {}),
    }


def make_review(found: Linked, rules: Linkage) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs for a human to look at: between `review_from` and certainty, without pseudonyms.

    A row per pair, the least sure first: `pair`, what agrees (`level_...`), `probability`,
    `is_link` and an empty `decision`; beside it, for the secure room only, which pair is which.
    """
    doubtful = found.pairs["probability"].between(rules.review_from, rules.review_to)
    pairs = found.pairs[doubtful].sort_values(["probability", "social_id", "police_id"])
    pairs = pairs.reset_index(drop=True)
    pairs.insert(0, "pair", range(1, len(pairs) + 1))
    key = pairs[["pair", "social_id", "police_id"]]
    shown = pairs.drop(columns=["social_id", "police_id", "weight"])
    return shown.assign(probability=shown["probability"].round(3), decision=""), key


def _no_review() -> pd.DataFrame:
    return pd.DataFrame(columns=["pair", "probability", "is_link", "decision"])
