"""What mail programs say when they could not deliver a mail, in the languages that they say it in.

The patterns are of words that name the failing of a delivery, not of one program's whole report.
"""

from __future__ import annotations

from emaild.mime.alternatives import alternatives, any_of

WHO = alternatives(
    r"""
    user
    recipient
    address(?:ee)?
    account
    mailbox
    host(?: name)?
    domain
    name
    alias
    subscriber
    """
)
IS_BAD = alternatives(
    r"""
    unknown
    not (?:found|known|exist|valid|listed|available|recogni[sz]ed|active|accepting|allowed|in)
    un(?:available|reachable|routable|deliverable)
    (?:temporarily )?disabled
    inactive
    suspended
    deactivated
    expired
    closed
    terminated
    cancell?ed
    full
    invalid
    rejected
    refused
    blocked
    deleted
    ambiguous
    exceeded
    over (?:its |the )?quota
    """
)
NOT_DONE = alternatives(
    r"""
    deliver
    reach
    relay
    forward
    trans(?:mit|ferr)
    sent
    found
    accept
    resolve
    listed
    recogni[sz]ed
    active
    (?:a )?(?:known|valid|local|registered)
    have an?(?: \w+){1,3} account
    """
)

FAILED = any_of(
    rf"""
    \bundeliver
    \bnon-?deliver(?:y|able)
    \bdelivery (?:has |of .{{0,80}} )?(?:fail|err|unsuccess|impossib|not possible)
    \b(?:un ?able|not able|not possible|impossible) to (?:be )?(?:deliver|send|relay|forward|find|reach|locate)
    \b(?:failed|failing|refused) to (?:be )?(?:deliver|send|relay|forward|accept|connect|route|contact)
    \b(?:could|can|was|were|did|has|have|is|been|does|will) ?(?:not|n['’]t)(?: yet)?(?: be| been)? (?:\w+ly )?{NOT_DONE}
    \bnot (?:yet )?been delivered
    \bhas not (?:yet )?(?:been )?(?:deliver|reach)
    \b{WHO}(?: name| id| address| account)?\S{{0,80}} (?:\S+ ){{0,6}}{IS_BAD}\b
    \b(?:unknown|invalid|bad|illegal|unroute?able|non-?existent|unresolvable) (?:or \w+ )?(?:\w+ )?{WHO}
    \b(?:unknown|invalid|bad|illegal|unroute?able) (?:destination|sender|local[- ]part|mail domain)
    \bno such (?:user|recipient|account|person|address|mailbox|domain|host|list|name|local|addressee|subscriber)
    \b(?:does|do)(?: not|n['’]t) (?:exist|have an?|like|appear)
    \bno (?:longer|mailbox|account|valid|user|mx|route|record)\b
    \bnot (?:a (?:known|valid|registered) |exist|our customer|our user|listed in|allowed to (?:send|relay|receive))
    """,
    r"""
    \bpermanent(?:ly)? (?:fatal )?(?:err|fail|undeliver|reject)
    \bfatal error
    \bdelivery attempts? (?:has |have )?fail
    \breturned? (?:to (?:you|the sender|its sender|sender)|unopened|undelivered|below|mail|unsent|message)
    \bfailed (?:address|recipient|to deliver|delivery|permanently|after)
    \bfailure (?:notice|reasons?)
    \breason for (?:the )?failure
    \bfollowing (?:recipient|address|destination|user)\S*.{0,40}\b(?:fail|err|reject|problem|not reach|undeliv)
    \b(?:over|exceed\w*|above|out of) (?:(?!quota|limit|space|size|storage)\w+ ){0,5}(?:quota|limit|space|size|storage)
    \bquota (?:is )?(?:exceed|full|error|violation|reached)
    \bmailbox (?:size|is)\b
    \b(?:mailbox|mail ?folder|inbox|disk) (?:is )?full
    \bfull (?:mailbox|mail ?folder|inbox)
    \bover ?quota
    \b(?:connection|connect|operation|conversation|session) .{0,60}\b(?:refused|timed out|timeout|dropped|failed)
    \brelay(?:ing)? (?:access )?(?:denied|not|prohibited)
    \baccess denied
    \bmessage (?:was |has been |is )?(?:reject|refus|bounc|block|too (?:large|big|long)|size|being returned)
    \b(?:mail|e-?mail|message|letter)\b.{0,80}\b(?:was|been|were|is|being) (?:rejected|refused|bounced|returned|blocked)
    \breject(?:ed)? (?:by|your|the|for|because|due|message|mail)
    \bblocked (?:by|using|because|for)
    \bblack ?list|\bblock ?list
    \btoo many (?:hops|recipients)
    \bloops back
    \bhop count
    \bmail loop
    \bretry (?:timeout|limit|time)
    \bname service error
    \btranscript of (?:the )?session
    \bunsent message
    \bserver error
    \bgiv(?:ing|en) up\b
    \bdeferred\b
    \bdelivery (?:temporarily )?suspended
    \b(?:has|have) been postponed
    \bdelayed\b
    \bstill (?:being|trying|in)\b
    """,
    r"""
    # German
    \bnicht (?:zugestellt|zustellbar|erreicht|gefunden|angenommen|existiert)
    \bunzustellbar
    \bexistiert nicht
    \bunbekannt
    \bist voll
    \bzurückgewiesen
    \babgelehnt
    \bverzögert
    # French
    \bpas (?:pu |été )?(?:[êe]tre )?(?:remis|d[ée]livr|distribu|livr|achemin|trouv|transmis)
    \bn['’]existe pas
    \binconnue?\b
    \best pleine
    \bnon[- ]remis
    \béchec
    \brejeté
    # Spanish
    \bno (?:se )?(?:ha |pudo |puede |fue )?(?:podido )?(?:ser )?(?:entreg|encontr|existe)
    \bdesconocid
    \brechazad
    # Italian
    \bnon (?:è|ha|può|esiste)\b.{0,40}(?:recapitat|consegnat|possibile|raggiunt|essere)
    \bnon esiste
    \bsconosciut
    \bmancat[oa]
    # Portuguese
    \bn[ãa]o (?:foi|pôde|p[oô]de|existe|encontrad|entreg)
    \brejeitad
    \binexistente
    \bfalha\b
    # Dutch
    \b(?:kon|kan) niet (?:worden )?(?:afgeleverd|bezorgd|besteld)
    \bonbekend
    \bbestaat niet
    \bniet (?:afgeleverd|bezorgd)
    # Polish, Czech, Hungarian
    \bnie (?:istnieje|można|zosta|mog|może)
    \bniedostarcz
    \bnieznany
    \bprzepełnion
    \bnelze\b
    \bneexistuje
    \bnem (?:lehet|létez|kézbes)
    # Swedish, Danish, Norwegian, Finnish
    \bkunde inte
    \bkunne ikke
    \bfinns inte
    \bfin[dn]es ikke
    \buk(?:en|je)n?dt?\b
    \bokänd
    \bei voitu
    """,
    r"""
    # Russian, Turkish, Greek
    не (?:может|была|было|удалось|существует|найден|доставл)
    недоставл
    неизвестн
    переполнен
    teslim edil
    bulunamad
    \bδεν\b
    # Japanese
    (?:配信|送信|配達|届け)でき
    届けられ
    届きません
    存在し
    不明
    見つかり
    いっぱい
    拒否
    ませんでした
    ありません
    容量
    # Chinese, Korean, Arabic, Hebrew
    无法|無法
    不存在
    失败|失敗
    退信|退回
    拒绝|拒絕
    未能
    배달
    존재하지
    실패
    반송
    تعذر
    לא ניתן
    """,
)
"""Names the failing of a delivery, for good or for now."""
