"""What Microsoft Graph does with folders and messages."""

from __future__ import annotations

import re
import urllib.parse
from typing import TYPE_CHECKING, Any

from tests.servers.graph_answers import Answer, Asked, error
from tests.servers.graph_mailbox import ADDRESSED, Folder, Mailbox, Message
from tests.servers.graph_types import properties, types, wrong, wrong_action

if TYPE_CHECKING:
    from tests.servers.graph import GraphServer

CHANGES = ("created", "updated", "deleted")


def reading(server: GraphServer, box: Mailbox, asked: Asked, steps: list[str]) -> Answer | None:
    """The answer to what is about folders and the messages in them; None: it is about something else."""
    match (asked.method, steps):
        case ("GET" | "POST", ["mailFolders"]):
            return _folders(box, asked, "")
        case ("GET" | "POST", ["mailFolders", name, "childFolders"]):
            parent = box.folder(name)
            return _folders(box, asked, parent.id) if parent else _no_folder()
        case ("GET", ["mailFolders", name, "messages"]):
            folder = box.folder(name)
            return _found(box, asked, folder) if folder else _no_folder()
        case ("GET", ["mailFolders", name, "messages", "delta"]):
            folder = box.folder(name)
            return _delta(server, box, asked, folder) if folder else _no_folder()
        case (_, ["messages", name, *more]):
            one = box.message(name)
            if one is None:
                return error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
            return _message(box, asked, one, more)
    return None


def _no_folder() -> Answer:
    return error(404, "ErrorItemNotFound", "The specified folder was not found in the store.")


def _bad(text: str) -> Answer:
    return error(400, "BadRequest", text)


def _unknown_options(asked: Asked, *known: str) -> Answer | None:
    strange = [name for name in asked.query if name not in known]
    fields = [name for name in asked.query.get("$select", "").split(",") if name]
    if types():
        strange += [
            name for name in fields if name not in properties("message") and name not in properties("mailFolder")
        ]
    return _bad(f"Could not find a property named '{strange[0]}'") if strange else None


