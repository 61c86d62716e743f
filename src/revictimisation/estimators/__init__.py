"""Estimators: from arrays of episodes to numbers with intervals.

`design` makes the columns, `cox` fits the start-stop Cox model (Andersen-Gill is the same over
recurrent events), `curves` gives Kaplan-Meier and Aalen-Johansen, `contrasts` compares two groups.
Nothing here knows files, study plans or languages; importing `cox` loads numba (half a second).
"""
