"""The friendly intruder: a statistician who knows the software and reads every byte.

A kind of attack is one entry of `ATTACKS`: a function from a release to its findings. Each finding
is a recovery that holds, not a suspicion; numbers are kept for tests and never printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from revictimisation.disclosure.attack.algebra import solve_families
from revictimisation.disclosure.attack.carriers import read_carriers
from revictimisation.disclosure.attack.diagnostics import read_diagnostics
from revictimisation.disclosure.attack.differences import subtract_releases
from revictimisation.disclosure.attack.findings import make_findings
from revictimisation.disclosure.attack.margins import recover_counts
from revictimisation.disclosure.attack.release import Release, open_release
from revictimisation.disclosure.attack.rows import read_rows
from revictimisation.disclosure.attack.shared import Shared, open_shared, read_shared
from revictimisation.disclosure.attack.surplus import find_surplus
from revictimisation.disclosure.attack.traces import search_bytes

__all__ = [
    "ATTACKS",
    "Attack",
    "Release",
    "Shared",
    "attack",
    "list_attacks",
    "open_release",
    "open_shared",
]


@dataclass(frozen=True)
class Attack:
    """A kind of attack: the kinds of finding it gives, what it reads, and how it finds."""

    kinds: tuple[str, ...]
    reads: str
    find: Callable[[Release], pd.DataFrame]


ATTACKS = (
    Attack(("rows",), "estimates, attrition", read_rows),
    Attack(("margins", "curves", "twins", "limits"), "estimates", recover_counts),
    Attack(("algebra",), "estimates, diagnostics", solve_families),
    Attack(("diagnostics",), "diagnostics, estimates", read_diagnostics),
    Attack(("carriers",), "site, notebooks, table files", read_carriers),
    Attack(("traces",), "every file", search_bytes),
    Attack(("surplus",), "every file", find_surplus),
)
# Of a file of `share`, which has no pages and no diagnostics.
OF_SHARED = (read_rows, recover_counts, search_bytes)


def list_attacks(release: Release) -> list[Callable[[Release], pd.DataFrame]]:
    """What can be tried on a release, or on a shared file."""
    if isinstance(release, Shared):
        return [*OF_SHARED, read_shared]
    return [kind.find for kind in ATTACKS]


def attack(releases: Sequence[Release]) -> pd.DataFrame:
    """All that can be recovered of each release by itself, and of each two together.

    A row per finding: `release` (its number, from 0; -1 for two together), and `findings.COLUMNS`.
    """
    found = [
        find(release).assign(release=place)
        for place, release in enumerate(releases)
        for find in list_attacks(release)
    ]
    whole = [release for release in releases if not isinstance(release, Shared)]
    found.append(subtract_releases(whole).assign(release=-1))
    full = [frame for frame in found if len(frame)]
    if not full:
        return make_findings([]).assign(release=-1)
    return pd.concat(full, ignore_index=True)
