"""The commands: documented exit codes, sentences that help, no traceback, no value from data."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from revictimisation.commands import command_line, estimate
from revictimisation.commands.delete import delete_folder
from revictimisation.commands.manifest import open_run
from revictimisation.core import files
from revictimisation.core.errors import UsageError
from tests.cases import for_each

MEASURE = "  financial_aid: {codes: [financial_aid], grace_days: 0}\n"
STUDY = "name: tiny\naccrual: {from_on: 2018-01-01, to_on: 2018-12-31}\nhorizon_days: 364\n"
STUDY += f"eligibility: {{washout_days: 0}}\nmeasures:\n{MEASURE}adjust_for: []\nsubgroups: []\n"


@pytest.fixture(scope="module")
def good(repo_root) -> Path:
    return repo_root / "tests" / "real" / "rossi" / "extract"


@pytest.fixture
def extract(tmp_path, good) -> Path:
    """A good extract that a test may spoil."""
    return shutil.copytree(good, tmp_path / "extract")


@pytest.fixture
def study(tmp_path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def estimated(tmp_path_factory, good) -> Path:
    """What the command `estimate` leaves of the good extract, on one core; nobody may change it."""
    folder = tmp_path_factory.mktemp("estimated")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    words = ["estimate", folder / "study.yaml", "--data", good, "--out", folder / "out"]
    with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as leave:
        patched.setattr(sys, "argv", ["revictimisation", *map(str, words), "--jobs", "1"])
        command_line.main()
    assert leave.value.code == 0
    return folder / "out"


def spoil(folder: Path, table: str, **columns: object) -> None:
    """Put a value into the third data row (row 4 of the file) of a table's columns."""
    path = folder / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name, value in columns.items():
        frame.loc[2, name] = value
    frame.to_csv(path, index=False)


def test_help_answers_without_heavy_libraries(call):
    for words in (["--help"], ["run", "--help"], ["validate", "--help"], ["simulate", "--help"]):
        code, said = call(*words)
        assert code == 0
        assert "Traceback" not in said


def test_a_good_extract_is_valid(call, extract, study):
    code, said = call("validate", extract, "--study", study)
    assert code == 0, said


def test_windows_1252_with_semicolons_is_read(call, extract, study):
    for path in extract.glob("*.csv"):
        text = path.read_text(encoding="utf-8").replace(",", ";")
        if path.stem == "persons":
            text = text.replace("v1;", "v\u00e51;", 1)
        path.write_bytes(text.encode("cp1252"))
    reports = extract / "reports.csv"
    reports.write_bytes(reports.read_bytes().replace(b";v1;", ";v\u00e51;".encode("cp1252")))
    code, said = call("validate", extract, "--study", study)
    assert code == 0, said


FAULTS = {
    "a missing table": (lambda folder: (folder / "reports.csv").unlink(), ["reports"]),
    "a missing column": (
        lambda folder: (
            pd.read_csv(folder / "reports.csv", dtype=str)
            .drop(columns="suspect_id")
            .to_csv(folder / "reports.csv", index=False)
        ),
        ["reports", "suspect_id"],
    ),
    "a date that is none": (
        lambda folder: spoil(folder, "reports", reported_on="2013-02-31"),
        ["reports", "reported_on", "4"],
    ),
    "an end before its start": (
        lambda folder: spoil(
            folder, "social_interventions", start_on="2018-03-02", end_on="2018-03-01"
        ),
        ["social_interventions", "end_on", "4"],
    ),
    "an unknown code": (
        lambda folder: spoil(folder, "reports", relation="zzz_secret"),
        ["reports", "relation", "4"],
    ),
    "an identity number": (
        lambda folder: spoil(folder, "persons", person_id="19121212-1212"),
        ["persons", "person_id", "4", "pseudonym"],
    ),
    "a victim who is nobody": (
        lambda folder: spoil(folder, "reports", victim_id="zzz_secret"),
        ["reports", "victim_id", "4"],
    ),
    "an empty table": (
        lambda folder: (folder / "reports.csv").write_text("", encoding="utf-8"),
        ["reports"],
    ),
    "no reports": (
        lambda folder: (folder / "reports.csv").write_text(
            (folder / "reports.csv").read_text(encoding="utf-8").split("\n")[0] + "\n",
            encoding="utf-8",
        ),
        ["reports"],
    ),
}


