"""Everything that emaild can say: one function an event, past tense, with its number.

Numbers below 30100 are Genesys's. An event never carries a secret, and none but protocol.* mail text.
`section` is the conf section it is about, `interaction` and `outbound` are ids in the store, times are seconds, sizes
bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from emaild.log.say import say
from emaild.settings.log import Verbosity

STANDARD, INTERACTION = Verbosity.STANDARD, Verbosity.INTERACTION
TRACE = Verbosity.TRACE


# The daemon


def daemon_started(*, version: str, conf: str, state: str, mailboxes: int, ways_out: int) -> None:
    """The daemon is ready: settings read, store open, work begun."""
    say(
        "info",
        STANDARD,
        30100,
        "daemon.started",
        version=version,
        conf=conf,
        state=state,
        mailboxes=mailboxes,
        ways_out=ways_out,
    )


def daemon_stopping(*, signal: str) -> None:
    """A signal asked the daemon to end; work under way goes on for drain-timeout at most."""
    say("info", STANDARD, 30101, "daemon.stopping", signal=signal)


def daemon_stopped(*, unfinished: int) -> None:
    """The daemon ends. `unfinished` jobs were given up; they are done again after the next start."""
    say("info", STANDARD, 30102, "daemon.stopped", unfinished=unfinished)


def conf_warned(*, message: str) -> None:
    """The conf files hold something that works and should not stay."""
    say("warning", STANDARD, 30103, "conf.warned", message=message)


def daemon_idle(*, message: str) -> None:
    """There is nothing to do: neither a mailbox nor a way out is set."""
    say("warning", STANDARD, 30104, "daemon.idle", message=message)


def job_failed(*, job: str) -> None:
    """A fault in emaild itself, with its traceback. The job is tried again later; please report it."""
    say("error", STANDARD, 30105, "job.failed", job=job, exc_info=True)


def library_warned(*, library: str, message: str) -> None:
    """A library warned of something. What it fills its words with is left out: it may be mail or a secret."""
    say("warning", TRACE, 30106, "library.warned", library=library, message=message)


# Reload


def reload_applied(*, keep: int, start: Iterable[str], stop: Iterable[str]) -> None:
    """New settings are in effect. A section that changed is in both lists."""
    say("info", STANDARD, 30110, "reload.applied", keep=keep, start=sorted(start), stop=sorted(stop))


def reload_refused(*, faults: Iterable[str]) -> None:
    """The conf files hold mistakes; what ran before goes on unchanged."""
    say("error", STANDARD, 30111, "reload.refused", faults=list(faults))


def reload_needs_restart(*, options: Iterable[str]) -> None:
    """These options were changed and count from the next start only."""
    say("warning", STANDARD, 30112, "reload.needs_restart", options=sorted(options))


def watch_failed(*, reason: str) -> None:
    """The system does not tell us of changed files; a SIGHUP still reloads."""
    say("warning", STANDARD, 30113, "watch.failed", reason=reason)


# Mailboxes


def mailbox_connected(*, section: str, server: str, idle: bool) -> None:
    """Signed in over IMAP; `idle`: the server will tell of new mail by itself."""
    say("info", TRACE, 30120, "mailbox.connected", section=section, server=server, idle=idle)


def mailbox_first_contact(*, section: str, account: str, held: int, skipped: int) -> None:
    """A mailbox was read for the first time; `skipped` of the `held` mails are not taken (first-fetch)."""
    say(
        "info",
        STANDARD,
        30121,
        "mailbox.first_contact",
        section=section,
        account=account,
        held=held,
        skipped=skipped,
    )


def mailbox_renumbered(*, section: str, account: str) -> None:
    """The server gave all mails new UIDs (UIDVALIDITY changed); unseen mails are taken, known ones recognised."""
    say("warning", STANDARD, 30122, "mailbox.renumbered", section=section, account=account)


def mailbox_failed(*, section: str, action: str, reason: str, temporary: bool, retry_in: float) -> None:
    """A mailbox could not be read. Said once, and again only when the reason changes."""
    say(
        "warning" if temporary else "error",
        STANDARD,
        30123,
        "mailbox.failed",
        section=section,
        action=action,
        reason=reason,
        retry_in=round(retry_in, 1),
    )


def mailbox_recovered(*, section: str, failures: int) -> None:
    """A mailbox that had failed is read again."""
    say("info", STANDARD, 30124, "mailbox.recovered", section=section, failures=failures)


def interaction_created(
    *, section: str, interaction: str, subtype: str, queue: str, message_id: str | None, size: int
) -> None:
    """A mail is in the store for good."""
    say(
        "info",
        INTERACTION,
        30125,
        "interaction.created",
        section=section,
        interaction=interaction,
        subtype=subtype,
        queue=queue,
        message_id=message_id,
        size=size,
    )


def mail_known(*, section: str, key: str) -> None:
    """A mail that was stored before came back under a new number; it stays one interaction."""
    say("info", TRACE, 30127, "mail.known", section=section, key=key)


def mail_refused(*, section: str, key: str, reason: str) -> None:
    """The server lists a mail and will not give it; it stays there and is asked for again at the next turn."""
    say("warning", STANDARD, 30128, "mail.refused", section=section, key=key, reason=reason)


# Ways out


def outbound_sent(*, section: str, outbound: str, message_id: str, recipients: int, attempt: int) -> None:
    """The server took the mail for that many recipients."""
    say(
        "info",
        INTERACTION,
        30140,
        "outbound.sent",
        section=section,
        outbound=outbound,
        message_id=message_id,
        recipients=recipients,
        attempt=attempt,
    )


def outbound_deferred(
    *, section: str, outbound: str, reply: str, reason: str, cause: str, retry_in: float, attempt: int
) -> None:
    """A temporary failure: the mail is tried again. `cause` is the diagnosis's key, empty where there is none."""
    say(
        "warning",
        INTERACTION,
        30141,
        "outbound.deferred",
        section=section,
        outbound=outbound,
        reply=reply,
        reason=reason,
        cause=cause,
        retry_in=round(retry_in, 1),
        attempt=attempt,
    )


