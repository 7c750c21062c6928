"""Who acts on a flow, through which channel, and how a refusal is said."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.core.exceptions import PermissionDenied
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from cases.flow.states import Stateful, StepInfo

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Refused(Exception):
    """A rule forbids it; the text says what is so, the limit, and what to do next."""

    def __init__(self, message: str | Promise, code: str = "wrong_state", **detail: Any) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.code = code
        self.detail = detail


class NotPermitted(Refused, PermissionDenied):
    """The person may not do this, whatever the state."""

    def __init__(self, message: str | Promise, code: str = "not_permitted", **detail: Any) -> None:
        super().__init__(message, code, **detail)


@dataclass(frozen=True)
class Actor:
    """Who acts and through which channel: a person, the clock, or a platform's sheet."""

    kind: Literal["person", "system", "sheet"]
    channel: str
    user: "User | None" = None

    @classmethod
    def person(cls, user: "User | AnonymousUser | None", channel: str) -> "Actor":
        if user is None or not user.is_authenticated or not user.is_active:
            raise NotPermitted(_("Sign in first."))
        return cls("person", channel, user)

    @classmethod
    def system(cls, channel: str = "clock") -> "Actor":
        return cls("system", channel)

    @classmethod
    def sheet(cls, user: "User | None" = None, channel: str = "sheet") -> "Actor":
        """A sheet's row; with a user, that person's rights count, without, the platform's."""
        return cls("sheet", channel, user)

    def may(self, model: type[Stateful], info: StepInfo) -> bool:
        if self.user is not None:
            codename = f"{info.name}_{model._meta.model_name}"
            return self.user.has_perm(f"{model._meta.app_label}.{codename}") or (
                self.kind == "sheet" and info.by == {"P"}
            )
        if self.kind == "system":
            return "C" in info.by
        return bool(info.by & {"A", "L", "W", "C", "P"})

    def __str__(self) -> str:
        return self.user.get_username() if self.user else self.kind
