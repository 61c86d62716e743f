"""The analyst's guide was tried: its commands, in its order, with its mapping files."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from revictimisation.commands import command_line as cli
from revictimisation.commands import compare, run
from revictimisation.commands import map as preparation
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.mapping import read_mapping
from revictimisation.plan import read_plan
from tests.mapping.raw_files import (
    CLIENT,
    N_PEOPLE,
    add_clients,
    identity_number,
    write_municipality,
    write_police,
    write_register,
)

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# fil: (\S+)")


def read_blocks(root: Path) -> list[tuple[str, str]]:
    return BLOCK.findall((root / "docs" / "analyst_guide.md").read_text(encoding="utf-8"))


def make_sources(folder: Path) -> None:
    for name in (
        "ra/polisen",
        "ra/kommunen",
        "ra/registret",
        "ra_nasta/polisen",
        "mappning",
        "studie",
    ):
        (folder / name).mkdir(parents=True)
    (folder / "nyckel").mkdir(mode=0o700)
    write_police(folder / "ra" / "polisen")
    write_police(folder / "ra_nasta" / "polisen", 2014)
    add_clients(write_municipality(folder / "ra" / "kommunen" / "insatser.xlsx"))
    write_register(folder / "ra" / "registret" / "personer.sav")


def call(words: list[str], monkeypatch, capsys) -> tuple[int, str]:
    if words[0] != "revictimisation":
        subprocess.run(words, check=True)
        return 0, ""
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as leave:
        cli.main()
    said = capsys.readouterr()
    return int(leave.value.code or 0), said.out + said.err


@pytest.mark.skipif(sys.platform == "win32", reason="the guide's shell is a Unix one")
def test_the_guide_leads_from_raw_files_to_a_validated_extract(
    tmp_path, repo_root, monkeypatch, capsys
):
    make_sources(tmp_path)
    monkeypatch.chdir(tmp_path)
    said, commands = "", []
    for kind, text in read_blocks(repo_root):
        named = NAMED.search(text)
        if kind == "yaml" and named:
            (tmp_path / named[1]).write_text(text, encoding="utf-8")
        for line in text.splitlines() if kind == "sh" else ():
            code, more = call(shlex.split(line), monkeypatch, capsys)
            assert code == 0, f"{line}\n{more}"
            commands.append(line)
            said += more
    assert len(commands) == 21
    assert "0405  Olaga hot mot man" in said and "former_partner  tidigare partner" in said
    assert f"reports: {N_PEOPLE} rader in, {N_PEOPLE} ut" in said
    assert "social_interventions.person_id: 1 inget personnummer" in said
    assert f"{N_PEOPLE // 2 + 1} klienter hos socialtjänsten" in said
    assert f"{N_PEOPLE // 2} länkade på nummer" in said
    assert "Kontrollen fann 0 fel" in said and "[close_open_ends]" in said
    assert (tmp_path / "kontroll" / "validation.html").is_file()
    extract = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("uttag/*.csv")}
    assert {name: text.count("\n") for name, text in extract.items()} == {
        "persons": 2 * N_PEOPLE + 1 + 1,
        "reports": N_PEOPLE + 1,
        "police_measures": N_PEOPLE + 1,
        "social_interventions": N_PEOPLE // 2 + 1 + 1,
    }
    assert CLIENT not in said + "".join(extract.values())
    for one in range(N_PEOPLE):
        assert identity_number(one)[2:] not in said + "".join(extract.values())


@pytest.mark.skipif(sys.platform == "win32", reason="the guide's shell is a Unix one")
def test_commands_on_a_database_and_the_whole_study_are_at_least_understood(
    tmp_path, repo_root, monkeypatch, capsys
):
    """They are called as they stand, up to where a server or minutes of work are needed."""
    called: list[str] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preparation, "draft_to", lambda *given: called.append("draft"))
    monkeypatch.setattr(preparation, "describe_draft", lambda *given: "")
    monkeypatch.setattr(run, "run_study", lambda *given: bool(called.append("run")))
    monkeypatch.setattr(compare, "compare_runs", lambda *given: called.append("compare"))
    lines = [
        line for kind, text in read_blocks(repo_root) if not kind for line in text.splitlines()
    ]
    commands = [line for line in lines if line.startswith("revictimisation ")]
    assert [call(shlex.split(line), monkeypatch, capsys)[0] for line in commands] == [0] * 4
    assert called == ["draft", "run", "compare", "run"]


def test_the_guides_files_are_mapping_files(repo_root):
    blocks = [text for kind, text in read_blocks(repo_root) if kind == "yaml"]
    named = {found[1]: text for text in blocks if (found := NAMED.search(text))}
    assert len(named) == 5
    for name, text in named.items():
        if name.startswith("mappning/"):
            assert read_mapping(text, load_dictionary()).tables
        else:
            assert read_plan(text).name == "lan"
    more = [text for text in blocks if text.startswith("linkage:")]
    assert read_plan(f"name: lan\n{more[0]}").linkage.is_on


def test_every_setting_stands_in_the_guide(repo_root):
    from revictimisation.extract.mapping.model import Column, Mapping, Part

    text = (repo_root / "docs" / "analyst_guide.md").read_text(encoding="utf-8")
    table = text.split("### Vad en mappningsfil kan säga")[1].split("###")[0]
    told = set(re.findall(r"`(\w+)", table))
    fields = {
        field.alias or name
        for model in (Mapping, Part, Column)
        for name, field in model.model_fields.items()
    }
    assert fields - {"name", "tables", "columns"} <= told