def outbound_failed(
    *, section: str, outbound: str, recipients: Iterable[str], reply: str, reason: str, cause: str, remedy: str
) -> None:
    """The mail is given up for these recipients. `remedy` says what to do about it, empty where nothing is known."""
    say(
        "error",
        STANDARD,
        30142,
        "outbound.failed",
        section=section,
        outbound=outbound,
        recipients=list(recipients),
        reply=reply,
        reason=reason,
        cause=cause,
        remedy=remedy,
    )


def outbound_expired(*, section: str, outbound: str, recipients: Iterable[str], reason: str, cause: str) -> None:
    """The mail was tried for message-lifetime and is given up for these recipients."""
    say(
        "error",
        STANDARD,
        30143,
        "outbound.expired",
        section=section,
        outbound=outbound,
        recipients=list(recipients),
        reason=reason,
        cause=cause,
    )


def outbound_resumed(*, count: int) -> None:
    """Mails that were under way when the daemon ended without warning are sent again, under their Message-IDs."""
    say("warning", STANDARD, 30144, "outbound.resumed", count=count)


def outbound_held_back(*, section: str, mails: int, limit: int, wait: float) -> None:
    """So many mails a minute go this way, and these are more: they wait. It is said for what is newly held back."""
    say(
        "info",
        STANDARD,
        30420,
        "outbound.held_back",
        section=section,
        mails=mails,
        limit=limit,
        wait=round(wait, 1),
    )


def outbound_moved(*, section: str, to: str, outbound: Iterable[str]) -> None:
    """A way out failed for fallback-after: these mails of it go by its fallback."""
    say("warning", STANDARD, 30421, "outbound.moved", section=section, to=to, outbound=list(outbound))


def outbound_lease_lost(*, section: str, outbound: str) -> None:
    """Somebody else sends the mail by now, or it was taken back: this try was broken off, and nobody got it by it."""
    say("warning", STANDARD, 30422, "outbound.lease_lost", section=section, outbound=outbound)


