"""Names of files and sheets: which a pattern fits, and how they may be told."""

from __future__ import annotations

import re
import unicodedata

from revictimisation.extract.sources.identity import holds_identity_number

# A column of the owner's own.
EXTRA_NAME = re.compile(r"x_[a-z0-9_]{1,60}")
# A column name that may be shown: words, not a row of data that stands where the names should.
SHOWN_NAME = re.compile(r"[a-zåäö][a-zåäö_ ]{0,40}\d{0,2}")


def fold_name(name: str) -> str:
    """A name as it is compared: in any case, whether å is written as one sign or two, unpadded.

    >>> fold_name(" ANMÄLAN.csv") == fold_name("Anma\u0308lan.CSV")
    True
    """
    return unicodedata.normalize("NFC", name).strip().casefold()


def fits_pattern(name: str, pattern: str) -> bool:
    """Whether a name is the wanted one, where `*` stands for anything and nothing else is special.

    >>> fits_pattern("Anm[1]_2013.csv", "anm[1]_*.csv"), fits_pattern("a.csv", "?.csv")
    (True, False)
    """
    parts = map(re.escape, fold_name(pattern).split("*"))
    return re.fullmatch(".*".join(parts), fold_name(name), re.DOTALL) is not None


def may_show_file(name: str) -> bool:
    """Whether a file's name may be told: not where it holds what may be an identity number.

    >>> may_show_file("anm2014.zip"), may_show_file("Klient 790229-4711.csv")
    (True, False)
    """
    return not holds_identity_number(name) and name.isprintable()
