"""Mail out over EWS: CreateItem with the mail's bytes, sent at once (EWS reference, CreateItem).

Exchange takes a mail for all of its recipients or for none, and reads from the header who they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import RemoteError, Unreachable
from emaild.fault_points import FaultPoint
from emaild.message import Delivery, Outbound, Receipt, RecipientState
from emaild.net.ews import asking
from emaild.net.ews.answers import DONE, Refused, refusal
from emaild.net.ews.exchange import Exchange
from emaild.net.ews.folders import SENT, own
from emaild.net.ews.place import Place
from emaild.net.oauth.tokens import Tokens
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Confirm
from emaild.sinks.envelope import addressed

SENDING = "send"
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

    def send(self, mail: Outbound, confirm: Confirm) -> Delivery:
        """One request. Where the connection broke in it nobody knows whether it was carried out: it is sent again."""
        receipts = self._sent(mail, confirm)
        return Delivery(receipts=tuple(receipts), server=self._exchange.where, tls=self._exchange.tls)

    def _sent(self, mail: Outbound, confirm: Confirm) -> Sequence[Receipt]:
        self.rest()
        raw = addressed(mail.raw, mail.recipients)
        if len(raw) > LARGE and not self._exchange.connected:
            # Signing in and agreeing on a version take several requests, each of which would carry the mail.
            self._exchange.first(asking.get_folder(own(self._exchange, SENT)), "connect")
        save_in = own(self._exchange, SENT) if self._section.save_sent_copy else None
        fault_points.reached(FaultPoint.OFFERED)
        confirm()
        try:
            answer = self._exchange.first(asking.send(save_in), SENDING, mail=raw)
            wrong = refusal(answer)
        except RemoteError as error:
            if isinstance(error.__cause__, Refused):
                wrong = error.__cause__
            elif isinstance(error, Unreachable) and error.action == SENDING:
                return _all(mail, RecipientState.WAITING, "", error.reason)
            else:
                raise
        finally:
            self._used = self._clock.monotonic()
        return self._receipts(mail, wrong)

    def _receipts(self, mail: Outbound, wrong: Refused | None) -> Sequence[Receipt]:
        if wrong is None:
            fault_points.reached(FaultPoint.ACCEPTED)
            return _all(mail, RecipientState.SENT, DONE, "")
        if wrong.code in OF_THE_MAIL:
            return _all(mail, RecipientState.FAILED, wrong.code, wrong.text)
        if wrong.code in OF_ITS_MAILBOX:
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
