"""Why a service does not do what it is asked for."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import ClassVar

from emaild.errors import OperatorError

LONGEST = 2_000  # characters of what is said; a program may have given us megabytes


class FaultKind(StrEnum):
    """What is in the way."""

    UNKNOWN_METHOD = "unknown-method"
    WRONG_PARAMETER = "wrong-parameter"
    INTERACTION_GONE = "interaction-gone"
    PARENT_GONE = "parent-gone"
    RESPONSE_WRONG = "response-wrong"
    TRANSCRIPT_UNREADABLE = "transcript-unreadable"
    NOBODY_TO_ANSWER = "nobody-to-answer"
    NO_RECIPIENT = "no-recipient"
    NO_SENDER = "no-sender"
    NO_WAY_OUT = "no-way-out"
    WRONG_ADDRESS = "wrong-address"
    TOO_BIG = "too-big"
    FORBIDDEN_HEADER = "forbidden-header"
    AUTOMATIC_MAIL = "automatic-mail"
    AUTO_REPLY_WAR = "auto-reply-war"
    NOT_FROM_EXT_RESOURCE = "not-from-ext-resource"
    ALREADY_SENT = "already-sent"
    WRONG_INTERACTION = "wrong-interaction"


class ServiceFault(OperatorError):
    """A service that was not done: nothing is changed. Its text is one line; `parameter` is what it is about, if any.

    The same call would be refused again; another parameter, or a person, helps.
    """

    exit_code: ClassVar[int] = os.EX_DATAERR

    def __init__(self, kind: FaultKind, text: str, parameter: str = "") -> None:
        super().__init__(" ".join(text[:LONGEST].split()))
        self.kind = kind
        self.parameter = parameter
