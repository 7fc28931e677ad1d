"""Bytes are read as what they are: by their label where it fits, else by what they look like."""

from __future__ import annotations

import codecs
import encodings
import tracemalloc

import pytest

from emaild.mime.charset import decoded

RUSSIAN = "Добрый день! Когда будет доставлен мой заказ? Заранее спасибо."
POLISH = "Dzień dobry, proszę o informację o zamówieniu. Pozdrawiam, Łukasz Żółć"
JAPANESE = "注文した商品はまだ届いていません。よろしくお願いいたします。"
GERMAN = "Ich möchte meine Bestellung zurückgeben. Grüße, Jürgen"
TEXTS = [
    ("windows-1251", RUSSIAN),
    ("koi8-r", RUSSIAN),
    ("windows-1252", GERMAN),
    ("windows-1252", "Où est ma commande ? Je l’attends déjà depuis deux semaines."),
    ("windows-1252", "¿Dónde está mi pedido? Mañana me voy."),
    ("windows-1250", POLISH),
    ("iso-8859-2", POLISH),
    ("windows-1250", "Dobrý den, kde je moje objednávka? Děkuji, Jiří Šťastný"),
    ("windows-1253", "Καλημέρα σας, πού βρίσκεται η παραγγελία μου;"),
    ("windows-1254", "Siparişim nerede? Teşekkür ederim, Işık Şahin"),
    ("windows-1255", "שלום, איפה ההזמנה שלי?"),
    ("windows-1256", "مرحبا، أين طلبي؟ شكرا"),
    ("cp874", "สวัสดีครับ ผมต้องการสอบถามเรื่องคำสั่งซื้อ"),
    ("shift_jis", JAPANESE),
    ("euc_jp", JAPANESE),
    ("gb18030", "您好，我的订单什么时候发货？谢谢"),
    ("big5", "您好，我的訂單什麼時候出貨？謝謝"),
    ("euc_kr", "안녕하세요, 제 주문은 언제 배송되나요? 감사합니다"),
]


@pytest.mark.parametrize(("charset", "text"), TEXTS)
@pytest.mark.parametrize("label", [None, "us-ascii", "utf-8", "x-unknown", "no-such-charset", "unknown-8bit"])
def test_a_text_is_read_whose_label_is_missing_or_cannot_be_true(charset: str, text: str, label: str | None) -> None:
    assert decoded(text.encode(charset), label) == text


@pytest.mark.parametrize(("charset", "text"), TEXTS)
def test_a_text_is_read_by_its_label(charset: str, text: str) -> None:
    assert decoded(text.encode(charset), charset) == text


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "windows-1253", "shift_jis", "euc_jp", "gb18030"])
@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1252"])
def test_a_label_that_programs_put_without_looking_yields_to_rows_of_letters_beyond_it(
    charset: str, label: str
) -> None:
    text = next(text for name, text in TEXTS if name == charset)
    assert decoded(text.encode(charset), label) == text


@pytest.mark.parametrize(
    "text", [GERMAN, "ÄÖÜ äöü ß", "££££££££££", "»»»»»»»»»»", "\xa0" * 40, "Ärger über Öl – naïve café"]
)
def test_a_western_text_stays_western_under_its_label(text: str) -> None:
    assert decoded(text.encode("windows-1252"), "iso-8859-1") == text


@pytest.mark.parametrize(
    "label", ["iso-8859-1", "us-ascii", "iso-2022-jp", "windows-1251", "koi8-r", "utf-16", "gb2312"]
)
def test_utf_8_is_read_under_any_label(label: str) -> None:
    assert decoded(f"{GERMAN} {JAPANESE}".encode(), label) == f"{GERMAN} {JAPANESE}"


def test_a_word_of_two_bytes_a_character_stays_under_its_label_though_it_fits_utf_8() -> None:
    assert decoded("撖".encode("gb18030"), "gb2312") == "撖"
    content = b"\xd6\xb2"  # a character of GB 2312, and one of UTF-8
    assert content.decode("utf-8") != decoded(content, "gb2312") == content.decode("gb18030")


