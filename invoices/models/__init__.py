"""The models of invoices: frozen copies, their ledger of reversals, red requests, treatments."""

from invoices.models.credits import CreditLine, CreditNote
from invoices.models.custody import Holder, Paper, PaperMove, Place, Proof
from invoices.models.endorsements import (
    Endorsement,
    EndorsementReview,
    Unit,
    WarrantyExtension,
    Where,
)
from invoices.models.invoice import (
    EXEMPT,
    OLD_RATES,
    PAPER,
    RATES,
    SPECIAL,
    Direction,
    Invoice,
    InvoiceAct,
    InvoiceFile,
    InvoiceKind,
    InvoiceLine,
    Nature,
    rate_of,
)
from invoices.models.policies import Policy, SellerProfile, policy
from invoices.models.printjobs import PrintJob
from invoices.models.reds import (
    AuthorityCall,
    InvoiceNotice,
    RedEvent,
    RedPart,
    RedReason,
    RedRequest,
    RedState,
)
from invoices.models.standing import Balance, BlueState, Reversal, Standing
from invoices.models.treatments import (
    Treatment,
    TreatmentEvent,
    TreatmentKind,
    TreatmentLine,
    TreatmentState,
)

__all__ = [
    "EXEMPT",
    "OLD_RATES",
    "PAPER",
    "RATES",
    "SPECIAL",
    "AuthorityCall",
    "Balance",
    "BlueState",
    "CreditLine",
    "CreditNote",
    "Direction",
    "Endorsement",
    "EndorsementReview",
    "Holder",
    "Invoice",
    "InvoiceAct",
    "InvoiceFile",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceNotice",
    "Nature",
    "Paper",
    "PaperMove",
    "Place",
    "Policy",
    "PrintJob",
    "Proof",
    "RedEvent",
    "RedPart",
    "RedReason",
    "RedRequest",
    "RedState",
    "Reversal",
    "SellerProfile",
    "Standing",
    "Treatment",
    "TreatmentEvent",
    "TreatmentKind",
    "TreatmentLine",
    "TreatmentState",
    "Unit",
    "WarrantyExtension",
    "Where",
    "policy",
    "rate_of",
]
