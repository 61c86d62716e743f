"""From an agency's own tables to the study extract's, by a mapping file that an analyst writes."""

from revictimisation.extract.mapping.draft import draft_mapping
from revictimisation.extract.mapping.extract import make_extract
from revictimisation.extract.mapping.model import Mapping, read_mapping
from revictimisation.extract.mapping.report import MappingReport, render_report

__all__ = [
    "Mapping",
    "MappingReport",
    "draft_mapping",
    "make_extract",
    "read_mapping",
    "render_report",
]