@pytest.mark.parametrize("label", [None, "us-ascii", "utf-8", "iso-8859-1", "iso-2022-jp", "shift_jis"])
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (JAPANESE.encode("iso2022_jp"), JAPANESE),
        ("안녕하세요".encode("iso2022_kr"), "안녕하세요"),
        (b"\x1b$B-j-!\x1b(B \x1b(I6E\x1b(B", "㈱① ｶﾅ"),
        (b"\x1b$B8!", "検"),
        (b"\x1b$B8!:w\x1b", None),
    ],
)
def test_escape_sequences_are_read_under_any_label(content: bytes, text: str | None, label: str | None) -> None:
    """RFC 1468, RFC 1557; row 13 and half-width kana are no part of ISO-2022-JP, and common."""
    found = decoded(content, label)
    assert found == text if text else found.startswith("検索")


def test_hz_is_read_without_a_label_but_not_under_another() -> None:
    content = "你好世界".encode("hz")
    assert [decoded(content, label) for label in (None, "hz", "hz-gb-2312")] == ["你好世界"] * 3
    assert decoded(content, "utf-8") == content.decode()


@pytest.mark.parametrize("label", [None, "utf-16", "utf-8", "unicode"])
@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [True, False])
def test_utf_16_is_read_with_and_without_its_mark(charset: str, mark: bool, label: str | None) -> None:
    content = ("\ufeff" * mark + GERMAN).encode(charset)
    assert decoded(content, label) == GERMAN


def test_the_mark_of_utf_8_is_no_text() -> None:
    assert decoded(codecs.BOM_UTF8 + b"abc", "iso-8859-1") == "abc"


def test_utf_7_is_read_under_its_names_only() -> None:
    assert [decoded(b"Gr+APwA3w-e", label) for label in ("utf-7", "unicode-1-1-utf-7")] == ["Grüße"] * 2
    assert decoded(b"Gr+APwA3w-e", "utf-8") == "Gr+APwA3w-e"


@pytest.mark.parametrize(
    ("label", "charset"),
    [
        ('"utf-8"', "utf-8"),
        ("utf-8;", "utf-8"),
        (" UTF 8 ", "utf-8"),
        ("utf-8 format=flowed", "utf-8"),
        ("'koi8-r'", "koi8-r"),
        ("koi8-r (Cyrillic)", "koi8-r"),
        ("koi8-ru", "koi8-u"),
        ("cp1251", "windows-1251"),
        ("x-cp1251", "windows-1251"),
        ("windows 1251", "windows-1251"),
        ("Windows_1251", "windows-1251"),
        ("iso-8859-8-i", "iso-8859-8"),
        ("x-mac-cyrillic", "mac_cyrillic"),
        ("cp866", "cp866"),
        ("windows-874", "cp874"),
        ("tis-620", "cp874"),
        ("x-sjis", "cp932"),
        ("cp932", "cp932"),
        ("cp936", "gb18030"),
        ("gb2312", "gb18030"),
        ("gb_2312-80", "gb18030"),
        ("ks_c_5601-1987", "cp949"),
        ("ks_c_5601", "cp949"),
        ("x-x-big5", "big5hkscs"),
        ("x-euc-jp", "euc_jp"),
    ],
)
def test_a_label_is_known_by_all_its_names(label: str, charset: str) -> None:
    """Bytes that a guess would take for something else."""
    content = bytes((0xB1, 0xA3)) * 2
    assert decoded(content, label) == content.decode(charset, "replace" if charset == "utf-8" else "strict") or (
        charset == "utf-8" and decoded("ü".encode(), label) == "ü"
    )


@pytest.mark.parametrize("label", ["ansi_x3.4-1968", "iso-8859-1", "latin1", "cp1252", "x-ansi"])
def test_latin_1_and_ascii_mean_windows_1252(label: str) -> None:
    assert decoded(b"\x93Gr\xfc\xdfe\x94 \x80", label) == "“Grüße” €"


def test_a_broken_character_in_a_long_text_does_not_spoil_the_rest() -> None:
    for charset in ("utf-8", "gb2312", "euc-jp", "shift_jis"):
        content = ("日本" * 20).encode(charset)
        assert decoded(content + b"\xff" + content[:-1], charset).startswith("日本" * 20)
        assert decoded(content[:-1], charset) in ("日本" * 19 + "日\N{REPLACEMENT CHARACTER}", "日本" * 19 + "日\ufffd")


