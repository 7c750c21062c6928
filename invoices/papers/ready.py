"""What papers add to the trunk's registries, called once when the app is ready."""

from cases import auditing
from cases.seeding import roles
from invoices.papers import rights, rules  # noqa: F401 - the rules register themselves
from invoices.papers.auditing import check_papers


def register() -> None:
    """The audit, the rights; the rules came with their import."""
    auditing.CHECKERS["invoices.papers"] = check_papers
    roles.BESIDES_STEPS_OF["invoices.papers"] = rights.RIGHTS
