"""Mails of ours that a mailbox of Graph's holds, found by their Message-ID, which Exchange keeps."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from emaild.message import Outbound
from emaild.net.graph import Graph
from emaild.net.graph_answer import Answer

FIELDS = ("toRecipients", "ccRecipients", "bccRecipients")
SEARCHABLE = re.compile(r"<[!-~]{1,900}>")


def held_in(graph: Graph, folder: str, mail: Outbound, select: str = "id") -> Answer | None:
    """What Graph says of the mails with its Message-ID in a folder; None: it cannot be searched for."""
    if SEARCHABLE.fullmatch(mail.message_id) is None:
        return None
    wanted = quote("internetMessageId eq '{}'".format(mail.message_id.replace("'", "''")), safe="'")
    return graph.get(f"/mailFolders/{folder}/messages?$filter={wanted}&$select={select}")


def was_sent(graph: Graph, mail: Outbound) -> bool | Answer:
    """Whether a mail lies in Sent Items that went to all its recipients; or why just now nobody can tell.

    False also where the application may not look.

    Raises:
        RemoteError: no answer.
    """
    answer = held_in(graph, "sentitems", mail, ",".join(FIELDS))
    if answer is not None and answer.transient:
        return answer
    wanted = {one.lower() for one in mail.recipients}
    return answer is not None and answer.good and any(wanted <= _people(one) for one in answer.listed)


def _people(entry: dict[str, Any]) -> set[str]:
    lists = [entry.get(name) for name in FIELDS]
    people = [one for found in lists if isinstance(found, list) for one in found]
    places = [one.get("emailAddress") for one in people if isinstance(one, dict)]
    return {str(place.get("address")).lower() for place in places if isinstance(place, dict)}
