"""The parameters that a service is called with, read as `services` declares them, or refused each with a reason."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from emaild.settings import parse
from emaild.settings.option import options, same_name
from emaild.settings.services import CALLERS_OWN, GROUPS, SERVICES, SPELLINGS, ServiceParameters

P = TypeVar("P", bound=ServiceParameters)


class WrongParameter(ValueError):
    """A parameter that a service cannot be told; `name` is as it was given, the text what is wrong with it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(problem)
        self.name = name


def service_named(name: str) -> type[ServiceParameters] | None:
    """The service of that name, an alias, or another spelling of one; None where there is none."""
    wanted = same_name(name)
    for service in SERVICES:
        if wanted in map(same_name, (service.kind.name, *service.aliases)):
            return service
    return None


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where a known name is near, else what there is."""
    by_spelling = {same_name(one): one for one in known}
    near = difflib.get_close_matches(same_name(name), by_spelling, n=1, cutoff=0.6)
    return f"; did you mean {by_spelling[near[0]]}?" if near else f"; there are {', '.join(by_spelling.values())}"


def names_of(service: type[ServiceParameters]) -> tuple[str, ...]:
    """The parameters of a service, as they are documented."""
    grouped = [f"{group}.NAME" for group, name in GROUPS.items() if name in service.__dataclass_fields__]
    return (*(one.name for one in options(service)), *grouped)


def given_as(parameters: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """A parameter's name as it is spelled there, and its text; None where it is not given."""
    return next((one for one in parameters.items() if _spelled(one[0]) == same_name(name)), None)


def in_group(name: str, group: str) -> bool:
    """Whether a name before a dot is that of the group, in any spelling."""
    return _spelled(name) == same_name(group)


def wrong_parameters(
    service: type[ServiceParameters], given: Mapping[str, str], *, interaction: bool
) -> Iterator[WrongParameter]:
    """All that is wrong with what a service is told. With *interaction* InteractionId is known without being given."""
    values, wrong = _read(service, given)
    yield from wrong
    for one in options(service):
        if (
            one.required
            and one.field not in values
            and not any(same_name(fault.name) == same_name(one.name) for fault in wrong)
        ):
            yield WrongParameter(one.name, f"it is missing; expected {one.parser.expects}")
    if interaction and "interaction_id" in values:
        yield WrongParameter("InteractionId", "a rule works on the interaction that it fits; leave it out")


def parameters_of(service: type[P], given: Mapping[str, str]) -> P:
    """What a service is told, by name in any spelling.

    Raises:
        WrongParameter: the first of `wrong_parameters`.
    """
    for wrong in wrong_parameters(service, given, interaction=False):
        raise wrong
    return service(**_read(service, given)[0])


def _read(service: type[ServiceParameters], given: Mapping[str, str]) -> tuple[dict[str, Any], list[WrongParameter]]:
    declared = {same_name(one.name): one for one in options(service)}
    values: dict[str, Any] = {}
    groups: dict[str, dict[str, str]] = {}
    wrong: list[WrongParameter] = []
    for name, text in given.items():
        start, dot, own = name.partition(".")
        group = _group(service, start) if dot and own.strip() else None
        if group is not None:
            groups.setdefault(group, {})[own.strip()] = text
            continue
        one = declared.get(_spelled(name))
        if one is None:
            wrong.append(WrongParameter(name, _unknown(service, name)))
        elif one.field in values:
            wrong.append(WrongParameter(name, f"{one.name} is given twice"))
        else:
            try:
                values[one.field] = one.parser.read(text)
            except ValueError as error:
                reason = f" ({error})" if str(error) else ""
                wrong.append(
                    WrongParameter(name, f"expected {one.parser.expects}, found {parse.repeated(text)}{reason}")
                )
    return {**values, **{group: MappingProxyType(own) for group, own in groups.items()}}, wrong


def _group(service: type[ServiceParameters], start: str) -> str | None:
    by_spelling = {same_name(group): name for group, name in GROUPS.items()}
    found = by_spelling.get(_spelled(start))
    return found if found in service.__dataclass_fields__ else None


def _spelled(name: str) -> str:
    """A name's own spelling, spaces left out as Composer's labels have them, other names as the one that counts."""
    by_spelling = {same_name(other): same_name(own) for other, own in SPELLINGS.items()}
    plain = same_name(name.replace(" ", ""))
    return by_spelling.get(plain, plain)


def _unknown(service: type[ServiceParameters], name: str) -> str:
    for own, instead in CALLERS_OWN.items():
        if _spelled(name) == same_name(own):
            return f"it is no parameter here: {instead}"
    if _spelled(name) in map(same_name, GROUPS):
        return f"it holds names of your own; expected {name}.NAME"
    return f"{service.kind.name} has no such parameter{nearest(name, names_of(service))}"
