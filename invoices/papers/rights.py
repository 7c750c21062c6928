"""Who may move papers, endorse and review (domain.md 5), beside the steps of the flows."""

from cases.models import Role

_VIEW = frozenset(
    {
        *("view_paper", "view_papermove", "view_unit", "view_endorsement"),
        *("view_endorsementreview", "view_warrantyextension"),
    }
)
#: Paper goes through everyone's hands; what is endorsed by one is reviewed by another.
RIGHTS: dict[str, frozenset[str]] = {
    Role.AGENT: _VIEW | {"move_paper", "endorse"},
    Role.LEAD: _VIEW | {"move_paper", "endorse", "review_endorsement"},
    Role.WAREHOUSE: _VIEW | {"move_paper", "endorse"},
    Role.FINANCE: _VIEW | {"move_paper", "endorse", "review_endorsement"},
    Role.SUPERVISOR: _VIEW | {"move_paper", "endorse", "review_endorsement"},
    Role.AUDITOR: _VIEW,
}
