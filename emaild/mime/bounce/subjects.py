"""The subjects under which mail programs return a mail, or tell that it is late."""

from __future__ import annotations

import re

from emaild.mime.alternatives import Phrases

PATTERNS = r"""
    ^\W*(?:mail|message|e-?mail)? ?(?:system )?(?:un|non-?|not )deliver(?:ed|able|y)\b
    ^\W*returned (?:mail|message|e-?mail|to sender)
    ^\W*mail returned
    \breturned to sender
    ^\W*(?:failure|error|problem)s? (?:notice|notification|report|(?:in )?deliver(?:y|ing)|sending|mail|to deliver)
    \bdelivery (?:status )?(?:has )?(?:fail|err|notif|report|problem|status|incomplete|unsuccessful|impossible)
    \bdelivery (?:of .{0,100} )?(?:has )?failed
    \bfailed (?:mail|delivery|message|to deliver)
    \bmail failure
    ^\W*(?:mail|message|e-?mail) (?:delivery|system|routing|transport|server|send)? ?(?:error|fail|problem|rejected)
    ^\W*(?:mail|message|e-?mail)? ?(?:could|can) ?not be (?:deliver|sent)
    \bmessage could not be delivered
    \bun ?able to deliver
    ^\W*cannot deliver
    ^\W*(?:user|host|recipient|address) unknown
    ^\W*unknown (?:user|recipient|address|host)
    ^\W*no such user
    ^\W*(?:non-?delivery|nondeliverable|ndn|ndr|dsn)\b
    ^\W*bounced? (?:mail|message)
    ^\W*(?:mail|message|e-?mail) (?:was )?(?:not |un)(?:deliver|sent)
    ^\W*message status - undeliverable
    ^\W*rejected (?:mail|message|posting)?\W*$
    ^\W*(?:mailbox|inbox|account) (?:is )?(?:full|over quota|unavailable)
    # late
    ^\W*warning: (?:could not send|message|mail|your)
    ^\W*mail delivery warning
    \bstill being retried
    \bdelay(?:ed)?\b.{0,20}\b(?:mail|delivery)
    \b(?:mail|delivery|message)\b.{0,20}\bdelayed
    # German
    \bunzustellbar
    \bnicht (?:zustellbar|zugestellt)
    \bzustellung (?:fehlgeschl|nicht)
    \bunzugestellt
    \bverzögert
    # French
    \bnon (?:remis|délivr|distribu)
    \bnon[- ]remise
    \béchec d(?:e|'|u|’)
    \bretourné
    # Spanish
    \bno se (?:puede|pudo|ha podido) (?:entregar|enviar)
    \bno (?:entregad|entregable|se entregó)
    \berror (?:de|en la) entrega
    \bcorreo devuelto
    \bdevuelto al remitente
    # Italian
    \bmancat[oa] (?:recapito|consegna)
    \bnon (?:recapitat|recapitabil|consegnat)
    # Portuguese
    \bn[ãa]o (?:foi )?(?:entreg|poss[ií]vel)
    \bfalha (?:na|de|no) (?:entrega|envio)
    \bdevolvid[ao]
    # Dutch
    \bonbestelbaar
    \bniet[- ](?:afgeleverd|bezorgd|bestelbaar)
    # Polish, Czech, Hungarian, Romanian, Croatian
    \bniedostarcz
    \bniedoręcz
    \bnie (?:dostarczono|można dostarczyć|doręcz)
    \bzwrot
    \bnedoruč
    \bnelze doručit
    \bkézbesít
    \bnelivrabil
    \bneisporuč
    # Swedish, Danish, Norwegian, Finnish
    \bkunde inte leverer
    \bolevererbar
    \bej lever
    \bgår inte att leverer
    \bkan ikke leve?r
    \bikke leve?r
    \buleverbar
    \btoimittamat
    \bei voi(?:tu|da) toimittaa
    # Russian, Ukrainian, Turkish, Greek
    не ?доставл
    недоставка
    не уда[её]тся доставить
    невозможно доставить
    не може бути достав
    teslim edil
    ανεπίδοτ
    δεν (?:είναι|ήταν) δυνατή η παράδοση
    # Japanese, Chinese, Korean, Arabic, Hebrew
    (?:配信|配送)(?:不能|エラー)
    (?:配信|送信|配達)でき
    未配信
    宛先不明
    (?:无法|無法)(?:送达|投递|传递|傳遞|送達|投遞)
    未(?:送达|传递|能送达|傳遞)
    退信
    (?:投递|發送|发送|传输|傳遞|寄送)(?:失败|失敗)
    배달(?:되지|할 수)
    전송 ?실패
    반송
    تعذر (?:ال)?تسليم
    לא ניתן למסירה
"""

STEMS = re.compile(
    "deliver|return|fail|error|problem|not be|unknown|no such|nd[nr]|dsn|bounce|unsent|not sent|reject|full|quota"
    "|unavailable|warning|retried|delay|zustell|zugestell|verzöger|remis|délivr|distribu|échec|retourné|no se|entreg"
    "|devuelto|mancat|recapita|consegna|poss|falha|devolvid|bestelbaar|afgeleverd|bezorgd|dostarcz|zwrot|kézbes"
    "|nelivrabil|leve?r|toimitta|teslim|достав|不能|エラー|でき|未|不明|无法|無法|退信|失败|失敗|배달|실패|반송"
)
SUBJECT_FAILED = Phrases(PATTERNS, STEMS)
