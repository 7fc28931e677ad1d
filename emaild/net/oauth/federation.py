"""A password that the organization's own server checks, as AD FS: what msal asks it by WS-Trust, and what it says.

msal looks for the token of an answer with expressions that cost the square of its size where an opening tag is
repeated, so that an answer is looked at before msal is.
"""

from __future__ import annotations

import re

FAULT = re.compile(rb"<(?:\w{1,40}:)?Subcode>\s{0,99}<(?:\w{1,40}:)?Value[^<>]{0,999}>(?:[\w-]{1,60}:)?([\w.-]{1,60})<")
REASON = re.compile(rb"<(?:\w{1,40}:)?Text(?:\s[^<>]{0,999})?>([^<]{1,2000})<")
SEARCHED = (b"RequestSecurityTokenResponse", b"TokenType", b"RequestedSecurityToken")
MOST_TAGS = 20  # a true answer has each of them twice, four times with the collection around it


def fault_of(body: bytes) -> dict[str, str]:
    """What a SOAP 1.2 fault (§5.4) says, in the words of an OAuth error answer; nothing where it is none."""
    code, reason = FAULT.search(body), REASON.search(body)
    if code is None:
        return {}
    return {
        "error": code[1].decode("latin-1"),
        "error_description": reason[1].decode("utf-8", "replace") if reason else "",
    }


def is_searchable(body: bytes) -> bool:
    """Whether msal finds the token in it, or none, in a time that grows with its size."""
    return all(body.count(name) <= MOST_TAGS for name in SEARCHED)