@for_each("fault", FAULTS)
@for_each("command", ["validate", "estimate"])
def test_data_that_do_not_conform_end_in_3(call, extract, study, tmp_path, fault, command):
    make, said_words = FAULTS[fault]
    mine = shutil.copytree(extract, tmp_path / "spoilt")
    make(mine)
    words = {
        "validate": ["validate", mine, "--study", study],
        "estimate": ["estimate", study, "--data", mine, "--out", tmp_path / "out"],
    }[command]
    code, said = call(*words)
    assert code == 3, said
    for word in said_words:
        assert word in said
    for secret in ("zzz_secret", "19121212", "2013-02-31"):
        assert secret not in said
    assert "Traceback" not in said


def test_all_faults_of_an_extract_are_told_at_once(call, extract, study):
    spoil(extract, "reports", reported_on="never", relation="nobody")
    spoil(extract, "social_interventions", start_on="2018-03-02", end_on="2018-03-01")
    code, said = call("validate", extract, "--study", study)
    assert code == 3
    for word in ("reported_on", "relation", "end_on"):
        assert word in said


def test_an_unknown_key_in_the_study_file_ends_in_4(call, extract, study, tmp_path):
    study.write_text(STUDY + "horizon_day: 3\n", encoding="utf-8")
    code, said = call("estimate", study, "--data", extract, "--out", tmp_path / "out")
    assert code == 4
    assert "did you mean horizon_days?" in said


@for_each(
    "words",
    [
        ["estimate"],
        ["nonsense"],
        ["codes", "offnces"],
        ["codes", "--like", "hot"],
        ["simulate", "{tmp}/x", "--scenario", "nonsense"],
        ["simulate", "{tmp}/x", "--people", "0"],
        ["estimate", "{tmp}/none.yaml", "--data", "{tmp}", "--out", "{tmp}/o"],
        ["estimate", "{study}", "--data", "{tmp}/none", "--out", "{tmp}/o"],
        ["estimate", "{study}", "--data", "{tmp}", "--out", "{study}"],
        ["run", "{study}", "--data", "{tmp}/none", "--out", "{tmp}/o", "--jobs", "0"],
    ],
)
def test_wrong_use_ends_in_2(call, study, tmp_path, words):
    code, said = call(*[word.format(tmp=tmp_path, study=study) for word in words])
    assert code == 2, said
    assert said.strip()
    assert "Traceback" not in said


def test_a_fault_of_ours_ends_in_1_and_tells_no_value(call, extract, study, tmp_path, monkeypatch):
    def break_down(*_: object) -> bool:
        raise KeyError("zzz_secret")

    monkeypatch.setattr(estimate, "estimate_study", break_down)
    code, said = call("estimate", study, "--data", extract, "--out", tmp_path / "out")
    assert code == 1
    assert "zzz_secret" not in said
    assert "KeyError" in said


def test_a_second_run_does_nothing_and_a_changed_study_does(
    call, extract, study, estimated, tmp_path
):
    out = shutil.copytree(estimated, tmp_path / "out")
    words = ["estimate", study, "--data", extract, "--out", out]
    first = files.hash_files(out)
    code, said = call(*words)
    assert code == 0
    assert "nothing has changed" in said
    assert files.hash_files(out) == first
    study.write_text(STUDY.replace("364", "200"), encoding="utf-8")
    assert "nothing has changed" not in call(*words)[1]
    assert files.hash_files(out) != first


def test_a_run_tells_and_keeps_where_the_extract_does_not_fit(call, extract, study, tmp_path):
    out = tmp_path / "out"
    study.write_text(
        STUDY.replace("measures:\n", "data_end_on: 2025-12-31\nmeasures:\n  finacial_aid: {}\n"),
        encoding="utf-8",
    )
    code, said = call("estimate", study, "--data", extract, "--out", out)
    assert code == 0, said
    assert "[ends_before_data_end]" in said and "did you mean financial_aid?" in said
    for kind in ("restricted", "release"):
        checks = pd.read_csv(out / kind / "diagnostics.csv").set_index("check")
        row = checks.loc["ends_before_data_end:reports"]
        assert (row["analysis"], row["status"]) == ("extract", "warning")
        assert row["value"] > 72
        assert "code_nowhere:finacial_aid" in checks.index


