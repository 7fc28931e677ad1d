"""What else mail programs say in a report: that they still try, that they have given up, that they are programs."""

from __future__ import annotations

from emaild.mime.alternatives import any_of

DELAYED = any_of(
    r"""
    \baction: delayed
    \bstill (?:being (?:re)?tried|trying|in (?:the )?queue|undelivered)
    \bwill (?:be re-?tried|retry|keep trying|continue|try again|attempt|be attempted|be continued|be made)
    \bdelivery attempts will
    \b(?:has|have) been postponed
    \bnot yet been delivered
    \b(?:has|have|was|is|been|being) (?:\w+ )?delayed
    \bdelivery (?:is )?delay
    \bdelayed (?:mail|delivery|message)
    \bdelay(?:ed)?\b.{0,20}\bdelivery
    \bwarning (?:message )?only
    \bwarning: (?:could not send|message)
    \b(?:do not|don['’]t) (?:need to )?(?:resend|re-send|take any action)
    \bno action is required
    \bverzögert
    \bretardé
    \bretrasad
    \bvertraagd
    \bopóźni
    задерж
    遅延
    延迟|延遲
    """
)
"""Said of a mail that is still tried."""

GIVEN_UP = any_of(
    r"""
    \baction: failed
    \bpermanent (?:fatal |delivery ){0,2}(?:err|fail)
    \bfailed permanently
    \bgiv(?:en|ing) up\b
    \bnot going to try
    \bwill not (?:be )?(?:re-?)?tr(?:y|ied)
    \bno (?:further|more) attempts
    \bretry timeout exceeded
    """
)
"""Said of a mail that is tried no longer, whatever warning stands beside it."""

FINAL = any_of(
    r"""
    \bpermanent
    \bgave up
    \bretry time
    \btoo long
    \bexpired\b
    \bno further
    \bundeliver
    \breturned
    \bfatal
    \bfailure notice
    \bfailed\b
    \bfor more than \d
    \bcannot be delivered
    """
)
"""Said of a mail that is tried no longer, though its code is of those that are for now."""

OPENING = any_of(
    r"""
    \bthis is the (?:\S+ ){0,4}(?:program|mail system|mail delivery|mailer|send-mail)
    \bcreated automatically by (?:the )?(?:mail|\S+) (?:delivery|system|server|transport)
    \bautomatically[- ]generated (?:delivery|message|notification|report|by)
    \bautomatically created by
    \b(?:had|have|with) permanent (?:fatal |delivery )?errors
    \bdid not reach the following
    \bdelivery to the following
    \bfollowing (?:recipient|address|destination)\S* (?:\S+ ){0,6}(?:fail|err|reject|problem|undeliv|affected)
    \btranscript of (?:the )?session
    \bi(?:'m| am) afraid i was
    \bdelivered to (?:the following|one or more|all|your|some)
    \bmail (?:could not|delivery|cannot)
    \bdelivery (?:has )?failed to
    \bwas not delivered to
    \bmessage you sent
    \byour (?:message|e-?mail|mail) (?:\S+ ){0,8}(?:(?:was|could|has|did) ?(?:not|n't)|can(?:no|')t)\b
    \byour (?:message|e-?mail|mail) (?:\S+ ){0,8}(?:has been rejected|was rejected|was refused|is being returned)\b
    """
)
"""How a report begins that a program made."""

CHALLENGE = any_of(
    r"""
    \b(?:confirm|verify|authenticate|validate) (?:that )?(?:your|you|this|the) (?:\S+ ){0,3}(?:e-?mail|address|sender)
    \b(?:confirm|verify|authenticate|validate) (?:your|this|the) (?:\S+ ){0,3}message
    \b(?:confirm|verify) (?:that )?(?:your|you) (?:\S+ ){0,3}(?:identity|delivery|sent|are|human)
    \b(?:approved|white ?list|guest list|allowed) (?:senders?|list)\b
    \bchallenge
    \b(?:click|visit|reply)\b.{0,60}\bto (?:confirm|verify|be added|deliver|have your|release|complete)
    \b(?:awaits?|awaiting|waiting for|being held|pending|held) (?:\S+ ){0,4}(?:moderat|approval|confirm|verif|review)
    """
)
"""Said of a mail that is held until its sender or a moderator does something: it may still be delivered."""
