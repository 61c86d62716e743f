"""Joins two agencies' extracts: by number, and by probability where there is none."""

from revictimisation.linkage.joining import join_tables
from revictimisation.linkage.linking import Links, link_people
from revictimisation.linkage.quality import AGENCIES, describe_links, tell_checks
from revictimisation.linkage.records import make_records

__all__ = [
    "AGENCIES",
    "Links",
    "describe_links",
    "join_tables",
    "link_people",
    "make_records",
    "tell_checks",
]
