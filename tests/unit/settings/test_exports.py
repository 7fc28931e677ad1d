"""The forms of exports of Genesys's options, known by their content, and what is found in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.errors import InputError
from emaild.settings.exports.forms import LARGEST, MOST_OPTIONS, read_export, read_file
from emaild.settings.mailbox import MailboxType
from tests.conf_files import ConfFiles
from tests.unit.settings.exporting import EXPORT, box, refusal, texts, told, xml

SAMPLES = Path(__file__).parent / "exports"


# The INI form, as the daemon reads it where it lies


def test_an_ini_export_is_read_as_it_is(conf: ConfFiles) -> None:
    export = (SAMPLES / "configuration.cfg").read_bytes().replace(b"[ucs]\r\npassword=****\r\n", b"")
    settings = conf.load(export)
    read = settings.mailboxes["pop-client"]
    assert (read.type, read.server, read.mailbox) == (MailboxType.IMAP, "imap.example.com", "support@example.com")
    assert read.password.reveal() == "a=b;c#d%e %(f)s"
    assert (read.folder, read.port_given, read.port) == ("INBOX", None, 993)
    assert read.cycle_time == 120
    assert settings.ways_out["smtp-client"].server == "smtp.example.com"
    assert settings.processing.default_domain == "example.com"
    proxy = settings.proxies["proxy"]
    assert (proxy.use_proxy, proxy.host, proxy.port) == (True, "proxy.example.com", 1080)
    assert [str(warning).removeprefix(f"{conf.main}:") for warning in settings.warnings if not warning.option] == [
        "2: [settings]: a section for other servers of Genesys's, without effect here"
    ]


def test_an_option_that_genesys_leaves_empty_is_refused_where_a_default_would_be_guessed(conf: ConfFiles) -> None:
    (fault,) = conf.faults(box(cycle_time=""))
    assert fault.startswith("emaild.conf:5: [pop-client] cycle-time: it is empty; expected 0, or a duration")


def test_a_masked_password_is_refused_where_an_export_is_read_as_it_is(conf: ConfFiles) -> None:
    (fault,) = conf.faults(box(password="*****"))
    assert fault.startswith("emaild.conf:4: [pop-client] password: a masked password")


# Forms


@pytest.mark.parametrize(
    "content",
    [
        xml('<list_pair key="s"><str_pair key="a" value="b"/></list_pair>'),
        xml('<list_pair key="s"><str_pair value="b" key="a"/></list_pair>'),
        '<c:CfgData xmlns:c="x"><c:CfgApplication><c:options><c:list_pair c:key="s"><c:int_pair c:value="b" c:key="a"/>'
        "</c:list_pair></c:options></c:CfgApplication></c:CfgData>",
        '<ConfData><kv_list key="userProperties"><kv_list key="s"><kv_pair key="a">\n b </kv_pair></kv_list></kv_list>'
        "</ConfData>",
        '<app><section name="s"><option name="a" value="b"/></section></app>',
        '<?xml version="1.0" encoding="UTF-16"?>'.encode("utf-16")
        + xml('<list_pair key="s"><str_pair key="a" value="b"/></list_pair>').encode("utf-16-le"),
        "Action,Section,Option,Value\n,s,a,b\n",
        "Value;Option;Remark;Section\r\nb;a;;s\r\n",
        '\ufeff"section"\t"option name"\t"value"\r\n"s"\t"a"\t"b"\r\n',
        "\n\nSection,Option,Value\n\ns,a,b\n",
        "[s]\na = b\n",
        "\ufeff; remark\r\n[s]\r\na=b\r\n",
        "[s]\na = b\n".encode("utf-16"),
    ],
)
def test_an_option_is_found_in_each_form(content: bytes | str) -> None:
    assert texts(content) == {"s": {"a": "b"}}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (xml('<list_pair key="s"><str_pair key="a" value="&lt;&quot; = ; # %&gt;"/></list_pair>'), '<" = ; # %>'),
        ('Section,Option,Value\ns,a,"b, ""c"" = ; # %"\n', 'b, "c" = ; # %'),
        ("Section;Option;Value\ns;a\n", ""),
        (xml('<list_pair key="s"><str_pair key="a"/></list_pair>'), ""),
        (xml('<list_pair key="s"><str_pair key="a" value="Grüße 日本"/></list_pair>'), "Grüße 日本"),
        ('<?xml version="1.0" encoding="windows-1252"?><section name="s"><x key="a" value="\x80"/></section>', "€"),
    ],
)
def test_a_value_is_what_the_form_makes_of_it(content: str, value: str) -> None:
    encoded = content.encode("latin-1") if "windows-1252" in content else content.encode()
    assert texts(encoded) == {"s": {"a": value}}


def test_a_section_may_be_empty_and_is_known_by_either_name_of_it() -> None:
    assert texts(xml('<list_pair key="smtp"/>')) == {"smtp-client": {}}
    assert texts("Section,Option,Value\nsmtp,,\n") == {"smtp-client": {}}


def test_lines_are_those_of_the_export() -> None:
    rows = 'Section,Option,Value\ns,a,"1\n2"\n\ns,b,x\n'
    found, _ = read_export(EXPORT, rows.encode())
    assert [option.place.line for option in found["s"].options.values()] == [2, 5]
    pairs = '\n<list_pair key="s">\n<x key="a" value="1"/>\n<x key="b">\n2\n</x></list_pair>'
    found, _ = read_export(EXPORT, xml(pairs).encode())
    assert [option.place.line for option in found["s"].options.values()] == [3, 4]


def test_the_one_e_mail_server_is_taken_out_of_many_applications() -> None:
    log = '<CfgApplication>\n<list_pair key="log"><x key="verbose" value="{}"/></list_pair>{}</CfgApplication>'
    ours = log.format("trace", '<list_pair key="email-processing"/>')
    content = f"<All>\n{log.format('all', '')}{ours}{log.format('none', '')}</All>"
    assert texts(content) == {"log": {"verbose": "trace"}, "email-processing": {}}
    left_out = "the options of another application; they are left out"
    assert told(content) == [f"export:2: {left_out}", f"export:4: {left_out}"]
    assert "export:3: a second E-mail Server" in refusal(f"<All>\n{ours}{ours}</All>")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "export:1: no section of options found; expected XML, CSV"),
        ("Dear all,\nhere is the export.\n", "export:1: no section of options found"),
        ("Section,Option,Value\n", "export:1: no section of options found"),
        ("<CfgApplication/>", "export:1: no section of options found"),
        ("<a>\n<b>\n</a>", "export:3: broken XML: mismatched tag"),
        ("<a>\n", "export:2: broken XML: no element found"),
        (b"<a>\n\xff</a>", "export:2: broken XML: not well-formed"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "export:1: broken XML: unknown encoding"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>', "export:1: broken XML"),
        ("<a>\n" + "<b>" * 100_000, "export:2: more than 100 elements in each other"),
        ('Section,Option,Value\ns,a,b\ns,c,"d\n', "export:3: broken CSV"),
        ('Section,Option,Value\ns,a,"b"c\n', "export:2: broken CSV"),
        (f"Section,Option,Value\ns,a,{'x' * 200_000}\n", "export:2: broken CSV: field larger"),
        (b"[s]\na = b\nc = \xe4\n", "export:3: not UTF-8 text; save the file as UTF-8"),
        (b"[s]\n\0\n", "export:2: a NUL byte"),
        (b"\xff\xfe[\0s", "export:1: not UTF-16 text"),
        ("[s]\n" + "".join(f"o{n}=1\n" for n in range(MOST_OPTIONS + 1)), "export:1: more than 10000 options"),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(content: bytes | str, words: str) -> None:
    line = refusal(content)
    assert line.startswith(words)
    assert "\n" not in line


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;"><!ENTITY z "&y;&y;&y;&y;&y;&y;">]>',
        '<!DOCTYPE a [<!ENTITY z SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        "<!DOCTYPE a>",
    ],
    ids=["bomb", "external entity", "external DTD", "nothing"],
)
def test_document_types_and_entities_are_refused(doctype: str) -> None:
    content = f'{doctype}\n<a><section name="s"><x key="a" value="&z;"/></section></a>'
    assert refusal(content) == "export:1: a document type (DTD) or an entity; take it out, an export needs none"


def test_a_file_larger_than_any_export_is_not_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(100 * LARGEST)
    with pytest.raises(InputError, match=r"huge\.xml:1: more than 16 MiB"):
        read_file(huge)
