"""pyproject.toml says what is needed; uv.lock and environment.yml follow it."""

from __future__ import annotations

import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

from tests.project.sources import ROOT

# what conda-forge calls otherwise
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "great-tables": "great_tables",
    "ibis-framework": "ibis-duckdb",
    "playwright": "playwright-python",
    "typst": "typst-py",
}
ONLY_IN_CONDA = {"python", "pip"}
OURSELVES = "-e ."


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wanted(project) -> list[Requirement]:
    kept = project["project"]
    extras = [line for lines in kept["optional-dependencies"].values() for line in lines]
    lines = [*kept["dependencies"], *extras, *project["dependency-groups"]["dev"]]
    return [Requirement(line) for line in lines]


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lock() -> dict[str, list[dict]]:
    packages: dict[str, list[dict]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        packages.setdefault(package["name"], []).append(package)
    return packages


def split_spec(line: str) -> tuple[str, SpecifierSet]:
    """Name and versions of a conda spec, as rattler reads it."""
    spec = MatchSpec(line)
    return spec.name.normalized, SpecifierSet(str(spec.version or "").replace("|", "||"))


def test_environment_mirrors_pyproject(wanted, environment):
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    conda = dict(split_spec(line) for line in lines)
    (by_pip,) = (line["pip"] for line in environment["dependencies"] if isinstance(line, dict))
    needs = [Requirement(line) for line in by_pip if line != OURSELVES]  # conda-forge lacks them
    pip = {CONDA_NAMES.get(need.name, need.name): need.specifier for need in wanted}
    given = {**conda, **{need.name: need.specifier for need in needs}}
    assert {name: spec for name, spec in given.items() if name not in ONLY_IN_CONDA} == pip
    assert OURSELVES in by_pip


def test_python_is_the_same_everywhere(project, environment, lock):
    oldest = SpecifierSet(project["project"]["requires-python"])
    conda = split_spec(environment["dependencies"][0])
    assert conda[0] == "python"
    assert set(oldest) < set(conda[1])
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert tomllib.loads(text)["requires-python"] == str(oldest)


def test_do_asks_for_the_same_python(project):
    import do

    oldest = ".".join(map(str, do.OLDEST))
    assert SpecifierSet(project["project"]["requires-python"]) == SpecifierSet(f">={oldest}")


def test_lock_records_what_pyproject_wants(wanted, lock):
    (ours,) = lock["revictimisation"]
    stored = [*ours["metadata"]["requires-dist"], *ours["metadata"]["requires-dev"]["dev"]]
    recorded = {need["name"]: SpecifierSet(need.get("specifier", "")) for need in stored}
    assert recorded == {canonicalize_name(need.name): need.specifier for need in wanted}


def test_locked_versions_fit(wanted, lock):
    for need in wanted:
        versions = [package["version"] for package in lock[canonicalize_name(need.name)]]
        assert versions
        assert all(need.specifier.contains(v, prereleases=True) for v in versions), need


def test_packages_come_from_pypi_only(lock):
    sources = {
        package["source"].get("registry", "")
        for name, (package, *_) in lock.items()
        if name != "revictimisation"
    }
    assert sources == {"https://pypi.org/simple"}
