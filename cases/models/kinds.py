"""The words of a case: kinds, remedies, states, sides; one place for all choices."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What the buyer asks for."""

    REFUND_UNSHIPPED = "refund_unshipped", _("Refund, not shipped")
    REFUND_IN_TRANSIT = "refund_in_transit", _("Refund, in transit")
    REFUND_RECEIVED = "refund_received", _("Refund, goods kept")
    RETURN_REFUND = "return_refund", _("Return and refund")
    EXCHANGE = "exchange", _("Exchange")
    REPAIR = "repair", _("Repair")
    RESEND = "resend", _("Resend")


REFUND_KINDS = (Kind.REFUND_UNSHIPPED, Kind.REFUND_IN_TRANSIT, Kind.REFUND_RECEIVED)


class Remedy(models.TextChoices):
    """What is done."""

    REFUND = "refund", _("Refund")
    RETURN_REFUND = "return_refund", _("Return and refund")
    EXCHANGE = "exchange", _("Exchange")
    REPAIR = "repair", _("Repair")
    RESEND = "resend", _("Resend")


#: Remedies that end in money to the buyer.
MONEY_REMEDIES = frozenset({Remedy.REFUND, Remedy.RETURN_REFUND})
#: Remedies that want the goods here first.
GOODS_REMEDIES = frozenset({Remedy.RETURN_REFUND, Remedy.EXCHANGE, Remedy.REPAIR})


def usual_remedy(kind: str) -> str:
    return str(Remedy.REFUND if kind in REFUND_KINDS else Remedy(kind))


class State(models.TextChoices):
    """Where a case stands (domain.md 2.2)."""

    APPLIED = "applied", _("Waiting for the seller")
    NEGOTIATING = "negotiating", _("Waiting for the buyer to agree")
    REFUSED = "refused", _("Refused, buyer may revise")
    INTERCEPTING = "intercepting", _("Intercepting the parcel")
    AWAITING_RETURN = "awaiting_return", _("Waiting for the goods to be sent back")
    RETURNING = "returning", _("On the way back to us")
    INSPECTING = "inspecting", _("Inspecting")
    DIAGNOSING = "diagnosing", _("Sent for diagnosis")
    REPAIRING = "repairing", _("In repair")
    QUALITY_CHECK = "quality_check", _("Quality check after repair")
    AWAITING_DISPATCH = "awaiting_dispatch", _("Waiting to be sent out")
    AWAITING_RECEIPT = "awaiting_receipt", _("Waiting for the buyer to receive")
    AWAITING_APPROVAL = "awaiting_approval", _("Waiting for approval")
    REFUNDING = "refunding", _("Waiting to be paid out")
    MEDIATING = "mediating", _("Platform mediating")
    COMPLETED = "completed", _("Completed")
    CLOSED = "closed", _("Closed")


TERMINAL = frozenset({State.COMPLETED, State.CLOSED})
OPEN = tuple(s for s in State if s not in TERMINAL)


class Side(models.TextChoices):
    """Whose clock runs."""

    SELLER = "seller", _("Seller")
    BUYER = "buyer", _("Buyer")
    VENDOR = "vendor", _("Vendor")
    SUPERVISOR = "supervisor", _("Supervisor")
    FINANCE = "finance", _("Finance")
    PLATFORM = "platform", _("Platform")


class Phase(models.TextChoices):
    ONSALE = "onsale", _("Before confirmation")
    AFTERSALE = "aftersale", _("After confirmation")


class Goods(models.TextChoices):
    """Where the goods are, as the buyer and the warehouse say."""

    NOT_RECEIVED = "not_received", _("Not received by the buyer")
    RECEIVED = "received", _("With the buyer")
    RETURNED = "returned", _("With us")


class Responsible(models.TextChoices):
    BUYER = "buyer", _("Buyer")
    SELLER = "seller", _("Seller")
    COURIER = "courier", _("Courier")
    MANUFACTURER = "manufacturer", _("Manufacturer")
    UNKNOWN = "undetermined", _("Undetermined")


class FreightPayer(models.TextChoices):
    BUYER = "buyer", _("Buyer")
    SELLER = "seller", _("Seller")
