"""Bytes to text, whatever the label says."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from encodings import aliases, normalize_encoding
from functools import lru_cache

from emaild.mime.escapes import escaped
from emaild.mime.guess import AMONG_ASCII, guess, wide_worth
from emaild.mime.limits import GUESSED_BYTES

MEANT = {
    "iso8859_1": "cp1252", "latin_1": "cp1252", "iso8859_9": "cp1254", "tis_620": "cp874",
    "iso8859_11": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949",
    "big5": "big5hkscs",
}  # fmt: skip
"""What programs send under a narrower name (WHATWG Encoding §4.2)."""
MORE = {
    "cp936": "gb18030", "x_gbk": "gb18030", "euc_cn": "gb18030", "x_euc_cn": "gb18030", "gb_2312_80": "gb18030",
    "ks_c_5601_1987": "cp949", "ks_c_5601_1989": "cp949", "ksc_5601": "cp949", "windows_949": "cp949",
    "x_windows_949": "cp949", "x_sjis": "cp932", "x_ms_cp932": "cp932", "windows_31j": "cp932", "x_euc_jp": "euc_jp",
    "x_euc": "euc_jp", "cp51932": "euc_jp", "cp50220": "iso2022_jp", "cp50221": "iso2022_jp", "cp50222": "iso2022_jp",
    "x_x_big5": "big5hkscs", "cn_big5": "big5hkscs", "windows_874": "cp874", "dos_874": "cp874",
    "ansi_x3_4_1968": "ascii",
    "ansi": "cp1252", "latin": "cp1252", "iso8859": "cp1252", "iso_8859": "cp1252", "8bit": "",
    "cp874": "cp874", "default": "",
    "x_ansi": "cp1252", "x_cp1250": "cp1250", "x_cp1251": "cp1251", "x_cp1252": "cp1252", "x_user_defined": "",
    "iso_8859_8_i": "iso8859_8", "iso_8859_8_e": "iso8859_8", "iso_8859_6_i": "iso8859_6",
    "iso_8859_6_e": "iso8859_6",
    "x_mac_roman": "mac_roman", "mac": "mac_roman", "x_macroman": "mac_roman", "x_mac_ce": "mac_latin2",
    "x_mac_cyrillic": "mac_cyrillic", "x_mac_greek": "mac_greek", "x_mac_turkish": "mac_turkish",
    "unicode_1_1_utf_7": "utf_7", "unicode_2_0_utf_7": "utf_7", "x_unicode_2_0_utf_7": "utf_7", "unicode": "utf_16",
    "unicode_1_1_utf_8": "utf_8", "x_utf_8": "utf_8", "utf8mb4": "utf_8", "utf8mb3": "utf_8", "ucs_2": "utf_16",
    "koi8_r": "koi8_r", "koi8": "koi8_r", "koi": "koi8_r", "koi8_u": "koi8_u", "koi8_ru": "koi8_u",
    "koi8_t": "koi8_t",
    "x_iso_10646_ucs_2_be": "utf_16_be", "unicodefffe": "utf_16_be", "unicodefeff": "utf_16", "cp720": "cp720",
    "cp737": "cp737", "cp856": "cp856", "cp875": "cp875", "cp1006": "cp1006", "unknown_8bit": "", "x_unknown": "",
}  # fmt: skip
"""Names that Python does not know, and what they mean; empty where they say nothing."""
NO_CHARSETS = (
    "base64_codec",
    "bz2_codec",
    "hex_codec",
    "mbcs",
    "quopri_codec",
    "rot_13",
    "tactis",
    "uu_codec",
    "zlib_codec",
)
CODECS = set(aliases.aliases.values()).difference(NO_CHARSETS)
KNOWN = {**{codec: codec for codec in CODECS}, **aliases.aliases, **MORE}
"""Only these are looked up: Python would import, and remember for ever, what it is asked for."""

WIDE = ("cp932", "euc_jp", "gb18030", "hz", "big5hkscs", "cp949", "johab", "euc_jis_2004", "shift_jis_2004", "cp950")
BOMS = ((codecs.BOM_UTF8, "utf_8"), (codecs.BOM_UTF16_LE, "utf_16_le"), (codecs.BOM_UTF16_BE, "utf_16_be"))
UNLIKE_ASCII = ("utf_7", "cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140")
SPECIAL = {*UNLIKE_ASCII, *WIDE, *(codec for codec in CODECS if codec.startswith("iso2022"))}
"""Those for which UTF-8 is looked at twice."""
ASSUMED = ("ascii", "cp1252")  # what many programs say without looking
LONGEST_LABEL = 100  # characters
LABEL = re.compile(r"""[\s"']*([^;,(="']{1,60})""")
META = re.compile(rb"""<meta\b[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{1,60})""", re.IGNORECASE)
META_WITHIN = 4096  # bytes: four times what HTML asks for
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
HIGH_RUN = re.compile(rb"[\x80-\x9f\xa1-\xff]{4,}")
RUNS_WITHIN = 1 << 15  # bytes
HIGH = bytes(range(128, 256))
BEYOND = re.compile("[^\0-\x7f]")
GLUED = re.compile("[A-Za-z][^\0-\x7f](?![^\0-\x7f])")  # as UTF-8's é looks in a charset of two bytes a character
RARE = 0.3  # what a character is worth that is not common
ENOUGH = 12  # bytes beyond ASCII that fit UTF-8: too many for chance


def decoded(content: bytes, label: str | None, unlabelled: str = "", *, html: bool = False) -> str:
    """Text from *content*; never fails: bytes that fit nothing become U+FFFD, NUL bytes go.

    *label* is what the mail says, None or empty where it says nothing; *unlabelled* the charset of what says nothing
    and is not UTF-8, empty where it is to be found out. Of *html* its own <meta> counts where *label* does not fit.
    """
    codec = _codec((label or "")[:LONGEST_LABEL])
    if content.isascii():
        if codec not in UNLIKE_ASCII and not (b"\x1b" in content or b"~{" in content or b"\0" in content):
            return content.decode("ascii")
    elif codec not in SPECIAL and b"\0" not in content:
        try:
            return content.removeprefix(codecs.BOM_UTF8).decode("utf_8")
        except ValueError:
            pass
    text = next(_readings(content, codec, unlabelled, html))
    return LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text).replace("\0", "")