def way_out_failed(
    *, section: str, action: str, reason: str, temporary: bool, retry_in: float, cause: str, remedy: str
) -> None:
    """A way out does not work; its mails wait. Said once, and again only when the reason changes."""
    say(
        "warning" if temporary else "error",
        STANDARD,
        30145,
        "way_out.failed",
        section=section,
        action=action,
        reason=reason,
        cause=cause,
        remedy=remedy,
        retry_in=round(retry_in, 1),
    )


def way_out_recovered(*, section: str, failures: int) -> None:
    """A way out that had failed works again."""
    say("info", STANDARD, 30146, "way_out.recovered", section=section, failures=failures)


# The store


def store_failed(*, action: str, reason: str) -> None:
    """The store cannot be written (a full disk, say); mails stay where they are. Said once a job, until it works."""
    say("error", STANDARD, 30160, "store.failed", action=action, reason=reason)


def store_pruned(*, interactions: int, history: int) -> None:
    """What is older than [store] says was removed."""
    say("info", TRACE, 30161, "store.pruned", interactions=interactions, history=history)


def store_migrated(*, old: int, new: int) -> None:
    """The store was brought to this emaild's version."""
    say("info", STANDARD, 30162, "store.migrated", old=old, new=new)


# Mails and mailboxes with limits


def mail_too_big(*, section: str, key: str, size: int, limit: int, deleted: bool = False) -> None:
    """A mail is above maximum-msg-size: left on the server until that is raised, or deleted (delete-big-msg)."""
    say(
        "warning",
        STANDARD,
        30185,
        "mail.too_big",
        section=section,
        key=key,
        size=size,
        limit=limit,
        deleted=deleted,
    )


def mail_bad_size(*, section: str, key: str, told: int, size: int) -> None:
    """A mail has not the size that its server told; it is left there for as long as allow-bad-msg-size is false."""
    say("warning", STANDARD, 30186, "mail.bad_size", section=section, key=key, told=told, size=size)


def mailbox_read_only(*, section: str, folder: str) -> None:
    """The server lets the folder be read only: mails are taken (allowreadonlyselect), after-fetch is left out."""
    say("warning", STANDARD, 30187, "mailbox.read_only", section=section, folder=folder)


# Protocols, where a section has enable-debug


def protocol_sent(*, section: str, server: str, line: str) -> None:
    """A line that was sent to a server, secrets masked; unlike other events it may hold what a mail says."""
    say("debug", TRACE, 30170, "protocol.sent", section=section, server=server, line=line)


def protocol_heard(*, section: str, server: str, line: str) -> None:
    """A line that a server said; unlike other events it may hold what a mail says."""
    say("debug", TRACE, 30171, "protocol.heard", section=section, server=server, line=line)


# What a way out says when it is asked to


def outbound_recipient_accepted(*, section: str, outbound: str, recipient: str, reply: str) -> None:
    """The server took the mail for this recipient, with these words; said where mail.smtp.reportsuccess asks for it."""
    say(
        "info",
        INTERACTION,
        30190,
        "outbound.recipient_accepted",
        section=section,
        outbound=outbound,
        recipient=recipient,
        reply=reply,
    )


# The log itself


def log_file_failed(*, file: str, reason: str) -> None:
    """A log file cannot be written, or its segment not ended. Every line tries again; said once, until it works."""
    say("warning", STANDARD, 30195, "log.file_failed", file=file, reason=reason)


def log_file_recovered(*, file: str, lost: int) -> None:
    """A log file that had failed works again; it lacks `lost` lines."""
    say("info", STANDARD, 30196, "log.file_recovered", file=file, lost=lost)


def log_check_point(*, time: str) -> None:
    """emaild lives. Said every check-point hours."""
    say("info", STANDARD, 30197, "log.check_point", time=time)


def log_lines_lost(*, count: int) -> None:
    """The thread that writes the log did not keep up, and `count` lines are lost."""
    say("warning", STANDARD, 30198, "log.lines_lost", count=count)


def log_texts_failed(*, file: str, reason: str) -> None:
    """The messagefile cannot be read; lines show the names of events."""
    say("warning", STANDARD, 30199, "log.texts_failed", file=file, reason=reason)


# Mails that need more than to be taken


