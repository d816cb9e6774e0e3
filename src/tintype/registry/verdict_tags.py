"""Names of the tags by which a version says how its comparison ended."""

VERDICT_TAG = "verdict"  # pass, fail, not compared
REASONS_TAG = "verdict_reasons"  # sentences
RIVAL_TAG = "compared_with"  # number of the champion of that time
