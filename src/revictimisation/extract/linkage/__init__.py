"""Joins two agencies' extracts: by number, and by probability where there is none."""

from revictimisation.extract.linkage.joining import join_tables
from revictimisation.extract.linkage.linking import Links, link_people
from revictimisation.extract.linkage.quality import AGENCIES, count_link_status
from revictimisation.extract.linkage.records import make_records

__all__ = [
    "AGENCIES",
    "Links",
    "count_link_status",
    "join_tables",
    "link_people",
    "make_records",
]
