"""Where a command may write, found out before any work: apart from what it reads, in a folder that
is new, empty or its own, and where there is room.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

from revictimisation.core import files
from revictimisation.core.errors import UsageError

MANIFEST = "manifest.json"  # of `estimate` and `run`
LINKAGE = "linkage.json"  # what `link` leaves beside the tables
FACTS = "pseudonymisation.json"
SIMULATION = "simulation.json"  # goes with the tables made of a simulated county
PROFILE = "profile"
COMPARISON = "comparison"
POOLED = "pooled.parquet"
DRAFT = "mapping.yaml"
GRID = "grid.json"  # of `run-many`: every run of a grid, and what was made of them
RESTRICTED, RELEASE = "restricted", "release"
PEOPLE = "people"  # the one table of OUT/restricted that has a row per person
SHARING = "sharing"  # in `restricted`: exact tables of which `share` makes what may leave
SITE, NOTEBOOKS = "site", "notebooks"
# What `release` leaves in OUT/release; the last shows that the rest is no draft.
REVIEW, REVIEW_TABLE, RELEASED = "review.html", "review.csv", "RELEASED"
SET_ASIDE = "set_aside"
REGISTER = "release_register"

# A mapping file is the user's own.
MAPPINGS = ("*.yaml", "*.yml")
# By command, the names of files that show whose a folder is.
MARKS = {
    "run": (MANIFEST,),
    "link": (LINKAGE,),
    "pseudonymise": (FACTS,),
    "validate": (f"{PROFILE}.parquet",),
    "map": ("*_report.json", *MAPPINGS),
    "simulate": (SIMULATION,),
    "compare": (f"{COMPARISON}.json",),
    "pool": (POOLED,),
    "run-many": (GRID,),
}
LEAST_BYTES = 1 << 20


@contextmanager
def reserved(
    out: Path, command: str, sources: Iterable[Path] = (), n_bytes: int = LEAST_BYTES
) -> Iterator[None]:
    """Keep the folder `out` to a command that may fill it (`check_output`) until it has."""
    check_output(out, command, sources, n_bytes)
    with files.locked(out):
        yield


def check_output(
    out: Path, command: str, sources: Iterable[Path] = (), n_bytes: int = LEAST_BYTES
) -> None:
    """Raise `UsageError` unless a command may fill the folder `out`, and can.

    `sources` are the folders and files that it reads; `n_bytes` is what it will need at the least,
    in `out` and for temporary files.
    """
    check_apart(out, sources)
    check_own(out, command)
    files.check_room(out, n_bytes)
    files.check_room(files.scratch(), n_bytes)


def check_apart(out: Path, sources: Iterable[Path]) -> None:
    """What is made and what it is made of lie apart: neither folder is, or is inside, the other.

    A file that is read may lie in a folder above `out`, but not in `out` itself or below it.
    """
    for source in sources:
        if _is_within(source, out) or (source.is_dir() and _is_within(out, source)):
            raise UsageError(
                f"{out}: det som görs får inte ligga i, eller runt, det som läses ({source}). Ange "
                f"en annan mapp. / What is made may not lie inside, or around, what is read "
                f"({source}): name another folder."
            )


def _is_within(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or lies below it, whatever each is called."""
    try:
        there = folder.stat()
    except OSError:
        return Path(os.path.realpath(folder)) in _list_above(path)
    return any(
        os.path.samestat(there, above.stat()) for above in _list_above(path) if above.exists()
    )


def _list_above(path: Path) -> tuple[Path, ...]:
    """A path and all above it, without symbolic links."""
    whole = Path(os.path.realpath(path))
    return (whole, *whole.parents)


def check_own(out: Path, command: str) -> None:
    """A folder that holds anything was made by the same command; nobody else's is written into."""
    names = files.list_entries(out)
    if not names or (holds_mark(names, MARKS[command]) and not _list_foreign(names, command)):
        return
    listed = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    raise UsageError(
        f"{out} är inte tom, och innehållet ({listed}) är inte gjort av samma kommando. Ange en ny "
        "mapp, eller töm den. / It is not empty, and what it holds was not made by the same "
        "command: name a new folder or empty it."
    )


def holds_mark(names: Iterable[str], marks: Iterable[str]) -> bool:
    """Whether a file of one of these names (with * for any letters) is among them."""
    return any(fnmatch(name, mark) for mark in marks for name in names)


def _list_foreign(names: Sequence[str], command: str) -> list[str]:
    """The other commands whose mark a folder bears; that of `simulate` goes along with its data."""
    others = MARKS.keys() - {command, "simulate", "map"}
    return sorted(other for other in others if holds_mark(names, MARKS[other]))


def measure(folder: Path) -> int:
    """How many bytes the files right in a folder, or a file, hold; 0 where that can't be told."""
    paths = folder.iterdir() if folder.is_dir() else [folder]
    return sum(path.stat().st_size for path in paths if path.is_file())


def check_alone(out: Path, names: Collection[str]) -> None:
    """What stands in `out` is all written anew: nothing of another run stays among it."""
    others = {*files.list_entries(out)} - set(names)
    if others:
        listed = ", ".join(sorted(others))
        raise UsageError(
            f"{out} har redan {listed} från en annan nyckel, myndighet eller körning; välj en ny "
            "mapp eller ta bort det. / It holds files of another key, agency or run: name a new "
            "folder or remove them."
        )
