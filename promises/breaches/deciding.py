"""What a person makes of a breach: the claim is filed, or it is put aside with a reason."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from cases.flow import clock, door
from cases.flow.door import Actor, NotPermitted, Refused
from cases.models.shops import shop_ids_of
from promises import verbs
from promises.breaches.finding import key_of
from promises.models import Breach, BreachState, Claim
from promises.models.breach import UNDECIDED

FILE, DISMISS = "file", "dismiss"
#: The right each way takes.
RIGHTS = {FILE: "promises.file_claim", DISMISS: "promises.dismiss_breach"}


def file(actor: Actor, breach: Breach, *, amount: Decimal | None = None, text: str = "") -> Claim:
    """File the claim of a breach; ``amount`` (yuan) only where the terms work out none.

    Pressed again, it answers with the same claim. Raises Refused as verbs.file_claim does.
    """
    _check(actor, breach, FILE)
    _check_undecided(breach)
    demand = verbs.Demand(breach.promise, breach.line.line_no, amount=amount, text=text)

    def unit(_nothing: None) -> Claim:
        with transaction.atomic():
            claim = verbs.file_claim(actor, breach.order, demand, key=key_of(breach))
            fresh = Breach.objects.get(pk=breach.pk)
            if fresh.claim_id != claim.pk:  # put aside by somebody at the same moment
                _check_undecided(fresh)
            return claim

    filed: Claim = door.once_more(unit, None)
    return filed


def dismiss(actor: Actor, breach: Breach, *, text: str) -> Breach:
    """Put a breach aside; found again, it stays aside. Raises Refused reason_required, stale."""
    _check(actor, breach, DISMISS)
    if len(text.strip()) < 2:
        raise Refused(_("Say why nothing is owed here."), "reason_required")
    with door.unit():
        fresh = Breach.objects.select_for_update(of=("self",)).get(pk=breach.pk)
        _check_undecided(fresh)
        fresh.state, fresh.note = BreachState.DISMISSED, text.strip()[:300]
        fresh.decided_by, fresh.decided_at = actor.user, clock.now()
        fresh.save(update_fields=["state", "note", "decided_by", "decided_at"])
    return fresh


def many(
    actor: Actor, breaches: Iterable[Breach], way: str, text: str = ""
) -> tuple[list[Breach], list[tuple[Breach, Refused]]]:
    """The same on many, each by itself: what was done, and what was refused and why."""
    done, refused = [], []
    for breach in breaches:
        try:
            if way == FILE:
                file(actor, breach, text=text)
            else:
                dismiss(actor, breach, text=text)
        except Refused as refusal:
            refused.append((breach, refusal))
        else:
            done.append(breach)
    return done, refused


def _check(actor: Actor, breach: Breach, way: str) -> None:
    ids = shop_ids_of(actor.user) if actor.user else None
    if ids is not None and breach.shop_id not in ids:
        raise NotPermitted(_("This belongs to a shop you are not a member of."), "not_in_your_shop")
    if actor.user is None or not actor.user.has_perm(RIGHTS[way]):
        raise NotPermitted(_("%(who)s may not do this.") % {"who": actor})


def _check_undecided(breach: Breach) -> None:
    if breach.state not in UNDECIDED:
        raise Refused(
            _("%(breach)s is decided already: %(state)s.")
            % {"breach": breach, "state": breach.get_state_display()},
            "stale",
        )


__all__ = ["DISMISS", "FILE", "RIGHTS", "dismiss", "file", "many"]