def test_a_study_of_nobody_ends_in_3_with_the_sentence(call, extract, study, tmp_path):
    study.write_text(STUDY.replace("washout_days: 0", "min_age: 119"), encoding="utf-8")
    code, said = call("estimate", study, "--data", extract, "--out", tmp_path / "out")
    assert code == 3
    assert "Ingen kan ingå i studien" in said and "age_not_eligible" in said
    assert not (tmp_path / "out" / "release").exists()


def test_a_damaged_result_is_not_done(extract, study, estimated, tmp_path):
    out = shutil.copytree(estimated, tmp_path / "out")
    run = open_run(study, extract, out, "test", 1)
    assert run.is_done("estimate", run.key("estimate"))
    (out / "release" / "estimates.csv").write_bytes(b"question")
    assert not run.is_done("estimate", run.key("estimate"))


def hash_tables(out: Path, pattern: str = "**/*") -> dict[str, str]:
    """All that a run left but for its manifest, which holds the time and the call."""
    return {
        path: h for path, h in files.hash_files(out, pattern).items() if path != "manifest.json"
    }


def test_results_do_not_depend_on_cores_place_hour_language_or_file_format(
    call, extract, study, estimated, tmp_path, monkeypatch
):
    for name, value in (("TZ", "Asia/Tokyo"), ("LC_ALL", "sv_SE.UTF-8"), ("LANGUAGE", "sv")):
        monkeypatch.setenv(name, value)
    parquet = tmp_path / "parquet"
    parquet.mkdir()
    for path in extract.glob("*.csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.replace("", None).to_parquet(parquet / f"{path.stem}.parquet")
    out = tmp_path / "out"
    assert call("estimate", study, "--data", parquet, "--out", out, "--jobs", 2)[0] == 0
    assert hash_tables(out, "**/*.csv") == hash_tables(estimated, "**/*.csv")
    for path in estimated.rglob("*.parquet"):  # whose metadata tell the run, so the extract's hash
        pd.testing.assert_frame_equal(
            pd.read_parquet(path), pd.read_parquet(out / path.relative_to(estimated))
        )


def test_the_manifest_says_where_everything_came_from(good, estimated):
    manifest = files.read_json(estimated / "manifest.json")
    assert manifest["study_file"] == STUDY
    assert manifest["inputs"]["reports.csv"] == files.hash_file(good / "reports.csv")
    assert manifest["outputs"] == hash_tables(estimated)
    assert manifest["command"].startswith("revictimisation estimate")
    assert not manifest["is_synthetic"]
    assert {"python", "revictimisation", "pandas"} <= set(manifest["versions"])
    assert manifest["started_at"] <= manifest["ended_at"]


def test_a_simulated_extract_is_known_as_such(call, small_run):
    assert call("validate", small_run / "data")[0] == 0
    assert files.read_json(small_run / "out" / "manifest.json")["is_synthetic"]


def test_no_pseudonym_reaches_the_output(good, estimated):
    people = set(pd.read_csv(good / "persons.csv", dtype=str)["person_id"])
    tables = [*estimated.rglob("*.csv")]
    assert len(people) > 100 and len(tables) > 5
    for path in tables:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        assert not people & set(frame.to_numpy().ravel())


def test_delete_takes_what_holds_people_and_only_when_told_so(estimated, tmp_path, capsys):
    out = shutil.copytree(estimated, tmp_path / "out")
    outside = tmp_path / "elsewhere.csv"
    outside.write_text("stays", encoding="utf-8")
    (out / "restricted" / "link.csv").symlink_to(outside)
    assert "--yes" in delete_folder(out)
    assert (out / "restricted").is_dir()
    delete_folder(out, is_sure=True)
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "release"]
    assert outside.is_file()
    delete_folder(out, is_all=True, is_sure=True)
    assert not [*out.iterdir()]


def test_delete_refuses_a_folder_of_others(tmp_path):
    """A study file, or a manifest of another program, makes no folder ours."""
    for name in ("letter.txt", "study.yaml", "manifest.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
        with pytest.raises(UsageError, match="inte gjord"):
            delete_folder(tmp_path, is_all=True, is_sure=True)
        assert (tmp_path / name).is_file()


def test_delete_leaves_the_users_own_mapping(tmp_path):
    for name in ("police_report.json", "reports.parquet", "police.yaml"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    delete_folder(tmp_path, is_sure=True)
    assert [path.name for path in tmp_path.iterdir()] == ["police.yaml"]
