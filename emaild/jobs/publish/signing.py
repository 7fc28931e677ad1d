"""What is posted, and the proof that it is ours (Standard Webhooks 1.0.0, www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from emaild.documents.interaction import stored_json
from emaild.documents.times import iso
from emaild.message import Interaction


def body_of(entry: Interaction, *, full: bool) -> bytes:
    """The event in UTF-8; with *full* the interaction must have its texts. It is the same at every try."""
    event = {
        "type": "interaction.created",
        "timestamp": iso(entry.received),
        "data": stored_json(entry, full=full),
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def signed(name: str, body: bytes, now: datetime, keys: Sequence[bytes]) -> Mapping[str, str]:
    """The header's fields for the event with that id: one signature for each key."""
    timestamp = str(int(now.timestamp()))
    said = f"{name}.{timestamp}.".encode() + body
    proofs = [base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode("ascii") for key in keys]
    return {
        "webhook-id": name,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{proof}" for proof in proofs),
    }
