"""The few codes that the software itself gives a meaning; all others are only data."""

MISSING = "missing"
OTHER = "other"
BREACH_GROUP = "breach_of_order"
# Suspects known to be no family: all others may be, those of unknown relation among them.
OUTSIDERS = ("acquaintance", "stranger")
KIN = "kin"  # a group of relations
# Whom an outcome is about: in honour cases the family is one.
SAME_SUSPECT, ANY_SUSPECT, ANY_KIN = "same_suspect", "any_suspect", "any_kin"
# Why follow-up ended, in the order in which they count on one day (contract, "Ties").
CAUSES = ("outcome", "death", "emigration")
OTHER_CAUSES = CAUSES[1:]
OUTCOME, DEATH, EMIGRATION = 1, 2, 3
# What an investigation may hold (table investigations), and what the victim does.
EVIDENCE = ("has_witness", "has_documented_injury", "has_admission")
PARTICIPATION = "has_victim_participation"
POLICE, SOCIAL_SERVICES = "police", "social_services"
# A column of a table as read: a bit for each cell that is not of its type.
TYPE_FAULTS = "type_faults"
# A number that a spreadsheet has rounded: 2,01304E+15, or sixteen digits and a decimal of nought.
ROUNDED_NUMBER = r"\d([.,]\d+)?[eE]\+\d{1,3}|\d{16,}\.0+"
