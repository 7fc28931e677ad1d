"""What an author wrote, and what was quoted: as mail programs write it, in the languages that they speak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.quoting import apart

ATTRIBUTIONS = {
    "English": "On Mon, Mar 2, 2026 at 9:30 AM Ann Lee <ann@example.com> wrote:",
    "English, wrapped": "On Mon, Mar 2, 2026 at 9:30 AM Ann Lee <\nann@example.com> wrote:",
    "English, wrapped twice": "On Mon, Mar 2, 2026\nat 9:30 AM Ann Lee\n<ann@example.com> wrote:",
    "English, Apple": "On 2 Mar 2026, at 10:30, Ann Lee <ann@example.com> wrote:",
    "English, Thunderbird": "On 3/2/26 9:30 AM, Ann Lee wrote:",
    "German": "Am Mo., 2. März 2026 um 10:30 Uhr schrieb Ann Lee <ann@example.com>:",
    "German, Apple": "Am 02.03.2026 um 10:30 schrieb Ann Lee <ann@example.com>:",
    "French": "Le lun. 2 mars 2026 à 10:30, Ann Lee <ann@example.com> a écrit :",
    "French, wrapped": "Le lun. 2 mars 2026 à 10:30, Ann Lee <ann@example.com> a\nécrit :",
    "Spanish": "El lun, 2 mar 2026 a las 10:30, Ann Lee (<ann@example.com>) escribió:",
    "Italian": "Il giorno lun 2 mar 2026 alle ore 10:30 Ann Lee <ann@example.com> ha scritto:",
    "Portuguese": "Em seg., 2 de mar. de 2026 às 10:30, Ann Lee <ann@example.com> escreveu:",
    "Dutch": "Op ma 2 mrt 2026 om 10:30 schreef Ann Lee <ann@example.com>:",
    "Polish": "pon., 2 mar 2026 o 10:30 Ann Lee <ann@example.com> napisał(a):",
    "Swedish": "Den mån 2 mars 2026 kl 10:30 skrev Ann Lee <ann@example.com>:",
    "Danish": "Den man. 2. mar. 2026 kl. 10.30 skrev Ann Lee <ann@example.com>:",
    "Norwegian": "man. 2. mars 2026 kl. 10:30 skrev Ann Lee <ann@example.com>:",
    "Finnish": "ma 2. maalisk. 2026 klo 10.30 Ann Lee (ann@example.com) kirjoitti:",
    "Czech": "po 2. 3. 2026 v 10:30 odesílatel Ann Lee <ann@example.com> napsal:",
    "Russian": "пн, 2 мар. 2026 г. в 10:30, Ann Lee <ann@example.com>:",
    "Russian, with a verb": "2 марта 2026 г. 10:30 пользователь Ann Lee <ann@example.com> написал:",
    "Ukrainian": "пн, 2 бер. 2026 р. о 10:30 Ann Lee <ann@example.com> пише:",
    "Turkish": "Ann Lee <ann@example.com>, 2 Mar 2026 Pzt, 10:30 tarihinde şunu yazdı:",
    "Turkish, wrapped": "Ann Lee <ann@example.com>, 2 Mar 2026 Pzt, 10:30 tarihinde\nşunu yazdı:",
    "Japanese": "2026年3月2日(月) 10:30 Ann Lee <ann@example.com>:",
    "Chinese": "Ann Lee <ann@example.com> 于2026年3月2日周一 10:30写道：",
    "Korean": "2026년 3월 2일 (월) 오전 10:30, Ann Lee <ann@example.com>님이 작성:",
}
HEADERS = {
    "English": ("From: Ann Lee <ann@example.com>", "Sent: Monday, March 2, 2026 9:30 AM", "To: B", "Subject: Hi"),
    "German": ("Von: Ann Lee", "Gesendet: Montag, 2. März 2026 10:30", "An: B", "Betreff: Hallo"),
    "French": ("De : Ann Lee", "Envoyé : lundi 2 mars 2026 10:30", "À : B", "Objet : Bonjour"),
    "Spanish": ("De: Ann Lee", "Enviado el: lunes, 2 de marzo de 2026 10:30", "Para: B", "Asunto: Hola"),
    "Italian": ("Da: Ann Lee", "Inviato: lunedì 2 marzo 2026 10:30", "A: B", "Oggetto: Ciao"),
    "Portuguese": ("De: Ann Lee", "Enviada em: segunda-feira, 2 de março de 2026 10:30", "Para: B", "Assunto: Oi"),
    "Dutch": ("Van: Ann Lee", "Verzonden: maandag 2 maart 2026 10:30", "Aan: B", "Onderwerp: Hoi"),
    "Polish": ("Od: Ann Lee", "Wysłano: poniedziałek, 2 marca 2026 10:30", "Do: B", "Temat: Hej"),
    "Swedish": ("Från: Ann Lee", "Skickat: den 2 mars 2026 10:30", "Till: B", "Ämne: Hej"),
    "Danish": ("Fra: Ann Lee", "Sendt: 2. marts 2026 10:30", "Til: B", "Emne: Hej"),
    "Finnish": ("Lähettäjä: Ann Lee", "Lähetetty: ma 2. maaliskuuta 2026 10.30", "Vastaanottaja: B", "Aihe: Hei"),
    "Czech": ("Od: Ann Lee", "Odesláno: pondělí 2. března 2026 10:30", "Komu: B", "Předmět: Ahoj"),
    "Russian": ("От: Ann Lee", "Отправлено: 2 марта 2026 г. 10:30", "Кому: B", "Тема: Привет"),
    "Ukrainian": ("Від: Ann Lee", "Надіслано: 2 березня 2026 р. 10:30", "Кому: B", "Тема: Привіт"),
    "Turkish": ("Kimden: Ann Lee", "Gönderildi: 2 Mart 2026 Pazartesi 10:30", "Kime: B", "Konu: Selam"),
    "Japanese": ("差出人: Ann Lee", "送信日時: 2026年3月2日 10:30", "宛先: B", "件名: こんにちは"),
    "Chinese": ("发件人：Ann Lee", "发送时间：2026年3月2日 10:30", "收件人：B", "主题：你好"),
    "Korean": ("보낸 사람: Ann Lee", "보낸 날짜: 2026년 3월 2일 10:30", "받는 사람: B", "제목: 안녕"),
}
DIVIDERS = [
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "-------- Original-Nachricht --------",
    "-----Message d'origine-----",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "-----Mensagem original-----",
    "-----Oorspronkelijk bericht-----",
    "-----Wiadomość oryginalna-----",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Opprinnelig melding-----",
    "-----Alkuperäinen viesti-----",
    "-----Původní zpráva-----",
    "-----Исходное сообщение-----",
    "-----Вихідне повідомлення-----",
    "-----Özgün İleti-----",
    "-----元のメッセージ-----",
    "-----原始邮件-----",
    "-----원본 메시지-----",
    "---------- Forwarded message ---------",
    "-------- Weitergeleitete Nachricht --------",
    "---------- Message transféré ---------",
    "Begin forwarded message:",
    "Anfang der weitergeleiteten Nachricht:",
    "Début du message réexpédié :",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_an_attribution_and_the_quoted_lines_below_it_are_quoted(attribution: str, gap: str) -> None:
    quoted = f"{attribution}{gap}> Where is it?\n>\n> Ann"
    assert apart(f"It comes tomorrow.\n\nBob\n\n{quoted}\n") == ("It comes tomorrow.\n\nBob", quoted)


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_an_attribution_needs_no_empty_line_before_it(attribution: str) -> None:
    assert apart(f"Thanks!\n{attribution}\n> Where is it?") == ("Thanks!", f"{attribution}\n> Where is it?")


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_a_mail_may_be_quoted_without_marks_before_its_lines(attribution: str) -> None:
    quoted = f"{attribution}\n\nWhere is it?\n\nAnn"
    assert apart(f"It comes tomorrow.\n\n{quoted}") == ("It comes tomorrow.", quoted)


@pytest.mark.parametrize("fields", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("above", ["", "________________________________\n", "-----Original Message-----\n"])
def test_what_stands_below_the_header_of_a_mail_is_quoted(fields: tuple[str, ...], above: str) -> None:
    quoted = above + "\n".join(fields) + "\n\nWhere is it?\n\nAnn\n"
    assert apart(f"It comes tomorrow.\n\n{quoted}") == ("It comes tomorrow.", quoted.strip("\n"))


def test_a_header_below_underscores_is_one_in_any_language() -> None:
    quoted = "____________________\nOddawca: Ann <ann@example.com>\nCzas: 02.03.2026 10:30\nRzecz: x\n\nWhere is it?"
    assert apart(f"Tomorrow.\n\n{quoted}") == ("Tomorrow.", quoted)


def test_the_fields_of_a_header_may_be_bold_and_long() -> None:
    quoted = "*From:* Ann <a@example.com>\n*Sent:* Monday\n*To:* b@example.com; c@example.com;\n d@example.com\n"
    quoted += "*Cc:* e@example.com\n*Subject:* x\n\nWhere is it?"
    assert apart(f"Tomorrow.\n{quoted}") == ("Tomorrow.", quoted)


@pytest.mark.parametrize("divider", DIVIDERS)
def test_what_stands_below_a_divider_is_quoted(divider: str) -> None:
    quoted = f"{divider}\nFrom: Ann\nDate: 2 March\n\nWhere is it?"
    assert apart(f"See below.\n\n{quoted}") == ("See below.", quoted)


@pytest.mark.parametrize("divider", DIVIDERS)
def test_a_mail_forwarded_without_a_word_is_all_quoted(divider: str) -> None:
    forward = f"{divider}\nFrom: Ann\n\nWhere is it?"
    assert apart(forward) == ("", forward)


def test_answers_between_quoted_lines_are_the_reply() -> None:
    text = "On Monday Ann wrote:\n> When?\n\nTomorrow.\n\n> Where?\nAt the door.\n\n> Ann\n-- \nBob"
    assert apart(text) == (
        "Tomorrow.\n\nAt the door.\n\n-- \nBob",
        "On Monday Ann wrote:\n> When?\n> Where?\n> Ann",
    )


def test_an_answer_below_the_quoted_lines_is_the_reply() -> None:
    assert apart("Ann wrote:\n> When?\n\nTomorrow.") == ("Tomorrow.", "Ann wrote:\n> When?")
    text = "-----Original Message-----\nFrom: Ann\nSent: Monday\n\n> When?\n\nTomorrow."
    assert apart(text)[0] == "Tomorrow."


def test_an_answer_below_lines_that_are_not_marked_is_never_lost() -> None:
    text = "On 2 March 2026 at 9:30 Ann <ann@example.com> wrote:\nWhen?\n\nTomorrow."
    assert apart(text) == (text, "")


@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\n\n________________________________\nThis mail is confidential.",
        "One\n-----\nTwo\n----------------------\nThree\n-- \nBob\nExample Ltd",
        "One\n----- my own heading -----\nTwo: three\nFour",
        "On Monday the manager wrote:\nThis will be done.\nIt was not.",
        "Please note the following from 10:30:\n- one\n- two",
        "From: the beginning\nTo: the end\n\nis a book.",
        "Subject: my order\nNumber: 4711\n\nPlease send it.",
        "She wrote: yes.",
        "a > b\nx\n  - > no",
        "One.\n>From the beginning it was wrong.\n",
        "> All of it\n>\n\n> is set in.\n",
        "",
        "\n\n",
    ],
)
def test_what_quotes_nothing_stays_whole(text: str) -> None:
    assert apart(text) == (text, "")


@pytest.mark.parametrize("words", ["About your point at 10:30:", "On the offer of 02.03.2026:", "To ann@example.com:"])
def test_words_of_ones_own_above_a_quoted_line_stay(words: str) -> None:
    assert apart(f"{words}\n> No.\n\nYes.")[0] == f"{words}\n\nYes."


def test_a_line_of_ones_own_right_above_an_attribution_stays() -> None:
    attribution = ATTRIBUTIONS["English"]
    assert apart(f"On we go\n{attribution}\n> No.")[0] == "On we go"


def test_a_sentence_before_an_attribution_that_follows_at_once_stays() -> None:
    assert apart("I was there at 10:30 in 2026, ask x@example.com.\nAnn wrote:\n> No.")[0].startswith("I was there")


LINES = [
    "> quoted", ">> twice", "", "", "own", "-- ", "________________", "-----Original Message-----", "From: a@b.example",
    "Sent: 2 March 2026", "To: b", "Subject: x", "Ann wrote:", "On 2 March 2026 at 10:30", "a@b.example wrote:",
    ">From x", "Begin forwarded message:", " ", "---- x ----", *ATTRIBUTIONS.values(),
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=8)), max_size=25).map("\n".join))
def test_no_line_is_lost_or_made(text: str) -> None:
    reply, quoted = apart(text)
    said = [line for line in text.split("\n") if line]
    assert sorted(line for line in (reply + "\n" + quoted).split("\n") if line) == sorted(said)


@pytest.mark.parametrize(
    "line",
    [
        "On x wrote:\n",
        "\n",
        "> \n",
        "From: x\n",
        "a:\n",
        f"{'_' * 8}\n",
        "-----",
        "a@b 10:30:\n",
        "_",
        ":",
        "On ",
        "a: b\n",
    ],
)
def test_a_long_text_takes_no_time(line: str) -> None:
    """The test's time limit is the assertion: what takes the square of its length takes hours."""
    text = line * (700_000 // len(line))
    reply, quoted = apart(text)
    assert len(reply) + len(quoted) <= len(text)
