"""`emaild call`: a service, whether the daemon runs or not."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from emaild.cli.output import json_line, table
from emaild.cli.preview_values import pair
from emaild.cli.registry import Add
from emaild.cli.state import opened, settings_of
from emaild.errors import InputError, UsageError
from emaild.log.setup import set_up
from emaild.render.transcript.document import decoded
from emaild.services.call import call
from emaild.services.documentation import described
from emaild.services.faults import ServiceFault
from emaild.services.office import Office
from emaild.settings.log import Verbosity
from emaild.settings.option import same_name
from emaild.settings.routes import COMMAND_LINE, Caller
from emaild.settings.service_parameters import service_named

LARGEST = 100 << 20  # bytes of a value


def register(add: Add) -> None:
    """The command of this module."""
    made = add("call", _call, "call a service, such as Acknowledge; a daemon that runs sends its mail within a second")
    made.mixed = True
    made.add_argument("method", nargs="?", metavar="METHOD", help="the service; --list shows what there is")
    made.add_argument(
        "values",
        nargs="*",
        metavar="KEY=VALUE",
        help="what it is told, as InteractionId=ID or FieldCodes.NAME=VALUE; @FILE reads the value from a file"
        " (- for standard input), @@ stands for an @ at its beginning",
    )
    made.add_argument("--chat", metavar="FILE", help="the same as Chat=@FILE")
    made.add_argument("--text", metavar="FILE", help="the same as Text=@FILE")
    made.add_argument("--batch", action="store_true", help="nobody waits for its mail: what people wait for goes first")
    made.add_argument("--json", action="store_true", help="the result, or the fault, as one JSON object")
    made.add_argument("--list", action="store_true", help="the services and what they are told; of METHOD, if given")


def _call(arguments: argparse.Namespace) -> int:
    if arguments.list:
        return _list(arguments)
    if not arguments.method:
        raise UsageError("a METHOD is needed; 'emaild call --list' shows what there is")
    given = _given(arguments)
    settings = settings_of(arguments.conf)
    if settings.log.verbose is not Verbosity.NONE:  # what is printed is what the other events would say
        set_up(replace(settings.log, verbose=Verbosity.STANDARD), sys.stderr)
    with opened(settings, must_exist=False) as store:
        try:
            office = Office(
                settings=settings, store=store, caller=Caller(name=COMMAND_LINE, interactive=not arguments.batch)
            )
            result = call(arguments.method, given, office, datetime.now(UTC))
        except ServiceFault as fault:
            if not arguments.json:
                raise
            json_line({"fault": fault.kind.value, "text": str(fault), "parameter": fault.parameter})
            return fault.exit_code
    if arguments.json:
        json_line(result)
    else:
        where = "in the outbox" if result["outbox_id"] else f"in the queue {result['queue']}"
        print(f"{result['interaction_id'] or result['outbox_id']} {result['subtype']}, {where}")
    return os.EX_OK


def _given(arguments: argparse.Namespace) -> dict[str, str]:
    """What the service is told, values read from their files."""
    values = [pair(text, "KEY=VALUE") for text in arguments.values]
    for name, file in (("Chat", arguments.chat), ("Text", arguments.text)):
        values += [(name, f"@{file}")] if file is not None else []
    given: dict[str, str] = {}
    for name, value in values:
        if name in given:
            raise UsageError(f"{name} is given twice")
        given[name] = _value(name, value)
    return given


def _value(name: str, value: str) -> str:
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    read: Callable[[bytes], str] = decoded if same_name(name) == "chat" else _text
    try:
        return read(_content(value[1:]))
    except UnicodeDecodeError:
        raise InputError(f"{value[1:]} is no UTF-8 text") from None


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig")


def _content(file: str) -> bytes:
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot read {file}: {reason}; a value that begins with @ is written with @@") from error
    if len(content) > LARGEST:
        raise InputError(f"{file} is larger than {LARGEST >> 20} MiB")
    return content


def _list(arguments: argparse.Namespace) -> int:
    """What there is, made from the declarations: no conf file is needed."""
    wanted = arguments.method and service_named(arguments.method)
    if arguments.method and not wanted:
        raise UsageError(f"there is no service {arguments.method}")
    services = [one for one in described() if not wanted or one["method"] == wanted.kind.name]
    if arguments.json:
        for service in services:
            json_line(service)
    elif wanted:
        rows = ((one["name"], _default(one), one["help"]) for one in services[0]["parameters"])
        table(("PARAMETER", "DEFAULT", "MEANING"), rows, "")
    else:
        table(("METHOD", "ALSO", "MEANING"), ((s["method"], ", ".join(s["aliases"]), s["help"]) for s in services), "")
    return os.EX_OK


def _default(parameter: Mapping[str, object]) -> str:
    return "(needed)" if parameter["required"] else str(parameter["default"] or "")
