"""The options of a way out that say how much it sends, for how long it tries, and what happens where it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from emaild.settings import parse
from emaild.settings.option import option

DAY = 86400.0
USUAL_LIFETIME = 30 * DAY  # what 0 stands for, as in Dynamics 365
OFFICE_365 = "smtp.office365.com"
OFFICE_365_LIMIT = 30  # mails a minute (Exchange Online limits, sending limits)


@dataclass(frozen=True, kw_only=True)
class SendingOptions:
    """See the help of each."""

    maximum_message_size: int = option(
        parse.size("m"),
        default="0",
        ours=True,
        help="The largest mail that is taken for this way, as it travels; a larger one is refused before it is in the"
        " outbox. A bare number counts MiB. 0: any.",
    )
    maximum_attachment_size: int = option(
        parse.size("m"),
        default="0",
        ours=True,
        help="The largest file that a mail may hold that is taken for this way, decoded. A bare number counts MiB."
        " 0: any.",
    )
    message_limit_given: int | None = option(
        parse.optional(parse.number(0, 1_000_000)),
        default="",
        name="per-minute-limit",
        in_effect="message_limit",
        ours=True,
        help="How many mails a minute are sent this way; what is more waits for up to a minute. Mails that a person"
        " waits for count, but do not wait. 0: no limit. Empty: 30 for smtp.office365.com, else none.",
    )
    message_limit_strict: bool = option(
        parse.flag,
        default="false",
        name="per-minute-limit-strict",
        ours=True,
        help="Whether a mail that the limit held back ten times waits on; else it is sent then in any case.",
    )
    fallback: str = option(
        parse.text,
        default="",
        ours=True,
        help="The [smtp-client-NAME] that gets the mails of this one where it has failed for fallback-after.",
    )
    fallback_after: float = option(
        parse.within("1s", "7d"), default="15m", ours=True, help="How long it must have failed for that."
    )
    retry_first: float = option(
        parse.within("1s", "1d"),
        default="1m",
        help="How long to wait after the first temporary failure of a mail; each further wait is twice as long, and a"
        " server that asks for a longer one gets it.",
    )
    retry_maximum: float = option(
        parse.within("1s", "7d"), default="1h", help="The longest wait between two tries of a mail."
    )
    lifetime_given: float = option(
        parse.within("0s", "365d"),
        default="5d",
        name="message-lifetime",
        in_effect="message_lifetime",
        help="How long a mail is tried before it is given up as expired (RFC 5321 §4.5.4.1 asks for 4 to 5 days)."
        " 0: 30 days.",
    )

    delay_notice_after: float = option(
        parse.within("0s", "30d"),
        default="0s",
        ours=True,
        help="After how long a mail that still waits is told of, once: an InboundReport comes into the queue of answers"
        " to it. Of automatic mails nothing is told. 0: never.",
    )
    failure_notice: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether an InboundNDR comes into the queue of answers to a mail, for recipients who never get it, also"
        " where it was given up after message-lifetime. Of automatic mails nothing is told.",
    )

    @property
    def message_lifetime(self) -> float:
        """Seconds after which a mail is given up."""
        return self.lifetime_given or USUAL_LIFETIME
