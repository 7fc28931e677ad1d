"""What mail programs write above a quoted or forwarded mail, in the languages that they speak.

Each rule is for one line, or a few, and looks at a bounded number of characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 400  # characters of a line that may be a mark
MOST_LINES = 4  # over which an attribution may be wrapped
MOST_FIELDS = 12  # lines in which the header of a quoted mail says enough

DIVIDING = ("_", "=", "*", "—", "–", "-")  # how lines begin that divide
DIVIDING_LINE = re.compile(rf"\n[^\S\n]*+[{''.join(DIVIDING)}]")

WROTE = re.compile(
    r"\b(?:wrote|writes|said|says|schrieb|schreibt|a écrit|escribió|escribio|ha scritto|escreveu|schreef|skrev|skreiv"
    r"|kirjoitti|napisał(?:a|\(a\))?|pisze|napsal(?:a|\(a\))?|píše|написа(?:л|в)(?:а|ла|\(а\)|\(ла\))?|писа(?:л|в)(?:а)?|пишет"
    r"|пише|yazdı)(?!\w)|写道|寫道|書きました|のメール|さんが|작성|님이",
    re.IGNORECASE,
)
DAY = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}([./-])\d{1,2}\1\d\d")
TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d\d(?!\d)")
ADDRESS = re.compile(r"[^\s@<>]@[^\s@<>]")
OPENING = re.compile(
    r"\s*(?:(?:On|Am|Le|El|Il|Em|No dia|Op|Den|På|W dniu|Dnia|Dne|Vào|В|У)\s|.{0,12}?\d)", re.IGNORECASE | re.DOTALL
)
SENTENCE_END = re.compile(r"[.!?。！？]\s*\Z")

ORIGINAL = (
    "original message|original-nachricht|originalnachricht|ursprüngliche nachricht|original mail|reply message"
    "|message d'origine|message original|message d’origine|mensaje original|messaggio originale|mensagem original"
    "|oorspronkelijk bericht|origineel bericht|wiadomość oryginalna|oryginalna wiadomość|ursprungligt meddelande"
    "|originalmeddelande|oprindelig meddelelse|original meddelelse|opprinnelig melding|original melding"
    "|alkuperäinen viesti|původní zpráva|originální zpráva|исходное сообщение|оригинальное сообщение"
    "|первоначальное сообщение|вихідне повідомлення|оригінальне повідомлення|özgün ileti|orijinal ileti"
    "|orijinal mesaj|元のメッセージ|original message|原始邮件|原邮件|原始郵件|原郵件|원본 메시지|원본 메일|원본메일"
)
FORWARDED = (
    "forwarded message|forwarded by .{1,80}|forwarded mail|weitergeleitete nachricht|message transféré"
    "|message transmis|message réexpédié|mensaje reenviado|messaggio inoltrato|mensagem encaminhada"
    "|mensagem reencaminhada|doorgestuurd bericht|doorgestuurd e-mailbericht|wiadomość przekazana"
    "|przekazana wiadomość|przesłana wiadomość|treść przekazanej wiadomości|vidarebefordrat meddelande"
    "|vidarebefordrat mejl|videresendt meddelelse|videresendt besked|videresendt melding|välitetty viesti"
    "|edelleenlähetetty viesti|přeposlaná zpráva|předaná zpráva|пересылаемое сообщение|пересланное сообщение"
    "|перенаправленное сообщение|переслане повідомлення|пересилається повідомлення|iletilen mesaj|iletilmiş mesaj"
    "|yönlendirilen ileti|yönlendirilmiş mesaj|転送メッセージ|転送されたメッセージ|转发的邮件|转发邮件信息|转发邮件"
    "|轉寄的郵件|轉寄郵件|轉寄信件|전달된 메시지|전달된 메일|전달된 이메일"
)
DIVIDER = re.compile(rf"\s*+[-_=*—–]{{2,}}+\s*+(?:{ORIGINAL}|{FORWARDED})\s*:?\s*[-_=*—–]{{0,80}}\s*\Z", re.IGNORECASE)
RULE = re.compile(r"\s*+(?:-{4,}+\s?[^\W_][^-]{1,60}-{4,}|_{8,})\s*\Z")
BEGIN = re.compile(
    r"\s*(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|début du message (?:réexpédié|transféré|transmis)|début du courriel transféré|inicio del mensaje reenviado"
    r"|inizio (?:del )?messaggio inoltrato|início da mensagem (?:reenviada|encaminhada|reencaminhada)"
    r"|begin doorgestuurd bericht|początek przekazywanej wiadomości|vidarebefordrat (?:brev|mejl)"
    r"|start på videresendt (?:besked|melding)|begynnelse på videresendt melding|videresendt melding"
    r"|välitetty viesti alkaa|začátek přeposlané zprávy|начало (?:переадресованного сообщения|пересылаемого сообщения)"
    r"|початок (?:переадресованого повідомлення|листа, що пересилається)|(?:iletilen|yönlendirilen) (?:ileti|mesaj)"
    r" başlangıcı|転送されたメッセージ|(?:下面|以下)是被?[转轉][发發寄]的?[邮郵]件|開始轉寄郵件|전달된 메시지 시작)"
    r"\s?[:：]\s*\Z",
    re.IGNORECASE,
)
LABELS = {
    "from": "from|von|de|da|van|od|från|fra|lähettäjä|от|від|kimden|gönderen|expéditeur|remitente|差出人|送信者|送信元"
    "|发件人|寄件者|寄件人|發件人|보낸 사람|보낸사람|보낸이",
    "date": "sent|date|gesendet|gesendet am|datum|envoyé|envoyé le|date d'envoi|enviado|enviado el|enviado em|enviada"
    "|enviada em|fecha|data|inviato|verzonden|wysłano|skickat|skickat den|sendt|sendt den|dato|lähetetty|päivämäärä"
    "|päiväys|pvm|odesláno|отправлено|дата|надіслано|gönderildi|gönderme tarihi|tarih|送信日時|日時|日付|日期|发送时间"
    "|发送日期|發送時間|寄件日期|傳送日期|보낸 날짜|날짜|보낸 시간",
    "to": "to|an|à|a|para|aan|do|till|til|vastaanottaja|komu|кому|kime|alıcı|destinataire|destinatario|宛先|收件人"
    "|收件者|받는 사람|받는사람",
    "subject": "subject|betreff|objet|asunto|oggetto|assunto|onderwerp|temat|ämne|emne|aihe|předmět|тема|konu|件名|主题"
    "|主題|主旨|제목",
}
"""Names of the fields of a quoted mail's header."""
KINDS = {label: kind for kind, labels in LABELS.items() for label in labels.split("|")}
FIELD = re.compile(r"[\s*]{0,3}([^\W\d_][^:：*\n]{0,24}?)[\s*]{0,3}[:：]([\s*].*|\Z|(?<=：).*)", re.DOTALL)


