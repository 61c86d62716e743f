"""Notebooks and pages: how the released numbers are told, in Swedish and English.

Everything here reads only what passed disclosure control. Notebooks begin with `open_report`, the
pages are made by `render_site`.
"""

from revictimisation.report.opening import open_report

__all__ = ["open_report"]
