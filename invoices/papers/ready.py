"""What papers add to the trunk's and the invoices' registries, once when the app is ready."""

from cases import auditing
from cases.seeding import roles
from invoices import desk, forms, showing, verbs
from invoices.papers import acts, custody, rights, rules  # noqa: F401 - rules register themselves
from invoices.papers.auditing import check_papers
from invoices.papers.forms import PAPER_FORMS
from invoices.papers.showing import PARTS


def register() -> None:
    """The audit, the rights, the verbs with their forms, the parts of ``show``."""
    auditing.CHECKERS["invoices.papers"] = check_papers
    roles.BESIDES_STEPS_OF["invoices.papers"] = rights.RIGHTS
    desk.ACTS.update(acts.ACTS)
    forms.INVOICE_FORMS.update(PAPER_FORMS)
    showing.PARTS_OF_INVOICE.update(PARTS)
    verbs.VOID_OBSTACLES.append(custody.void_obstacle)
