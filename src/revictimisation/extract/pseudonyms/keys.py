"""The secret key of a study, and what is made with it: pseudonyms that only its holder can make.

A plain hash of an identity number is undone by trying all of them; a keyed one (HMAC-SHA-256, RFC
2104) is not, as long as the key is kept elsewhere. From the one secret of a key file a key of its
own is derived (HKDF-SHA-256, RFC 5869) for each study, rotation and purpose, so that pseudonyms of
two studies, or before and after a rotation, can't be joined. The secret never reaches a message,
a log, a result or `repr`.
"""

from __future__ import annotations

import datetime as dt
import hmac
import itertools
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from revictimisation.core import files
from revictimisation.core.errors import DataError, UsageError
from revictimisation.plan.parts import NAME_PATTERN

FORMAT = "revictimisation-key 1"
SECRET_BYTES = 32
SALT = b"revictimisation pseudonyms 1"
PSEUDONYM_BYTES = 16  # 2^64 people before two are likely to share one
CHECK_DIGITS = 8
# Of 32 random bytes about 30 differ; a pattern, a word or a counter has fewer differing bytes or
# steps. A made key fails this less often than once in 10^9.
FEWEST_DIFFERENT = 20
PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset("åäöéüÅÄÖÉÜ".encode("cp1252"))
UNNAMED = "study"  # the study of a key that was made without naming one
_HEX = re.compile(r"[0-9a-f]*")


@dataclass(frozen=True)
class StudyKey:
    """A study's key. `reference_on` is the day from which ten-digit numbers get their century."""

    study: str
    rotation: int
    secret: bytes = field(repr=False)
    reference_on: dt.date | None = None

    def derive(self, purpose: str) -> bytes:
        """A key of its own for one purpose: HKDF with study, rotation and purpose as its info."""
        info = "\x1f".join([self.study, str(self.rotation), purpose]).encode()
        return derive_key(self.secret, SALT, info)

    @property
    def check(self) -> str:
        """Eight characters that tell whether two machines have the same key, and nothing else."""
        return hmac.digest(self.derive("check"), b"check", "sha256").hex()[:CHECK_DIGITS]

    def make_pseudonyms(self, purpose: str, texts: Iterable[str], prefix: str) -> list[str]:
        """One pseudonym a text: the prefix and 32 hexadecimal digits of its keyed hash."""
        key = self.derive(purpose)
        return [
            prefix + hmac.digest(key, text.encode(), "sha256")[:PSEUDONYM_BYTES].hex()
            for text in texts
        ]


