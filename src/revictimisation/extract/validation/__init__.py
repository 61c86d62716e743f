"""Does an extract conform to the data dictionary? Reads, types and checks it, and profiles it.

What only a report needs (`profile`, `volumes`, `plausibility`, `improbable`) is imported from its
module, as it takes longer to import than a small extract to check.
"""

from revictimisation.extract.validation.extract import LoadedExtract, load_extract
from revictimisation.extract.validation.findings import (
    Finding,
    frame_findings,
    make_finding,
    render_findings,
    sort_findings,
)

__all__ = [
    "Finding",
    "LoadedExtract",
    "frame_findings",
    "load_extract",
    "make_finding",
    "render_findings",
    "sort_findings",
]
