"""What the test Exchange does with each request that it knows: an element in, response messages out."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from email import message_from_bytes, policy
from email.utils import getaddresses
from typing import Any

from lxml.builder import ElementMaker

from tests.servers.ews_mailbox import Folder, Item, Mailbox

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
M, T = f"{{{MESSAGES}}}", f"{{{TYPES}}}"
make_m = ElementMaker(namespace=MESSAGES, nsmap={"m": MESSAGES, "t": TYPES})
make_t = ElementMaker(namespace=TYPES, nsmap={"m": MESSAGES, "t": TYPES})


CHANGE = "CQAA"
_asked = itertools.count()  # so that no two states are the same, even where nothing changed


class Denied(Exception):
    """A response message that says no."""


def refused(operation: str, code: str, text: str) -> Any:
    """The response message that says so."""
    inside = [make_m.MessageText(text or code), make_m.ResponseCode(code), make_m.DescriptiveLinkKey("0")]
    if operation in ("GetItem", "CreateItem", "UpdateItem", "MoveItem"):
        inside.append(make_m.Items())
    return getattr(make_m, f"{operation}ResponseMessage")(*inside, ResponseClass="Error")


class Account:
    """One request's view: the mailboxes, and who asks."""

    def __init__(self, mailboxes: dict[str, Mailbox], user: str, page: int) -> None:
        self._mailboxes = mailboxes
        self._user = user
        self._page = page
        self.outgoing: list[tuple[str, bytes, bool]] = []

    def answer(self, request: Any) -> list[Any]:
        """The response messages. LookupError: there is no such operation."""
        name = request.tag.removeprefix(M)
        operation = _OPERATIONS[name]
        return [self._message(name, part) for part in operation(self, request)]

    def _message(self, name: str, part: Callable[[], list[Any]]) -> Any:
        tag = getattr(make_m, f"{name}ResponseMessage")
        try:
            return tag(make_m.ResponseCode("NoError"), *part(), ResponseClass="Success")
        except Denied as why:
            code, _, text = str(why).partition(" ")
            return refused(name, code, text)

    # Folders

    def folder(self, holder: Any) -> tuple[Mailbox, Folder]:
        """The folder that an element names."""
        for element in holder.iter(f"{T}FolderId", f"{T}DistinguishedFolderId"):
            address = element.findtext(f"{T}Mailbox/{T}EmailAddress") or self._user
            for box in self._mailboxes.values():
                found = box.folder(element.get("Id"))
                if found is not None and (box.owner == address or element.tag == f"{T}FolderId"):
                    self._allowed(box)
                    return box, found
        raise Denied("ErrorFolderNotFound The specified folder could not be found in the store.")

    def _allowed(self, box: Mailbox) -> None:
        if self._user != box.owner and self._user not in box.delegates:
            raise Denied("ErrorAccessDenied Access is denied. Check credentials and try again.")

    def get_folder(self, request: Any) -> list[Callable[[], list[Any]]]:
        return [lambda: [make_m.Folders(_folder(self.folder(request)[1]))]]

    def find_folder(self, request: Any) -> list[Callable[[], list[Any]]]:
        def found() -> list[Any]:
            box, parent = self.folder(request)
            wanted = request.find(f".//{T}Constant").get("Value")
            one = box.below(parent, wanted)
            inside = make_t.Folders(*([_folder(one)] if one else []))
            total = str(int(one is not None))
            return [make_m.RootFolder(inside, TotalItemsInView=total, IncludesLastItemInRange="true")]

        return [found]

    def create_folder(self, request: Any) -> list[Callable[[], list[Any]]]:
        def made() -> list[Any]:
            box, parent = self.folder(request)
            name = request.findtext(f".//{T}DisplayName")
            if box.below(parent, name) is not None:
                raise Denied("ErrorFolderExists A folder with the specified name already exists.")
            return [make_m.Folders(_folder(box.make(name, parent)))]

        return [made]

    # Items

    def sync(self, request: Any) -> list[Callable[[], list[Any]]]:
        def synced() -> list[Any]:
            box, folder = self.folder(request.find(f"{M}SyncFolderId"))
            most = min(int(request.findtext(f"{M}MaxChangesReturned")), self._page)
            at = _position(request.findtext(f"{M}SyncState") or "", box, folder)
            window = folder.changes[at : at + most]
            last = at + most >= len(folder.changes)
            state = _state(box, folder, at + len(window))
            changes = [change for kind, name in window if (change := _change(kind, name, folder)) is not None]
            return [
                make_m.SyncState(state),
                make_m.IncludesLastItemInRange(str(last).lower()),
                make_m.Changes(*changes),
            ]

        return [synced]

    def get_items(self, request: Any) -> list[Callable[[], list[Any]]]:
        mime = request.findtext(f".//{T}IncludeMimeContent") == "true"
        header = request.find(f".//{T}ExtendedFieldURI") is not None
        people = request.find(f".//{T}FieldURI[@FieldURI='message:BccRecipients']") is not None

        def given(name: str) -> list[Any]:
            _, item = self._item(name)
            if item.broken and mime:
                raise Denied(f"{item.broken} the item is broken")
            extra = (
                [make_t.MimeContent(base64.b64encode(item.raw).decode("ascii"), CharacterSet="UTF-8")] if mime else []
            )
            return [make_m.Items(_with_people(item) if people else _item(item, extra, header))]

        return [lambda name=name: given(name) for name in _ids(request)]  # type: ignore[misc]

    def _item(self, name: str) -> tuple[Mailbox, Item]:
        for box in self._mailboxes.values():
            folder = box.where(name)
            if folder is not None:
                self._allowed(box)
                return box, folder.items[name]
        raise Denied("ErrorItemNotFound The specified object was not found in the store.")

    def update(self, request: Any) -> list[Callable[[], list[Any]]]:
        def updated(name: str) -> list[Any]:
            box, item = self._item(name)
            box.mark(name)
            return [make_m.Items(make_t.Message(make_t.ItemId(Id=item.id, ChangeKey=CHANGE)))]

        return [lambda name=name: updated(name) for name in _ids(request)]  # type: ignore[misc]

    def moved(self, request: Any) -> list[Callable[[], list[Any]]]:
        def one(name: str) -> list[Any]:
            box, _ = self._item(name)
            _, to = self.folder(request.find(f"{M}ToFolderId"))
            new = box.move(name, to)
            return [make_m.Items(make_t.Message(make_t.ItemId(Id=new, ChangeKey=CHANGE)))]

        return [lambda name=name: one(name) for name in _ids(request)]  # type: ignore[misc]

    def deleted(self, request: Any) -> list[Callable[[], list[Any]]]:
        def one(name: str) -> list[Any]:
            box, _ = self._item(name)
            box.remove(name)
            return []

        return [lambda name=name: one(name) for name in _ids(request)]  # type: ignore[misc]

    def create(self, request: Any) -> list[Callable[[], list[Any]]]:
        def made() -> list[Any]:
            raw = base64.b64decode(request.findtext(f".//{T}MimeContent"), validate=True)
            if request.get("MessageDisposition") != "SaveOnly":
                raise Denied("ErrorInvalidRequest drafts alone are made here")
            box, folder = self.folder(request.find(f"{M}SavedItemFolderId"))
            (name,) = box.drop(raw, folder=folder, read=True)
            return [make_m.Items(make_t.Message(make_t.ItemId(Id=name, ChangeKey=CHANGE)))]

        return [made]

    def send(self, request: Any) -> list[Callable[[], list[Any]]]:
        """SendItem. Where the server is slow, the mail stays where it is, and is on its way."""
        saved = request.find(f"{M}SavedItemFolderId")

        def sent(element: Any) -> list[Any]:
            if element.get("ChangeKey") != CHANGE:
                raise Denied("ErrorChangeKeyRequired the change key is required")
            if (request.get("SaveItemToFolder") == "true") != (saved is not None):
                raise Denied("ErrorInvalidSendItemSaveSettings a copy needs a folder")
            box, item = self._item(element.get("Id"))
            if item.submitted:
                raise Denied("ErrorInvalidOperation it is on its way")
            self.outgoing.append((self._user, item.raw, saved is not None))
            if box.slow:
                item.submitted = True
            elif saved is not None:
                box.move(item.id, self.folder(saved)[1])
            else:
                box.remove(item.id)
            return []

        return [lambda element=element: sent(element) for element in request.iter(f"{T}ItemId")]  # type: ignore[misc]

    def find(self, request: Any) -> list[Callable[[], list[Any]]]:
        """FindItem: by Message-ID, an answer for each folder."""
        wanted = request.find(f".//{T}Constant").get("Value")

        def found(place: Any) -> list[Any]:
            holder = make_m.ParentFolderIds()
            holder.append(place)
            _, folder = self.folder(holder)
            items = [_item(one, [], header=False) for one in folder.items.values() if message_id(one.raw) == wanted]
            return [
                make_m.RootFolder(
                    make_t.Items(*items), TotalItemsInView=str(len(items)), IncludesLastItemInRange="true"
                )
            ]

        return [lambda place=place: found(place) for place in list(request.find(f"{M}ParentFolderIds"))]  # type: ignore[misc]


