"""Loads, as it is imported, what every page and every notebook needs.

Where the system can fork, the process that those which make them come from has imported it.
"""

import great_tables
import ipykernel.kernelapp
import matplotlib.backends.backend_svg
import matplotlib.figure
import matplotlib.pyplot
import seaborn

from revictimisation.dictionary import load_dictionary
from revictimisation.report import opening, pages, site, texts

__all__ = ["great_tables", "ipykernel", "matplotlib", "opening", "seaborn", "site"]

load_dictionary()
texts.load_texts()
pages.list_outlines()
