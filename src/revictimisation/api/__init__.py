"""The researcher's face: models of any data frame, and a study that can be changed and asked anew.

Thin: what is estimated stands in `estimators`, who is followed in `cohort`, what a study asks in
`analyses`. Here a frame's columns become their arguments, and their answers frames and plots.
Public names are asked of `revictimisation` itself, which imports each when it is needed.
"""

from revictimisation.core.files import find_cache

find_cache()  # before the compiled loops are imported
