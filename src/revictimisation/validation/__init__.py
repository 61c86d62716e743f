"""Does an extract conform to the data dictionary? Reads, types and checks it."""

from revictimisation.validation.extract import LoadedExtract, load_extract
from revictimisation.validation.findings import (
    Finding,
    frame_findings,
    make_finding,
    render_findings,
)

__all__ = [
    "Finding",
    "LoadedExtract",
    "frame_findings",
    "load_extract",
    "make_finding",
    "render_findings",
]
