"""The trunk's models."""

from cases.models.case import CaseEvent, CaseLine
from cases.models.contacts import Reveal
from cases.models.evidence import Evidence, Note, Party
from cases.models.exports import ClearExport, ExportJob
from cases.models.jobs import ImportChunk, ImportJob, Job, JobStatus
from cases.models.kinds import (
    FreightPayer,
    Goods,
    Kind,
    Phase,
    Remedy,
    Responsible,
    Side,
    State,
)
from cases.models.lifecycle import Case
from cases.models.mappings import HeaderAlias, SheetKind, SheetMapping, WordAlias
from cases.models.notices import Notice
from cases.models.orders import Category, ExternalRefund, Order, OrderLine, OrderStatus, Payment
from cases.models.parcels import Parcel
from cases.models.platformrecords import Difference, Explained, Explanation, PlatformRecord
from cases.models.policy import CalendarDay, ClockPolicy, PlatformPause, Window
from cases.models.reasons import Reason, RefusalReason, SopStep
from cases.models.remedies import (
    Approval,
    Compensation,
    Counter,
    Mediation,
    Refund,
    RefundPart,
)
from cases.models.shops import Membership, Platform, ReturnAddress, Role, RoleLimit, Shop

__all__ = [
    "Approval",
    "CalendarDay",
    "Case",
    "CaseEvent",
    "CaseLine",
    "Category",
    "ClearExport",
    "ClockPolicy",
    "Compensation",
    "Counter",
    "Difference",
    "Evidence",
    "Explained",
    "Explanation",
    "ExportJob",
    "ExternalRefund",
    "FreightPayer",
    "Goods",
    "HeaderAlias",
    "ImportChunk",
    "ImportJob",
    "Job",
    "JobStatus",
    "Kind",
    "Mediation",
    "Membership",
    "Note",
    "Notice",
    "Order",
    "OrderLine",
    "OrderStatus",
    "Parcel",
    "Party",
    "Payment",
    "Phase",
    "Platform",
    "PlatformPause",
    "PlatformRecord",
    "Reason",
    "Refund",
    "RefundPart",
    "RefusalReason",
    "Remedy",
    "Responsible",
    "ReturnAddress",
    "Reveal",
    "Role",
    "RoleLimit",
    "SheetKind",
    "SheetMapping",
    "Shop",
    "Side",
    "SopStep",
    "State",
    "Window",
    "WordAlias",
]
