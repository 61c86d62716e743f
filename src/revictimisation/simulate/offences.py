"""Which offences are reported: groups and codes of the data dictionary, valid on the day.

The dictionary says which group a code is in and when it is valid; here stands only how common each
group is and which of its codes fit a woman, a man, a girl or a boy.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd

from revictimisation.dictionary import load_dictionary
from revictimisation.simulate.randoms import Integers, draw_uniform

BREACH_GROUP = "breach_of_order"
FALLBACK_GROUP = "molestation"  # what stalking was reported as before it became an offence
MINOR_GROUPS = ("threat", "molestation", "damage")

GROUP_SHARES = MappingProxyType({
    "assault": 0.47, "threat": 0.19, "molestation": 0.10, "gross_violation_of_integrity": 0.11,
    "rape_sexual": 0.05, "unlawful_persecution": 0.04, "damage": 0.025, "homicide_attempt": 0.015,
})  # fmt: skip

RECIPIENTS = ("woman", "man", "girl", "boy")
CODES_BY_GROUP: MappingProxyType[str, tuple[tuple[str, ...], ...]] = MappingProxyType({
    "assault": (
        ("9349", "9349", "9349", "9353"), ("9351", "9351", "9355"),
        ("9306", "9314", "9322"), ("9308", "9316", "9324"),
    ),
    "threat": (("0406", "0455"), ("0405", "0457"), ("0426", "0451"), ("0427", "0453")),
    "molestation": (("0408",), ("0407",), ("0428",), ("0429",)),
    "gross_violation_of_integrity": (("0412",), ("0425",), ("0422",), ("0423",)),
    "rape_sexual": (
        ("0661", "0649"), ("0663",), ("0653", "0675", "0673"), ("0655", "0676", "0674"),
    ),
    "unlawful_persecution": (("0442",), ("0443",), ("0440",), ("0441",)),
    "damage": (("1203",), ("1203",), ("1203",), ("1203",)),
    "homicide_attempt": (("0303",), ("0304",), ("0303",), ("0304",)),
    BREACH_GROUP: (("4021", "4086"), ("4021", "4086"), ("4021", "4086"), ("4021", "4086")),
})  # fmt: skip
FIRST_DAY, LAST_DAY = "1900-01-01", "2999-12-31"


@cache
def _read_validity() -> pd.DataFrame:
    """Valid-from and valid-to (inclusive) of the offence codes, by code."""
    codes = load_dictionary().codes("offences").set_index("code")
    dates = codes[["valid_from_on", "valid_to_on"]].replace("", None)
    dates = dates.fillna({"valid_from_on": FIRST_DAY, "valid_to_on": LAST_DAY})
    return dates.astype("datetime64[s]")


@cache
def read_gravity() -> MappingProxyType[str, int]:
    """Gravity of each offence group of the dictionary; higher is graver."""
    groups = load_dictionary().codes("offence_groups")
    return MappingProxyType(dict(zip(groups["code"], groups["gravity"].astype(int), strict=True)))


def name_recipients(sexes: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Say which codes fit each victim: woman, man, girl or boy (under 18)."""
    is_male, is_child = sexes == "male", ages < 18
    return np.where(is_child, np.where(is_male, "boy", "girl"), np.where(is_male, "man", "woman"))


def _is_valid(codes: tuple[str, ...], on: np.ndarray) -> np.ndarray:
    validity = _read_validity().loc[list(codes)]
    first = validity["valid_from_on"].to_numpy()[None, :]
    last = validity["valid_to_on"].to_numpy()[None, :]
    return (on[:, None] >= first) & (on[:, None] <= last)


def settle_groups(groups: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Replace a group that was no offence yet on the day by the one it was reported as."""
    settled = groups.copy()
    for group in np.unique(groups):
        mine = np.flatnonzero(groups == group)
        is_offence = _is_valid(CODES_BY_GROUP[group][0], on[mine]).any(axis=1)
        settled[mine[~is_offence]] = FALLBACK_GROUP
    return settled


def draw_codes(
    seed: int, units: Integers, stream: str, groups: np.ndarray, recipients: np.ndarray,
    on: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Draw for each row a code of its offence group that fits the victim and is valid that day."""
    uniform = draw_uniform(seed, units, stream)
    codes = np.full(len(units), "", dtype="U4")
    for group, by_recipient in CODES_BY_GROUP.items():
        for recipient, choices in zip(RECIPIENTS, by_recipient, strict=True):
            mine = np.flatnonzero((groups == group) & (recipients == recipient))
            if not mine.size:
                continue
            is_valid = _is_valid(choices, on[mine]).cumsum(axis=1)
            wanted = np.floor(uniform[mine] * is_valid[:, -1]) + 1
            codes[mine] = np.array(choices)[(is_valid >= wanted[:, None]).argmax(axis=1)]
    return codes
