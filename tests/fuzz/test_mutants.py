"""A few of the mutants that `benchmarks/fuzz.py` tries by hundreds; the look sees faults."""

from dataclasses import replace

import numpy as np
import pytest

from tests.fuzz import trial
from tests.fuzz.mutations import MUTATIONS, mutate

SEED, N_MUTANTS = 20261122, 16
ESTIMATED = {1}  # mutants that conform; estimates of all would take minutes


@pytest.fixture(scope="module")
def extract():
    return trial.make_extract(60, SEED)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("number", range(N_MUTANTS))
def test_a_mutant_ends_as_documented_and_nothing_is_lost(tmp_path, extract, number):
    outcome = trial.try_mutant(tmp_path, SEED, number, extract, number in ESTIMATED)
    assert outcome.faults == []
    assert outcome.validate in trial.DOCUMENTED
    assert outcome.estimate in (None, *trial.DOCUMENTED)


def test_the_mutants_are_the_same_every_time_and_of_every_kind(extract):
    made = [mutate(SEED, number, extract) for number in range(300)]
    again = mutate(SEED, 17, extract)
    assert again == made[17]
    used = {what.split()[0] for _, done in made for what in done}
    assert used >= set(MUTATIONS)
    changed = [sum(files.get(name) != text for name, text in extract.items()) for files, _ in made]
    assert np.mean(changed) > 0.8


def test_the_look_sees_rows_that_are_lost(tmp_path, extract, monkeypatch):
    """A reader that forgets a table's rows, and a command that falls, are faults."""

    def forget(*given, **more):
        found = load(*given, **more)
        return replace(found, row_counts={**found.row_counts, "reports": 1})

    load = trial.load_extract
    monkeypatch.setattr(trial, "load_extract", forget)
    monkeypatch.setattr(trial, "mutate", lambda seed, number, extract: (dict(extract), ["leave"]))
    (tmp_path / "a").mkdir()
    outcome = trial.try_mutant(tmp_path / "a", SEED, 1, extract, False)
    assert outcome.faults and outcome.faults[0].startswith("rows: reports has")

    def fall(*given, **more):
        raise KeyError("a value that is not to be told")

    monkeypatch.setattr(trial, "load_extract", load)
    monkeypatch.setattr(trial, "estimate_study", fall)
    (tmp_path / "b").mkdir()
    outcome = trial.try_mutant(tmp_path / "b", SEED, 1, extract)
    assert outcome.estimate == 1
    assert outcome.faults == [
        f"estimate: KeyError test_mutants.py:{fall.__code__.co_firstlineno + 1}"
    ]
