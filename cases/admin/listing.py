"""What a list of the admin shows, found from its address and its reader alone; for exports."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from cases.flow.door import Refused

#: Parameters that turn pages, sort or open windows: they do not choose rows.
_NO_FILTERS = frozenset({"p", "o", "all", "e", "_popup", "_to_field", "_facets"})


def filters_of(query: QueryDict) -> str:
    """The parameters of a list's address that choose rows, in one order, as a query string."""
    kept = QueryDict(mutable=True)
    for name in sorted(query):
        if name not in _NO_FILTERS and any(query.getlist(name)):
            kept.setlist(name, query.getlist(name))
    return kept.urlencode()


def listed(model: type[Model], query: str, user: Any) -> Any:
    """The ChangeList of the page with this query string as ``user`` sees it (all its pages).

    The page itself is built the same way, so ``.queryset`` holds the same rows: filters, search,
    tab, and the shops of this person. Raises Refused for a filter that is none.
    """
    request = HttpRequest()
    request.method = "GET"
    request.GET = QueryDict(query)
    request.user = user
    try:
        return admin.site.get_model_admin(model).get_changelist_instance(request)
    except IncorrectLookupParameters as error:
        message = _("The list's filter is not known (any more). Filter the list anew.")
        raise Refused(message, "bad_value") from error


def in_words(shown: Any) -> str:
    """The filters of a ChangeList as its page names them: “shop: 甲店 · state: Refused”."""
    tab = getattr(shown, "tab_in_words", "")
    found = [str(tab)] if tab else []
    if shown.query:
        found.append(_("%(what)s: %(which)s") % {"what": _("Search"), "which": shown.query})
    for spec in shown.filter_specs:
        if not spec.value():
            continue
        names = [str(choice["display"]) for choice in spec.choices(shown) if choice["selected"]]
        which = ", ".join(names)
        found.append(_("%(what)s: %(which)s") % {"what": str(spec.title), "which": which})
    return " · ".join(found)
