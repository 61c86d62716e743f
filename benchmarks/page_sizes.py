"""How long the pages of a site are: words open on each, and its height at desktop and phone width.

    python benchmarks/page_sizes.py OUT/site [BEFORE/site]     a Markdown table; beside what it was

Words as the tests count them (`tests/report/reading.py`: no tables folded away, no numbers);
heights in pixels of a browser, folds closed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.conftest import BROWSERS  # noqa: E402
from tests.report.reading import count_words  # noqa: E402

WIDTHS = (1280, 390)


def measure(site: Path, browser: Browser) -> dict[str, list[int]]:
    """By page: its words, and its height at each width."""
    found = {path.stem: [count_words(path.read_text(encoding="utf-8"))]
             for path in sorted(site.glob("*.html"))}  # fmt: skip
    for width in WIDTHS:
        screen = browser.new_page(viewport={"width": width, "height": 900})
        for name, sizes in found.items():
            screen.goto((site / f"{name}.html").resolve().as_uri())
            sizes.append(screen.evaluate("document.documentElement.scrollHeight"))
        screen.close()
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sites", nargs="+", type=Path, help="the site, and what it was before")
    sites = parser.parse_args().sites
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        after, *before = [measure(site, browser) for site in sites]
        browser.close()
    heads = ["words", *(f"height at {width}" for width in WIDTHS)]
    print(f"| page | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for name, sizes in after.items():
        was = before[0].get(name, ["–"] * len(sizes)) if before else []
        told = [f"{old} → {new}" for old, new in zip(was, sizes, strict=True)] if was else sizes
        print(f"| {name} | {' | '.join(map(str, told))} |")


if __name__ == "__main__":
    main()
