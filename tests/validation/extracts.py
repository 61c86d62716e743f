"""A small extract that conforms, and ways to write and load it changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from revictimisation.core.engine import connect
from revictimisation.dictionary import load_dictionary
from revictimisation.extract.validation import Finding, LoadedExtract, load_extract
from revictimisation.plan import StudyPlan

TODAY = dt.date(2026, 11, 21)
VALID = {
    "persons": """\
person_id,birth_year,sex,municipality_code,died_on,emigrated_on,protected_identity
v1,1980,female,0126,,,none
v2,1990,male,0180,2016-05-01,,confidentiality_mark
s1,1975,male,0126,,2015-03-01,none
""",
    "reports": """\
report_id,victim_id,suspect_id,reported_on,offence_from_on,offence_code,relation,is_honour,police_district,municipality_code
r1,v1,s1,2012-03-01,2012-02-01,9353,former_partner,false,sodertorn,0126
r2,v1,s1,2013-03-01,,0412,former_partner,true,sodertorn,0126
r3,v2,,2014-03-01,,9353,unknown,,city,0180
""",
    "police_measures": """\
measure_id,victim_id,report_id,measure,decided_on,decision,start_on,end_on
m1,v1,r1,non_contact_order,2012-03-05,granted,2012-03-06,2012-09-06
m2,v2,r3,safety_talk,2014-03-02,declined,,
""",
    "social_interventions": """\
intervention_id,person_id,intervention,decided_on,decision,start_on,end_on,end_reason,legal_basis,municipality_code
i1,v1,sheltered_housing,2012-03-02,granted,2012-03-02,2012-05-20,completed,sol,0126
""",
    "risk_assessments": """\
assessment_id,victim_id,report_id,agency,instrument,assessed_on,risk_level,shared_on
a1,v1,r1,police,sara_sv,2012-03-03,high,2012-03-10
""",
    "suspect_interventions": """\
intervention_id,suspect_id,intervention,decided_on,start_on,end_on,is_completed
k1,s1,arrest,2012-03-01,2012-03-01,2012-03-03,true
""",
    "investigations": """\
report_id,suspect_id,opened_on,closed_on,closing_reason,has_witness,has_documented_injury,has_victim_participation,has_admission
r1,s1,2012-03-01,2012-08-01,victim_withdrew,false,true,,false
""",
    "case_decisions": """\
report_id,suspect_id,decided_on,decision,custody_from_on,custody_to_on
r1,s1,2012-08-01,discontinued,,
""",
    "centre_contacts": """\
contact_id,person_id,contacted_on,contact_kind,sex,age,municipality_code,reason
c1,,2014-01-01,young_person,female,19,0126,control
""",
    "municipality_years": """\
municipality_code,year,population,skr_group,has_cooperation_agreement,n_services_intimate,n_services_honour,n_services_perpetrator
0126,2012,100000,commuting_near_large_city,true,3,1,1
""",
}
OPTIONAL = {one.name for one in load_dictionary().tables_by_direction("in") if one.is_optional}

# the tables that must be there: enough for what is about one of them, and read in half the time
REQUIRED = {name: text for name, text in VALID.items() if name not in OPTIONAL}


def write_extract(folder: Path, tables: Mapping[str, str | bytes] = VALID) -> Path:
    """Write tables as `<name>.csv`; a name with a dot is a file name of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in tables.items():
        path = folder / (name if "." in name else f"{name}.csv")
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return folder


def load(
    folder: Path, tables: Mapping[str, str | bytes] = VALID, plan: StudyPlan | None = None
) -> LoadedExtract:
    """Write and load an extract."""
    write_extract(folder, tables)
    return load_extract(connect(threads=1), folder, load_dictionary(), plan, today=TODAY)


def change(table: str, old: str, new: str) -> dict[str, str]:
    """The valid extract with one text of one table changed; the text must be there."""
    assert old in VALID[table]
    return {**VALID, table: VALID[table].replace(old, new, 1)}


def leave_out(tables: Mapping[str, str], named: set[str]) -> dict[str, str]:
    """The tables without those that may be absent, are as in the valid extract and not named."""
    return {
        name: text
        for name, text in tables.items()
        if name not in OPTIONAL or name in named or text != VALID.get(name)
    }


def brief(finding: Finding) -> tuple[str, str, str, str, int, tuple[int, ...]]:
    """What identifies a finding, without its words."""
    return (
        finding.table,
        finding.column,
        finding.rule,
        finding.severity,
        finding.count,
        finding.rows,
    )
