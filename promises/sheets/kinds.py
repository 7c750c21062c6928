"""What promises add to the kinds of sheets there are; registers when the app is ready."""

from django.utils.translation import gettext_lazy as _

from cases.sheets import registry
from cases.sheets.registry import Incoming, Outgoing, Sheet
from promises.models import Claim, Entry, Payout
from promises.sheets import statements
from promises.sheets.claims import ClaimLoader
from promises.sheets.claimsheet import CLAIMS, CLAIMS_SHEET, FILTERS, LAYOUT, claim_rows
from promises.sheets.payouts import PAYOUT_SHEET, PAYOUTS, PayoutLoader
from promises.sheets.statements import STATEMENTS, statement_rows

registry.add(
    Sheet(
        CLAIMS,
        _("Claims"),
        Claim,
        "claim_no",
        incoming=Incoming(
            "promises.import_claim", ClaimLoader.of, dialects=(CLAIMS_SHEET,), by_door=True
        ),
        outgoing=Outgoing(
            "promises.export_claim",
            LAYOUT,
            claim_rows,
            lambda claims: claims,
            filters=FILTERS,
            money=frozenset({"amount"}),
            needed=CLAIMS_SHEET.required,
        ),
    )
)
registry.add(
    Sheet(
        PAYOUTS,
        _("Platform's payouts"),
        Payout,
        "number",
        incoming=Incoming(
            "promises.import_payout", PayoutLoader.of, dialects=(PAYOUT_SHEET,), by_door=True
        ),
    )
)
registry.add(
    Sheet(
        STATEMENTS,
        _("Statements of deposits"),
        Entry,
        "key",
        outgoing=Outgoing(
            "promises.export_entry",
            statements.LAYOUT,
            statement_rows,
            statements.entries,
            filters=statements.FILTERS,
            money=statements.MONEY,
        ),
    )
)