_OPERATIONS: dict[str, Callable[[Account, Any], list[Callable[[], list[Any]]]]] = {
    "GetFolder": Account.get_folder,
    "FindFolder": Account.find_folder,
    "CreateFolder": Account.create_folder,
    "SyncFolderItems": Account.sync,
    "GetItem": Account.get_items,
    "UpdateItem": Account.update,
    "MoveItem": Account.moved,
    "DeleteItem": Account.deleted,
    "CreateItem": Account.create,
    "SendItem": Account.send,
    "FindItem": Account.find,
}


def _folder(folder: Folder) -> Any:
    return make_t.Folder(make_t.FolderId(Id=folder.id, ChangeKey="AQAA"))


def _ids(request: Any) -> list[str]:
    return [element.get("Id") for element in request.iter(f"{T}ItemId")]


def _item(item: Item, extra: list[Any], header: bool) -> Any:
    when = item.received.strftime("%Y-%m-%dT%H:%M:%SZ")
    after = []
    if header:
        text = item.raw.partition(b"\r\n\r\n")[0].decode("latin-1")
        tag = make_t.ExtendedFieldURI(PropertyTag="0x7d", PropertyType="String")
        after.append(make_t.ExtendedProperty(tag, make_t.Value(text)))
    return getattr(make_t, item.kind)(
        *extra,
        make_t.ItemId(Id=item.id, ChangeKey=CHANGE),
        make_t.DateTimeReceived(when),
        make_t.Size(str(item.stored)),
        *after,
        *([] if item.kind == "Task" else [make_t.IsRead(str(item.read).lower())]),
    )


