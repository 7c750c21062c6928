"""Take one step on a case, or do one act on an order, through the same door as the admin."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import CommandParser
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from cases import verbs
from cases.flow import clock
from cases.flow.door import Actor, Refused, perform
from cases.forms import STEP_FORMS, InputForm, OpenCaseForm, ShipmentForm, SignatureForm
from cases.forms.fields import EvidenceField
from cases.management.base import (
    JsonCommand,
    actor_named,
    case_numbered,
    iso,
    order_numbered,
    unknown_kind,
)
from cases.management.objects import KINDS, ORDER_ACTS, Request, inputs_of, unknown_verb
from cases.models import Case, CaseEvent, Order
from config.management.commands.show import shown

ORDER_FORMS: dict[str, type[InputForm]] = {
    "open_case": OpenCaseForm,
    "record_shipment": ShipmentForm,
    "record_signature": SignatureForm,
}


class Command(JsonCommand):
    help = "Take one step: do case NO accept --as agent --set amount=12.00, do order NO open_case …"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", metavar="KIND")
        parser.add_argument("no", metavar="NO")
        parser.add_argument("verb", metavar="VERB")
        parser.add_argument("--as", dest="username", help="who acts; without it: the system")
        parser.add_argument("--at", type=iso, help="business time of the act, ISO 8601")
        parser.add_argument(
            "--set", dest="inputs", action="append", nargs="+", default=[], metavar="KEY=VALUE"
        )
        parser.add_argument("--key", help="the same key again answers with the first result")
        parser.add_argument(
            "--file", dest="files", action="append", nargs="+", default=[], metavar="evidence=PATH"
        )
        parser.add_argument("--shop", help="code of the shop, where two have the same order number")

    def answer(self, **options: Any) -> dict[str, Any]:
        at: datetime | None = options["at"]
        with clock.standing_at(at) if at else nullcontext():
            actor = actor_named(options["username"])
            _check_key(options["key"])
            given = _pairs(options["inputs"])
            files = _pairs(options["files"])
            if options["kind"] == "case":
                case = case_numbered(options["no"], actor)
                return self._on_case(actor, case, options["verb"], given, files, at, options["key"])
            if options["kind"] == "order":
                order = order_numbered(options["no"], actor, options["shop"])
                return self._on_order(actor, order, options["verb"], given, at, options["key"])
            if (kind := KINDS.get(options["kind"])) is not None:
                subject = kind.find(options["no"], actor)
                _opened(files, [])
                return kind.act(Request(actor, subject, options["verb"], given, at, options["key"]))
        raise unknown_kind(options["kind"], ["order", "case", *KINDS])

    def _on_case(  # noqa: PLR0913, PLR0917 - one act has this many sides
        self,
        actor: Actor,
        case: Case,
        verb: str,
        given: MultiValueDict[str, str],
        paths: MultiValueDict[str, str],
        at: datetime | None,
        key: str | None,
    ) -> dict[str, Any]:
        form_class = STEP_FORMS.get(verb)
        if form_class is None:
            raise unknown_verb(verb, STEP_FORMS)
        Request(actor, case, verb, given, at, key).check_time_is_up()
        names = [n for n, f in form_class.base_fields.items() if isinstance(f, EvidenceField)]
        files = _opened(paths, names)
        try:
            form = form_class(given, files, case=case, actor=actor)
            inputs = inputs_of(form, given)
        finally:
            for name in files:
                for file in files.getlist(name):
                    file.close()
        perform(actor, case, getattr(Case, verb), at=at, key=key, **inputs)
        return shown(case_numbered(case.case_no, actor), actor)

    def _on_order(  # noqa: PLR0913, PLR0917 - one act has this many sides
        self,
        actor: Actor,
        order: Order,
        verb: str,
        given: MultiValueDict[str, str],
        at: datetime | None,
        key: str | None,
    ) -> dict[str, Any]:
        if (other := ORDER_ACTS.get(verb)) is not None:
            return other.act(Request(actor, order, verb, given, at, key))
        form_class = ORDER_FORMS.get(verb)
        if form_class is None:
            raise unknown_verb(verb, [*ORDER_FORMS, *ORDER_ACTS])
        form = form_class(given, order=order, actor=actor)  # type: ignore[call-arg]
        inputs = inputs_of(form, given)
        if verb == "open_case":
            case = verbs.open_case(actor, order, at=at, key=key, **inputs)
            return shown(case_numbered(case.case_no, actor), actor)
        if not (key and _is_recorded(order, verb, inputs, at)):
            act = verbs.record_shipment if verb == "record_shipment" else verbs.record_signature
            act(actor, order, at=at or clock.now(), **inputs)
        return shown(order_numbered(order.order_no, actor, order.shop.code), actor)


def _check_key(key: str | None) -> None:
    most = CaseEvent._meta.get_field("key").max_length
    if key is not None and not 0 < len(key) <= (most or 0):
        raise Refused(
            _("A key has 1 to %(most)s characters, not %(given)s.")
            % {"most": most, "given": len(key)},
            "bad_value",
        )


def _is_recorded(order: Order, verb: str, inputs: dict[str, Any], at: datetime | None) -> bool:
    """The order keeps the fact itself: told again with a key, the same fact is no mistake."""
    moment = order.shipped_at if verb == "record_shipment" else order.signed_at
    same = all(getattr(order, name) == value for name, value in inputs.items())
    return moment is not None and same and at in (None, moment)


def _pairs(groups: list[list[str]]) -> MultiValueDict[str, str]:
    """``key=value`` words as form data."""
    data: MultiValueDict[str, str] = MultiValueDict()
    for word in [word for group in groups for word in group]:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Refused(
                _("“%(word)s” cannot be read. Write key=value.") % {"word": word}, "bad_value"
            )
        data.appendlist(name, value)
    return data


def _opened(paths: MultiValueDict[str, str], names: list[str]) -> MultiValueDict[str, Any]:
    files: MultiValueDict[str, Any] = MultiValueDict()
    for name, values in paths.lists():
        if name not in names:
            raise Refused(
                _("This step takes no file “%(name)s”. Files: %(known)s.")
                % {"name": name, "known": ", ".join(names) or _("none")},
                "bad_value",
            )
        for value in values:
            path = Path(value)
            if not path.is_file():
                raise Refused(_("There is no file %(path)s.") % {"path": value}, "bad_value")
            files.appendlist(name, File(path.open("rb"), name=path.name))
    return files
