"""What the machine refuses is no fault of ours: each refusal in words, and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from revictimisation.core.errors import UsageError

FULL = (
    "disken är full. Frigör utrymme eller välj en annan plats, och kör samma kommando igen",
    "the disk is full. Free some space or name another place, and run the same command again",
)
DENIED = (
    "rätt att läsa eller skriva saknas, eller filen är öppen i ett annat program. Ge dig rätten, "
    "stäng filen eller välj en annan plats",
    "no permission to read or write it, or another program has it open. Get the permission, close "
    "the file or name another place",
)
READ_ONLY = (
    "där går det bara att läsa. Välj en annan plats att skriva på",
    "only reading is possible there. Name another place to write to",
)
MISSING = (
    "finns inte. Kontrollera stavningen och att disken eller nätmappen är ansluten",
    "it is not there. Check the spelling, and that the disk or network folder is connected",
)
NO_FOLDER = (
    "en fil står där en mapp behövs. Välj ett annat namn eller flytta filen",
    "a file stands where a folder is needed. Name another or move the file",
)
NO_FILE = (
    "det är en mapp, inte en fil. Ange en fil",
    "it is a folder, not a file. Name a file",
)
TOO_MANY = (
    "för många filer är öppna på datorn. Stäng program, eller höj gränsen (ulimit -n)",
    "too many files are open on this machine. Close programs or raise the limit (ulimit -n)",
)
TOO_LONG = ("namnet är för långt. Välj ett kortare", "the name is too long. Name a shorter one")
DAMAGED = (
    "disken eller nätmappen svarar inte som den ska. Kontrollera den och kör samma kommando igen",
    "the disk or network folder does not answer as it should. Check it and run the same command "
    "again",
)
SENTENCES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EBUSY: DENIED,
    errno.ETXTBSY: DENIED,
    errno.EROFS: READ_ONLY,
    errno.ENOENT: MISSING,
    errno.ENOTDIR: NO_FOLDER,
    errno.EEXIST: NO_FOLDER,
    errno.EISDIR: NO_FILE,
    errno.EMFILE: TOO_MANY,
    errno.ENFILE: TOO_MANY,
    errno.ENAMETOOLONG: TOO_LONG,
}


def explain(fault: OSError, path: Path | str | None = None) -> UsageError:
    """What the system refused, as a sentence with the path, in both languages.

    >>> print(explain(OSError(errno.EISDIR, "Is a directory"), "out"))
    out: det är en mapp, inte en fil. Ange en fil. / It is a folder, not a file. Name a file.
    """
    sv, en = SENTENCES.get(fault.errno or 0, DAMAGED)
    return refuse(path or fault.filename or "filsystemet / the file system", sv, en)


def refuse(path: Path | str, sv: str, en: str) -> UsageError:
    """A refusal of a path in both languages."""
    return UsageError(f"{path}: {sv}. / {en[:1].upper()}{en[1:]}.")


@contextmanager
def explained(path: Path | None = None) -> Iterator[None]:
    """What the system refuses in this block is told as `UsageError`, by the path that is meant."""
    try:
        yield
    except OSError as fault:
        raise explain(fault, path) from None
