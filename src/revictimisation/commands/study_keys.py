"""The command `study-keys`: every key of a study file."""

from __future__ import annotations

import rich_click as click


@click.command("study-keys")
def command() -> None:
    """Skriv ut studiefilens alla nycklar (docs/study_file.md).

    Print every key of a study file: what it means, what it may be, its default.
    """
    from revictimisation.dictionary import load_dictionary
    from revictimisation.plan import StudyPlan
    from revictimisation.plan.keys import render_keys

    click.echo(render_keys(StudyPlan, load_dictionary()))
