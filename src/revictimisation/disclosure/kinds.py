"""What disclosure control must know of a number: facts of the dictionary, by estimand or check."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

import pandas as pd

from revictimisation.core.errors import DisclosureError
from revictimisation.core.packing import FOLLOWED, pack_within, unpack_contrast, unpack_within
from revictimisation.core.results import KEYS
from revictimisation.dictionary import load_dictionary

# One comparison at one time: its estimands follow from each other.
FAMILY = [key for key in KEYS if key != "estimand"]
# Kinds of estimands (`codes/estimand.csv`): of these the people with the event are a part of all;
COUNT_LIKE = ("share", "mean_count", "count")
# of these they are not: outcomes per person may exceed 1, days are no people.
NOT_OF_PEOPLE = ("days", "mean_count", "mean_count_difference")
# All kinds (data_dictionary/README.md says what each is): what has another is not released.
KINDS = {
    "estimand": {*COUNT_LIKE, *NOT_OF_PEOPLE, "difference", "ratio", "statistic"},
    "check": {"count", "share", "statistic", "detectable", "extreme", "plain", "rate", "rate_low",
              "rate_high"},
}  # fmt: skip

# Question 1: what an agency did is what it did alone and what both did.
AGENCIES = {"any_police": ("police_only", "both_apart", "joint"),
            "any_social_services": ("social_services_only", "both_apart", "joint")}  # fmt: skip
# Rows that count what others do: the course over time counts the outcomes of question 2.
COUNTED_AS = {
    "course": {"question": "q2", "analysis": "main", "estimator": "aalen_johansen",
               "estimand": "cumulative_incidence"},
}  # fmt: skip
# Analyses of a part of the people, or of the outcomes, that the main one counts.
OF_PART, OF_PART_OF_OUTCOMES = ("by_person",), ("without_breach_only", "with_breach_only")
# An outcome that is a part of wider ones: who has one of these alone is the rest.
WIDER = {"same_suspect": ("any_suspect", "any_kin")}
# Estimands of those alone who are of periods followed long enough: a part of their level.
OF_FOLLOWED = ("yearly_change", "p_value")


def name_counted(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows by what they count (`COUNTED_AS`), so that rows that count alike meet."""
    out = frame.copy()
    for question, keys in COUNTED_AS.items():
        mine = frame["question"].eq(question)
        followed = mine & frame["estimand"].isin(OF_FOLLOWED)
        for place, name in enumerate(("subgroup", "level")):
            told = frame.loc[followed, name]
            packed = [pack_within(*filter(None, (text, FOLLOWED[place]))) for text in told]
            out.loc[followed, name] = packed
        out.loc[mine, list(keys)] = list(keys.values())
    return out


def is_grouped_by(subgroups: pd.Series, names: Collection[str]) -> pd.Series:
    """Which groupings are one of these, or are made of one and others."""
    told = {text: any(name in names for name, _ in unpack_within(text, text))
            for text in subgroups.unique()}  # fmt: skip
    return subgroups.map(told).astype(bool)


@cache
def read_facts(codes: str, column: str) -> Mapping[str, str]:
    """What the dictionary says of each estimand, analysis or check: a column of its code list."""
    table = load_dictionary().codes(codes)
    return dict(zip(table["code"], table[column], strict=True))


def name_kind(names: pd.Series, codes: str) -> pd.Series:
    """The kind of each estimand or check; `DisclosureError` for one of no kind that we protect."""
    kinds = names.map(read_facts(codes, "kind"))
    refuse_unknown(names[~kinds.isin(KINDS[codes])], codes)
    return kinds


def refuse_unknown(names: pd.Series, codes: str) -> None:
    """Raise `DisclosureError` if there is any: nobody has said how to protect it."""
    if len(names):
        raise DisclosureError(
            f"{', '.join(sorted(set(names)))}: står inte i data_dictionary/codes/{codes}.csv, eller"
            " där utan känt slag (kind), så ingen vet hur det ska skyddas. / The dictionary lacks"
            " it, or its kind is none that is known, so nobody knows how to protect it."
        )


def name_origin(analyses: pd.Series) -> pd.Series:
    """The analysis that each one's numbers follow from, by the dictionary; else its own name."""
    known = read_facts("analysis", "follows")
    return analyses.replace({name: origin for name, origin in known.items() if origin})


def split_contrasts(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The keys of the two levels that a row `a_less_b` tells the difference of (else level null).

    Of each: all keys but the estimand. A level is known by its own share or count.
    """
    is_level = name_kind(frame["estimand"], "estimand").isin(COUNT_LIKE)
    known = frame[is_level].groupby("subgroup")["level"].agg(set).to_dict()
    named = frame[["subgroup", "level"]].drop_duplicates()
    pairs = {
        (group, level): unpack_contrast(level, known.get(group, ())) or (pd.NA, pd.NA)
        for group, level in named.itertuples(index=False)
    }
    found = [pairs[key] for key in zip(frame["subgroup"], frame["level"], strict=True)]
    parts = [pd.Series([pair[part] for pair in found], index=frame.index) for part in (0, 1)]
    return [frame[FAMILY].assign(level=part) for part in parts]
