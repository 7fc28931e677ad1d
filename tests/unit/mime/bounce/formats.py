"""Reports as mail programs write them that follow no standard: the shape is theirs, the texts and names are ours."""

from __future__ import annotations

from dataclasses import dataclass

OURS = "support@shop.example"
GONE = "bob@far.example"
MESSAGE_ID = "<4711.1@shop.example>"
RETURNED = f"""Received: from shop.example by mx.far.example; Mon, 2 Mar 2026 10:00:00 +0100
From: Shop <{OURS}>
To: Bob <{GONE}>
Subject: Your order
Message-ID: {MESSAGE_ID}
MIME-Version: 1.0

Dear Bob, ask help@shop.example if anything is missing.
"""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A report: who writes it, how, and what it says of bob@far.example."""

    name: str
    sender: str
    subject: str
    text: str
    status: str = ""
    action: str = "failed"
    more: str = ""

    def mail(self) -> bytes:
        """Its bytes, with the mail that it returns below its text."""
        head = f"Return-Path: <>\nFrom: {self.sender}\nTo: {OURS}\nSubject: {self.subject}\n{self.more}"
        declared = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        return (head + declared + self.text.replace("@RETURNED@", RETURNED)).encode()


FORMATS = [
    Format(
        name="qmail",
        sender="MAILER-DAEMON@mx.far.example",
        subject="failure notice",
        text=f"""Hi. This is the qmail-send program at mx.far.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{GONE}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <{OURS}>
@RETURNED@""",
        status="5.1.1",
    ),
    Format(
        name="qmail with a remote host",
        sender="MAILER-DAEMON@shop.example",
        subject="failure notice",
        text=f"""Hi. This is the qmail-send program at shop.example.

<{GONE}>:
192.0.2.25 does not like recipient.
Remote host said: 550 5.7.1 <{GONE}>... Access denied
Giving up on 192.0.2.25.

--- Below this line is a copy of the message.

@RETURNED@""",
        status="5.7.1",
    ),
    Format(
        name="Postfix of old",
        sender="MAILER-DAEMON@shop.example (Mail Delivery System)",
        subject="Undelivered Mail Returned to Sender",
        text=f"""This is the Postfix program at host shop.example.

I'm sorry to have to inform you that your message could not be
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to <postmaster>

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

\t\t\tThe Postfix program

<{GONE}>: host mx.far.example[192.0.2.25] said: 550 <{GONE}>: User unknown in
    local recipient table (in reply to RCPT TO command)

@RETURNED@""",
    ),
    Format(
        name="Postfix, delayed",
        sender="Mail Delivery System <MAILER-DAEMON@shop.example>",
        subject="Delayed Mail (still being retried)",
        text=f"""This is the mail system at host shop.example.

####################################################################
# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
####################################################################

Your message could not be delivered for more than 4 hour(s).
It will be retried until it is 5 day(s) old.

                   The mail system

<{GONE}>: connect to mx.far.example[192.0.2.25]:25: Connection refused