def mail_held(*, section: str, key: str, held: str, reason: str) -> None:
    """Our own code cannot take a mail: it is kept as it came. `emaild inbox --held` tells why, `--again` tries anew."""
    say("error", STANDARD, 30230, "mail.held", section=section, key=key, held=held, reason=reason)


def mail_suspected(*, section: str, count: int) -> None:
    """emaild ended without warning while it looked at these mails: each is looked at alone now, the others go on."""
    say("warning", STANDARD, 30231, "mail.suspected", section=section, count=count)


def mail_breaks_connection(*, section: str, key: str, reason: str, retry_in: float) -> None:
    """The connection broke whenever this mail was fetched, others come: it is left on the server for that long."""
    say(
        "error",
        STANDARD,
        30232,
        "mail.breaks_connection",
        section=section,
        key=key,
        reason=reason,
        retry_in=round(retry_in),
    )


def mail_stripped(*, section: str, key: str, size: int, limit: int) -> None:
    """A mail above maximum-msg-size was taken without its attachments (enable-big-msg-stripping)."""
    say("warning", STANDARD, 30233, "mail.stripped", section=section, key=key, size=size, limit=limit)


def mail_sender_told(*, section: str, key: str, outbound: str) -> None:
    """The sender of a mail above maximum-msg-size is told of it (notify-big-msg-sender), by this mail in the outbox."""
    say("info", INTERACTION, 30234, "mail.sender_told", section=section, key=key, outbound=outbound)


def mail_sender_not_told(*, section: str, key: str, reason: str) -> None:
    """The sender of a mail above maximum-msg-size cannot be told of it (notify-big-msg-sender)."""
    say("warning", STANDARD, 30235, "mail.sender_not_told", section=section, key=key, reason=reason)


def mail_bad_format_deleted(*, section: str, key: str, reason: str) -> None:
    """A mail that cannot be read was deleted on its server (delete-bad-formatted-msg); it is in the store."""
    say("warning", STANDARD, 30236, "mail.bad_format_deleted", section=section, key=key, reason=reason)


# What a mail in is beside its interactions


def mail_duplicate(*, section: str, key: str, interaction: str) -> None:
    """A mail is in the store already, as this interaction, and becomes no other (enable-message-id-check)."""
    say("info", INTERACTION, 30210, "mail.duplicate", section=section, key=key, interaction=interaction)


def mail_message_id_reused(*, section: str, interaction: str, other: str, message_id: str | None) -> None:
    """A mail has the Message-ID of another interaction and another content; both are kept."""
    say(
        "info",
        INTERACTION,
        30211,
        "mail.message_id_reused",
        section=section,
        interaction=interaction,
        other=other,
        message_id=message_id,
    )


def interaction_copies_dropped(*, section: str, interaction: str, copies: int, dropped: int) -> None:
    """A mail has more recipients than inbound-msg-copy-limit: there is no copy for the last `dropped` of them."""
    say(
        "warning",
        STANDARD,
        30212,
        "interaction.copies_dropped",
        section=section,
        interaction=interaction,
        copies=copies,
        dropped=dropped,
    )


def mail_looped(*, section: str, interaction: str, sender: str) -> None:
    """A mail came from one of our own addresses: its interaction is stopped at once (enable-mail-loops)."""
    say("warning", STANDARD, 30213, "mail.looped", section=section, interaction=interaction, sender=sender)


# Chat transcripts; numbers, names and texts are Genesys's (the guide, "Chat Transcripts")


def transcript_bad_timestamp(*, response: str, pattern: str, reason: str, interaction: str | None = None) -> None:
    """CHAT_DATE_FORMAT_PARSE_ERROR: Invalid Timestamp format provided in the Chat Transcript.

    `reason` says what is wrong with it; the default one was used.
    """
    say(
        "warning",
        STANDARD,
        30001,
        "transcript.bad_timestamp",
        response=response,
        pattern=pattern,
        reason=reason,
        interaction=interaction,
    )


def transcript_unreadable(*, response: str, reason: str, interaction: str | None = None) -> None:
    """CHAT_UNMARSHALL_ERROR: Failed to unmarshall the chat transcript XML. The chat transcript is not sent."""
    say("error", STANDARD, 30002, "transcript.unreadable", response=response, reason=reason, interaction=interaction)


