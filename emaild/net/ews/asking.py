"""The requests that emaild makes of Exchange, as elements (EWS reference, by the name of each operation)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml.builder import ElementMaker

from emaild.net.ews.answers import MESSAGES, TYPES

_SPACES = {"m": MESSAGES, "t": TYPES}
_M = ElementMaker(namespace=MESSAGES, nsmap=_SPACES)
_T = ElementMaker(namespace=TYPES, nsmap=_SPACES)

HEADER_TAG = "0x007D"  # PidTagTransportMessageHeaders ([MS-OXOMSG]): the header as it came
MAIL_HERE = "MAIL"  # where a mail goes into a request
MOST_CHANGES = 512  # MaxSyncChangesReturnedType


def folder_by_id(name: str) -> Any:
    """t:FolderId."""
    return _T.FolderId(Id=name)


def folder_by_name(name: str, mailbox: str) -> Any:
    """t:DistinguishedFolderId: a folder that every mailbox has; of *mailbox*, or where that is empty of one's own."""
    owner = [_T.Mailbox(_T.EmailAddress(mailbox))] if mailbox else []
    return _T.DistinguishedFolderId(*owner, Id=name)


def get_folder(folder: Any) -> Any:
    """GetFolder, by ID or name."""
    return _M.GetFolder(_M.FolderShape(_T.BaseShape("IdOnly")), _M.FolderIds(folder))


def find_folder(parent: Any, name: str) -> Any:
    """FindFolder: those right below *parent* that are called so."""
    equal = _T.IsEqualTo(_T.FieldURI(FieldURI="folder:DisplayName"), _T.FieldURIOrConstant(_T.Constant(Value=name)))
    return _M.FindFolder(
        _M.FolderShape(_T.BaseShape("IdOnly")),
        _M.Restriction(equal),
        _M.ParentFolderIds(parent),
        Traversal="Shallow",
    )


def create_folder(parent: Any, name: str) -> Any:
    """CreateFolder for mail below *parent*."""
    folder = _T.Folder(_T.FolderClass("IPF.Note"), _T.DisplayName(name))
    return _M.CreateFolder(_M.ParentFolderId(parent), _M.Folders(folder))


def sync_items(folder: Any, state: str, most: int) -> Any:
    """SyncFolderItems: what changed since *state*, with what decides whether a mail is taken."""
    given = [_M.SyncState(state)] if state else []
    return _M.SyncFolderItems(
        _shape("item:DateTimeReceived", "item:Size", "message:IsRead"),
        _M.SyncFolderId(folder),
        *given,
        _M.MaxChangesReturned(str(most)),
        _M.SyncScope("NormalItems"),
    )


def get_facts(keys: Iterable[str]) -> Any:
    """GetItem: what `sync_items` tells."""
    return _M.GetItem(_shape("item:DateTimeReceived", "item:Size", "message:IsRead"), _ids(keys))


def get_mails(keys: Iterable[str]) -> Any:
    """GetItem: the mails themselves."""
    shape = _M.ItemShape(
        _T.BaseShape("IdOnly"),
        _T.IncludeMimeContent("true"),
        _T.AdditionalProperties(_T.FieldURI(FieldURI="item:DateTimeReceived")),
    )
    return _M.GetItem(shape, _ids(keys))


def get_header(key: str) -> Any:
    """GetItem: the header as it came."""
    tag = _T.ExtendedFieldURI(PropertyTag=HEADER_TAG, PropertyType="String")
    shape = _M.ItemShape(_T.BaseShape("IdOnly"), _T.AdditionalProperties(tag))
    return _M.GetItem(shape, _ids([key]))


def mark_read(keys: Iterable[str], *, suppress_receipts: bool) -> Any:
    """UpdateItem. Without SuppressReadReceipts the senders who asked for a receipt would get one."""
    changes = [
        _T.ItemChange(
            _T.ItemId(Id=key),
            _T.Updates(_T.SetItemField(_T.FieldURI(FieldURI="message:IsRead"), _T.Message(_T.IsRead("true")))),
        )
        for key in keys
    ]
    return _M.UpdateItem(
        _M.ItemChanges(*changes),
        ConflictResolution="AlwaysOverwrite",
        MessageDisposition="SaveOnly",
        SendMeetingInvitationsOrCancellations="SendToNone",
        **_quietly(suppress_receipts),
    )


def move(keys: Iterable[str], folder: Any) -> Any:
    """MoveItem."""
    return _M.MoveItem(_M.ToFolderId(folder), _ids(keys))


def delete(keys: Iterable[str], *, suppress_receipts: bool) -> Any:
    """DeleteItem, to where an administrator can still recover it, as after an IMAP client's EXPUNGE."""
    return _M.DeleteItem(
        _ids(keys),
        DeleteType="SoftDelete",
        SendMeetingCancellations="SendToNone",
        AffectedTaskOccurrences="SpecifiedOccurrenceOnly",
        **_quietly(suppress_receipts),
    )


def draft(folder: Any) -> Any:
    """CreateItem: a mail that stays in *folder* until it is sent."""
    message = _T.Message(_T.MimeContent(MAIL_HERE, CharacterSet="UTF-8"))
    return _M.CreateItem(_M.SavedItemFolderId(folder), _M.Items(message), MessageDisposition="SaveOnly")


def send(key: str, change_key: str, save_in: Any) -> Any:
    """SendItem: a draft leaves. *save_in* is the folder that keeps a copy, None: none does."""
    saved = [] if save_in is None else [_M.SavedItemFolderId(save_in)]
    draft = _T.ItemId(Id=key, ChangeKey=change_key)
    return _M.SendItem(_M.ItemIds(draft), *saved, SaveItemToFolder=str(save_in is not None).lower())


def find_mails(folders: Iterable[Any], message_id: str, most: int) -> Any:
    """FindItem: the mails with a Message-ID in each of *folders*, which get an answer each."""
    wanted = _T.FieldURIOrConstant(_T.Constant(Value=message_id))
    return _M.FindItem(
        _M.ItemShape(_T.BaseShape("IdOnly")),
        _M.IndexedPageItemView(MaxEntriesReturned=str(most), Offset="0", BasePoint="Beginning"),
        _M.Restriction(_T.IsEqualTo(_T.FieldURI(FieldURI="message:InternetMessageId"), wanted)),
        _M.ParentFolderIds(*folders),
        Traversal="Shallow",
    )


def get_people(keys: Iterable[str]) -> Any:
    """GetItem: to whom mails go, and whether they are on their way."""
    fields = ("item:IsSubmitted", "message:ToRecipients", "message:CcRecipients", "message:BccRecipients")
    return _M.GetItem(_shape(*fields), _ids(keys))


def _shape(*fields: str) -> Any:
    properties = (_T.FieldURI(FieldURI=field) for field in fields)
    return _M.ItemShape(_T.BaseShape("IdOnly"), _T.AdditionalProperties(*properties))


def _ids(keys: Iterable[str]) -> Any:
    return _M.ItemIds(*(_T.ItemId(Id=key) for key in keys))


def _quietly(suppress: bool) -> dict[str, str]:
    return {"SuppressReadReceipts": "true"} if suppress else {}
