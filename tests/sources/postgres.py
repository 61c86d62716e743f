"""A PostgreSQL server of its own for a test, from the system's binaries, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "hemligt-Losen4711"


def find_binaries() -> Path | None:
    """The folder of the newest server's programs, on PATH or where Debian puts them."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def find_user() -> str | None:
    """Whom the server runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def run_server() -> Iterator[str]:
    """Start a server that only a socket reaches; gives the socket's folder, the host's name."""
    binaries, user = find_binaries(), find_user()
    assert binaries is not None
    # A short path: a socket's name may have no more than about a hundred letters.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    who = {"user": user} if user else {}
    try:
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data = folder / "data"
        make = [binaries / "initdb", "-D", data, "-U", "analytiker", "-A", "scram-sha-256"]
        make += [f"--pwfile={folder / 'password'}", "--no-sync", "-E", "UTF8", "--no-locale"]
        quiet = {"check": True, "capture_output": True, "cwd": folder, **who}
        subprocess.run(make, **quiet)
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB"
        control = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        subprocess.run([*control, "-o", settings, "start"], **quiet)
        try:
            yield str(folder)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