# The webhook


def webhook_began(*, section: str, number: int) -> None:
    """A webhook is set for the first time: its receiver is told of interactions above that number."""
    say("info", STANDARD, 30250, "webhook.began", section=section, number=number)


def webhook_delivered(*, section: str, interaction: str, attempt: int) -> None:
    """The receiver took an interaction."""
    say("info", INTERACTION, 30251, "webhook.delivered", section=section, interaction=interaction, attempt=attempt)


def webhook_refused(*, section: str, interaction: str, status: int, retry_in: float) -> None:
    """The receiver refused an interaction for the first time. It is tried again; only its thread waits for that."""
    say(
        "warning",
        STANDARD,
        30252,
        "webhook.refused",
        section=section,
        interaction=interaction,
        status=status,
        retry_in=round(retry_in, 1),
    )


def webhook_given_up(*, section: str, interaction: str, attempts: int) -> None:
    """The receiver did not take an interaction within lifetime: it will not be told of it."""
    say("error", STANDARD, 30253, "webhook.given_up", section=section, interaction=interaction, attempts=attempts)


def webhook_failed(*, section: str, action: str, reason: str, temporary: bool, retry_in: float) -> None:
    """The receiver does not work; what is for it waits. Said once, and again only when the reason changes."""
    say(
        "warning" if temporary else "error",
        STANDARD,
        30254,
        "webhook.failed",
        section=section,
        action=action,
        reason=reason,
        retry_in=round(retry_in, 1),
    )


def webhook_recovered(*, section: str, failures: int) -> None:
    """The receiver works again."""
    say("info", STANDARD, 30255, "webhook.recovered", section=section, failures=failures)


def webhook_gone(*, section: str) -> None:
    """The receiver answered 410: it wants nothing more. It is left alone until the section changes, or a restart."""
    say("error", STANDARD, 30256, "webhook.gone", section=section)


# The HTTP interface; `client` is the name of the token that a program showed


def api_started(*, listen: str, tls: bool) -> None:
    """Programs can connect."""
    say("info", STANDARD, 30270, "api.started", listen=listen, tls=tls)


def api_stopped(*, listen: str) -> None:
    """Programs cannot connect there any more; requests under way were answered."""
    say("info", STANDARD, 30271, "api.stopped", listen=listen)


def api_listen_failed(*, listen: str, reason: str, kept: str) -> None:
    """An address, certificate or token cannot be had; it is tried again every ten seconds, and mail runs meanwhile.

    `kept` is what still counts of what was there before a reload. Said once, and again only when the reason changes.
    """
    say("error", STANDARD, 30272, "api.listen_failed", listen=listen, reason=reason, kept=kept)


def api_token_made(*, path: str) -> None:
    """There was no token: this file holds one now."""
    say("info", STANDARD, 30273, "api.token_made", path=path)


def api_request(*, method: str, path: str, status: int, duration_ms: float, client: str) -> None:
    """A request was answered."""
    say(
        "debug",
        TRACE,
        30274,
        "api.request",
        method=method,
        path=path,
        status=status,
        duration_ms=duration_ms,
        client=client,
    )


def api_refused(*, peer: str, path: str, missing: bool, others: int) -> None:
    """Somebody showed no token, or a wrong one. Said once a minute at most; `others` were not told of."""
    say("warning", STANDARD, 30275, "api.refused", peer=peer, path=path, missing=missing, others=others)


def api_failed(*, method: str, path: str) -> None:
    """A fault in emaild itself, with its traceback: the program was answered with status 500. Please report it."""
    say("error", STANDARD, 30276, "api.failed", method=method, path=path, exc_info=True)


def api_crowded(*, reason: str) -> None:
    """Programs connect, and there is no descriptor left for them; see LimitNOFILE. Said once a minute at most."""
    say("warning", STANDARD, 30282, "api.crowded", reason=reason)


def outbound_queued(*, section: str, outbound: str, message_id: str, recipients: int, client: str) -> None:
    """A program gave a mail that is to be sent."""
    say(
        "info",
        INTERACTION,
        30277,
        "outbound.queued",
        section=section,
        outbound=outbound,
        message_id=message_id,
        recipients=recipients,
        client=client,
    )


