"""The declared options and JavaMail's properties as documents; and what is in effect of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emaild.settings.describe.conf import as_conf
from emaild.settings.describe.contents import Contents
from emaild.settings.describe.json_lines import as_json
from emaild.settings.describe.man import as_man
from emaild.settings.describe.markdown import as_markdown
from emaild.settings.describe.text import as_text

FORMATS: Mapping[str, Callable[[Contents], str]] = {
    "conf": as_conf,
    "json": as_json,
    "man": as_man,
    "markdown": as_markdown,
    "text": as_text,
}
