"""Mail out over EWS: the mail's bytes become a draft, which is sent (EWS reference, CreateItem and SendItem).

Exchange takes a mail for all of its recipients or for none, and reads from the header who they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import Unreachable
from emaild.fault_points import FaultPoint
from emaild.message import Delivery, Outbound, Receipt, RecipientState
from emaild.net.ews import asking
from emaild.net.ews.answers import DONE, GONE, Refused
from emaild.net.ews.exchange import Exchange
from emaild.net.ews.folders import DRAFTS, own
from emaild.net.ews.place import Place
from emaild.net.oauth.tokens import Tokens
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Confirm
from emaild.sinks.envelope import addressed
from emaild.sinks.ews_drafts import SENDING, Drafts, forget

LARGE = 1 << 20  # octets
OF_THE_MAIL = frozenset(
    {
        "ErrorSendAsDenied",
        "ErrorMessageSizeExceeded",
        "ErrorInvalidRecipients",
        "ErrorMissingRecipients",
        "ErrorInvalidRecipientSubfilter",
        "ErrorInvalidSender",
        "ErrorMimeContentInvalid",
        "ErrorMimeContentInvalidBase64String",
        "ErrorMimeContentConversionFailed",
        "ErrorCorruptData",
        "ErrorItemSavePropertyError",
        "ErrorInvalidPropertyRequest",
        "ErrorInvalidPropertySet",
        "ErrorRequiredPropertyMissing",
        "ErrorRightsManagementPermanentException",
        "ErrorPropertyValidationFailure",
        "ErrorContentConversionFailed",
    }
)
"""Codes that will be the same at the next try of this mail."""
OF_ITS_MAILBOX = frozenset(
    {
        "ErrorQuotaExceeded",
        "ErrorSubmissionQuotaExceeded",
        "ErrorMessageSubmissionBlocked",
        "ErrorItemSave",
    }
)
"""Codes that pass when a person makes room, or with time, while other mails may leave."""
OF_THE_DRAFT = frozenset({"ErrorIrresolvableConflict", "ErrorStaleObject", *GONE})
"""Codes that say that somebody else had a hand in it: the next try looks at what there is."""


class Ews:
    """One connection to an Exchange server that sends for us. With *tokens* it signs in with them."""

    def __init__(self, section: WayOutSection, place: Place, clock: Clock, tokens: Tokens | None = None) -> None:
        self._section = section
        self._clock = clock
        self._used = 0.0  # when the connection last did something, on the monotonic clock
        impersonates = section.impersonates_with(section.grant_type, uses_tokens=section.uses_tokens)
        self._exchange = Exchange(
            place,
            tokens or (section.user, section.password or Secret("")),
            mailbox=section.user if impersonates else "",
            impersonates=impersonates,
            version=section.exchange_version,
        )
        self._drafts = Drafts(self._exchange, clock, keeps_copy=section.save_sent_copy)

    def send(self, mail: Outbound, confirm: Confirm) -> Delivery:
        """Make a draft and send it. Where an answer is lost, the next try looks at what became of that."""
        receipts = self._receipts(mail, confirm)
        return Delivery(receipts=tuple(receipts), server=self._exchange.where, tls=self._exchange.tls)

    def _receipts(self, mail: Outbound, confirm: Confirm) -> Sequence[Receipt]:
        self.rest()
        raw = addressed(mail.raw, mail.recipients)
        if len(raw) > LARGE and not self._exchange.connected:
            # Signing in and agreeing on a version take several requests, each of which would carry the mail.
            self._exchange.first(asking.get_folder(own(self._exchange, DRAFTS)), "connect")
        try:
            return self._sent(mail, raw, confirm)
        except Refused as wrong:
            return self._refused(mail, wrong)
        except Unreachable as error:
            if error.action != SENDING:
                raise
            return _all(mail, RecipientState.WAITING, "", error.reason)
        finally:
            self._used = self._clock.monotonic()

    def _sent(self, mail: Outbound, raw: bytes, confirm: Confirm) -> Sequence[Receipt]:
        draft = self._drafts.earlier(mail)
        if draft is not None and draft.sent:
            forget(mail)
            return _all(mail, RecipientState.SENT, DONE, "an earlier try was accepted by Exchange")
        if draft is None:
            fault_points.reached(FaultPoint.OFFERED)
            draft = self._drafts.make(mail, raw)
        confirm()  # where it raises the draft stays, for whoever sends the mail next to find
        self._drafts.send(mail, draft)
        fault_points.reached(FaultPoint.ACCEPTED)
        return _all(mail, RecipientState.SENT, DONE, "")

    def _refused(self, mail: Outbound, wrong: Refused) -> Sequence[Receipt]:
        if wrong.code in OF_THE_MAIL:
            return _all(mail, RecipientState.FAILED, wrong.code, wrong.text)
        if wrong.code in OF_ITS_MAILBOX | OF_THE_DRAFT:
            return _all(mail, RecipientState.WAITING, wrong.code, wrong.text)
        raise self._exchange.meaning(wrong, SENDING)

    def rest(self) -> float | None:
        """Close what was idle for cnx-max-idle-time."""
        if not self._exchange.connected:
            return None
        left = self._used + self._section.cnx_max_idle_time - self._clock.monotonic()
        if left <= 0:
            self.close()
            return None
        return left

    def close(self) -> None:
        """Drop the connection."""
        self._exchange.close()


def _all(mail: Outbound, state: RecipientState, code: str, text: str) -> list[Receipt]:
    return [Receipt(address=address, state=state, code=code, text=text) for address in mail.recipients]
