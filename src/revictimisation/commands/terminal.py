"""What a command owes its terminal, whichever it is: exit codes, sentences, signals, streams."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import rich_click as click

from revictimisation.commands.misuse import describe_misuse
from revictimisation.core import interruption, redaction
from revictimisation.core.errors import EXIT_DONE, RevictimisationError, UsageError
from revictimisation.core.surroundings import explain

STOPPED = (
    "Avbrutet; kör samma kommando igen för att fortsätta. / "
    "Interrupted; run the same command again to go on."
)
SHOW_CURSOR = "\r\x1b[2K\x1b[?25h"  # clears the line that a bar stood on, which hid the cursor
MEMORY = (
    "Datorns minne räcker inte. Stäng andra program, kör med --jobs 1 eller på en dator med mer "
    "minne. / There is not enough memory: close other programs, run with --jobs 1 or on a machine "
    "with more."
)
ENGINE_DISK = (
    "Databasmotorn kunde inte läsa eller skriva på disken. Kontrollera att den inte är full och "
    "att TMPDIR går att skriva i. / The engine could not read or write on the disk: see that it is "
    "not full and that TMPDIR can be written to."
)


def run_command(command: Callable[..., Any]) -> None:
    """Run a command of click and leave with its exit code; whatever happens is told in a sentence.

    A signal stops it at once (see `interruption`). Who reads its output may go away (`| head`):
    that changes nothing.
    """
    _open_streams()
    gc.set_threshold(50_000)  # what imports make stays: to look for garbage there slows the start
    code = interruption.run_stoppable(lambda: _run(command), _say_stopped)
    gc.freeze()  # nor at the end, when all goes anyway
    sys.exit(code)


def _run(command: Callable[..., Any]) -> int:
    try:
        code = command(standalone_mode=False) or EXIT_DONE
        sys.stdout.flush()
        return int(code)
    except click.Abort:
        return _end(STOPPED, interruption.SIGNAL_CODE + 2)
    except click.ClickException as fault:
        return _end(describe_misuse(fault), UsageError.exit_code)
    except Exception as fault:
        told = explain_fault(fault)
        return _end(str(told), told.exit_code)


def explain_fault(fault: Exception) -> RevictimisationError:
    """What went wrong, in words and with its exit code: by a user, the machine, or by us."""
    return _explain(fault) or _report_fault(fault)


def _explain(fault: Exception) -> RevictimisationError | None:
    """What a user or the user's machine caused, in words; None for a fault of ours."""
    if isinstance(fault, RevictimisationError):
        return fault
    if isinstance(fault, OSError):
        return explain(fault)
    kinds = {kind.__name__ for kind in type(fault).__mro__}  # the engine's, without importing it
    if kinds & {"MemoryError", "OutOfMemoryException"}:
        return UsageError(MEMORY)
    return UsageError(ENGINE_DISK) if "IOException" in kinds else None


def _report_fault(fault: Exception) -> RevictimisationError:
    """Say where we went wrong, without the message: it might hold a value from personal data."""
    if os.environ.get("REVICTIMISATION_DEBUG"):
        raise fault
    trace = fault.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    frame = trace.tb_frame if trace else None
    where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else "?"
    return RevictimisationError(
        f"Ett fel i programmet / a fault of ours: {type(fault).__name__} ({where}).\n"
        "Rapportera det gärna; med REVICTIMISATION_DEBUG=1 visas mer (kan innehålla uppgifter "
        "ur utdraget). / Please report it; REVICTIMISATION_DEBUG=1 shows more (may show data)."
    )


def _end(told: str, code: int) -> int:
    """Say how a command ended; nothing where it is just being stopped, which is told instead."""
    with interruption.uncut:
        _say(told)
    return code


def _say_stopped() -> None:
    """Leave the terminal as it was before a bar, and say that the command was stopped."""
    _say((SHOW_CURSOR if sys.stderr.isatty() else "") + STOPPED)


def _say(told: str) -> None:
    click.echo(told, err=True)


def _open_streams() -> None:
    """See that there are three streams, and that they take it when nobody reads them any longer.

    A stream that was closed from the start (`>&-`) leads nowhere: else the first file opened would
    get its number, and what is said would end up in there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _open_stream(sys.stdout, sys.__stdout__, 1)
    sys.stderr = _open_stream(sys.stderr, sys.__stderr__, 2)
    redaction.forget_passwords()
    if redaction.hide_passwords(sys.argv[1:], [os.environ.get("PGPASSWORD", "")]):
        sys.stdout = redaction.RedactingStream(sys.stdout)
        sys.stderr = redaction.RedactingStream(sys.stderr)


def _open_stream(now: IO[str] | None, own: IO[str] | None, number: int) -> Any:
    if now is not own or (now and now.isatty()):
        return now  # somebody's, or a terminal, which does not go away
    encoding, errors = (now.encoding, now.errors) if now else ("utf-8", "replace")  # type: ignore[attr-defined]
    raw = io.BufferedWriter(_PatientStream(number, "w", closefd=False))
    return io.TextIOWrapper(raw, encoding, errors, line_buffering=number == 2)


class _PatientStream(io.FileIO):
    """A stream that goes on where nobody reads it, and tells a refusal (a full disk) once."""

    is_deaf = False

    def write(self, content: Any) -> int:
        try:
            return len(content) if self.is_deaf else super().write(content)
        except OSError as fault:
            self.is_deaf = True
            if isinstance(fault, BrokenPipeError):
                return len(content)
            fault.filename = "utmatningen / the output"
            raise
