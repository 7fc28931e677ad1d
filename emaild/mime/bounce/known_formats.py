"""The formats that flufl.bounce knows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from email import policy
from email.message import Message
from email.parser import BytesParser

from flufl.bounce import all_failures

from emaild.mime.parts import Part

# It would log each of its own faults, with a traceback and what the mail says.
logging.getLogger("flufl.bounce").disabled = True

LONGEST = 20_000  # bytes of a part: each of its patterns looks at every line
MOST_PARTS = 10


def known(mail: Part, leaves: Sequence[Part]) -> tuple[list[str], list[str]]:
    """The addresses that failed for now, and those that failed for good."""
    try:
        temporary, permanent = all_failures(_message(mail, leaves[:MOST_PARTS]))
    except Exception:  # noqa: BLE001  (it fails in many ways on what is out of shape)
        return [], []
    return _texts(temporary), _texts(permanent)


def _message(mail: Part, leaves: Sequence[Part]) -> Message:
    """The mail as the library reads it, without the depth that a hostile one may have."""
    message = Message()
    for name, value in mail.header.raw_items():
        message[name] = value
    if len(leaves) == 1 and leaves[0] is mail:
        message.set_payload(mail.body[:LONGEST].decode("utf-8", "replace"))
        return message
    message.set_payload([_leaf(part) for part in leaves])
    return message


def _leaf(part: Part) -> Message:
    fields = "".join(f"{name}: {value}\n" for name, value in part.header.raw_items())
    raw = fields.encode("utf-8", "replace") + b"\n" + part.body[:LONGEST]
    return BytesParser(policy=policy.compat32).parsebytes(raw, headersonly=not part.kind.startswith("message/delivery"))


def _texts(addresses: Iterable[bytes]) -> list[str]:
    return sorted(address.decode("utf-8", "replace").strip() for address in addresses if b"@" in address)
