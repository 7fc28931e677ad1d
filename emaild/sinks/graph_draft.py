"""A large mail out over Graph: a draft, its files one by one, and then `send` (Graph, attach large files)."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from urllib.parse import quote

from emaild import fault_points
from emaild.errors import EmaildError, RemoteError, Unreachable
from emaild.fault_points import FaultPoint
from emaild.log import events
from emaild.message import Outbound
from emaild.net.graph import Graph
from emaild.net.graph_answer import Answer
from emaild.net.graph_http import Line
from emaild.sinks import Confirm
from emaild.sinks.graph_files import File
from emaild.sinks.graph_sent import held_in

SESSION_FROM = 3 << 20  # bytes; smaller files Graph takes in one request only
EXPIRED = (401, 403, 404, 410, 416)
FILE = "#microsoft.graph.fileAttachment"


class NotDone(Exception):
    """Graph did not do a step; `answer` is what it said."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class Drafts:
    """The drafts of one mailbox that are ours."""

    def __init__(self, graph: Graph, section: str) -> None:
        self._graph = graph
        self._section = section

    def send(self, mail: Outbound, small: bytes, files: list[File], confirm: Confirm) -> Answer:
        """What `send` was answered. *small* is the mail without the files. Whatever was left of earlier tries goes.

        Raises:
            NotDone: a step before it failed. RemoteError: likewise. LeaseLost, StoreFailed: of *confirm*.
        """
        self._forget(mail)
        made = _done(self._graph.send("POST", "/messages", b64encode(small)), 201)
        name = made.said.get("id")
        if not isinstance(name, str) or not name:
            raise Unreachable(str(self._graph), "make a draft", "the draft has no id")
        path = f"/messages/{quote(name, safe='')}"
        try:
            for file in files:
                self._attach(path, file)
            fault_points.reached(FaultPoint.OFFERED)
            confirm()
        except (NotDone, EmaildError):
            self._drop(path, mail)
            raise
        answer = self._graph.send("POST", f"{path}/send")
        if answer.transient:  # it may be sent all the same, and by its id the copy in Sent Items would be deleted
            self._forget(mail)
        elif not answer.good:
            self._drop(path, mail)
        return answer

    def _forget(self, mail: Outbound) -> None:
        """Delete drafts of this mail: a daemon that was killed while it made one left it there."""
        found = held_in(self._graph, "drafts", mail)
        for one in _done(found, 200).listed if found else ():
            self._drop(f"/messages/{quote(one['id'], safe='')}", mail)

    def _drop(self, path: str, mail: Outbound) -> None:
        try:
            answer = self._graph.send("DELETE", path)
        except RemoteError as error:
            reason = error.reason
        else:
            if answer.good or answer.status == 404:
                return
            reason = answer.reason
        events.outbound_draft_left(section=self._section, outbound=mail.id, reason=reason)

    def _attach(self, path: str, file: File) -> None:
        if file.size >= SESSION_FROM:
            self._upload(path, file)
            return
        content = b64encode(b"".join(file.pieces())).decode("ascii")
        said = {"@odata.type": FILE, **_described(file), "contentBytes": content}
        _done(self._graph.send("POST", f"{path}/attachments", said), 201)

    def _upload(self, path: str, file: File) -> None:
        """Pieces in order, to an address that is permission in itself and so is never told a token."""
        item = {"attachmentType": "file", "size": file.size, **_described(file)}
        said = {"AttachmentItem": item}
        session = _done(self._graph.send("POST", f"{path}/attachments/createUploadSession", said), 201)
        line, target = self._graph.line_to(str(session.said.get("uploadUrl")))
        with contextlib.closing(line):
            self._put(line, target, file)

    def _put(self, line: Line, target: str, file: File) -> None:
        at = 0
        for piece in file.pieces():
            end = at + len(piece)
            fields = {"Content-Range": f"bytes {at}-{end - 1}/{file.size}"}
            answer = self._graph.put(line, target, piece, fields)
            if answer.status in EXPIRED:
                raise Unreachable(str(line), "upload", f"the upload session has ended: {answer.reason}")
            _done(answer, 201 if end == file.size else 200)
            if end < file.size and not _goes_on(answer, end):
                raise Unreachable(str(line), "upload", "the server took another part of the file than was sent")
            at = end


def _described(file: File) -> dict[str, object]:
    said: dict[str, object] = {"name": file.name, "contentType": file.content_type, "isInline": file.inline}
    return said | ({"contentId": file.content_id} if file.content_id else {})


def _goes_on(answer: Answer, at: int) -> bool:
    """Whether the next byte that is wanted is that one, as far as the server says."""
    ranges = answer.said.get("nextExpectedRanges", answer.said.get("NextExpectedRanges"))
    return not isinstance(ranges, list) or not ranges or str(ranges[0]).partition("-")[0] == str(at)


def _done(answer: Answer, status: int) -> Answer:
    """Raises NotDone where it is another status: 200 for 201 has meant that nothing was done."""
    if answer.status != status:
        raise NotDone(answer)
    return answer
