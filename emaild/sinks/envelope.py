"""What the header of a mail says of its people: to Exchange it is the envelope, for there is no other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emaild.mime.addresses import people

FIELDS = re.compile(rb"\r\n(?![ \t])")
END = b"\r\n\r\n"


def author(raw: bytes) -> str:
    """The first address of From, empty where there is none."""
    for field in _fields(raw)[0]:
        if _name(field) == b"from":
            return next(iter(_addresses(field)), "")
    return ""


def addressed(raw: bytes, recipients: Sequence[str]) -> bytes:
    """The mail so that To, Cc and Bcc name exactly these: nobody else gets it, and none of them is left out.

    Others are taken out of To and Cc; who stands in neither is put into Bcc, which Exchange shows to nobody. Where
    nothing has to be changed it is the same mail byte for byte.
    """
    wanted = {one.lower() for one in recipients}
    fields, end = _fields(raw)
    kept: list[bytes] = []
    named: set[str] = set()
    for field in fields:
        name = _name(field)
        if name not in (b"to", b"cc", b"bcc"):
            kept.append(field)
        elif name != b"bcc":
            found = _addresses(field)
            ours = [one for one in found if one.lower() in wanted]
            named.update(one.lower() for one in ours)
            if len(ours) == len(found):
                kept.append(field)
            elif ours:
                kept.append(name.capitalize() + b": " + ",\r\n ".join(ours).encode())
    hidden = [one for one in recipients if one.lower() not in named]
    if hidden:
        kept.append(b"Bcc: " + ",\r\n ".join(hidden).encode())
    if kept == fields:
        return raw
    return b"".join([b"\r\n".join(kept), memoryview(raw)[end:]])


def _fields(raw: bytes) -> tuple[list[bytes], int]:
    """The fields of the header, folded as they are, and where it ends."""
    end = raw.find(END)
    end = len(raw) if end < 0 else end
    return FIELDS.split(raw[:end]), end


def _name(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


def _addresses(field: bytes) -> list[str]:
    value = field.partition(b":")[2].decode("utf-8", "replace")
    return [address for _, address in people(re.sub(r"\r\n[ \t]*", " ", value)) if "@" in address]
