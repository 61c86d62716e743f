"""A module a command, what a run needs, and the command line."""
