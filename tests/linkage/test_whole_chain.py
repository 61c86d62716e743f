"""The dirty county as two agencies hand it over: pseudonymised, linked, cleaned, estimated.

The stages that linkage touches, and no others: all of them take minutes.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from contextlib import contextmanager

import pandas as pd
import pytest

from benchmarks.linkage import NAMES, UNUSED, find_truth, map_agency
from revictimisation.analyses import target_trials
from revictimisation.analyses.analysis import Found, no_checks
from revictimisation.analyses.linkage_quality import list_rates, share_link_status
from revictimisation.analyses.sensitivity import linkage_error
from revictimisation.cohort.preparation import prepare
from revictimisation.commands.link import link_folders
from revictimisation.commands.pseudonymise import PseudonymOptions, pseudonymise_folder
from revictimisation.commands.simulate import simulate_to
from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.pseudonyms.keys import make_key, write_key
from revictimisation.extract.validation import load_extract
from revictimisation.plan import read_plan

STUDY = """
name: dirty
horizon_days: 365
report_at_days: [182, 365]
measures: {support_talks: {grace_days: 60}, safety_talk: {grace_days: 14}}
adjust_for: [sex]
bootstrap: {replicates: 0}
gates: {largest_standardised_difference: 10, effective_sample_size: 2, events_per_arm: 1,
        share_outside_support: 1, minimum_detectable_difference: 1}
cleaning: [lower_case_codes, drop_exact_duplicates, empty_ends_after_today, drop_end_before_start,
           drop_unknown_people, merge_reports_registered_twice, close_open_ends,
           merge_overlapping_spells]
linkage: {is_on: true}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What both agencies hand over of a county of 400, linked."""
    root = tmp_path_factory.mktemp("chain")
    simulate_to(root / "county", 400, 3, "dirty", "csv")
    write_key(root / "custody" / "key", make_key("dirty"))
    for name, agency in NAMES.items():
        map_agency(root / "county" / "raw" / agency, root / "mapped" / name)
        wishes = PseudonymOptions(dt.date(2018, 12, 31), UNUSED, name, False, True)
        pseudonymise_folder(root / "mapped" / name, root / name, root / "custody" / "key", wishes)
    (root / "study.yaml").write_text(STUDY, encoding="utf-8")
    with listening() as told:
        link_folders(root / "police", root / "social", root / "study.yaml", root / "joined")
    assert told == []
    return root


@contextmanager
def listening():
    """What any library says to the log: of few people Splink would say that it saw few."""
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.name)
    logging.getLogger().addHandler(handler)
    try:
        yield told
    finally:
        logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="module")
def prepared(folder):
    """The study's tables and its attrition."""
    plan, dictionary = read_plan(STUDY), load_dictionary()
    extract = load_extract(connect(threads=1), folder / "joined", dictionary, plan)  # fmt: skip
    extract.raise_for_errors()
    linked = json.loads((folder / "joined" / "linkage.json").read_text(encoding="utf-8"))
    return prepare(extract.tables, extract.absent, dictionary, plan, linked=linked,
                            cleaned=extract.cleaned)  # fmt: skip


def test_the_linked_county_goes_through(prepared):
    data, attrition = prepared
    for _, step in attrition.groupby("step", sort=False):
        left = step["n_reports"].to_numpy()
        assert (left[1:] == left[:-1] - step["n_dropped"].to_numpy()[1:]).all()
    people = attrition[attrition["step"].eq("persons")]["reason"].tolist()
    assert people[:3] == ["in_extract", "same_person_by_number", "same_person_by_linkage"]
    main, _ = target_trials.estimate_target_trials(data)
    rows = linkage_error.estimate_linkage_error(data, Found(main, no_checks()))
    assert set(rows["measure"]) == {"support_talks"} and set(rows["status"]) == {"ok"}
    found = main[main["analysis"].eq("main") & main["estimand"].eq("risk_difference")
                 & main["measure"].eq("support_talks")
                 & main["estimator"].eq("clone_censor_weight")
                 & main["outcome"].eq("same_suspect")].set_index("time_days")  # fmt: skip
    moved = rows.set_index("time_days")["estimate"] - found["estimate"]
    # hardly any link is missed here
    assert data.linkage["missed_link_rate"] < 0.02 and (moved.abs() < 0.01).all()


def test_the_rates_are_told_with_what_new_identities_cost(folder, prepared):
    data, _ = prepared
    told = list_rates(data.linkage).set_index("check")["value"]
    n_true = len(find_truth(folder))
    assert told["n_linked_by_probability"] >= 0.8 * n_true
    low, high = (told[f"missed_link_rate_by_probability_{end}"] for end in ("low", "high"))
    assert low <= 1 - told["n_linked_by_probability"] / n_true <= high
    assert told["n_links_lost_to_new_identities"] <= told["n_new_identities"]
    statuses = share_link_status(data.link_status)
    rows = statuses[
        statuses["measure"].eq("social_services") & statuses["subgroup"].eq("link_status")
    ]
    assert rows["estimate"].sum() == pytest.approx(1)
    links = pd.read_csv(folder / "joined" / "linkage" / "links.csv")
    linked = rows["level"].isin(["linked_by_number", "linked_by_probability"])
    assert rows.loc[linked, "n_events"].sum() == len(links)