def is_quote(line: str) -> bool:
    """Whether a line has a quote's mark in front."""
    start = line[:4]
    return ">" in start and start.lstrip(" \t").startswith(">")


def may_be_mark(line: str) -> bool:
    """Whether a mark can begin, or an attribution end, with a line: a cheap look that spares nearly all the others."""
    return ":" in line or "：" in line or line.lstrip().startswith(DIVIDING)


def may_hold_mark(text: str) -> bool:
    """Whether one of the lines of a text may be a mark."""
    return ":" in text or "：" in text or DIVIDING_LINE.search("\n" + text) is not None


def attribution(lines: Sequence[str], end: int, *, above_quote: bool) -> int | None:
    """Where the `On …, X wrote:` begins whose last line is *end*, None where it is none.

    Less is asked of one that stands above a quoted line.
    """
    if not lines[end].rstrip(" \t\r\xa0*_").endswith((":", "：")):
        return None
    around = " ".join(line[:LONGEST] for line in lines[max(end - MOST_LINES + 1, 0) : end + 1])
    if not (WROTE.search(around) or ADDRESS.search(around)):
        return None
    most, found = 0, None
    for start in range(end, max(end - MOST_LINES, -1), -1):
        line = lines[start]
        if len(line) > LONGEST or (start < end and (not line.strip() or SENTENCE_END.search(line) or is_quote(line))):
            break
        points = _points(" ".join(lines[start : end + 1]), above_quote=above_quote)
        if points > most:
            most, found = points, start
    return found


def _points(said: str, *, above_quote: bool) -> int:
    """How much a text looks like an attribution; 0: not enough."""
    wrote, day, address = bool(WROTE.search(said)), bool(DAY.search(said)), bool(ADDRESS.search(said))
    opening, time = bool(OPENING.match(said)), bool(TIME.search(said))
    if above_quote:
        enough = wrote or (day and address)
    else:
        enough = day and (time or address) and ((wrote and opening) or (time and address and (wrote or opening)))
    return enough * (2 * wrote + day + address + opening)


def is_divider(lines: Sequence[str], at: int) -> bool:
    """Whether a line says that a quoted or forwarded mail follows; one in words that are not known, or of underscores,
    needs a header below it.
    """
    line = lines[at]
    said = line.strip()
    if len(line) > LONGEST or not said or (said[0] not in DIVIDING and said[-1] not in ":："):
        return False
    if DIVIDER.match(line) or BEGIN.match(line):
        return True
    return bool(RULE.match(line)) and _is_header(lines[at + 1 : at + 1 + MOST_FIELDS])


def _is_header(lines: Sequence[str]) -> bool:
    """Whether these lines begin with the header of a mail; in any language if they hold an address and a date."""
    said = [line[:LONGEST] for line in lines if line.strip()]
    fields = [found[2] for line in said[:4] if (found := FIELD.match(line))]
    anyhow = len(fields) >= 3 and any(map(ADDRESS.search, fields)) and any(map(DAY.search, fields))
    return anyhow or header_end(said, 0, below_divider=False) is not None


def header_end(lines: Sequence[str], start: int, *, below_divider: bool) -> int | None:
    """The line after the header of a quoted mail that begins at *start*; None where there is none.

    Without a divider it begins with its sender, and names a date, and recipients or a subject.
    """
    kinds: list[str] = []
    end = start
    for at in range(start, min(start + MOST_FIELDS, len(lines))):
        line = lines[at][:LONGEST]
        field = FIELD.match(line) if ":" in line or "：" in line else None
        kind = KINDS.get(field[1].lower()) if field else None
        if not lines[at].strip() or not (kinds or kind):
            break
        if kind:
            kinds.append(kind)
        if field:
            end = at + 1
        if not below_divider and kinds[0] != "from":
            return None
    complete = {"from", "date"} <= set(kinds) and {"to", "subject"} & set(kinds)
    return end if complete or (below_divider and kinds) else None
