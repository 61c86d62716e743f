"""Keys: known answers from elsewhere, refusals, and the secret that never shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from revictimisation.core.errors import UsageError
from revictimisation.extract.pseudonyms.keys import (
    StudyKey,
    derive_key,
    is_weak,
    make_key,
    read_key,
    write_key,
)
from tests.cases import for_each

SECRET = bytes.fromhex("8f1c2a7be04d93515f6e00c7a9d2b4386b0de1f72459cc8a13fd76402e98b5da")
KEY = StudyKey("county", 1, SECRET)
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")


def test_derivation_is_that_of_rfc_5869():
    """Test case 1 of appendix A.1, the first 32 of its 42 bytes."""
    found = derive_key(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)))
    assert found.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


def test_a_pseudonym_is_fixed_for_all_machines():
    """Both agencies, now and in ten years: a change here breaks every joined extract."""
    assert KEY.make_pseudonyms("number", ["198112189876"], "p") == [
        "pc05bf674567fa3a2feb0b1242fe98fd4"
    ]
    assert KEY.check == "1c57ea03"


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
def test_a_pseudonym_can_be_reckoned_by_openssl():
    def openssl_hmac(key: bytes, message: bytes) -> bytes:
        command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt"]
        command += [f"hexkey:{key.hex()}", "-binary"]
        return subprocess.run(command, input=message, capture_output=True, check=True).stdout

    extracted = openssl_hmac(b"revictimisation pseudonyms 1", SECRET)
    derived = openssl_hmac(extracted, b"county\x1f1\x1fnumber\x01")
    expected = "p" + openssl_hmac(derived, b"198112189876")[:16].hex()
    assert KEY.make_pseudonyms("number", ["198112189876"], "p") == [expected]


def test_studies_rotations_and_purposes_have_keys_of_their_own():
    """The same secret by mistake in two studies still gives pseudonyms that can't be joined."""
    others = [StudyKey("another", 1, SECRET), StudyKey("county", 2, SECRET)]
    derived = [one.derive("number") for one in (KEY, *others)] + [KEY.derive("other")]
    assert len(set(derived)) == 4
    # name and rotation do not run together
    assert StudyKey("a1", 1, SECRET).derive("x") != StudyKey("a", 11, SECRET).derive("x")


@ON_POSIX
def test_a_made_key_is_read_back_and_private(tmp_path):
    key = make_key("county", 3)
    write_key(tmp_path / "k", key)
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    found = read_key(tmp_path / "k")
    assert found == key and found.secret == key.secret
    assert make_key("county").secret != key.secret
    with pytest.raises(UsageError, match="never overwritten"):
        write_key(tmp_path / "k", key)


@ON_POSIX
@for_each("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    write_key(tmp_path / "k", KEY)
    os.chmod(tmp_path / "k", mode)
    with pytest.raises(UsageError, match="chmod 600") as fault:
        read_key(tmp_path / "k")
    assert_silent(str(fault.value))


def assert_silent(text: str) -> None:
    """No part of the secret, in any usual spelling, stands in a text."""
    spelt = SECRET.hex()
    assert all(spelt[at : at + 8] not in text.lower() for at in range(len(spelt) - 8))
    assert repr(SECRET)[2:12] not in text


@for_each(
    ("old", "new", "told"),
    [
        ("revictimisation-key 1", "key", "not a key file"),
        (SECRET.hex(), SECRET.hex()[:-2], "too short"),
        (SECRET.hex(), SECRET.hex()[:-1] + "g", "hexadecimal"),
        (SECRET.hex(), "00" * 32, "weak"),
        (SECRET.hex(), bytes(range(32)).hex(), "weak"),
        (SECRET.hex(), "8f1c2a7b" * 8, "weak"),
        (SECRET.hex(), b"correct horse battery staple, 12".hex(), "weak"),
        (SECRET.hex(), "lösenord för våra två län, år 2014 å ä ö".encode().hex(), "weak"),
        (SECRET.hex(), "lösenord för våra två län, 2014 åäö".encode("cp1252").hex(), "weak"),
        (SECRET.hex(), SECRET[::-1].hex(), "changed or mistyped"),
        ("study: county", "study: other", "changed or mistyped"),
        ("rotation: 1", "rotation: 2", "changed or mistyped"),
        ("rotation: 1", "rotation: x", "not whole"),
        ("rotation: 1\n", "", "not whole"),
        ("rotation: 1", "rotation: 1\nnote: a", "not whole"),
        ("study: county", "study county", "not whole"),
    ],
)
def test_what_is_no_sound_key_is_refused_in_silence(tmp_path, old, new, told):
    path = tmp_path / "k"
    write_key(path, KEY)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=told) as fault:
        read_key(path)
    assert_silent(str(fault.value))
    assert fault.value.__cause__ is None


def test_the_secret_does_not_show_in_the_key_itself():
    assert_silent(f"{KEY!r} {KEY} {[KEY]}")


def test_chance_gives_no_weak_key():
    assert not any(is_weak(make_key("county").secret) for _ in range(2000))
