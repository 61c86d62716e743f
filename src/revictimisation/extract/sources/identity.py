"""The form of a Swedish identity number, for columns that must not or may hold one."""

from __future__ import annotations

import re

# Personal identity numbers (day 1-31) and coordination numbers (day + 60) by calendar month,
# with or without century and separator. The check digit is not asked: a mistyped number is one.
_LONG_MONTH = r"(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])"
_SHORT_MONTH = r"(?:0[469]|11)(?:0[1-9]|[12]\d|30|6[1-9]|[78]\d|90)"
_FEBRUARY = r"02(?:0[1-9]|[12]\d|6[1-9]|[78]\d)"
IDENTITY_NUMBER = rf"(?:1[6-9]|20)?\d{{2}}(?:{_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY})[-+ ]?\d{{4}}"
_SOMEWHERE = re.compile(rf"(^|\D){IDENTITY_NUMBER}(\D|$)")


def holds_identity_number(text: str) -> bool:
    """Whether what may be an identity number stands anywhere in a text."""
    return _SOMEWHERE.search(text) is not None
