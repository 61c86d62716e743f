"""Which measures keep people from being victimised again: the study and its software."""

__version__ = "0.1.0"
