"""What every act on an invoice that is no step has in common: the right, the time, one go."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases.flow import clock, door
from cases.flow.door import Actor, NotPermitted, Refused
from cases.flow.events import digest_of, plain
from cases.models import Shop
from cases.models.shops import shop_ids_of

T = TypeVar("T")


def check_right(actor: Actor, shop: Shop, right: str) -> None:
    """Only a member of the shop's staff with the right acts here; raises NotPermitted."""
    if actor.user is None:
        raise NotPermitted(_("%(who)s may not do this. Say who with --as.") % {"who": actor})
    ids = shop_ids_of(actor.user)
    if ids is not None and shop.pk not in ids:
        raise NotPermitted(_("This belongs to a shop you are not a member of."), "not_in_your_shop")
    if not actor.user.has_perm(f"invoices.{right}"):
        raise NotPermitted(_("%(who)s may not do this.") % {"who": actor})


def time_of(at: datetime | None) -> datetime:
    """The one moment of the act; a future one is refused."""
    now = clock.now()
    if at is not None and at > now:
        raise Refused(_("This cannot happen in the future."), "bad_value")
    return at or now


def in_one_go(work: Callable[[], T]) -> T:
    """One transaction, tried again after a deadlock; said in words where another was quicker."""

    def run(_nothing: Any) -> T:
        with transaction.atomic():
            return work()

    try:
        done: T = door.once_more(run, None)
    except IntegrityError as error:
        raise Refused(
            _("Someone else changed it at the same moment. Look again."), "stale"
        ) from error
    return done


def said_before(rows: Any, key: str | None, verb: str, inputs: dict[str, Any]) -> tuple[Any, str]:
    """(the row that bears the key already, digest of this act); refused where it was another."""
    digest = digest_of(verb, plain(inputs))
    known = rows.filter(key=key).first() if key else None
    if known is not None and known.digest != digest:
        raise Refused(
            _("The key %(key)s was used for another act (%(verb)s). Take a new key.")
            % {"key": key, "verb": verb},
            "key_reused",
        )
    return known, digest
