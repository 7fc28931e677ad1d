"""Options that `emaild add` takes on its command line for a section, beside those that have a flag of their own."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import options, same_name
from emaild.settings.way_out import WayOutSection

PASSWORD = "--password-file or --password-stdin"  # noqa: S105
ELSEWHERE = ("file:", "env:", "credential:")
BOTH = {
    "password": PASSWORD,
    "ca-file": "--ca-file",
    "client-id": "--client-id",
    "secret": "--client-secret-file",
    "tenant-authority": "--authority",
    "directory-id": "--tenant",
}
OF_BOX = BOTH | {
    "type": "--type",
    "server": "--server",
    "port": "--port",
    "pop-connection-security": "--security",
    "enable-ssl": "--security",
    "mailbox": "--user",
    "address": "ADDRESS",
}
OF_WAY = BOTH | {
    "server-type": "--type",
    "server": "--smtp-server",
    "port": "--smtp-port",
    "smtp-connection-security": "--smtp-security",
    "enable-authentication": "--smtp-no-sign-in",
    "user": "--smtp-user",
}


def box_option(text: str) -> tuple[str, str]:
    """NAME=VALUE as the name and the value of a mailbox's option; for `type` of an argument.

    Raises:
        ArgumentTypeError: it is none, has its own flag, or is a secret for everybody to see. No value is repeated.
    """
    return _option(text, OF_BOX, MailboxSection)


def way_option(text: str) -> tuple[str, str]:
    """The same for a way out's."""
    return _option(text, OF_WAY, WayOutSection)


def _option(text: str, flags: Mapping[str, str], kind: type) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or re.fullmatch(r"[A-Za-z][\w.-]*", name, re.ASCII) is None:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, found {name[:40]!r}")
    flag = next((flag for option, flag in flags.items() if same_name(option) == same_name(name)), None)
    if flag is not None:
        raise argparse.ArgumentTypeError(f"{name}: {flag} says it")
    if _is_secret(name, kind) and value and not value.startswith(ELSEWHERE):
        raise argparse.ArgumentTypeError(
            f"{name}: everybody sees a secret that stands here; expected file:PATH, env:NAME or credential:NAME"
        )
    return name, value


def _is_secret(name: str, kind: type) -> bool:
    """By its declaration; of JavaMail's properties by their names, for those that are not known are kept, too."""
    declared = {same_name(option.name) for option in options(kind) if option.parser.secret}
    return same_name(name) in declared or same_name(name).endswith("password")
