"""How much one text may ask for; beyond these a code is wrong, and nothing hangs or fills the memory."""

from __future__ import annotations

MOST_NESTED = 100  # levels of parentheses, arguments and saved codes; Python's own stack allows about 300
MOST_STEPS = 200_000  # values worked out in one rendering
LONGEST_STRING = 1_000_000  # characters of a string that a code makes
MOST_CHARACTERS = 10_000_000  # of all strings that one rendering makes
LONGEST_NAME = 64  # Genesys Designer, "Create or edit a field code"
LONGEST_PATTERN = 500
LONGEST_NUMBER = 400  # characters; a float's largest value has 309 digits
LONGEST_DATE = 100
MOST_ERRORS = 100  # that one check reports
