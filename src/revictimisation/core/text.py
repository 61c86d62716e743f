"""A text in Swedish and English, and the name that a writer may have meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["sv", "en"]
FEWEST_LETTERS = 2  # that a beginning of a name has more than
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
    """The known name that one was most likely meant for; empty: none is like it.

    The fewest letters to put in, take away, change or swap with the next one (Damerau 1964), at
    most a third of the longer name's; of several as near the first. Or else the one name that
    begins with it or has its words (`victims` is `exposed_victims`).

    >>> find_nearest("sexx", ("sex", "age")), find_nearest("ort", ("sex", "age"))
    ('sex', '')
    >>> find_nearest("grace_day", ("report_at_days", "grace_days"))
    'grace_days'
    """
    asked = name[:MAX_SHOWN]
    apart = [(_count_edits(asked.casefold(), one.casefold()), one) for one in known]
    near = [(n, one) for n, one in apart if 3 * n <= max(len(asked), len(one))]
    if near:
        return min(near, key=lambda pair: pair[0])[1]
    words = {*asked.casefold().split("_")}
    alike = [one for one in known if words <= {*one.casefold().split("_")} or one.startswith(asked)]
    return alike[0] if len(alike) == 1 and len(asked) > FEWEST_LETTERS else ""


def _count_edits(name: str, other: str) -> int:
    """Letters put in, taken away, changed, or swapped with the next, from one name to another."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(name, start=1):
        row = [i]
        for j, mine in enumerate(other, start=1):
            least = min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (letter != mine))
            if i > 1 and j > 1 and letter == other[j - 2] and name[i - 2] == mine:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


def name_nearest(name: str, known: Sequence[str]) -> str:
    """The end of a sentence on an unknown name: the nearest known one, or all of them.

    >>> name_nearest("sexx", ("sex", "age"))
    '; menade du / did you mean sex?'
    """
    return name_one(find_nearest(name, known), known)


def name_one(near: str, known: Sequence[str]) -> str:
    """As `name_nearest`, of a name that was found near already, or empty."""
    return f"; menade du / did you mean {near}?" if near else f"; kända / known: {', '.join(known)}"
