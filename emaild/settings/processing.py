"""`[email-processing]`: what is done with mails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from emaild.settings import parse
from emaild.settings.option import SectionKind, option


class Attachments(StrEnum):
    """Whether an inbound mail is stored with its attachments."""

    LEAVE = "LEAVE"
    REMOVE = "REMOVE"


class Css(StrEnum):
    """What style the HTML of a chat transcript gets."""

    OWN = "own"  # the response's
    STYLE = "style"  # the response's; a response without one gets the default stylesheet
    INLINE = "inline"  # as with STYLE, and on each element too, for mail programs that drop style elements


def _no_stage(name: str, instead: str) -> Any:
    """A number of Genesys's that tunes a stage which emaild does not have."""
    return option(parse.text, default="", name=name, idle=instead, help="Tunes a stage of Genesys's server.")


AT_ONCE = "emaild stores each mail as it comes, with no queue between stages to tune"
SENT_AT_ONCE = "emaild sends each mail when it is due; [smtp-client] cnx-pool-size bounds how many at once"
NO_INTERACTION_SERVER = "there is no Interaction Server here"
NO_UCS = "there is no contact server (UCS) here"


@dataclass(frozen=True, kw_only=True)
class ProcessingSection:
    """What is done with mails."""

    kind: ClassVar[SectionKind] = SectionKind(name="email-processing", help="What is done with mails.")

    default_inbound_queue: str = option(
        parse.text,
        default="inbound",
        ours=True,
        help="The queue of an interaction whose mailbox names no endpoint.",
    )
    default_domain: str = option(
        parse.text,
        default="",
        help="The domain of the Message-IDs that emaild makes, and of unknown@, which stands for a sender that cannot"
        " be read. Empty: the domain of the mail's sender.",
    )
    enable_inbound_processor: bool = option(
        parse.flag, default="true", ours=True, help="Whether mailboxes are read; false rests all of them."
    )
    enable_outbound_submitter: bool = option(
        parse.flag, default="true", ours=True, help="Whether mail is sent; false keeps it waiting in the outbox."
    )
    enable_inbound_submitter: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Whether interactions are given to rules and programs; false keeps them until it is true again.",
    )
    attachment_mngt: Attachments = option(
        parse.one_of(Attachments),
        default="LEAVE",
        help="Whether an inbound mail is stored with its attachments (LEAVE) or without (REMOVE).",
    )
    cc_userdata_limit: int = option(
        parse.number(0, 20_000),
        default="0",
        ours=True,
        help="How many characters of Cc the attached data hold, cut at the end of an address; 0: all, up to 20000.",
    )
    enable_extract_uuencoded_file: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether uuencoded files in the text become attachments.",
    )
    ndr_senders_list: tuple[str, ...] = option(
        parse.words,
        default="mailer-daemon,postmaster,mmdf",
        help="What From holds in mails that may be non-delivery reports without saying so.",
    )
    ndr_guide_strict: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="A mail that encloses one of ours and is no report by any standard: true takes it for a non-delivery"
        " report, as the guide says; false only where it has a null sender, says that it is automatic, or comes from a"
        " sender of ndr-senders-list, so that a customer may forward our mail.",
    )
    thread_window: int = option(
        parse.number(0, 36500),
        default="0",
        ours=True,
        help="For how many days after its last mail a thread takes another; one that comes later begins a new"
        " thread. 0: without end.",
    )
    attachment_file_names_separator: str = option(
        parse.quoted,
        default=";",
        ours=True,
        help="What stands between the names in _AttachmentFileNames.",
    )
    subject_threading_substrings: tuple[str, ...] = option(
        parse.patterns,
        default="",
        ours=True,
        help="Texts in subjects, such as Case #*, by which mails find their thread; a * stands for text without spaces,"
        " ? for one character. Mails from and to one address whose subjects hold the same such text belong together.",
    )
    enable_message_id_check: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Whether a mail is dropped whose Message-ID and content are already in the store.",
    )
    enable_same_mail_from_mailboxes: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether a mail that lies in two mailboxes becomes an interaction of each.",
    )
    enable_mail_loops: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether mail from our own addresses is accepted; false: its interaction is stored and stopped.",
    )
    enable_autowar_detect: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Whether automatic replies that answer each other are stopped.",
    )
    autowar_detect_period: float = option(
        parse.within("1s", "30d"),
        default="00:10:00",
        help="The time in which automatic mails to one address in one thread are counted.",
    )
    autowar_max_reply_count: int = option(
        parse.number(1, 1000),
        default="5",
        ours=True,
        help="The count at which they are stopped.",
    )
    autowar_scan_all_threads_of_contact: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Whether they are counted over all threads of the address.",
    )
    autobot_agent_login_name: str = option(
        parse.text,
        default="",
        help="The agent who fills Agent.* in automatic mails: the NAME of an [agent-NAME].",
    )
    default_from_address: str = option(parse.text, default="", ours=True, help="The sender of mails that name none.")
    interactive_way_out: str = option(
        parse.text,
        default="",
        ours=True,
        help="The [smtp-client...] section by which mail goes that a person waits for, where no section claims it."
        " Empty: emaild send asks on a terminal where there are several.",
    )
    batch_way_out: str = option(
        parse.text,
        default="",
        ours=True,
        help="The [smtp-client...] section by which all other mail goes that no section claims.",
    )
    ext_resource_incoming_address: str = option(
        parse.text,
        default="",
        ours=True,
        help="The address that external resources answer to.",
    )
    enable_stop_initial_emailin_after_extreply: bool = option(
        parse.flag,
        default="false",
        ours=True,
        help="Whether the customer's mail is STOPPED when an external resource's reply to it goes out.",
    )
    fieldcode_format_locale: str = option(
        parse.text,
        default="",
        help="The locale, such as en_US, of dates and numbers in field codes. Empty: the system's.",
    )
    outbound_msg_charset: str = option(
        parse.charset, default="UTF-8", ours=True, help="The charset of mails that emaild makes."
    )
    quote_prefix: str = option(parse.quoted, default='"> "', ours=True, help="What stands before each quoted line.")
    quote_separator: str = option(
        parse.quoted,
        default="-----Original Message-----",
        ours=True,
        help="The line above a quoted mail.",
    )
    quote_from: str = option(parse.quoted, default="From:", ours=True, help="The label of its sender.")
    quote_sent: str = option(parse.quoted, default="Sent:", ours=True, help="The label of its date.")
    quote_to: str = option(parse.quoted, default="To:", ours=True, help="The label of its recipients.")
    quote_cc: str = option(parse.quoted, default="Cc:", ours=True, help="The label of its further recipients.")
    quote_subject: str = option(parse.quoted, default="Subject:", ours=True, help="The label of its subject.")
    subject_reply_prefix: str = option(
        parse.quoted, default='"RE: "', ours=True, help="What stands before a reply's subject."
    )
    subject_forward_prefix: str = option(
        parse.quoted,
        default='"FW: "',
        ours=True,
        help="What stands before a forwarded mail's subject.",
    )
    bcc_address: tuple[str, ...] = option(
        parse.words,
        default="",
        ours=True,
        help="Where a copy of every outbound mail goes, unseen by its recipients.",
    )
    transcript_css: Css = option(
        parse.one_of(Css),
        default="inline",
        ours=True,
        help="Where the style of a chat transcript stands in HTML mail. style: in the head's style element. inline:"
        " there, and on each element, since many mail programs drop the head. own: the standard response has its own.",
    )
    transcript_dark_theme: bool = option(
        parse.flag, default="false", ours=True, help="Whether a chat transcript has a dark theme."
    )
    contact_identification: str = option(
        parse.text, default="", idle=NO_UCS, help="How Genesys's server finds the contact of a mail."
    )
    check_email_address: str = option(
        parse.text, default="", idle=NO_UCS, help="How Genesys's server compares a contact's addresses."
    )
    enable_firstname_lastname_auto_filling: str = option(
        parse.text, default="", idle=NO_UCS, help="Whether Genesys's server fills a contact's names from From."
    )
    inbound_msg_thread_pool_size: str = _no_stage(
        "inbound-msg-thread-pool-size", "[emaild] inbound-workers says how many mailboxes are read at once"
    )
    inbound_processor_high_watermark: str = _no_stage("inbound-processor-high-watermark", AT_ONCE)
    inbound_processor_low_watermark: str = _no_stage("inbound-processor-low-watermark", AT_ONCE)
    inbound_processor_period: str = _no_stage("inbound-processor-period", AT_ONCE)
    inbound_processor_thread_pool_size: str = _no_stage("inbound-processor-thread-pool-size", AT_ONCE)
    inbound_submitter_high_watermark: str = _no_stage("inbound-submitter-high-watermark", AT_ONCE)
    inbound_submitter_low_watermark: str = _no_stage("inbound-submitter-low-watermark", AT_ONCE)
    inbound_submitter_period: str = _no_stage("inbound-submitter-period", AT_ONCE)
    outbound_submitter_high_watermark: str = _no_stage("outbound-submitter-high-watermark", SENT_AT_ONCE)
    outbound_submitter_low_watermark: str = _no_stage("outbound-submitter-low-watermark", SENT_AT_ONCE)
    outbound_submitter_period: str = _no_stage("outbound-submitter-period", SENT_AT_ONCE)
    ixn_server_cnx_max_idle_time: str = _no_stage("ixn-server-cnx-max-idle-time", NO_INTERACTION_SERVER)
    outbound_status_update_retry_count: str = _no_stage("outbound-status-update-retry-count", NO_UCS)
    socket_timeout: str = _no_stage("socket-timeout", "each section has its own protocol-timeout")

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if not re.fullmatch(r"[\w.-]*", self.default_domain):
            found = parse.repeated(self.default_domain)
            yield "default-domain", f"expected a domain such as example.com, found {found}"
        if not re.fullmatch(r"(?:[A-Za-z]{2,3}(?:[_-]\w{2,8}){0,3})?", self.fieldcode_format_locale):
            found = parse.repeated(self.fieldcode_format_locale)
            yield "fieldcode-format-locale", f"expected a locale such as en_US, found {found}"
        addresses = {
            "default-from-address": [self.default_from_address] if self.default_from_address else [],
            "ext-resource-incoming-address": [self.ext_resource_incoming_address]
            if self.ext_resource_incoming_address
            else [],
            "bcc-address": self.bcc_address,
        }
        for name, given in addresses.items():
            for address in given:
                if not parse.is_address(address):
                    yield name, f"expected an address such as desk@example.com, found {parse.repeated(address)}"
