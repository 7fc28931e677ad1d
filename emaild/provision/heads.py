"""The remarks that head the conf files which emaild writes: a file in which nothing else is left may go."""

from __future__ import annotations

import re

DOCUMENT = b"""\
# An e-mail account of a provisioning document (EMAIL2).
#
# When a document changes it, 'emaild provision' sets the nodes below anew, and the options that they become. Options
# and remarks of your own stay as they are.
"""
"""Of an account that `emaild provision` set up."""
ADDED = """\
# {address}, set up by emaild add{origin}.
# What is changed here counts at once; emaild remove {section} takes it all out again.
"""
"""Of a mailbox that `emaild add` set up."""
_OURS = re.compile(
    "|".join(re.sub(r"\\{\w+\\}", ".*", re.escape(line)) for line in (DOCUMENT.decode() + ADDED).splitlines())
)


def is_ours(remark: str) -> bool:
    """Whether a line, without the blanks at its end, is one of these."""
    return _OURS.fullmatch(remark) is not None
