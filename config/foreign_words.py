"""Words which other packages show but never marked: names of apps, models, fields and permissions.

Marked here, they are translated in ``vendor_locale``; migrations see the words as they were.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy, gettext_noop, pgettext

from cases.models import Case, Role

APPS = {
    "otp_totp": gettext_lazy("Authenticators"),
    "otp_static": gettext_lazy("Emergency codes"),
    "axes": gettext_lazy("Failed sign-ins"),
}
MODELS: dict[str, Any] = {
    "otp_totp.TOTPDevice": gettext_lazy("authenticator"),
    "otp_static.StaticDevice": gettext_lazy("set of emergency codes"),
    "otp_static.StaticToken": gettext_lazy("emergency code"),
}
#: What a permission of Django's own four allows, by the beginning of its code.
OF_DJANGO = {
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
    "view": gettext_lazy("view"),
}
#: Our permissions that are no step of a case, as the database names them.
OURS = (
    gettext_noop("Can import orders"),
    gettext_noop("Can export orders"),
    gettext_noop("Can export personal data in clear, with a reason"),
    gettext_noop("Can see one personal datum in clear, with a reason"),
    gettext_noop("Can open a case on an order"),
    gettext_noop("Can import cases"),
    gettext_noop("Can export cases"),
    gettext_noop("Can see amounts"),
    gettext_noop("Can import calendar days"),
    gettext_noop("Can export calendar days"),
    gettext_noop("Can import column names"),
    gettext_noop("Can export column names"),
    gettext_noop("Can import words"),
    gettext_noop("Can export words"),
)


def mark_words() -> None:
    """Make the plain words of other packages' models lazy, once, when the site starts."""
    for label, name in APPS.items():
        # The config is typed to hold a plain text; Django shows a lazy one as well.
        setattr(apps.get_app_config(label), "verbose_name", name)  # noqa: B010
    for path, name in MODELS.items():
        meta = apps.get_model(path)._meta
        meta.verbose_name = meta.verbose_name_plural = name
        for field in meta.get_fields():
            if not hasattr(field, "help_text"):
                continue
            field.verbose_name = gettext_lazy(str(field.verbose_name))
            if field.help_text:
                field.help_text = gettext_lazy(str(field.help_text))


def permission_in_words(permission: Permission) -> str:
    """“Cases: Accept” for a step, “orders: view” for Django's own four."""
    code = permission.codename
    model = permission.content_type.model_class()
    name = str(model._meta.verbose_name) if model else permission.content_type.model
    step = Case.steps().get(code.removesuffix("_case"))
    if model is Case and step is not None:
        what = str(step.label)
    elif (verb := code.partition("_")[0]) in OF_DJANGO:
        what = str(OF_DJANGO[verb])
    else:
        what = gettext(permission.name)
    return pgettext("permission", "%(model)s: %(what)s") % {"model": capfirst(name), "what": what}


def role_in_words(group: Group) -> str:
    """“Lead (lead)” where a group is one of our roles."""
    label = dict(Role.choices).get(group.name)
    return f"{label} ({group.name})" if label else group.name
