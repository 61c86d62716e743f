"""What the tests of the commands share."""

from __future__ import annotations

import sys

import pytest

from revictimisation.commands import command_line as cli


@pytest.fixture
def call(monkeypatch, capsys):
    """Call the command as a user would; gives (exit code, all that was said)."""

    def invoke(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["revictimisation", *map(str, words)])
        with pytest.raises(SystemExit) as leave:
            cli.main()
        said = capsys.readouterr()
        return leave.value.code, said.out + said.err

    return invoke
