"""The cases of index reports against a plain reading of the rows, on random small extracts."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from revictimisation.cohort import build_cohort
from revictimisation.cohort.court_cases import describe_cases, find_index_cases, list_case_steps
from revictimisation.core.codes import EVIDENCE, PARTICIPATION
from revictimisation.core.engine import connect
from revictimisation.plan import read_plan
from tests.cases import for_each
from tests.tables.cases import STUDY, SmallDictionary, make_tables, random_rows

DICTIONARY = SmallDictionary()
PLAN = read_plan(STUDY + "convictions: {definitions_change_on: 2014-01-01}\n")
NAMES = (*EVIDENCE, PARTICIPATION)
DECISIONS = ("discontinued", "prosecuted", "convicted", "acquitted", "summary_penalty")


def add_court(rows: dict[str, list[dict]], seed: int) -> None:
    """Investigations and decisions of some reports, some of no suspect or of another's."""
    rng = np.random.default_rng(seed)

    def pick(*values):
        return values[int(rng.integers(len(values)))]

    def later(row, low, high):
        return row["reported_on"] + dt.timedelta(days=int(rng.integers(low, high)))

    rows["investigations"], rows["case_decisions"] = [], []
    for row in rows["reports"]:
        suspect = pick(row["suspect_id"], row["suspect_id"], None, "s1")
        if rng.random() < 0.7:
            rows["investigations"].append({
                "report_id": row["report_id"], "suspect_id": suspect,
                "opened_on": pick(later(row, -1, 3), None),
                "closed_on": pick(later(row, 3, 9), None),
                "closing_reason": pick("no_evidence", "limited", None),
                **{name: pick(True, False, None) for name in NAMES},
            })  # fmt: skip
        for _ in range(int(rng.integers(0, 3))):
            rows["case_decisions"].append({
                "report_id": row["report_id"], "suspect_id": pick(row["suspect_id"], "s0"),
                "decided_on": later(row, 0, 30), "decision": pick(*DECISIONS),
            })  # fmt: skip


def read_plainly(rows: dict[str, list[dict]], entry: pd.Series) -> tuple[dict, set]:
    """One entry's case and steps, row by row."""

    def is_mine(row):
        return row["report_id"] in ids and row["suspect_id"] in (entry["suspect_id"], None)

    index_on = pd.Timestamp(entry["index_on"]).date()
    ids = {
        row["report_id"] for row in rows["reports"]
        if (row["victim_id"], row["suspect_id"], row["reported_on"])
        == (entry["victim_id"], entry["suspect_id"], index_on)
    }  # fmt: skip
    opened = [row for row in rows["investigations"] if is_mine(row)]
    decided = [row for row in rows["case_decisions"] if is_mine(row)]
    steps = {(row["opened_on"], "investigated", None) for row in opened if row["opened_on"]}
    steps |= {
        (row["closed_on"], "discontinued", row["closing_reason"])
        for row in opened if row["closing_reason"] and row["closed_on"]
    }  # fmt: skip
    steps |= {(row["decided_on"], row["decision"], None) for row in decided}
    case = {}
    for name in NAMES:
        said = {row[name] for row in opened} - {None}
        case[name] = "missing" if not said else str(True in said).lower()
    mine = [row for row in rows["reports"] if row["suspect_id"] == entry["suspect_id"]]
    days = {row["reported_on"] for row in mine if row["reported_on"] < index_on}
    case["n_suspect_reports"] = min(len(days), 5)
    convictions = {
        (row["report_id"], row["decided_on"]) for row in rows["case_decisions"]
        if row["suspect_id"] == entry["suspect_id"] and row["decision"] == "convicted"
        and row["decided_on"] < index_on
    }  # fmt: skip
    case["n_suspect_convictions"] = min(len(convictions), 5)
    case["change_day"] = (dt.date(2014, 1, 1) - index_on).days
    return case, {((on - index_on).days, step, reason) for on, step, reason in steps}


@for_each("seed", [3, 4])
def test_cases_and_steps_are_those_of_the_index_reports(seed):
    rows = random_rows(seed, n_victims=25)
    add_court(rows, seed)
    tables = make_tables(connect(threads=1), rows)
    index = build_cohort(tables["reports"], tables["persons"], DICTIONARY, PLAN).index_reports
    entries = index.order_by("entry_id").to_pandas()
    found = find_index_cases(index, tables["reports"]).cache()
    cases = describe_cases(index, found, tables, PLAN).to_pandas()
    steps = list_case_steps(found, tables).to_pandas().astype({"reason": object})
    steps["reason"] = steps["reason"].where(steps["reason"].notna(), None)
    assert cases["entry_id"].tolist() == list(range(len(entries)))
    assert len(entries) > 10 and len(steps) > 20
    assert cases["n_suspect_convictions"].max() > 0
    for place, entry in entries.iterrows():
        case, expected = read_plainly(rows, entry)
        assert cases.loc[place, list(case)].to_dict() == case
        mine = steps[steps["entry_id"] == place]
        assert len(mine) == len(expected)
        assert set(mine[["day", "step", "reason"]].itertuples(index=False, name=None)) == expected