def outbound_retried(*, section: str, outbound: str, client: str) -> None:
    """A program asked that a mail be sent now, or again."""
    say("info", INTERACTION, 30278, "outbound.retried", section=section, outbound=outbound, client=client)


def outbound_cancelled(*, section: str, outbound: str, client: str) -> None:
    """A program asked that a mail be sent no more."""
    say("info", STANDARD, 30279, "outbound.cancelled", section=section, outbound=outbound, client=client)


def interaction_changed(*, interaction: str, queue: str, state: str, client: str) -> None:
    """A program moved an interaction: it is in that queue and state now."""
    say(
        "info",
        INTERACTION,
        30280,
        "interaction.changed",
        interaction=interaction,
        queue=queue,
        state=state,
        client=client,
    )


def mailbox_poll_asked(*, section: str, client: str) -> None:
    """A program asked that a mailbox be read now."""
    say("info", TRACE, 30281, "mailbox.poll_asked", section=section, client=client)


# Rules


def rule_applied(*, rule: str, service: str, interaction: str, created: str, outbound: str) -> None:
    """A rule fitted an interaction, and did what it is for.

    `service` is empty where it calls none, `created` the new interaction's id, `outbound` its id in the outbox.
    """
    say(
        "info",
        INTERACTION,
        30214,
        "rule.applied",
        rule=rule,
        service=service,
        interaction=interaction,
        created=created,
        outbound=outbound,
    )


def rule_declined(*, rule: str, service: str, interaction: str, reason: str) -> None:
    """A rule's service answers no automatic mail, and nobody with whom it is at war; the rule has no effect on it."""
    say(
        "info",
        INTERACTION,
        30215,
        "rule.declined",
        rule=rule,
        service=service,
        interaction=interaction,
        reason=reason,
    )


def rule_failed(*, rule: str, service: str, interaction: str, reason: str) -> None:
    """A rule's service cannot be done for an interaction. It is given to programs as if the rule had no effect."""
    say(
        "error",
        STANDARD,
        30216,
        "rule.failed",
        rule=rule,
        service=service,
        interaction=interaction,
        reason=reason,
    )


def rule_broke(*, rule: str, interaction: str) -> None:
    """A fault in emaild itself, with its traceback, while rules were applied. The interaction is given to programs."""
    say("error", STANDARD, 30217, "rule.broke", rule=rule, interaction=interaction, exc_info=True)


# Services


def service_done(*, method: str, interaction: str, created: str, outbound: str, queue: str) -> None:
    """A service did what it was called for.

    `created` is the new interaction's id, `outbound` its id in the outbox; either is empty where there is none.
    """
    say(
        "info",
        INTERACTION,
        30200,
        "service.done",
        method=method,
        interaction=interaction,
        created=created,
        outbound=outbound,
        queue=queue,
    )


def service_refused(*, method: str, interaction: str, fault: str, reason: str) -> None:
    """A program called a service that cannot be done; nothing was changed, and the program was told."""
    say(
        "info",
        INTERACTION,
        30201,
        "service.refused",
        method=method,
        interaction=interaction,
        fault=fault,
        reason=reason,
    )


# Microsoft Graph


def mailbox_listed_anew(*, section: str) -> None:
    """Graph forgot what it had told of a folder, so all of it was listed; what was taken is not taken again."""
    say("info", STANDARD, 30320, "mailbox.listed_anew", section=section)


def outbound_draft_left(*, section: str, outbound: str, reason: str) -> None:
    """A draft of a mail that could not be sent could not be deleted either; the next try does it."""
    say("warning", STANDARD, 30321, "outbound.draft_left", section=section, outbound=outbound, reason=reason)


# Tokens


def token_obtained(*, section: str, authority: str, seconds: int) -> None:
    """An authority gave a new access token, which is valid for that long; other sections may share it."""
    say("info", TRACE, 30300, "token.obtained", section=section, authority=authority, seconds=seconds)


def token_not_renewed(*, section: str, reason: str, left: int) -> None:
    """A new access token could not be had. The one of now is used for the seconds that are left of it; 0: none is."""
    say("warning", STANDARD, 30301, "token.not_renewed", section=section, reason=reason, left=left)


