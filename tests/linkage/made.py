"""Two agencies' records of made people, with the truth of who is who."""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMNS = ["unique_id", "birth_year", "sex", "municipality_code", "given_name_code",
           "family_name_code", "contact_days", "has_number", "is_hidden", "is_listed"]  # fmt: skip


def make_pair(n_people: int = 900, seed: int = 1, share_without: float = 0.15):
    """Police records of `n_people`; clients: 60 % of them and a third as many others.

    Of the clients 15 % have no number, 5 % a name and 5 % a home that differs, 2 % a year of birth.
    Returns police, social and the true links of those without a number.
    """
    rng = np.random.default_rng(seed)
    n_others = n_people // 3
    who = np.arange(n_people + n_others)
    true = pd.DataFrame({
        "birth_year": rng.integers(1940, 2005, len(who)),
        "sex": _draw(rng, ["female", "male"], who),
        "municipality_code": _draw(rng, ["0180", "0126", "0127", "0182", "0114"], who),
        "given_name_code": [f"g{one}" for one in rng.zipf(1.3, len(who)) % 150],
        "family_name_code": [f"f{one}" for one in rng.zipf(1.3, len(who)) % 300],
        "day": rng.integers(14600, 17500, len(who)),
    })  # fmt: skip
    is_client = (rng.random(len(who)) < 0.6) | (who >= n_people)
    has_number = rng.random(len(who)) >= share_without
    theirs = true.copy()
    for name, rate in (("given_name_code", 0.025), ("family_name_code", 0.025),
                       ("municipality_code", 0.05), ("birth_year", 0.02)):  # fmt: skip
        is_changed = rng.random(len(who)) < rate
        theirs.loc[is_changed, name] = rng.permutation(theirs[name])[is_changed]
    theirs["day"] += rng.integers(-60, 200, len(who))
    numbers = np.array([f"p{one:05}" for one in rng.permutation(len(who))])
    own = np.array([f"u{one:05}" for one in rng.permutation(len(who))])
    police = _records(true.iloc[:n_people], numbers[:n_people], np.ones(n_people, bool))
    social_ids = np.where(has_number, numbers, own)
    social = _records(theirs[is_client], social_ids[is_client], has_number[is_client])
    lacks = is_client & ~has_number & (who < n_people)
    truth = dict(zip(own[lacks], numbers[lacks], strict=True))
    return police, social, truth


def _draw(rng, values, who):
    return rng.choice(np.array(values, dtype=object), len(who))


def _records(people, ids, has_number):
    found = people.assign(unique_id=ids, has_number=has_number, is_hidden=False,
                          is_listed=True)  # fmt: skip
    found["contact_days"] = [[int(day)] for day in people["day"]]
    return found[COLUMNS].sort_values("unique_id", ignore_index=True)
