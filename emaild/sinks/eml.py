"""Mails as files: a folder of .eml files that Outlook, Thunderbird and others open as drafts, for a person to send.

`X-Unsent: 1` is what Outlook goes by; Bcc, which no mail on the wire has, names those whom only the envelope knows. The
file's name is the mail's id, so that a mail that is written again after a crash is there once.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from emaild.disk import sync
from emaild.errors import Busy, Rejected, RemoteError
from emaild.message import Delivery, Outbound, Receipt, RecipientState
from emaild.net import steps
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Confirm
from emaild.sinks.envelope import addressed

UNSENT = b"X-Unsent: 1\r\n"
MODE = 0o640  # whoever is to open the files is put into the group of the folder
PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ESTALE}
)


class Eml:
    """A folder."""

    def __init__(self, section: WayOutSection) -> None:
        self._folder = section.eml_directory or Path()

    def send(self, mail: Outbound, confirm: Confirm) -> Delivery:
        """See `Sink.send`: a file that is whole and on the disk, or none."""
        final = self._folder / f"{mail.id}.eml"
        partial = self._folder / f".{mail.id}.partial"
        steps.begin("write")
        try:
            _write(partial, UNSENT + addressed(mail.raw, mail.recipients))
            confirm()
            partial.replace(final)
            sync(self._folder)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            _remove(partial)
        text = f"written to {final}"
        steps.tell(str(final))
        receipts = (Receipt(address=one, state=RecipientState.SENT, code="", text=text) for one in mail.recipients)
        return Delivery(receipts=tuple(receipts), server=str(self._folder))

    def rest(self) -> float | None:
        """Nothing is kept open."""
        return None

    def close(self) -> None:
        """Nothing is kept open."""

    def _failed(self, error: OSError) -> RemoteError:
        kind = Busy if error.errno in PASSING else Rejected
        return kind(str(self._folder), "write", error.strerror or str(error))


def _write(path: Path, content: bytes) -> None:
    """On the disk when it returns. What a daemon left there that is no more is written over."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, MODE)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    """Of a try that failed; what cannot be removed is written over by the next."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
