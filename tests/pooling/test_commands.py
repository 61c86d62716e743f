"""The commands `share`, `pool` and `attack` on a run: files, exit codes, sentences."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from revictimisation.commands.command_line import cli
from revictimisation.core.errors import RevictimisationError
from revictimisation.dictionary import load_dictionary
from revictimisation.pooling.shared_file import pack_shared, unpack_shared
from tests.cases import for_each


def call(*words: object) -> tuple[int, str]:
    """Exit code and everything said."""
    found = CliRunner().invoke(cli, [*map(str, words)], standalone_mode=False)
    fault = found.exception
    if isinstance(fault, RevictimisationError):
        return fault.exit_code, str(fault)
    if fault is not None and not isinstance(fault, SystemExit):
        raise fault
    return found.exit_code, found.output


@pytest.fixture(scope="module")
def run(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of its own, as a share writes a lock into it."""
    folder = tmp_path_factory.mktemp("shared_run")
    shutil.copytree(small_run / "out", folder / "out")
    shutil.copytree(small_run / "data", folder / "data")
    return folder


@pytest.fixture(scope="module")
def file(run: Path) -> Path:
    code, told = call("share", run / "out", "--out", run / "one.zip", "--place", "Ett län")
    assert code == 0 and "SHA-256" in told
    return run / "one.zip"


def make_neighbour(file: Path, target: Path) -> Path:
    """The same county under another name and run: what another would have sent."""
    shared = unpack_shared(file.read_bytes(), "file")
    kept = {name: value for name, value in shared.about.items() if name not in ("format", "files")}
    facts = {**kept, "run": "another run", "place": "Annat län"}
    target.write_bytes(pack_shared(shared.tables, facts, load_dictionary()))
    return target


def test_a_run_is_shared_pooled_asked_again_and_attacked(run, file):
    about = unpack_shared(file.read_bytes(), "file").about
    manifest = json.loads((run / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["run"].startswith(about["run"]) and about["is_draft"]
    code, told = call("attack", file, "--data", run / "data")
    assert (code, "Nothing was recovered" in told) == (0, True), told
    other = make_neighbour(file, run / "other.zip")
    code, told = call("pool", file, other, "--out", run / "pooled")
    assert code == 0, told
    names = {path.name for path in (run / "pooled").iterdir()}
    assert names == {"pooled.csv", "pooled.parquet", "ask.json", "index.html", "index_en.html"}
    csv = pd.read_csv(run / "pooled" / "pooled.csv")
    pd.testing.assert_index_equal(
        csv.columns, pd.read_parquet(run / "pooled" / "pooled.parquet").columns
    )
    again = ("--at", run / "pooled" / "ask.json", "--data", run / "data")
    code, told = call("share", run / "out", "--out", run / "asked.zip", *again)
    assert code == 0, told
    ratios = unpack_shared((run / "asked.zip").read_bytes(), "file").tables["hazard_ratios"]
    known = unpack_shared(file.read_bytes(), "file").tables["hazard_ratios"]
    # two alike: the joint answer is the county's own, and so is what it says there
    assert (ratios["asked_at"] - known["log_hazard_ratio"]).abs().max() < 0.001
    assert (ratios["log_hazard_ratio"] - known["log_hazard_ratio"]).abs().max() < 0.002


def test_the_same_run_gives_the_same_bytes(run, file):
    before = file.read_bytes()
    assert call("share", run / "out", "--out", file, "--place", "Ett län")[0] == 0
    assert file.read_bytes() == before


WRONG = {
    "no folder": ("share", "{run}/nowhere", "--out", "{run}/x.zip"),
    "no run": ("share", "{run}/data", "--out", "{run}/x.zip"),
    "into the run": ("share", "{run}/out", "--out", "{run}/out/x.zip"),
    "over another file": ("share", "{run}/out", "--out", "{run}/note.txt"),
    "a name that is none": ("share", "{run}/out", "--out", "{run}/x.zip", "--place", "=1+1"),
    "at without data": ("share", "{run}/out", "--out", "{run}/x.zip", "--at", "{run}/note.txt"),
    "no question": ("share", "{run}/out", "--out", "{run}/x.zip", "--at", "{run}/note.txt",
                    "--data", "{run}/data"),
    "one file": ("pool", "{run}/one.zip", "--out", "{run}/p"),
    "twice the same": ("pool", "{run}/one.zip", "{run}/one.zip", "--out", "{run}/p"),
    "a missing file": ("pool", "{run}/one.zip", "{run}/none.zip", "--out", "{run}/p"),
    "into another's folder": ("pool", "{run}/one.zip", "{run}/one.zip", "--out", "{run}/data"),
}  # fmt: skip


@for_each("case", list(WRONG))
def test_wrong_use_ends_in_a_sentence_and_2(run, file, case):
    (run / "note.txt").write_text("mine", encoding="utf-8")
    code, told = call(*(word.format(run=run) for word in WRONG[case]))
    assert code == 2, (case, told)
    assert " / " in told and (run / "note.txt").read_text(encoding="utf-8") == "mine"


def test_a_question_far_away_and_changed_results_are_refused(run, file, tmp_path):
    far = tmp_path / "ask.json"
    far.write_text(json.dumps({"point": {"non_contact_order": 9.0}}), encoding="utf-8")
    asked = ("--at", far, "--data", run / "data")
    code, told = call("share", run / "out", "--out", tmp_path / "x.zip", *asked)
    assert (code, "non_contact_order" in told) == (5, True)
    other = tmp_path / "data"
    shutil.copytree(run / "data", other)
    (other / "more.csv").write_text("a\n", encoding="utf-8")
    far.write_text(json.dumps({"point": {}}), encoding="utf-8")
    asked = ("--at", far, "--data", other)
    assert call("share", run / "out", "--out", tmp_path / "x.zip", *asked)[0] == 3
    changed = tmp_path / "out"
    shutil.copytree(run / "out", changed)
    table = changed / "release" / "estimates.parquet"
    table.write_bytes(table.read_bytes() + b" ")
    assert call("share", changed, "--out", tmp_path / "x.zip")[0] == 5
    assert call("pool", file, table, "--out", tmp_path / "p")[0] == 3
    assert not (tmp_path / "x.zip").exists()
