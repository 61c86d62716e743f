"""A text in Swedish and English, and the name that a writer may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["sv", "en"]
MAX_SHOWN = 60  # letters of a name that is repeated to whom wrote it


@dataclass(frozen=True)
class Text:
    """The same sentence in Swedish and English.

    >>> Text(sv="kvinna", en="woman")["en"]
    'woman'
    """

    sv: str = ""
    en: str = ""

    def __getitem__(self, language: str) -> str:
        """The text in a language; `KeyError` for any but `sv` and `en`."""
        if language not in ("sv", "en"):
            raise KeyError(language)
        return self.sv if language == "sv" else self.en


def find_nearest(name: str, known: Sequence[str]) -> str:
    """The known name that is most like one; empty: none is like it.

    >>> find_nearest("sexx", ("sex", "age")), find_nearest("ort", ("sex", "age"))
    ('sex', '')
    """
    near = difflib.get_close_matches(name[:MAX_SHOWN], known, n=1, cutoff=0.5)
    return near[0] if near else ""


def name_nearest(name: str, known: Sequence[str]) -> str:
    """The end of a sentence on an unknown name: the nearest known one, or all of them.

    >>> name_nearest("sexx", ("sex", "age"))
    '; menade du / did you mean sex?'
    """
    near = find_nearest(name, known)
    return f"; menade du / did you mean {near}?" if near else f"; kända / known: {', '.join(known)}"
