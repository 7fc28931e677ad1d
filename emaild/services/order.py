"""A call of a service that writes a mail, and the field codes in what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

from emaild.message import Interaction, new_id
from emaild.render.field_codes import Scope
from emaild.services.office import Office
from emaild.services.scope import Surroundings, locale_of, scope_of
from emaild.settings.services import MailParameters

P = TypeVar("P", bound=MailParameters, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Order(Generic[P]):
    """What is to be written, and about which mail.

    `about` is the mail, with its texts, that field codes call Interaction, and whose thread the new mail goes on with;
    None: there is none. `name` is the id of the new mail. `client` is what else is known of the contact.
    """

    parameters: P
    office: Office
    now: datetime
    about: Interaction | None
    client: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """The id of the new mail."""
        return new_id(self.now)

    @cached_property
    def locale(self) -> str:
        """The locale of dates and numbers.

        Raises:
            ServiceFault: there is no locale of that name.
        """
        return locale_of(getattr(self.parameters, "locale", ""), self.office.settings)

    @cached_property
    def scope(self) -> Scope:
        """What field codes can name.

        Raises:
            ServiceFault: an agent, a locale, or a field code that is given is wrong.
        """
        surroundings = Surroundings(
            agent=self.parameters.agent,
            locale=self.locale,
            field_codes=self.parameters.field_codes,
            attached_data=self.parameters.attached_data,
            client=self.client,
        )
        return scope_of(self.about, surroundings, self.office, self.now)
