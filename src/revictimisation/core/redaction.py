"""No password of a database connection is repeated: not on the terminal, not in a file.

What a command was given is searched once for passwords, in every way that connections are written;
from then on they are left out wherever text goes out, also where a driver quotes a part of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TextIO
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"
LEAST_PART = 3  # letters of what is looked for by itself
NAMES = r"pass ?(?:word|wd|phrase)?|pwd|secret|lösenord"
# scheme://user:password@host, the slashes as a path has them too; up to the last @.
ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.-]*:/{1,2}[^/@:\s]*:(?P<found>.*)@")
SETTING = re.compile(
    rf"(?i)\w*(?:{NAMES})\w*\s*(?:=|:(?!/)|%3D)\s*"
    r"""(?:'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\{(?P<curly>[^}]*)\}"""
    r"""|(?P<plain>[^\s;&'"]+))"""
)
_hidden: set[str] = set()


def hide_passwords(words: Iterable[str], secrets: Iterable[str] = ()) -> bool:
    """Learn what is not to be repeated: passwords in a command's words, and those named as such.

    >>> hide_passwords(["map", "postgresql://anna:s3kret%40x@db/vardag"])
    True
    >>> redact("refused for s3kret@x and s3kret%40x")
    'refused for *** and ***'
    """
    given = [*secrets, *(secret for word in words for secret in find_passwords(word))]
    for secret in filter(None, given):
        _hidden.add(HIDDEN)  # something is, be it too short to be looked for
        _hidden.update(one for one in _spell(secret) if len(one) >= LEAST_PART)
    return bool(_hidden)


def forget_passwords() -> None:
    """Hide nothing any longer: what was learnt was of another command."""
    _hidden.clear()


def find_passwords(text: str) -> list[str]:
    """The passwords in an address or a list of settings, as they are written there.

    >>> find_passwords("host=db password='min hund' user=anna")
    ['min hund']
    >>> find_passwords("Server=db;UID=anna;PWD={a;b}")
    ['a;b']
    """
    found = [match["found"] for match in ADDRESS.finditer(text)]
    found += [whole.split("@")[0] for whole in found]
    for match in SETTING.finditer(text):
        found += [one for one in match.groups() if one]
    return found


def redact(text: str) -> str:
    """A text without the passwords that were learnt; the longest is looked for first.

    What is too short to be looked for by itself is left out where it stands as a password.
    """
    if not _hidden:
        return text
    for secret in sorted(_hidden, key=lambda one: (-len(one), one)):
        text = text.replace(secret, HIDDEN)
    return SETTING.sub(_mask, ADDRESS.sub(_mask, text))


def _mask(match: re.Match[str]) -> str:
    begin, end = next(match.span(k) for k in range(1, match.re.groups + 1) if match[k] is not None)
    at = match.start()
    return match[0][: begin - at] + HIDDEN + match[0][end - at :]


def _spell(secret: str) -> set[str]:
    """A password as it may be written: with and without escapes, and its longer parts."""
    plain = {secret, unquote(secret), unquote_plus(secret), re.sub(r"\\(.)", r"\1", secret)}
    every = plain | {way(one, safe="") for one in plain for way in (quote, quote_plus)}
    every |= {one.lower() for one in every if "%" in one}
    return every | {part for one in plain for part in re.split(r"[@/:?#&\s]", one)}


class RedactingStream:
    """A text stream to which no password gets; all else is the stream's own, but for its bytes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text without what is hidden; tells its own length."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)
