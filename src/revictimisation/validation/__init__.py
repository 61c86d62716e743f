"""Does an extract conform to the data dictionary? Reads, types and checks it, and profiles it."""

from revictimisation.validation.extract import LoadedExtract, load_extract
from revictimisation.validation.findings import (
    Finding,
    frame_findings,
    make_finding,
    render_findings,
    sort_findings,
)
from revictimisation.validation.improbable import find_improbable
from revictimisation.validation.plausibility import (
    compare_deliveries,
    hide_small,
    hold_against_expected,
)
from revictimisation.validation.profile import profile_extract
from revictimisation.validation.volumes import find_volumes, hide_volumes

__all__ = [
    "Finding",
    "LoadedExtract",
    "compare_deliveries",
    "find_improbable",
    "find_volumes",
    "frame_findings",
    "hide_small",
    "hide_volumes",
    "hold_against_expected",
    "load_extract",
    "make_finding",
    "profile_extract",
    "render_findings",
    "sort_findings",
]
