"""Page 07: the works that the method rests on, and how to cite, reuse and repeat the study."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from revictimisation.core import files
from revictimisation.report.described import Attachment, Folded, Piece, Text, join
from revictimisation.report.page import Page

ENTRY = re.compile(r"@(\w+)\{(\w+), (.*)\}$", re.MULTILINE)
FIELD = re.compile(r"(\w+) = \{((?:[^{}]|\{[^{}]*\})*)\}")


@functools.cache
def read_bibliography() -> str:
    """The works in BibTeX, as they are taken along."""
    return files.read_text(files.package_file("report", "references.bib"))


@functools.cache
def load_works() -> tuple[Mapping[str, str], ...]:
    """Every work's fields, in the order of the file.

    >>> load_works()[0]["year"]
    '1978'
    """
    return tuple(dict(FIELD.findall(fields)) for _, _, fields in ENTRY.findall(read_bibliography()))


def describe_work(work: Mapping[str, str]) -> str:
    """`Aalen, Johansen (1978). Title. Journal 5: 141–150. doi:…`"""
    names = work["author"].replace("{", "").replace("}", "").split(" and ")
    authors = ", ".join("et al." if name == "others" else name.split(",")[0] for name in names)
    place = " ".join(work[name] for name in ("journal", "volume") if name in work)
    told = f"{authors} ({work['year']}). [{work['title']}]{{en}}."
    pages = work.get("pages", "").replace("--", "–")
    told += f" {place}: {pages}." if place else ""
    return told + (f" doi:{work['doi']}" if "doi" in work else "")


def show_works(page: Page) -> Piece:
    """The works, folded, and the same as BibTeX to take along."""
    works = "\n".join(f"- {describe_work(work)}" for work in load_works())
    taken = Attachment(page.say("common.take_along"), "references.bib", read_bibliography())
    return join([Folded(page.say("referees.works", n=len(load_works())), Text(works)), taken])


def show_citing(page: Page) -> Piece:
    """How to cite, licences, ethics, and which code made the numbers."""
    record = page.plan.protocol
    ethics = record.ethics_approval or page.say("referees.ethics_left")
    return page.text("referees.citing_text", study=page.title, ethics=ethics)
