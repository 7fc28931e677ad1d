"""Everything that emaild raises, in one tree.

    EmaildError
    ├── OperatorError           something a person must change; one line and an exit code, never a traceback
    │   ├── UsageError          the command line                            (64, EX_USAGE)
    │   ├── ConfigError         wrong lines in conf files                   (78, EX_CONFIG)
    │   ├── InputError          a file given to a command                   (66, EX_NOINPUT)
    │   ├── NotFound            an id that the store does not hold          (65, EX_DATAERR)
    │   ├── Conflict            what is to be changed is not as expected    (65, EX_DATAERR)
    │   │   └── WrongState      what is wanted of a mail does not fit it    (69, EX_UNAVAILABLE)
    │   ├── SignInFailed        nobody, or somebody else, signed in         (77, EX_NOPERM)
    │   ├── AlreadyRunning      a second daemon on one state directory      (75, EX_TEMPFAIL)
    │   ├── StateUnusable       the state directory or the store            (73, EX_CANTCREAT)
    │   └── StoreTooNew         the store was written by a newer emaild     (76, EX_PROTOCOL)
    ├── StoreFailed             the store could not be used just now: a full disk, another writer; tried again
    ├── LeaseLost               a mail on its way out is not ours any more: it must not be handed over
    └── RemoteError             a server, or the way to it; says whether to retry
        ├── Unreachable         no connection, or it broke                  temporary
        ├── Busy                the server asks for patience                temporary
        └── Rejected            the server said no: a person must act       not temporary

A class stands here only where callers act differently.
"""

from __future__ import annotations

import os
from typing import ClassVar


class EmaildError(Exception):
    """The root: whatever emaild raises by intent."""


class OperatorError(EmaildError):
    """Something a person must change. Its text is one line that says what to do."""

    exit_code: ClassVar[int] = os.EX_SOFTWARE


class UsageError(OperatorError):
    """The command line cannot be understood."""

    exit_code = os.EX_USAGE


class ConfigError(OperatorError):
    """The conf files hold mistakes; `lines` has one for each, ready to print."""

    exit_code = os.EX_CONFIG

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class InputError(OperatorError):
    """A file or text that was given to a command cannot be used."""

    exit_code = os.EX_NOINPUT


class NotFound(OperatorError):
    """The store holds nothing under that id."""

    exit_code = os.EX_DATAERR


class Conflict(OperatorError):
    """What is to be changed is not, or is no longer, as it must be for that."""

    exit_code = os.EX_DATAERR


class WrongState(Conflict):
    """The mail is there, and its state does not allow what is wanted of it."""

    exit_code = os.EX_UNAVAILABLE


class SignInFailed(OperatorError):
    """A person was to sign in in a browser and did not, or another one did."""

    exit_code = os.EX_NOPERM


class AlreadyRunning(OperatorError):
    """Another daemon works on this state directory."""

    exit_code = os.EX_TEMPFAIL


class StateUnusable(OperatorError):
    """The state directory or the store in it cannot be used."""

    exit_code = os.EX_CANTCREAT


class StoreTooNew(OperatorError):
    """The store was written by a newer emaild than this one."""

    exit_code = os.EX_PROTOCOL


class StoreFailed(EmaildError):
    """The store could not be read or written for a reason that passes; nothing was changed."""


class LeaseLost(EmaildError):
    """Somebody else sends this mail now, or a person took it back: whoever still holds it must not hand it over."""


class RemoteError(EmaildError):
    """A server failed us while we did `action` at `where`; `reason` is the server's or the system's word.

    `retry_after` is for how many seconds, at least, it asks to be left alone.
    """

    temporary: ClassVar[bool] = True

    def __init__(self, where: str, action: str, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(f"{where}: {action}: {reason}")
        self.retry_after = retry_after
        self.where = where
        self.action = action
        self.reason = reason


class Unreachable(RemoteError):
    """The connection could not be made, timed out, or broke."""


class Busy(RemoteError):
    """The server is there and asks us to come back later: in use, overloaded, throttling."""


class Rejected(RemoteError):
    """The server refused: a wrong password, a missing folder, an untrusted certificate."""

    temporary = False
