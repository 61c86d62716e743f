"""Texts as a spreadsheet may open them: nothing that it would run, nothing that is not seen."""

from __future__ import annotations

import re

# A cell that begins so is a formula to a spreadsheet; an apostrophe before it makes it text.
FORMULA = ("=", "+", "-", "@")
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")


def neutralise_text(cell: object) -> object:
    """A title, a label, a cell: a text without control characters, and no formula."""
    if not isinstance(cell, str):
        return cell
    seen = UNSEEN.sub(" ", cell).strip()
    return f"'{seen}" if seen.startswith(FORMULA) else seen
