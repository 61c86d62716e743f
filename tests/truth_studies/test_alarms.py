"""Page 7: alarms of the negative controls, false and right ones, as they are kept."""

from __future__ import annotations

from pathlib import Path

from truth_studies.pages.alarms import show_alarms
from truth_studies.records.controls import ANY, read_alarms

from .made import make_page

STUDY = "name: mini\nmeasures: {contact_person: {}}\n"
TABLE = """scenario,measure,n_counties,share_failed,share_failed_mc,cannot_tell,mean
null,,60,0.1,0.04,0.0,
null,contact_person,60,0.05,0.03,0.6,0.001
unmeasured,,60,0.7,0.06,0.0,
unmeasured,contact_person,60,0.3,0.06,0.6,0.02
"""


def test_false_and_right_alarms_are_told_apart(tmp_path: Path):
    (tmp_path / "table.csv").write_text(TABLE)
    kept = read_alarms(tmp_path)
    assert kept["null", ANY].share == 0.1 and kept["unmeasured", "contact_person"].n_counties == 60
    shown = show_alarms(make_page("en", study=STUDY), kept).html
    assert "every alarm is false. An alarm for some measure in <strong>10 in 100" in shown
    assert "ought to sound. An alarm for some measure in <strong>70 in 100" in shown
    assert shown.index("any measure") < shown.index("contact person")


def test_without_a_kept_study_nothing_is_said(tmp_path: Path):
    assert read_alarms(tmp_path) == {}
    assert show_alarms(make_page(), {}).html == ""