def _readings(content: bytes, codec: str, unlabelled: str, html: bool) -> Iterator[str]:
    """What the text may be, the likeliest first; at least one."""
    yield from _marked(content, codec)
    yield from _utf_8(content, codec)
    if codec and not (codec in ASSUMED and _doubtful(content, codec)):
        yield from _strictly(content, codec)
    meta = META.search(content, 0, META_WITHIN) if html else None
    if meta:
        yield from _strictly(content, _codec(meta[1].decode("ascii", "replace")))
    if codec and not (codec in ASSUMED and _doubtful(content, codec)):
        yield from _nearly(content, codec, 10)
    if not codec:
        yield from _strictly(content, _codec(unlabelled))
    yield content.decode(guess(content) or "cp1252", "replace")


def _marked(content: bytes, codec: str) -> Iterator[str]:
    """What says by its first bytes, its NUL bytes or its escape sequences what it is."""
    for mark, name in BOMS:
        if content.startswith(mark) and (name == "utf_8" or b"\0" in content or codec.startswith("utf_16")):
            yield from _strictly(content[len(mark) :], name)
    if b"\0" in content:
        even, odd = content[::2].count(0), content[1::2].count(0)
        if max(even, odd) > max(1, len(content) // 8) and min(even, odd) * 8 < max(even, odd):
            yield from _strictly(content[: len(content) // 2 * 2], "utf_16_le" if odd > even else "utf_16_be")
    if content.isascii() or codec.startswith("iso2022"):
        text = escaped(content, hz=codec in ("", "ascii", "hz", "gb18030"))
        if text is not None:
            yield text


def _utf_8(content: bytes, codec: str) -> Iterator[str]:
    """What fits UTF-8 is UTF-8, unless it is short and fits a label of two bytes a character as well."""
    if codec in UNLIKE_ASCII and (codec != "utf_7" or content.isascii()):
        return
    for text in _strictly(content, "utf_8"):
        few = len(content) - len(content.translate(None, HIGH)) < ENOUGH
        if codec in WIDE and few and _is_wide(content, codec):
            yield from _strictly(content, codec)
        yield text
    if codec in ("", "utf_8", "ascii"):
        yield from _nearly(content, "utf_8", 1 if codec == "utf_8" else 4)


def _is_wide(content: bytes, codec: str) -> bool:
    """Whether a short text that fits UTF-8 is likely one of two bytes a character, as its label says."""
    worth = wide_worth(content[:GUESSED_BYTES], codec)
    return worth > RARE + 0.01 or (worth > RARE - 0.01 and not any(map(GLUED.search, _strictly(content, codec))))


def _strictly(content: bytes, codec: str) -> Iterator[str]:
    if codec:
        try:
            yield content.decode(codec)
        except ValueError:
            return


def _nearly(content: bytes, codec: str, good: int) -> Iterator[str]:
    """The text with U+FFFD in it where for each there are more than *good* characters beyond ASCII that can be read."""
    text = content.decode(codec, "replace")
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    if len(BEYOND.findall(text)) - bad > bad * good:
        yield text


def _doubtful(content: bytes, codec: str) -> bool:
    """Whether a label that many programs put without looking is contradicted by rows of letters beyond ASCII."""
    if codec == "ascii":
        return not content.isascii()
    runs = HIGH_RUN.findall(content, 0, RUNS_WITHIN)
    return sum(len(run) for run in runs if len(set(run)) > 1) >= 8 and guess(content) not in ("", *AMONG_ASCII)


@lru_cache(256)
def _codec(label: str) -> str:
    """The codec that a label means, as Python calls it; empty where it says nothing."""
    found = LABEL.match(label.lower())
    words = (found[1], found[1].split()[0]) if found and found[1].strip() else ()
    known = next((KNOWN[name] for name in map(normalize_encoding, words) if name in KNOWN), "")
    return MEANT.get(known, known) if known not in NO_CHARSETS else ""
