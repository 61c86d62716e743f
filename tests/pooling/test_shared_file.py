"""What a county gives others: released numbers alone, in one file that says what it is."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from revictimisation.core import files
from revictimisation.core.errors import DataError
from revictimisation.core.results import OK, choose
from revictimisation.dictionary import load_dictionary
from revictimisation.disclosure import PLACES
from revictimisation.disclosure.attack import attack, open_shared
from revictimisation.pooling.shared_file import ABOUT, README, pack_shared, unpack_shared
from revictimisation.pooling.shared_tables import TABLES, list_case_mix
from tests.cases import for_each

COUNTIES = ("county_3000", "county_600")


def open_attacked(data: bytes, tmp_path, secrets=frozenset()):
    shared = unpack_shared(data, "file", is_checked=False)
    contents = files.unpack_archive(data, 1 << 24)
    return open_shared(
        tmp_path / "file.zip", contents, shared.tables, shared.about["rules"], secrets
    )


@for_each("name", COUNTIES)
def test_a_file_holds_its_tables_and_says_what_each_is(share_county, name):
    data = share_county(name)
    assert data == share_county(name)
    shared, contents = unpack_shared(data, "file"), files.unpack_archive(data, 1 << 24)
    assert set(contents) == {README, ABOUT, *(f"{table}.csv" for table in TABLES)}
    told, dictionary = contents[README].decode("utf-8-sig"), load_dictionary()
    assert "INGEN RAD ÄR EN PERSON" in told and "NO ROW IS A PERSON" in told
    for table in TABLES:
        fields = dictionary.tables[f"shared_{table}"].field_names
        assert tuple(shared.tables[table].columns) == fields
        assert f"{table}.csv" in told and all(f"  {field}: " in told for field in fields)
    assert len(data) < 20_000


@for_each("name", COUNTIES)
def test_every_number_is_one_that_was_released(share_county, released, name):
    shared, known = unpack_shared(share_county(name), "file"), released(name)
    effects = shared.tables["effects"]
    keys = ["measure", "outcome", "estimator", "estimand", "time_days"]
    main = choose(known, question="q2", analysis="main", subgroup="")
    numbers = ["estimate", "n_events", "status"]
    both = effects.merge(main[[*keys, *numbers]], on=keys, how="left", suffixes=("", "_known"))
    pd.testing.assert_series_equal(both["estimate"], both["estimate_known"], check_names=False)
    counts = [both[name].astype("Int64") for name in ("n_events", "n_events_known")]
    pd.testing.assert_series_equal(*counts, check_names=False)
    assert both["status"].eq(both["status_known"]).all()
    told = effects[effects["estimator"].eq("cox_time_varying") & effects["status"].eq(OK)]
    ratios = shared.tables["hazard_ratios"]
    assert ratios["measure"].tolist() == told["measure"].tolist()
    assert ratios["log_hazard_ratio"].tolist() == told["estimate"].tolist()
    correlations = shared.tables["hazard_correlations"]
    assert {*correlations["measure"], *correlations["other"]} <= {*told["measure"]}
    assert not shared.tables["case_mix"]["group"].isin(PLACES).any()


@for_each("name", COUNTIES)
def test_no_band_has_fewer_events_than_the_threshold(share_county, released, name):
    curves = unpack_shared(share_county(name), "file").tables["curves"]
    assert len(curves) and curves["n_events"].ge(5).all()
    own = curves[curves["outcome"].eq("same_suspect")]
    assert own["from_day"].tolist() == [0, *own["to_day"][:-1]]
    known = released(name)
    last = known[
        known["analysis"].eq("curve") & known["estimator"].eq("aalen_johansen")
        & known["outcome"].eq("same_suspect") & known["subgroup"].eq("")
        & known["time_days"].eq(own["to_day"].iloc[-1])
    ]  # fmt: skip
    assert own["n_events"].sum() == last["n_events"].iloc[0]


@for_each("name", COUNTIES)
def test_attack_recovers_nothing_of_it(share_county, tmp_path, name):
    assert attack([open_attacked(share_county(name), tmp_path)]).empty


def _set(table: str, column: str, value: object):
    def plant(tables: dict[str, pd.DataFrame]) -> None:
        changed = tables[table].copy()
        changed[column] = changed[column].astype(object)
        changed.loc[changed.index[0], column] = value
        tables[table] = changed

    return plant


def _leave_hidden(tables: dict[str, pd.DataFrame]) -> None:
    changed = tables["effects"].copy()
    changed.loc[changed.index[0], "status"] = "suppressed"
    tables["effects"] = changed


def _leave_level(tables: dict[str, pd.DataFrame]) -> None:
    """A grouping of which all but a few people are told, unrounded."""
    effects = tables["effects"]
    whole = int(effects.loc[effects["measure"].eq(""), "n_people"].max())
    tables["case_mix"] = pd.DataFrame(
        {"group": ["sex"], "level": ["female"], "n_people": [whole - 10], "share": [0.99]}
    )


LEAKS = {
    "rows/small": _set("case_mix", "n_people", 3),
    "rows/unrounded": _set("case_mix", "n_people", 211),
    "rows/small ": _set("curves", "n_events", 2),
    "rows/digits": _set("hazard_ratios", "se_robust", 0.0951),
    "rows/digits ": _set("hazard_correlations", "model", 0.1234),
    "rows/left": _leave_hidden,
    "rows/within": _leave_level,
    "traces/name": _set("effects", "reason", "Anna Svensson"),
    "traces/date": _set("effects", "reason", "2013-04-27"),
    "traces/pseudonym": _set("case_mix", "level", "v_0123456789abcdef0123"),
    "traces/secret": _set("case_mix", "level", "hemligt ord"),
}


@for_each("kind", list(LEAKS))
def test_attack_finds_what_is_planted(share_county, county_plan, tmp_path, kind):
    shared = unpack_shared(share_county(), "file")
    tables = dict(shared.tables)
    LEAKS[kind](tables)
    about = dict(shared.about)
    if kind == "rows/within":  # of a county whose threshold is high
        about["rules"] = {"threshold": 50, "rounding": 5, "smallest_cohort": 50}
    facts = {name: value for name, value in about.items() if name not in ("format", "files")}
    data = pack_shared(tables, facts, load_dictionary())
    found = attack([open_attacked(data, tmp_path, frozenset({"hemligt ord"}))])
    assert kind.strip() in {f"{one.kind}/{one.what}" for one in found.itertuples()}


def test_where_the_number_of_all_is_hidden_no_share_tells_it(released, county_plan):
    table = released("county_3000")
    whole = table["analysis"].eq("main") & table["subgroup"].eq("") & table["question"].eq("q2")
    hidden = table.assign(status=table["status"].mask(whole, "suppressed"))
    mix = list_case_mix(hidden, county_plan)
    assert len(mix) and mix["share"].isna().all() and mix["n_people"].notna().all()


def test_a_file_that_was_changed_is_refused(share_county):
    contents = files.unpack_archive(share_county(), 1 << 24)
    changed = {**contents, "effects.csv": contents["effects.csv"].replace(b"-0.", b"-1.", 1)}
    with pytest.raises(DataError, match=r"effects\.csv"):
        unpack_shared(files.pack_archive(changed), "file")
    more = {**contents, "persons.csv": b"person_id\n"}
    with pytest.raises(DataError, match=r"persons\.csv"):
        unpack_shared(files.pack_archive(more), "file")
    less = {name: data for name, data in contents.items() if name != "curves.csv"}
    with pytest.raises(DataError, match=r"curves\.csv"):
        unpack_shared(files.pack_archive(less), "file")
    about = {**json.loads(contents[ABOUT]), "format": 99}
    with pytest.raises(DataError, match="another version"):
        unpack_shared(files.pack_archive({**contents, ABOUT: json.dumps(about).encode()}), "file")
    for data in (b"", b"PK\x03\x04 no archive", share_county()[:-100]):
        with pytest.raises(DataError, match="ZIP"):
            unpack_shared(data, "file")
