"""The command `delete`: what holds rows of people goes when it is no longer needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from revictimisation.commands import folders
from revictimisation.commands.folders import MANIFEST, RELEASE, RESTRICTED
from revictimisation.commands.options import FOLDER
from revictimisation.core import files
from revictimisation.core.errors import UsageError

# Of what a run leaves this may stay: it passed disclosure control, or names hashes alone.
KEPT = (RELEASE, "site", "notebooks", MANIFEST)


@click.command("delete")
@click.argument("folder", type=FOLDER)
@click.option(
    "--all",
    "is_all",
    is_flag=True,
    help="Även en körnings release, sidor, notebooks och manifest. / What was released by a run,"
    " pages, notebooks and manifest, too.",
)
@click.option("--yes", "is_sure", is_flag=True, help="Gör det. / Do it.")
def command(folder: Path, is_all: bool, is_sure: bool) -> None:
    """Gallra: ta bort ett uttag, eller det en körning lämnat om personer.

    Delete an extract that one of these commands made, or what a run left of people. Without --yes
    it is only told what would go. Backups, and blocks of a disk that are not yet overwritten, are
    the machine's owner's to see to.
    """
    click.echo(delete_folder(folder, is_all, is_sure))


def delete_folder(folder: Path, is_all: bool = False, is_sure: bool = False) -> str:
    """Delete what a folder of ours holds, links and not what they lead to; what was done, as text.

    Unless `is_all`, `KEPT` stay of a run's folder, and mapping files of any. Raises `UsageError`
    for a folder that no command of ours made: a YAML file, or a manifest of others, does not show
    that one did.
    """
    names = [name for name in files.list_all(folder) if name != files.LOCK]
    is_run = _is_run(folder, names)
    marks = {mark for each in folders.MARKS.values() for mark in each}
    if not is_run and not folders.holds_mark(names, marks - {MANIFEST, *folders.MAPPINGS}):
        raise UsageError(
            f"{folder} är inte gjord av något av kommandona här, så inget tas bort. Ange mappen"
            " som ett kommando skrev till. / No command of ours made it, and nothing is deleted:"
            " name the folder that one wrote to."
        )
    stays = KEPT if is_run else folders.MAPPINGS
    doomed = [folder / name for name in names if is_all or not folders.holds_mark([name], stays)]
    n_files = sum(files.count_files(path) for path in doomed)
    if is_sure:
        with files.locked(folder):
            files.remove_paths(doomed)
        return (
            f"{folder}: {n_files} filer är borttagna. Kopior och säkerhetskopior finns kvar där de "
            f"finns. / {n_files} files are deleted; copies and backups are where they are."
        )
    return (
        f"{folder}: {n_files} filer skulle tas bort ({', '.join(path.name for path in doomed)}). "
        f"Inget är gjort; kör igen med --yes. / {n_files} files would be deleted; nothing was "
        "done: call again with --yes."
    )


def _is_run(folder: Path, names: Sequence[str]) -> bool:
    """Whether a run filled the folder: also one whose manifest is damaged."""
    if MANIFEST not in names:
        return False
    return RESTRICTED in names or "study_file" in (files.read_json(folder / MANIFEST) or {})
