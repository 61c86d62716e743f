"""The command line: `revictimisation simulate | map | pseudonymise | link | validate | run ...`.

A command is the `command` of the module of its name. Heavy libraries are imported inside the
functions that need them, so that help answers at once.
"""

from __future__ import annotations

import rich_click as click

from revictimisation import __version__
from revictimisation.commands import (
    attack,
    codes,
    compare,
    delete,
    estimate,
    link,
    make_key,
    map,
    pool,
    pseudonymise,
    release,
    run,
    run_many,
    share,
    simulate,
    study_keys,
    terminal,
    validate,
    verify,
)

COMMANDS = (
    simulate,
    map,
    make_key,
    pseudonymise,
    link,
    validate,
    codes,
    study_keys,
    estimate,
    run,
    run_many,
    release,
    attack,
    compare,
    share,
    pool,
    verify,
    delete,
)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="revictimisation")
def cli() -> None:
    """Vilka åtgärder hindrar att människor utsätts igen? Allt körs på den egna datorn, utan nät.

    Which measures keep people from being victimised again? Everything runs on this machine,
    without a network.

    Slutkoder / exit codes: 0 klart (done) · 2 fel användning (wrong use) · 3 utdraget följer inte
    datakatalogen (the data do not conform) · 4 studiefilen eller mappningsfilen är fel (the study
    file or mapping file does not conform) · 5 röjandekontrollen säger nej (disclosure control
    refuses) · 1 vårt fel (our fault) · 130 avbrutet (interrupted).
    """


for _module in COMMANDS:
    cli.add_command(_module.command)


def main() -> None:
    """Run a command; every fault a user can cause ends in a sentence and its exit code."""
    terminal.run_command(cli)
