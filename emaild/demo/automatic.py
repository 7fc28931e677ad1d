"""The demo's mails that no person wrote, spelt out as real servers and clients send them.

Each waits for its `{date}` and its `{message_id}`.
"""

# Postfix could not deliver an earlier mail of the shop (RFC 3464).
BOUNCE = """\
From: MAILER-DAEMON@mail.shop.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: support@shop.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="4dXk7P1Zr9z2Fq.1763719200/mail.shop.example"
Content-Transfer-Encoding: 8bit
Date: {date}
Message-Id: {message_id}

This is a MIME-encapsulated message.

--4dXk7P1Zr9z2Fq.1763719200/mail.shop.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system at host mail.shop.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system

<petr.novak@mailbox.example>: host mx1.mailbox.example[203.0.113.25] said: 550
    5.1.1 <petr.novak@mailbox.example>: Recipient address rejected: User unknown
    in virtual mailbox table (in reply to RCPT TO command)

--4dXk7P1Zr9z2Fq.1763719200/mail.shop.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.shop.example
X-Postfix-Queue-ID: 4dXk7P1Zr9z2Fq
X-Postfix-Sender: rfc822; support@shop.example
Arrival-Date: {date}

Final-Recipient: rfc822; petr.novak@mailbox.example
Original-Recipient: rfc822;petr.novak@mailbox.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx1.mailbox.example
Diagnostic-Code: smtp; 550 5.1.1 <petr.novak@mailbox.example>: Recipient address
    rejected: User unknown in virtual mailbox table

--4dXk7P1Zr9z2Fq.1763719200/mail.shop.example
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Return-Path: <support@shop.example>
Received: by mail.shop.example (Postfix, from userid 998)
	id 4dXk7P1Zr9z2Fq; {date}
From: Shop Support <support@shop.example>
To: petr.novak@mailbox.example
Subject: Re: Order 20388: where is my parcel?
Message-ID: <case-20388-2@shop.example>
Date: {date}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Dear Mr Novák,

your parcel left our warehouse this morning. You can expect it tomorrow.

Shop Support

--4dXk7P1Zr9z2Fq.1763719200/mail.shop.example--
"""

# A customer's mail client says that a mail of the shop was displayed (RFC 8098).
READ_RECEIPT = """\
From: Anna Lindqvist <anna.lindqvist@nordic.example>
To: Shop Support <support@shop.example>
Subject: Return Receipt (displayed) - Your return label for order 20402
Date: {date}
Message-ID: {message_id}
References: <case-20402-1@shop.example>
User-Agent: Mozilla Thunderbird
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification;
 boundary="------------mdn060909020601070105060203"

--------------mdn060909020601070105060203
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 7bit

This is a Return Receipt for the mail that you sent to
anna.lindqvist@nordic.example.

Note: This Return Receipt only acknowledges that the message was displayed on
the recipient's computer. There is no guarantee that the recipient has read or
understood the message contents.


--------------mdn060909020601070105060203
Content-Type: message/disposition-notification; name="MDNPart2.txt"
Content-Disposition: inline
Content-Transfer-Encoding: 7bit

Reporting-UA: nordic.example; Mozilla Thunderbird
Final-Recipient: rfc822;anna.lindqvist@nordic.example
Original-Message-ID: <case-20402-1@shop.example>
Disposition: manual-action/MDN-sent-manually; displayed


--------------mdn060909020601070105060203
Content-Type: text/rfc822-headers; name="MDNPart3.txt"
Content-Disposition: inline
Content-Transfer-Encoding: 7bit

From: Shop Support <support@shop.example>
To: anna.lindqvist@nordic.example
Subject: Your return label for order 20402
Message-ID: <case-20402-1@shop.example>
Disposition-Notification-To: support@shop.example

--------------mdn060909020601070105060203--
"""

# An absent customer's server answers a mail of the shop (RFC 3834).
OUT_OF_OFFICE = """\
From: Tom Becker <t.becker@logistics.example.net>
To: Shop Support <support@shop.example>
Subject: Automatic reply: Delivery appointment for order 20391
Date: {date}
Message-ID: {message_id}
In-Reply-To: <case-20391-1@shop.example>
References: <case-20391-1@shop.example>
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
MIME-Version: 1.0
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: 7bit

Hello,

I am out of the office and will be back on Monday. For deliveries please call
our dispatch desk at +49 30 5550 1234.

Tom Becker
"""

# A mailing that the support address was once signed up for (RFC 2369, RFC 2919, RFC 8058).
NEWSLETTER = """\
From: Packaging Weekly <news@packaging.example.org>
To: support@shop.example
Subject: =?UTF-8?Q?Packaging_Weekly_=E2=80=93_paper_tape_that_holds?=
Date: {date}
Message-ID: {message_id}
List-Id: Packaging Weekly <weekly.packaging.example.org>
List-Unsubscribe: <https://packaging.example.org/u/7f3a91>,
 <mailto:leave-7f3a91@packaging.example.org>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Precedence: bulk
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="weekly-47-alternative"

--weekly-47-alternative
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Paper tape that holds =E2=80=93 we tested eleven.

Read on: https://packaging.example.org/47

--weekly-47-alternative
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><body><h1>Paper tape that holds</h1><p>We tested eleven. <a href=3D"https=
://packaging.example.org/47">Read on</a></p></body></html>

--weekly-47-alternative--
"""