def derive_key(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 of RFC 5869 with an output of 32 bytes (one block).

    >>> derive_key(b"\\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA))).hex()[:16]
    '3cb25f25faacd57a'
    """
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def make_key(study: str, rotation: int = 1, reference_on: dt.date | None = None) -> StudyKey:
    """Make a new random key; `UsageError` if the study's name is not one of a study file."""
    if not re.fullmatch(NAME_PATTERN, study):
        raise UsageError(
            f"{study!r}: studiens namn ska vara som i studiefilen, a-z, siffror och _. / "
            "The study's name must be as in the study file: a-z, digits and _."
        )
    return StudyKey(study, rotation, secrets.token_bytes(SECRET_BYTES), reference_on)


def write_key(path: Path, key: StudyKey) -> None:
    """Write a key file that only its owner can read; never over a file that is there."""
    lines = [FORMAT, f"study: {key.study}", f"rotation: {key.rotation}"]
    lines += [f"reference_on: {key.reference_on}"] if key.reference_on else []
    lines += [f"secret: {key.secret.hex()}", f"check: {key.check}"]
    if not files.write_private(path, "\n".join(lines) + "\n"):
        raise UsageError(
            f"{path} finns redan och skrivs aldrig över: pseudonymerna går då inte att göra om. / "
            f"{path} is there already and is never overwritten."
        )


def read_key(path: Path) -> StudyKey:
    """Read a key file; `UsageError` if others can read it, or it is no key, damaged or weak.

    Messages name the file and the fault, never what stands in it.
    """
    text = files.read_text(path)
    if not _is_key(text):
        raise _refuse(path, "det är ingen nyckelfil", "it is not a key file (see make-key)")
    if not files.is_private(path):
        raise _refuse(
            path,
            "andra än ägaren får läsa eller ändra filen; kör chmod 600 och gör en ny nyckel om "
            "någon kan ha läst den",
            "others than its owner may read or change it; run chmod 600, and make a new key if "
            "somebody may have read it",
        )
    return _parse(path, text)


def _is_key(text: str) -> bool:
    return text.lstrip().splitlines()[:1] == [FORMAT]


def _parse(path: Path, text: str) -> StudyKey:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    pairs = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    known = {"study", "rotation", "reference_on", "secret", "check"}
    if len(pairs) != len(lines) - 1 or set(pairs) - known or known - {"reference_on"} - set(pairs):
        raise _refuse(path, "filen är inte hel", "it is not whole")
    key = _read_pairs(path, pairs)
    if not hmac.compare_digest(pairs["check"], key.check):
        raise _refuse(
            path,
            "kontrolltecknen stämmer inte: filen är ändrad eller felskriven",
            "its check characters do not hold: it was changed or mistyped",
        )
    return key


def _read_pairs(path: Path, pairs: Mapping[str, str]) -> StudyKey:
    secret = pairs["secret"].lower()
    if not _HEX.fullmatch(secret) or len(secret) < 2 * SECRET_BYTES or len(secret) % 2:
        raise _refuse(path, "nyckeln är för kort eller inte hexadecimal (32 byte)",
                      "the secret is too short or not hexadecimal (32 bytes)")  # fmt: skip
    if is_weak(bytes.fromhex(secret)):
        raise _refuse(path, "nyckeln är svag (ett mönster eller ett ord); gör en ny med make-key",
                      "the secret is weak (a pattern or words); make one by make-key")  # fmt: skip
    day = pairs.get("reference_on")
    try:
        reference_on = dt.date.fromisoformat(day) if day else None
        rotation = int(pairs["rotation"])
    except ValueError:
        raise _refuse(path, "filen är inte hel", "it is not whole") from None
    return StudyKey(pairs["study"], rotation, bytes.fromhex(secret), reference_on)


def is_weak(secret: bytes) -> bool:
    """Whether a secret has a pattern that chance would hardly give: repeats, steps, or words.

    >>> is_weak(bytes(range(32))), is_weak(b"correct horse battery staple 123")
    (True, True)
    """
    steps = {(later - earlier) % 256 for earlier, later in itertools.pairwise(secret)}
    is_words = PRINTABLE.issuperset(secret) or _is_text(secret)
    return min(len(set(secret)), len(steps)) < FEWEST_DIFFERENT or is_words


def _is_text(secret: bytes) -> bool:
    try:
        return secret.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False


def check_study(key_study: str, study: str) -> str:
    """Raise `DataError` where a key, or what was made with it, is of another study than asked for.

    A key that no study was named for serves any; a word on that is given back.
    """
    if key_study == UNNAMED != study:
        return (
            f"OBS: nyckeln har inget studienamn, och samma nyckel kan föra samman flera studier; "
            f"gör nästa med make-key --study {study}. / The key has no study's name, and the same "
            "key can join several studies: make the next one with it."
        )
    if key_study != study:
        raise DataError(
            f"Nyckeln är gjord för studien {key_study}, inte för {study}: en nyckel får inte föra "
            f"samman två studier. Gör en egen med make-key --study {study}. / The key is that of "
            f"the study {key_study}, not of {study}: one key may not join two studies."
        )
    return ""


def _refuse(path: Path, sv: str, en: str) -> UsageError:
    return UsageError(f"Nyckelfilen {path} godtas inte: {sv}. / The key file is refused: {en}.")