def message_id(raw: bytes) -> str:
    """Of a mail, as Exchange keeps it."""
    return str(message_from_bytes(raw)["Message-ID"] or "").strip()


def _with_people(item: Item) -> Any:
    parsed = message_from_bytes(item.raw, policy=policy.default)
    lists = []
    for field in ("To", "Cc", "Bcc"):
        boxes = []
        for _, address in getaddresses([str(one) for one in parsed.get_all(field, [])]):
            kind, told = ("EX", "/O=FIRST/CN=SOMEBODY") if address.endswith(".internal") else ("SMTP", address)
            boxes.append(make_t.Mailbox(make_t.EmailAddress(told), make_t.RoutingType(kind)))
        if boxes:
            lists.append(getattr(make_t, f"{field}Recipients")(*boxes))
    submitted = make_t.IsSubmitted(str(item.submitted).lower())
    return make_t.Message(make_t.ItemId(Id=item.id, ChangeKey=CHANGE), submitted, *lists)


def _change(kind: str, name: str, folder: Folder) -> Any:
    element = getattr(make_t, kind)
    if kind == "Delete":
        return element(make_t.ItemId(Id=name))
    if name not in folder.items:
        return None
    if kind == "ReadFlagChange":
        return element(make_t.ItemId(Id=name), make_t.IsRead(str(folder.items[name].read).lower()))
    return element(_item(folder.items[name], [], header=False))


def _state(box: Mailbox, folder: Folder, at: int) -> str:
    return base64.b64encode(f"{box.epoch}|{folder.id}|{at}|{next(_asked)}".encode()).decode("ascii")


def _position(state: str, box: Mailbox, folder: Folder) -> int:
    if not state:
        return 0
    try:
        epoch, name, at, _ = base64.b64decode(state, validate=True).decode().split("|")
    except ValueError:
        epoch, name, at = "", "", ""
    if (epoch, name) != (str(box.epoch), folder.id):
        raise Denied("ErrorInvalidSyncStateData Synchronization state data is corrupt or otherwise invalid.")
    return int(at)