@pytest.mark.parametrize("label", [None, "us-ascii", "utf-8", "no-such-charset"])
@pytest.mark.parametrize(
    "meta",
    [
        b'<meta charset="windows-1257">',
        b"<META charset=windows-1257 />",
        b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1257">',
        b"<meta content='text/html;charset=windows-1257' http-equiv=Content-Type>",
    ],
)
def test_html_says_its_charset_where_the_header_does_not(meta: bytes, label: str | None) -> None:
    content = b"<html><head>" + meta + b"</head><body>\xd0\xeb</body>"
    assert decoded(content, label, html=True).endswith("Šė</body>")
    assert "Šė" not in decoded(content, "windows-1252", html=True)
    assert "Šė" not in decoded(content, label)


def test_what_html_says_of_its_charset_counts_only_at_its_beginning_and_where_it_fits() -> None:
    meta = b'<meta charset="windows-1257">'
    assert "Šė" not in decoded(b" " * 5000 + meta + b"\xd0\xeb", None, html=True)
    assert decoded('<meta charset="windows-1257">日本'.encode(), None, html=True).endswith("日本")
    assert decoded('<meta charset="utf-16">Grüße'.encode(), None, html=True).endswith("Grüße")


def test_the_charset_of_what_declares_none_goes_before_a_guess() -> None:
    content = "Łódź".encode("windows-1250")
    assert decoded(content, None, "iso-8859-5") == content.decode("iso-8859-5")
    assert decoded(content, None, "no-such-charset") == "Łódź"


def test_nul_bytes_and_lone_surrogates_are_no_text() -> None:
    assert decoded(b"a\0b", None) == decoded(b"a\0b", "utf-8") == "ab"
    assert decoded(b"+2AA-", "utf-7") == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "label", ["idna", "punycode", "unicode_escape", "hex", "rot13", "mbcs", "tactis", "aliases", "undefined"]
)
def test_what_python_calls_a_codec_but_no_mail_does_is_none(label: str) -> None:
    assert decoded(b"a\\x41-\xfc", label) == "a\\x41-ü"


def test_labels_leave_nothing_behind() -> None:
    """Python remembers every name that it was ever asked for."""
    before = len(encodings._cache)
    for number in range(1000):
        decoded(b"\xfc", f"no-such-charset-{number}")
        decoded(b"\xfc", str(number) * 10_000)
    assert len(encodings._cache) - before < 10


@pytest.mark.parametrize(
    "hostile", [b"\xff", b"\x80\0", b"\x1b$B", b"~{!!~}", b"<meta ", b"\xc3", b"\x1b(I\xb1", b"\xe9 ", b"A\xc4"]
)
@pytest.mark.parametrize("label", [None, "iso-8859-1", "utf-8", "utf-16", "utf-7", "iso-2022-jp", "gb2312"])
def test_megabytes_take_no_time_whatever_they_hold(hostile: bytes, label: str | None) -> None:
    """The test's time limit is the assertion: what takes the square of its length takes hours."""
    assert isinstance(decoded(hostile * (1_000_000 // len(hostile)), label, html=True), str)


def test_a_label_of_megabytes_is_not_kept() -> None:
    """What was looked up before is remembered: that must not be what a mail makes as long as it likes."""
    tracemalloc.start()
    for number in range(200):
        decoded(b"\xfc", f"{number}" + "x" * 100_000)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 5_000_000


@pytest.mark.parametrize("label", ["gb2312", "shift_jis", "euc-kr", "big5", "euc-jp", "utf-7"])
@pytest.mark.parametrize("text", ["您好", "日本", "Schöne Grüße", "Café olé", "Здравствуйте"])
def test_a_short_text_in_utf_8_is_read_under_a_label_of_two_bytes_a_character(text: str, label: str) -> None:
    assert decoded(text.encode(), label) == text


@pytest.mark.parametrize(
    ("text", "label"), [("植", "gbk"), ("你好", "gb2312"), ("日本", "shift_jis"), ("안녕", "euc-kr")]
)
def test_a_short_text_of_two_bytes_a_character_is_read_by_its_label(text: str, label: str) -> None:
    assert decoded(text.encode(label), label) == text


def test_a_meta_of_html_counts_where_bytes_have_no_meaning_under_the_label() -> None:
    page = '<meta charset="windows-1250"><p>Příliš žluťoučký kůň</p>'
    assert decoded(page.encode("cp1250"), "iso-8859-1", html=True) == page