@RETURNED@""",
        action="delayed",
    ),
    Format(
        name="Exim",
        sender="Mail Delivery System <Mailer-Daemon@shop.example>",
        subject="Mail delivery failed: returning message to sender",
        text=f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {GONE}
    SMTP error from remote mail server after RCPT TO:<{GONE}>:
    host mx.far.example [192.0.2.25]: 550 Unknown user

------ This is a copy of the message, including all the headers. ------

Return-path: <{OURS}>
@RETURNED@""",
    ),
    Format(
        name="Exim, delayed",
        sender="Mail Delivery System <Mailer-Daemon@shop.example>",
        subject="Warning: message 1abcDE-0001xy-2Z delayed 24 hours",
        text=f"""This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on shop.example.

The message identifier is:     1abcDE-0001xy-2Z
The subject of the message is: Your order

The address to which the message has not yet been delivered is:

  {GONE}

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered.
""",
        action="delayed",
    ),
    Format(
        name="sendmail",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@shop.example>",
        subject="Returned mail: User unknown",
        text=f"""The original message was received at Mon, 2 Mar 2026 10:00:00 +0100
from localhost [127.0.0.1]

   ----- The following addresses had permanent fatal errors -----
<{GONE}>

   ----- Transcript of session follows -----
... while talking to mx.far.example.:
>>> RCPT To:<{GONE}>
<<< 550 5.1.1 <{GONE}>... User unknown
550 <{GONE}>... User unknown

   ----- Original message follows -----

@RETURNED@""",
        status="5.1.1",
    ),
    Format(
        name="sendmail 5",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@shop.example>",
        subject="Returned mail: Host unknown",
        text=f"""   ----- Transcript of session follows -----
550 {GONE}... Host unknown

   ----- Unsent message follows -----
@RETURNED@""",
    ),
    Format(
        name="Exchange 5.5",
        sender="System Administrator <postmaster@mx.far.example>",
        subject="Undeliverable: Your order",
        text=f"""Your message

  To:      customers@shop.example
  Subject: Your order
  Sent:    Mon, 2 Mar 2026 10:00:00 +0100

did not reach the following recipient(s):

{GONE} on Mon, 2 Mar 2026 10:00:01 +0100
    The recipient name is not recognized
        The MTS-ID of the original message is: c=XX;a= ;p=FAR;l=MX1-1
    MSEXCH:IMS:FAR:HQ:MX1 0 (000C05A6) Unknown Recipient
""",
    ),
    Format(
        name="Exchange 2003",
        sender='"System Administrator" <postmaster@far.example>',
        subject="Undeliverable:Your order",
        text=f"""Your message did not reach some or all of the intended recipients.

      Subject:\tYour order
      Sent:\t3/2/2026 10:00 AM

The following recipient(s) could not be reached:

      {GONE} on 3/2/2026 10:01 AM
            The e-mail account does not exist at the organization this message was sent to.
            <mx.far.example #5.1.1 smtp;550 5.1.1 User unknown>
""",
        status="5.1.1",
    ),
    Format(
        name="Exchange 2010",
        sender="<MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@far.example>",
        subject="Undeliverable: Your order",
        text=f"""Delivery has failed to these recipients or groups:

Bob ({GONE})
The e-mail address you entered couldn't be found. Please check the recipient's e-mail address
and try to resend the message. If the problem continues, please contact your helpdesk.

Diagnostic information for administrators:

Generating server: far.example

{GONE}
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##

Original message headers:

@RETURNED@""",
        status="5.1.1",
    ),
    Format(
        name="Microsoft 365",
        sender="postmaster@far.onmicrosoft.example",
        subject="Undeliverable: Your order",
        text=f"""[cid:logo]
Your message to {GONE} couldn't be delivered.

bob wasn't found at far.example.

support\tOffice 365\tbob
Action Required\t\tRecipient
Unknown To address

Status code: 550 5.1.10

Original Message Details
Created Date:\t3/2/2026 9:00:00 AM
Sender Address:\t{OURS}
Recipient Address:\t{GONE}
Subject:\tYour order

Error Details
Error:\t550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
""",
        status="5.1.10",
    ),
    Format(
        name="Microsoft 365 in German",
        sender="Microsoft Outlook <postmaster@far.onmicrosoft.example>",
        subject="Unzustellbar: Ihre Bestellung",
        text=f"""Ihre Nachricht an {GONE} konnte nicht zugestellt werden.

bob wurde in far.example nicht gefunden.

Ursprüngliche Nachrichtendetails
Absenderadresse:\t{OURS}
Empfängeradresse:\t{GONE}
Betreff:\tIhre Bestellung

Fehler:\t550 5.1.10 RESOLVER.ADR.RecipientNotFound
""",
        status="5.1.10",
    ),
    Format(
        name="Domino",
        sender="Postmaster@far.example",
        subject="DELIVERY FAILURE: User bob (bob@far.example) not listed in Domino Directory",
        text=f"""Your message

  Subject: Your order

was not delivered to:

  {GONE}

because:

  User bob ({GONE}) not listed in Domino Directory
""",
    ),
    Format(
        name="GroupWise",
        sender='"Mail System" <mailer-daemon@far.example>',
        subject="Message status - undeliverable",
        text=f"""The message that you sent was undeliverable to the following:
\t{GONE} (user not found)

Possibly truncated original message follows:

@RETURNED@""",
    ),
    Format(
        name="Gmail of old",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        subject="Delivery Status Notification (Failure)",
        text=f"""Delivery to the following recipient failed permanently:

     {GONE}

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the recipient domain. The error that the other
server returned was: 550 550 5.1.1 <{GONE}>: Recipient address rejected (state 14).

----- Original message -----

@RETURNED@""",
        status="5.1.1",
    ),
    Format(
        name="Gmail of old, delayed",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        subject="Delivery Status Notification (Delay)",
        text=f"""This is an automatically generated Delivery Status Notification

THIS IS A WARNING MESSAGE ONLY.

YOU DO NOT NEED TO RESEND YOUR MESSAGE.

Delivery to the following recipient has been delayed:

     {GONE}

Message will be retried for 2 more day(s)
""",
        action="delayed",
    ),
    Format(
        name="Yahoo",
        sender="MAILER-DAEMON@yahoo.example",
        subject="Failure Notice",
        text=f"""Sorry, we were unable to deliver your message to the following address.

<{GONE}>:
Remote host said: 554 delivery error: dd This user doesn't have a far.example account [-5] [BODY]

--- Below this line is a copy of the message.

@RETURNED@""",
    ),
    Format(
        name="IMail",
        sender="Postmaster <postmaster@far.example>",
        subject="Undeliverable Mail",
        more="X-Mailer: <SMTP32 v8.15>\n",
        text=f"""User mailbox exceeds allowed size: {GONE}

Original message follows.

@RETURNED@""",
    ),
    Format(
        name="Mercury",
        sender="Mail system at far.example <postmaster@far.example>",
        subject="Failed mail: Your order",
        text=f"""A message that you sent could not be delivered to one or more
of its recipients. The following address(es) failed:

   *** {GONE}
       User not known at this site.

------ This is a copy of your message, including all the headers. ------

@RETURNED@""",
    ),
    Format(
        name="InterScan",
        sender="MAILER-DAEMON@gate.far.example",
        subject="Mail could not be delivered",
        text=f"""Sent >>> RCPT TO:<{GONE}>
Received <<< 550 5.1.1 unknown user

Unable to deliver message to <{GONE}>.

************************************************************
@RETURNED@""",
        status="5.1.1",
    ),
    Format(
        name="MDaemon",
        sender='"MDaemon at far.example" <MDaemon@far.example>',
        subject="WARNING: Message could not be sent",
        text=f"""The following message could not be delivered:

------------------------------------------------------------------------
The attached message had PERMANENT fatal delivery errors!

Failed address: {GONE}

--- Session Transcript ---
 Mon 2026-03-02 10:00:00: <-- 550 {GONE}, Recipient unknown
--- End Transcript ---

@RETURNED@""",
    ),
    Format(
        name="PMDF",
        sender="PMDF e-Mail Interconnect <postmaster@far.example>",
        subject="Delivery Notification: Delivery has failed",
        text=f"""This report relates to a message you sent with the following header fields:

  Message-id: {MESSAGE_ID}
  Date: Mon, 2 Mar 2026 10:00:00 +0100
  From: {OURS}
  To: customers@shop.example
  Subject: Your order

Your message cannot be delivered to the following recipients:

  Recipient address: {GONE}
  Reason: Illegal host/domain name found
""",
    ),
    Format(
        name="CommuniGate",
        sender="<MAILER-DAEMON@far.example>",
        subject="Undeliverable mail: Your order",
        text=f"""Failed to deliver to '{GONE}'
LOCAL module(account bob) reports:
 account is full (quota exceeded)
""",
    ),
    Format(
        name="Kerio",
        sender="Mail Delivery Subsystem <postmaster@far.example>",
        subject="Message delivery failed",
        text=f"""Your message could not be delivered to the following recipient(s):

  {GONE}
  Error: 550 5.1.1 Mailbox does not exist
""",
        status="5.1.1",
    ),
    Format(
        name="AOL",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@aol.example>",
        subject="Returned mail: see transcript for details",
        text=f"""Your mail to the following recipients could not be delivered because
they are not accepting mail from you:
\t{GONE}
""",
    ),
    Format(
        name="X.400",
        sender="MTA <postmaster@gateway.far.example>",
        subject="Delivery Report (failure) for bob@far.example",
        text=f"""This report relates to your message: Your order
        of Mon, 2 Mar 2026 10:00:00 +0100

Your message was not delivered to:
        {GONE}
        for the following reason:
        Diagnostic was Unable to transfer, -1
        Information Message timed out
""",
    ),
    Format(
        name="GMX",
        sender="GMX Mailer Daemon <mailer-daemon@gmx.example>",
        subject="Mail delivery failed: returning message to sender",
        text=f"""This message was created automatically by mail delivery software.
A message that you sent could not be delivered to
one or more of its recipients. This is a permanent error. The following address failed:

"{GONE}":
SMTP error from remote server after RCPT command:
host: mx.far.example
5.1.1 <{GONE}>... User is unknown

--- The header of the original message is following. ---

@RETURNED@""",
        status="5.1.1",
    ),
    Format(
        name="courier",
        sender="Courier mail server at shop.example <@>",
        subject="NOTICE: mail delivery status.",
        text=f"""This is a delivery status notification from shop.example,
running the Courier mail server, version 0.65.

The original message was received on Mon, 02 Mar 2026 10:00:00 +0100
from localhost (localhost [127.0.0.1])

                           UNDELIVERABLE MAIL

Your message to the following recipients cannot be delivered:

<{GONE}>:
    mx.far.example [192.0.2.25]:
>>> RCPT TO:<{GONE}>
<<< 550 5.1.1 <{GONE}>... User Unknown

---------------------------------------------------------------------------
""",
        status="5.1.1",
    ),
    Format(
        name="French",
        sender="postmaster@far.example",
        subject="Non remis : Votre commande",
        text=f"""Échec de la remise pour ces destinataires ou groupes :

{GONE}
L'adresse de messagerie entrée n'a pas été trouvée. Vérifiez l'adresse du destinataire.
""",
    ),
    Format(
        name="Spanish",
        sender="postmaster@far.example",
        subject="No se puede entregar: Su pedido",
        text=f"""No se pudo entregar el mensaje a los siguientes destinatarios:

{GONE}
No existe ese buzón.
""",
    ),
    Format(
        name="Italian",
        sender="Amministratore <postmaster@far.example>",
        subject="Mancato recapito: Il suo ordine",
        text=f"""Non è stato possibile recapitare il messaggio a:

{GONE}
L'utente è sconosciuto.
""",
    ),
    Format(
        name="Japanese",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@far.example>",
        subject="配信不能: ご注文",
        text=f"""次の宛先にメールを配信できませんでした。

<{GONE}>
宛先が存在しません。
""",
    ),
    Format(
        name="Russian",
        sender="mailer-daemon@far.example",
        subject="Недоставленное сообщение",
        text=f"""Ваше письмо не может быть доставлено одному или нескольким получателям:

{GONE}: пользователь не найден
""",
    ),
    Format(
        name="Chinese",
        sender="postmaster@far.example",
        subject="系统退信",
        text=f"""很抱歉，您发送的邮件被退回。

收件人邮件地址：{GONE}
退信原因：收件人不存在
""",
    ),
]
