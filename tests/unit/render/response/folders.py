"""Folders of templates for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emaild.render.field_codes import Scope
from emaild.render.response import ExtReply, RenderedResponse, load, rendered
from emaild.render.transcript import Transcript
from emaild.shipped import shipped

SHIPPED = shipped("templates")


def put(folder: Path, name: str, files: Mapping[str, str | bytes]) -> Path:
    """A standard response in a templates folder, of these files."""
    made = folder / "responses" / name
    for file, content in files.items():
        path = made / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return made


def filled(
    folder: Path,
    scope: Scope | None = None,
    *,
    transcript: Transcript | None = None,
    ext_reply: ExtReply | None = None,
    **files: str,
) -> RenderedResponse:
    """What becomes of a response with these parts: subject, text, html."""
    names = {"subject": "response.conf", "text": "body.txt", "html": "body.html"}
    contents: dict[str, str | bytes] = {names[part]: content for part, content in files.items()}
    if "subject" in files:
        contents["response.conf"] = f"[response]\nsubject = {files['subject']}\n"
    put(folder, "r", contents)
    response = load("r", (folder,))
    return rendered(response, scope or Scope(), transcript=transcript, ext_reply=ext_reply, folders=(folder, SHIPPED))
