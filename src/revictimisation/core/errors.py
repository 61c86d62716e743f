"""What can go wrong because of what a user gave us, one class for each documented exit code.

A message says where, which rule, how often and what to do, and never a value from personal data.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_FAULT = 1


class RevictimisationError(Exception):
    """An expected fault, told to the user without a traceback; `exit_code` is the process's."""

    exit_code = EXIT_FAULT


class UsageError(RevictimisationError):
    """The command was used in a way that can't work (a missing folder, an unknown scenario)."""

    exit_code = 2


class DataError(RevictimisationError):
    """The extract does not conform to the data dictionary."""

    exit_code = 3


class StudyError(RevictimisationError):
    """The study file does not conform."""

    exit_code = 4


class MappingError(RevictimisationError):
    """The mapping file does not conform: as a study file, it says what is asked for."""

    exit_code = 4


class DisclosureError(RevictimisationError):
    """Disclosure control refuses: what was asked for would leave the secure room unprotected."""

    exit_code = 5
