"""The command `attack`: plays the intruder on one or more releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from revictimisation.commands.options import FOLDER
from revictimisation.core import files
from revictimisation.core.errors import DisclosureError

if TYPE_CHECKING:
    import pandas as pd

    from revictimisation.disclosure.attack import Release

NOTHING = (
    "Ingenting gick att återskapa: {n} attacker på {m} release(r). / "
    "Nothing was recovered: {n} kinds of attack on {m} release(s)."
)
FOUND = (
    "{n} saker gick att återskapa. Värdena skrivs inte ut. / "
    "{n} things were recovered. The values are not printed."
)
ID_COLUMNS = ("person_id", "victim_id", "suspect_id", "report_id")
LEAST_LETTERS = 5  # a free text shorter than this is found everywhere


@click.command("attack")
@click.argument("releases", metavar="RELEASE...", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--data",
    type=FOLDER,
    default=None,
    help="Uttaget: dess pseudonymer och fritext (x_) söks då i varje fil. / The extract: its "
    "pseudonyms and free texts (x_) are then looked for in every file.",
)
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    default=None,
    help="Minsta antal som visas; annars studiefilens. / Smallest count shown; else the study's.",
)
@click.option(
    "--rounding",
    type=click.IntRange(min=1),
    default=None,
    help="Antalens steg; annars studiefilens. / Steps of counts; else the study's.",
)
@click.option(
    "--show",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Så många rader av varje slag som namnges. / Rows of each kind that are named.",
)
def command(
    releases: tuple[Path, ...],
    data: Path | None,
    threshold: int | None,
    rounding: int | None,
    show: int,
) -> None:
    """Spela inkräktare: vad går att återskapa ur en eller flera releaser, eller filer från share?

    Play the intruder on one or more releases (a release folder, or the OUT that holds it, with
    its pages and notebooks), or on files that `share` made. What was recovered is told by kind,
    table and row, never by value. Exit code 5 when anything was.
    """
    found, n_kinds = attack_releases(releases, data, threshold, rounding)
    if found.empty:
        click.echo(NOTHING.format(n=n_kinds, m=len(releases)))
        return
    for line in describe_findings(found, releases, show):
        click.echo(line)
    raise Exit(DisclosureError.exit_code)


def attack_releases(
    releases: Sequence[Path],
    data: Path | None = None,
    threshold: int | None = None,
    rounding: int | None = None,
) -> tuple[pd.DataFrame, int]:
    """The findings in all releases together, and how many kinds of attack were tried."""
    from revictimisation.disclosure.attack import attack, list_attacks, open_release

    secrets = list_secrets(data) if data else frozenset()
    opened = [
        _open_shared(path, threshold, rounding, secrets)
        if path.is_file()
        else open_release(path, threshold, rounding, secrets)
        for path in releases
    ]
    n_kinds = max(len(list_attacks(release)) for release in opened)
    return attack(opened), n_kinds + (len(releases) > 1)


def _open_shared(
    path: Path, threshold: int | None, rounding: int | None, secrets: frozenset[str]
) -> Release:
    """A file of `share`; `DataError` for what is none."""
    from revictimisation.disclosure.attack import open_shared
    from revictimisation.pooling.shared_file import read_contents, unpack_shared

    data = files.read_bytes(path)
    shared = unpack_shared(data, str(path), is_checked=False)
    told = shared.about["rules"]
    rules = {"threshold": threshold or told["threshold"], "rounding": rounding or told["rounding"]}
    return open_shared(path, read_contents(data, str(path)), shared.tables, rules, secrets)


def list_secrets(data: Path) -> frozenset[str]:
    """Pseudonyms, numbers of reports and free texts of the extract, from any of its files."""
    files.check_folder(data)
    found: set[str] = set()
    for path in sorted(data.iterdir()):
        if path.suffix == ".csv":
            table = files.read_text_table(path)
        elif path.suffix == ".parquet":
            table = files.read_table(path)
        else:
            continue
        for name in table.columns:
            if name in ID_COLUMNS or (name.startswith("x_") and table[name].dtype == object):
                found |= {str(text) for text in table[name].dropna().unique()}
    return frozenset(text for text in found if len(text) >= LEAST_LETTERS and not text.isdecimal())


def describe_findings(found: pd.DataFrame, releases: Sequence[Path], show: int) -> Iterator[str]:
    """What was recovered by release, kind and how, with the first rows of each."""
    texts = load_texts()
    yield FOUND.format(n=len(found))
    for place, mine in found.groupby("release"):
        yield ""
        yield " + ".join(map(str, releases)) if place == -1 else str(releases[int(str(place))])
        for (kind, what), rows in mine.groupby(["kind", "what"]):
            told = texts[str(kind)][str(what)]
            yield f"  {kind}/{what}: {len(rows)}. {told['sv']} / {told['en']}"
            for row in rows.head(show).itertuples():
                words = (str(row.place), str(row.row), str(row.column))
                yield f"    {' | '.join(word for word in words if word)}"
            if len(rows) > show:
                yield f"    … +{len(rows) - show}"


def load_texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """What each kind of finding is, in Swedish and English."""
    import yaml

    text = files.read_text(files.package_file("commands", "attack.yaml"))
    found: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(text)
    return found
