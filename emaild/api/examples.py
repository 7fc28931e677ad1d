"""Examples for the OpenAPI document."""

from __future__ import annotations

ID, PARENT = "0LQ3M9Y2V1K7ZBTA", "0LQ3M9XWT0C41R9D"
TIME = "2026-03-02T09:30:00.000Z"

INTERACTION: dict[str, object] = {
    "id": ID, "number": 42, "mailbox": "pop-client", "received": TIME, "queue": "inbound", "thread_id": ID,
    "parent_id": None, "state": "NEW", "envelope": None, "type": "Inbound", "subtype": "InboundNew",
    "subject": "Where is my order?", "from": "ann@example.com", "from_personal": "Ann Lee", "reply_to": [],
    "to": ["support@example.com"], "cc": [], "message_id": "<1@example.com>", "in_reply_to": None, "references": [],
    "date": TIME, "attachments": [
        {"name": "order.pdf", "content_type": "application/pdf", "size": 48213, "content_id": None, "inline": False}
    ], "automatic": None, "report": None, "user_data": {"_AttachmentsSize": 48213}, "wrapped": None, "rule": None,
}  # fmt: skip
TEXT = "I ordered a week ago.\n"
FULL_INTERACTION = {**INTERACTION, "text": TEXT, "html": "", "reply": TEXT, "quoted": ""}
INTERACTIONS = {"interactions": [INTERACTION], "next": 42}
CHANGE = {"state": "IN_PROCESS", "if_state": "NEW"}

MAIL: dict[str, object] = {
    "from": "Support <support@example.com>", "to": ["Ann Lee <ann@example.com>"], "subject": "Your order",
    "text": "It is on its way.\n", "in_reply_to": "<1@example.com>",
    "attachments": [{"name": "label.txt", "content": "MTIzNDU=", "content_type": "text/plain"}],
}  # fmt: skip
FINISHED_MAIL = "From: support@example.com\r\nTo: ann@example.com\r\nSubject: Your order\r\n\r\nIt is on its way.\r\n"
MAIL_TAKEN: dict[str, object] = {
    "id": ID,
    "message_id": "<5f1c@example.com>",
    "way_out": "smtp-client",
    "sender": "support@example.com",
    "recipients": ["ann@example.com"],
}
MAIL_OUT: dict[str, object] = {
    "id": ID, "state": "DEFERRED", "way_out": "smtp-client", "message_id": "<5f1c@example.com>",
    "sender": "support@example.com", "subject": "Your order", "recipients": [
        {"address": "ann@example.com", "state": "WAITING", "code": "451", "text": "4.7.1 try again later"}
    ], "attempts": 1, "created": TIME, "next_attempt": "2026-03-02T09:31:00.000Z", "finished": None,
    "diagnosis": "ann@example.com: 451 4.7.1 try again later", "cause": "greylisted", "interactive": True,
    "deferrals": 0,
}  # fmt: skip
ANSWER = {
    "address": "ann@example.com", "state": "WAITING", "code": "451", "status": "4.7.1", "text": "4.7.1 try again later",
}  # fmt: skip
LOGGED_MAIL_OUT = {
    **MAIL_OUT,
    "recipients": [
        {"address": "ann@example.com", "state": "WAITING", "code": "451", "text": "4.7.1 try again later",
         "cause": "greylisted"}
    ],
    "from": "support@example.com",
    "explanation": "The server takes mail of a sender that it does not know only some minutes later.",
    "remedy": "Nothing: it is sent again by itself.",
    "log": [
        {
            "number": 1, "at": TIME, "way_out": "smtp-client", "outcome": "ann@example.com: 451 4.7.1 try again later",
            "times": 1, "last": None, "seconds": 0.42, "server": "smtp.example.com:587",
            "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384", "answers": [ANSWER], "cause": "greylisted",
        }
    ],
}  # fmt: skip
OUTBOX_CHOSEN = {"state": ["FAILED"], "recipient": "@example.com", "since": TIME}
CHANGED = {"changed": 12, "being_sent": 0, "woken": ["smtp-client"]}
OUTBOX = {"outbox": [MAIL_OUT], "next": ID}

WAYS = {"ways": [{
    "name": "smtp-client", "state": "failing", "queued": 3, "deferred": 1, "held": 0, "sending": 0, "oldest": TIME,
    "last_sent": TIME, "last_error": "connect: Connection refused", "next_try": "2026-03-02T09:35:00.000Z",
}]}  # fmt: skip
MAILBOX = {
    "name": "pop-client",
    "state": "ok",
    "last_poll": TIME,
    "last_mail": TIME,
    "last_error": None,
    "next_due": "2026-03-02T09:30:30.000Z",
}
MAILBOXES = {"mailboxes": [MAILBOX]}
SERVICE_CALL: dict[str, object] = {"InteractionId": PARENT, "SrlId": "acknowledgement", "FieldCodes": {"Order": "4711"}}
SERVICE_CALLS: dict[str, dict[str, object]] = {
    "Send": {"InteractionId": ID, "Dsn": True},
    "Acknowledge": dict(SERVICE_CALL),
    "AutoResponse": {"InteractionId": PARENT, "SrlId": "acknowledgement", "ReplyToAll": True},
    "CreateNotification": {"To": "lead@example.com", "Subject": "A new case", "Text": "Please look at it."},
    "CreateEmailOut": {"From": "support@example.com", "To": ["ann@example.com"], "Subject": "Hello", "Text": "Hi"},
    "Forward": {"InteractionId": PARENT, "To": "expert@example.net", "Text": "What do you think?"},
    "Redirect": {"InteractionId": PARENT, "To": "billing@example.com"},
    "ReplyFromExtResource": {"InteractionId": PARENT, "SrlId": "external-reply"},
    "ChatTranscript": {"SrlId": "chat-transcript", "To": "ann@example.com", "Chat": "<chatTranscript/>"},
}
SERVICE_DONE = {
    "method": "Acknowledge", "interaction_id": ID, "outbox_id": ID, "queue": "send",
    "subtype": "OutboundAcknowledgement", "message_id": f"<{ID}.5f1c@example.com>", "thread_id": PARENT,
    "parent_id": PARENT,
}  # fmt: skip