def _folders(box: Mailbox, asked: Asked, parent: str) -> Answer:
    if asked.method == "POST":
        bad = "Empty Payload. JSON content expected." if asked.json is None else wrong("graph.mailFolder", asked.json)
        if bad or not asked.json.get("displayName"):
            return _bad(bad or "displayName is missing")
        if any(one.name == asked.json["displayName"] and one.parent == parent for one in box.folders.values()):
            return error(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        made = box.make(asked.json["displayName"], parent)
        return Answer.of(201, {"id": made.id, "displayName": made.name})
    if bad_options := _unknown_options(asked, "$filter", "$select", "$top"):
        return bad_options
    wanted = _filtered(asked, "displayName")
    if wanted is None:
        return _bad("Invalid filter clause")
    found = [one for one in box.folders.values() if one.parent == parent and one.name == wanted]
    return Answer.of(200, {"value": [{"id": one.id, "displayName": one.name} for one in found]})


def _filtered(asked: Asked, name: str) -> str | None:
    found = re.fullmatch(rf"{name} eq '((?:[^']|'')*)'", asked.query.get("$filter", ""))
    return found[1].replace("''", "'") if found else None


def _found(box: Mailbox, asked: Asked, folder: Folder) -> Answer:
    wanted = _filtered(asked, "internetMessageId")
    if bad := _unknown_options(asked, "$filter", "$select", "$top"):
        return bad
    if wanted is None:
        return _bad("Invalid filter clause")
    found = [one for one in box.held(folder.id) if str(one.header["Message-ID"]).strip() == wanted]
    return Answer.of(200, {"value": [shown(asked, one) for one in found]})


def shown(asked: Asked, one: Message) -> dict[str, Any]:
    """A message as JSON, with the id of the kind that is asked for."""
    fields: dict[str, Any] = {
        "isRead": one.read,
        "isDraft": one.draft,
        "subject": str(one.header["Subject"] or ""),
        "receivedDateTime": one.received.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    for name in ADDRESSED:
        people = [{"emailAddress": {"address": address}} for address in one.addresses(name)]
        fields[f"{name.lower()}Recipients"] = people
    selected = [name for name in asked.query.get("$select", "").split(",") if name]
    said = {name: value for name, value in fields.items() if not selected or name in selected}
    return {"@odata.etag": 'W/"x"', **said, "id": one.id if asked.immutable else one.place_id}


# Delta


def _delta(server: GraphServer, box: Mailbox, asked: Asked, folder: Folder) -> Answer:
    """Tokens say what the first request said: `number.until.skip.changeType.select`, and nothing may be added to it."""
    token = asked.query.get("$deltatoken") or asked.query.get("$skiptoken")
    if token is None:
        if bad := _unknown_options(asked, "$select", "$filter", "$orderby", "changeType", "$top"):
            return bad
        kind = asked.query.get("changeType", "")
        if kind not in ("", *CHANGES):
            return _bad("Invalid changeType")
        number, until, skip, select = -1, box.now, 0, asked.query.get("$select", "")
    else:
        if len(asked.query) != 1:
            return _bad("Only the token may be given.")
        first, second, third, kind, select = token.split("~")
        number, until, skip = int(first), int(second), int(third)
        if max(number, until) < box.oldest_state:
            where = {"Location": f"{server.links}{asked.path.removeprefix('/v1.0')}"}
            return error(410, "syncStateNotFound", "The sync state generation is not found; resync.", where)
        if "$deltatoken" in asked.query:
            until = box.now
    return _page(server, box, asked, folder, (number, until, skip, kind, select))


def _page(
    server: GraphServer, box: Mailbox, asked: Asked, folder: Folder, state: tuple[int, int, int, str, str]
) -> Answer:
    number, until, skip, kind, select = state
    entries = [
        _entry(box, asked, one, select) for one in box.since(folder, number) if not kind or one[0] in (kind, "deleted")
    ]
    if number < 0:
        entries = [entry for entry in entries if "@removed" not in entry]
    size = server.page
    for preference in asked.headers.get("prefer", "").split(","):
        if preference.strip().startswith("odata.maxpagesize="):
            size = min(size, int(preference.partition("=")[2]))
    here, more = entries[skip : skip + size], len(entries) > skip + size
    new = f"{number}~{until}~{skip + size}" if more else f"{until}~{until}~0"
    query = urllib.parse.urlencode({"$skiptoken" if more else "$deltatoken": f"{new}~{kind}~{select}"})
    link = f"{server.links}{asked.path.removeprefix('/v1.0')}?{query}"
    return Answer.of(200, {"value": here, "@odata.nextLink" if more else "@odata.deltaLink": link})


def _entry(box: Mailbox, asked: Asked, change: tuple[str, str], select: str) -> dict[str, Any]:
    kind, name = change
    one = box.messages.get(name)
    if kind == "deleted" or one is None:
        return {"@removed": {"reason": "deleted"}, "id": name}
    selecting = Asked(asked.method, asked.path, {"$select": select}, asked.headers, b"")
    return shown(selecting, one)


# One message


def _message(box: Mailbox, asked: Asked, one: Message, more: list[str]) -> Answer | None:
    match (asked.method, more):
        case ("GET", ["$value"]):
            return Answer(200, one.raw, {"Content-Type": "text/plain"}, chunked=True)
        case ("GET", []):
            return _unknown_options(asked, "$select") or Answer.of(200, shown(asked, one))
        case ("PATCH", []):
            bad = "Empty Payload. JSON content expected." if asked.json is None else wrong("graph.message", asked.json)
            if bad or set(asked.json) - {"isRead"}:
                return _bad(bad or "only isRead is done here")
            box.mark(one, asked.json["isRead"])
            return Answer.of(200, shown(asked, one))
        case ("DELETE", []):
            box.remove(one)
            return Answer(204)
        case ("POST", ["move"]):
            bad = "Empty Payload. JSON content expected." if asked.json is None else wrong_action("move", asked.json)
            folder = None if bad else box.folder(str(asked.json.get("destinationId")))
            if folder is None:
                return _bad(bad) if bad else _no_folder()
            box.move(one, folder)
            return Answer.of(201, shown(asked, one))
    return None
