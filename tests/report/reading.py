"""What a reader meets of a page: its words, as they are counted for the limits."""

from __future__ import annotations

import re

HIDDEN = re.compile(r"<(style|svg|script)\b.*?</\1>", re.DOTALL)
FOLDED = re.compile(r"(<details\b[^>]*>\s*<summary>.*?</summary>).*?</details>", re.DOTALL)
MAIN = re.compile(r"<main\b.*?</main>", re.DOTALL)
CAPTION = re.compile(r"<caption>.*?</caption>", re.DOTALL)
WORD = re.compile(r"[^\W\d_](?:[\w’'.-]*\w)?")


def read_main(html: str) -> str:
    """What stands open on a page between menu and foot, without pictures and what is folded."""
    shown = MAIN.search(html)
    text = FOLDED.sub(r"\1", HIDDEN.sub(" ", shown[0] if shown else html))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip()


def count_words(html: str) -> int:
    """The words of a page; numbers and signs are none.

    >>> count_words("<main><p>40 av 100 – 2,5 %, <b>icke</b>-ord</p><svg>nej</svg></main>")
    3
    """
    return len(WORD.findall(read_main(html)))