def token_not_kept(*, user: str, reason: str) -> None:
    """A new refresh token of an authority cannot be written; it is tried again. A restart may end the sign-in."""
    say("error", STANDARD, 30302, "token.not_kept", user=user, reason=reason)


def seal_tightened(*, path: str, mode: str, now: str) -> None:
    """The key or the folder of the sign-ins had rights, in octal, by which others could use it; they are set anew."""
    say("warning", STANDARD, 30304, "seal.tightened", path=path, mode=mode, now=now)


def credential_ends(*, section: str, what: str, ends: str, days: int) -> None:
    """The application's secret or certificate ends in that many days; after that no token is given. Told once a day."""
    say("warning", STANDARD, 30303, "credential.ends", section=section, what=what, ends=ends, days=days)


# Exchange


def mail_failed_moved(*, section: str, key: str, folder: str) -> None:
    """A mail that Exchange does not give was moved to failed-items-folder-name, for a person to look at."""
    say("warning", STANDARD, 30340, "mail.failed_moved", section=section, key=key, folder=folder)


# What a person does to mails out


def outbound_held(*, section: str, outbound: str, client: str) -> None:
    """A person, or a program, holds a mail: it is not sent until somebody lets it go."""
    say("info", STANDARD, 30440, "outbound.held", section=section, outbound=outbound, client=client)


def outbound_many_changed(*, action: str, mails: int, filters: Iterable[str], client: str) -> None:
    """Somebody wanted all mails that fit these filters (`NAME=VALUE`) retried, held or cancelled; so many are now."""
    say(
        "info",
        STANDARD,
        30441,
        "outbound.many_changed",
        action=action,
        mails=mails,
        filters=list(filters),
        client=client,
    )


def way_out_woken(*, section: str) -> None:
    """A way out that rests, for it failed, is tried at once: a person wants a mail of it sent now."""
    say("info", STANDARD, 30470, "way_out.woken", section=section)


def way_out_connection_refused(*, section: str, reason: str, again_in: float) -> None:
    """A server that takes mail by other connections wants no more of them: one rests, and its mail goes by the others.

    Where that comes often, cnx-pool-size is above what the server allows.
    """
    say("warning", STANDARD, 30471, "way_out.connection_refused", section=section, reason=reason, again_in=again_in)


# Notices


def outbound_notice_failed(*, section: str, outbound: str, reason: str) -> None:
    """Nobody could be told that the mail did not arrive, or is late: the notice could not be written."""
    say("warning", STANDARD, 30460, "outbound.notice_failed", section=section, outbound=outbound, reason=reason)


# Parts of mails


def mail_partly_taken(*, section: str, key: str, left: str) -> None:
    """Of a mail only a part was taken, by maximum-attachment-size or retrieve-limit; the rest stays on its server."""
    say("info", STANDARD, 30480, "mail.partly_taken", section=section, key=key, left=left)


# Limits of the system


def files_few(*, limit: int, needed: int) -> None:
    """The system allows fewer open files than the mailboxes need: some will fail with "Too many open files".

    Raise the hard limit: LimitNOFILE in the unit of systemd, else `ulimit -Hn` or limits.conf(5).
    """
    say("error", STANDARD, 30490, "files.few", limit=limit, needed=needed)


# Reading beside the daemon


def reader_started(*, process: int) -> None:
    """A process of its own reads the mails of a mailbox that holds many, while those before them are stored."""
    say("info", STANDARD, 30500, "reader.started", process=process)


def reader_ended(*, process: int, mails: int) -> None:
    """That process is ended: it had nothing to read for a minute, nobody waits for its mails, it failed, or the daemon
    ends.
    """
    say("info", STANDARD, 30502, "reader.ended", process=process, mails=mails)


def reader_failed(*, reason: str) -> None:
    """That process did not do its work, and was ended; the daemon reads the mails by itself. Nothing is lost.

    Where it was killed for the memory it took, `reader-process = false` leaves the daemon more.
    """
    say("warning", STANDARD, 30501, "reader.failed", reason=reason)
