"""What the tests of releases share."""

from tests.commands.conftest import call  # noqa: F401
