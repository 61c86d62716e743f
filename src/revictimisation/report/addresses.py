"""Where a page stands in the site."""

from __future__ import annotations

from collections.abc import Iterable

SWEDISH, ENGLISH, ENDING = "sv", "en", ".html"


def find_path(name: str, language: str, languages: Iterable[str]) -> str:
    """Where a page stands: the first language, Swedish before others, has no ending.

    >>> find_path("index", "sv", ("en", "sv")), find_path("index", "en", ("en", "sv"))
    ('index.html', 'index_en.html')
    """
    known = list(languages)
    first = SWEDISH if SWEDISH in known else known[0]
    return f"{name}{ENDING}" if language == first else f"{name}_{language}{ENDING}"
