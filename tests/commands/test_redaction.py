"""A password is never repeated, however the connection that holds it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from revictimisation.commands import estimate
from revictimisation.core import files, redaction
from tests.cases import for_each

SECRET = "Hemligt-4711"
# How people, drivers and other systems write a connection; {} is the password.
SPELLINGS = {
    "address": ("postgresql://anna:{}@127.0.0.1:1/vardag", SECRET),
    "short": ("postgres://anna:{}@127.0.0.1:1/vardag", SECRET),
    "upper case": ("POSTGRESQL://anna:{}@127.0.0.1:1/vardag", SECRET),
    "driver named": ("postgresql+psycopg://anna:{}@127.0.0.1:1/vardag", SECRET),
    "another system": ("mysql://anna:{}@127.0.0.1:1/vardag", SECRET),
    "percent": ("postgresql://anna:{}@127.0.0.1:1/vardag", "Hemligt%2D4711%40x"),
    "at sign within": ("postgresql://anna:{}@127.0.0.1:1/vardag", "Hem@ligt@4711"),
    "slash within": ("postgresql://anna:{}@127.0.0.1:1/vardag", "Hemligt/4711"),
    "question mark within": ("postgresql://anna:{}@127.0.0.1:1/vardag", "Hem?ligt#4711"),
    "in the query": ("postgresql://127.0.0.1:1/vardag?user=anna&password={}", SECRET),
    "as a path": ("postgresql:/anna:{}@127.0.0.1:1/vardag", SECRET),
    "settings": ("host=127.0.0.1 port=1 dbname=vardag user=anna password={}", SECRET),
    "settings quoted": ("host=127.0.0.1 port=1 dbname=vardag password='{}'", "min Hemligt 4711"),
    "settings spaced": ("host=127.0.0.1 port=1 dbname=vardag password = {}", SECRET),
    "no database": ("host=127.0.0.1 port=1 password={}", SECRET),
    "odbc": ("Server=127.0.0.1;Port=1;Database=vardag;UID=anna;PWD={}", SECRET),
    "odbc in braces": ("Driver={{x}};Server=127.0.0.1;PWD={{{}}};Database=v", "Hem;ligt 4711"),
    "jdbc": ("jdbc:postgresql://127.0.0.1:1/vardag?user=anna&password={}", SECRET),
    "an option": ("--password={}", SECRET),
}


def parts_of(secret: str) -> set[str]:
    """What of a password may be seen nowhere: as it is, without escapes, its longer parts."""
    plain = unquote(secret)
    return {secret, plain, *(one for one in ("Hemligt", "ligt", "4711") if one in plain)}


@for_each("spelling", SPELLINGS)
def test_no_command_repeats_a_password(call, tmp_path, spelling):
    pattern, secret = SPELLINGS[spelling]
    given = pattern.format(secret)
    (tmp_path / "study.yaml").write_text("name: tiny\n", encoding="utf-8")
    (tmp_path / "m.yaml").write_text("tables: {persons: {table: a, columns: {person_id: b}}}\n")
    out = tmp_path / "out"
    for words in (
        ["map", given, "--to", out],
        ["map", given, "--to", out, "--mapping", tmp_path / "m.yaml"],
        ["validate", given],
        ["estimate", tmp_path / "study.yaml", "--data", given, "--out", out],
        ["pseudonymise", given, out, "--key-file", given],
        ["simulate", out, "--scenario", given],
        [given],
    ):
        code, said = call(*words)
        assert code in (2, 3), (words, said)
        assert not [part for part in parts_of(secret) if part in said], (words, said)
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert secret not in kept


def test_a_password_of_the_environment_and_of_a_drivers_words_is_hidden(tmp_path):
    """Also where a fault is shown whole, with all that it came from."""
    code = """
import sys
from revictimisation.commands import command_line, estimate
given = "host=h password=4711Hemligt"
sys.argv = ["revictimisation", "estimate", "s", "--data", given, "--out", "o"]
def fail(*_):
    try:
        raise ValueError('missing "=" after "postgresql://anna:4711Hemligt@h/db"')
    except ValueError as fault:
        raise RuntimeError("no connection for utantill99") from fault
estimate.estimate_study = fail
command_line.main()
"""
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PGPASSWORD": "utantill99"}
    for debug in ("", "1"):
        there["REVICTIMISATION_DEBUG"] = debug
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, capture_output=True, text=True, env=there, cwd=tmp_path)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and ("Traceback" in said) == bool(debug)
        assert "4711Hemligt" not in said and "utantill99" not in said
    assert "no connection for ***" in said and "anna:***@h" in said


def test_what_is_written_holds_no_password_either(tmp_path, monkeypatch, call):
    def leave(study: Path, data: Path, out: Path, command: str, *_: object) -> bool:
        files.write_json(tmp_path / "manifest.json", {"command": command})
        return True

    monkeypatch.setattr(estimate, "estimate_study", leave)
    given = "postgresql://anna:Hemligt-4711@h/db"
    assert call("estimate", "s", "--data", given, "--out", "o")[0] == 0
    kept = (tmp_path / "manifest.json").read_text()
    assert "Hemligt" not in kept and "4711" not in kept and "anna:***@h" in kept
    assert call("estimate", "s", "--data", "d", "--out", "o")[0] == 0
    assert redaction.redact("Hemligt-4711") == "Hemligt-4711"  # another command's, and forgotten


def test_short_passwords_are_hidden_where_they_stand():
    redaction.forget_passwords()
    assert redaction.hide_passwords(["postgresql://p:pp@p/p", "PWD=q;"])
    assert (
        redaction.redact("postgresql://p:pp@p/p PWD=q; upp")
        == "postgresql://p:***@p/p PWD=***; upp"
    )
    redaction.forget_passwords()
