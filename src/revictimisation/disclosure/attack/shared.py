"""The file that a county shares (`share`), attacked as a release is: rows, sums, bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from revictimisation.core.results import COLUMNS, OK
from revictimisation.disclosure.attack.findings import make_findings, name_rows
from revictimisation.disclosure.attack.release import Release
from revictimisation.disclosure.rounding import two_digits

ENDING = ".csv"
COUNTS = ("n_people", "n_events")
KEYS = ("measure", "outcome", "estimator", "estimand", "group", "level", "from_day", "to_day")
# What every row of `effects` is of, as the columns of a release say it.
SAME = {"question": "q2", "analysis": "main", "subgroup": "", "level": ""}
DECIMALS = {"log_hazard_ratio": 3, "model": 2, "robust": 2}
ERRORS = ("se_model", "se_robust")


@dataclass(frozen=True)
class Shared(Release):
    """A shared file; `contents` are its parts by name, `parts` its tables."""

    contents: Mapping[str, bytes] = field(default_factory=dict)
    parts: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def paths(self) -> list[str]:
        """Every part, by its name."""
        return [*self.contents]

    def read(self, path: str) -> bytes:
        """The bytes of a part."""
        return self.contents[path]


def open_shared(
    path: Path,
    contents: Mapping[str, bytes],
    parts: Mapping[str, pd.DataFrame],
    rules: Mapping[str, int],
    secrets: frozenset[str] = frozenset(),
) -> Shared:
    """A shared file as a release of one table, `effects`; `rules`: its threshold and rounding."""
    from revictimisation.plan import Disclosure

    effects = parts["effects"].assign(**SAME).reindex(columns=list(COLUMNS))
    known = Disclosure(threshold=rules["threshold"], rounding=rules["rounding"])
    return Shared(
        path, path, {"estimates": effects}, known, None, secrets, contents=contents, parts=parts
    )


def read_shared(release: Release) -> pd.DataFrame:
    """What the tables that no release has tell: small or exact counts, hidden levels, digits.

    `small`, `unrounded`: a count of 1 to threshold - 1, or no multiple. `within`: a level that is
    left out follows from the others on fewer values than the threshold. `step`: a band with few
    events. `digits`: an error or a correlation finer than the rules leave.
    """
    if not isinstance(release, Shared):
        return make_findings([])
    threshold, rounding = release.rules.threshold, release.rules.rounding
    found = []
    for name, table in release.parts.items():
        row = name_rows(table, [key for key in KEYS if key in table])
        for column in COUNTS:
            if column not in table or name == "effects":
                continue
            count = table[column].astype(float)
            found += [
                _note(row, count.lt(threshold), "small", column, name),
                _note(
                    row, count.ge(threshold) & (count % rounding).ne(0), "unrounded", column, name
                ),
            ]
        for column, decimals in DECIMALS.items():
            if column in table:
                value = table[column].astype(float)
                found.append(
                    _note(
                        row, (value - value.round(decimals)).abs().gt(1e-9), "digits", column, name
                    )
                )
        for column in (one for one in ERRORS if one in table):
            value = table[column].astype(float)
            is_fine = (value - two_digits(value)).abs().gt(1e-9)
            found.append(_note(row, is_fine, "digits", column, name))
    found.append(_subtract_levels(release))
    return make_findings(pd.concat(found, ignore_index=True), kind="rows")


def _note(row: pd.Series, chosen: pd.Series, what: str, column: str, place: str) -> pd.DataFrame:
    rows = row[chosen.fillna(False)]
    return pd.DataFrame({"row": rows, "what": what, "column": column, "place": place})


def _subtract_levels(release: Shared) -> pd.DataFrame:
    """Groupings whose levels leave 1 to threshold - 1 people of all, whatever the rounding."""
    effects, mix = release.parts["effects"], release.parts["case_mix"]
    whole = effects.loc[effects["status"].eq(OK) & effects["measure"].eq(""), "n_people"].max()
    if pd.isna(whole) or mix.empty:
        return pd.DataFrame()
    half = (release.rules.rounding - 1) / 2
    rest = float(whole) - mix.groupby("group")["n_people"].sum().astype(float)
    n_levels = mix.groupby("group")["level"].size()
    low, high = rest - half * (n_levels + 1), rest + half * (n_levels + 1)
    is_close = low.ge(1) & (high - np.maximum(low, 0)).lt(release.rules.threshold)
    same = {"what": "within", "column": "n_people", "place": "case_mix"}
    ends = {"low": low[is_close], "high": high[is_close]}
    return pd.DataFrame({"row": rest.index[is_close], **same, **ends})
