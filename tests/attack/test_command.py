"""The command: exit codes, words in two languages, no value."""

from __future__ import annotations

import pandas as pd
import pytest

from revictimisation.commands import command_line as cli
from revictimisation.commands.attack import list_secrets, load_texts
from revictimisation.core import files
from tests.attack.made import make_out, seal
from tests.attack.plants import PLANTS, SECRET
from tests.commands.conftest import call  # noqa: F401


def test_nothing_recovered_is_said_and_done(call, tmp_path):  # noqa: F811
    out = make_out(tmp_path / "out")
    code, told = call("attack", out)
    assert code == 0, told
    assert "Nothing was recovered" in told
    assert "Ingenting" in told


def test_what_was_recovered_is_named_and_never_told(call, tmp_path):  # noqa: F811
    out = make_out(tmp_path / "out")
    for name in ("limits of exact counts", "free text of the extract", "unrounded check"):
        PLANTS[name][1](out)
    seal(out)
    data = tmp_path / "data"
    files.write_table(pd.DataFrame({"person_id": ["p1"], "x_name": [SECRET], "sex": ["female"]}),
                      data, "persons", ("csv",))  # fmt: skip
    code, told = call("attack", out, "--data", data, "--show", 2)
    assert code == 5
    for kind in ("limits/exact", "traces/secret", "diagnostics/count"):
        assert kind in told
    told = told.replace(str(tmp_path), "")
    assert SECRET not in told
    assert "91" not in told
    assert "103" not in told
    assert "safety_talk" in told


def test_secrets_are_pseudonyms_and_free_texts(tmp_path):
    table = pd.DataFrame({"person_id": ["p003af79dd9ce26"], "x_area": ["Norra byn"],
                          "x_n": ["12345"], "sex": ["female"]})  # fmt: skip
    for kind in ("csv", "parquet"):
        files.write_table(table, tmp_path / kind, "persons", (kind,))
        assert list_secrets(tmp_path / kind) == {"p003af79dd9ce26", "Norra byn"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "persons.csv").write_bytes("person_id;x_name\np17ab;Åsa Öst\n".encode("cp1252"))
    assert list_secrets(other) == {"p17ab", "Åsa Öst"}


def test_a_folder_without_a_release_is_wrong_use(call, tmp_path):  # noqa: F811
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "nowhere"):
        code, told = call("attack", path)
        assert code == 2, told
    assert call("attack")[0] == 2


def test_every_finding_has_its_words():
    texts = load_texts()
    for (kind, what), _ in PLANTS.values():
        assert {*texts[kind][what]} == {"sv", "en"}
    assert {*texts["differences"]} == {"differ", "crossed", "joined", "sum"}


@pytest.mark.parametrize("threshold, n_small", [(5, 0), (40, 1)])
def test_the_rules_may_be_given(threshold, n_small, call, tmp_path):  # noqa: F811
    out = make_out(tmp_path / "out")
    code, _ = call("attack", out, "--threshold", threshold, "--rounding", 5)
    assert (code == 5) == bool(n_small)
    assert cli.COMMANDS


def test_a_release_of_almost_nothing_is_read(call, tmp_path):  # noqa: F811
    """Without days, contrasts or checks; the rules stand in RELEASED, with more than we ask."""
    out = make_out(tmp_path / "out")
    table = pd.read_parquet(out / "release" / "estimates.parquet")
    first = table[table["question"].eq("q1")].assign(time_days=None)
    files.write_table(first, out / "release", "estimates", ("csv", "parquet"))
    seal(out)
    marks = files.read_json(out / "release" / "RELEASED")
    rules = {"threshold": 5, "rounding": 5, "smallest_cohort": 50}
    files.write_json(out / "release" / "RELEASED", {"rules": rules, "files": marks})
    files.write_json(out / "manifest.json", {"study_file": "name: x\nunknown_key: 1\n"})
    code, told = call("attack", out / "release")
    assert code in (0, 5), told
    assert "margins" not in told
