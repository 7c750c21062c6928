"""What every form of a step has in common: text in, the step's keyword inputs or a refusal out."""

from collections.abc import Iterable
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _

from cases.flow.door import Actor, Refused
from cases.forms.fields import LineChoice, MomentField, PerLineInput, _PerLineField
from cases.models import Case, CaseLine, Order

#: Inputs whose want is told by its own code; any other missing input is a bad value.
MISSING = {
    "reason": "reason_required",
    "text": "reason_required",
    "evidence": "evidence_required",
}
#: Codes that a field may give its refusal; every other error is a bad value.
TOLD = frozenset({"unknown", "not_in_your_shop"})


class InputForm(forms.Form):
    """The inputs of one act. ``inputs()`` after ``is_valid()``, else ``refusal()``."""

    use_required_attribute = False

    def inputs(self) -> dict[str, Any]:
        """The cleaned inputs that were given; what was left empty is not among them."""
        return {k: v for k, v in self.cleaned_data.items() if not _is_empty(v)}

    def check_names(self, given: Iterable[str]) -> None:
        """Refuse inputs that this act does not take."""
        unknown = sorted(set(given) - set(self.fields))
        if unknown:
            takes = ", ".join(self.fields) or _("nothing")
            raise Refused(
                _("Unknown input %(names)s. It takes: %(takes)s.")
                % {"names": ", ".join(unknown), "takes": takes},
                "bad_value",
            )

    def refusal(self) -> Refused:
        """All that is wrong with the inputs, by name, as one refusal."""
        errors = self.errors.as_data()
        code = "bad_value"
        words = []
        for name, found in errors.items():
            for error in found:
                if error.code == "required":
                    code = MISSING.get(name, code)
                elif error.code in TOLD:
                    code = str(error.code)
                text = " ".join(error.messages)
                words.append(text if name == "__all__" else f"{name}: {text}")
        return Refused(" ".join(words), code)

    def _know_lines(self, lines: list[LineChoice], zone: str) -> None:
        for field in self.fields.values():
            if isinstance(field, _PerLineField):
                field.lines = lines
            if isinstance(field, MomentField):
                field.zone = ZoneInfo(zone)


class StepForm(InputForm):
    """The inputs of one step of a case; ``None`` as data gives the empty form of a page."""

    #: The step this form belongs to; set by the table in steps.py.
    step: ClassVar[str] = ""

    def __init__(
        self, data: Any = None, files: Any = None, *, case: Case, actor: Actor, **kwargs: Any
    ) -> None:
        super().__init__(data, files, **kwargs)
        self.case = case
        self.actor = actor
        lines: list[CaseLine] = []
        if any(isinstance(f.widget, PerLineInput) for f in self.fields.values()):
            lines = list(case.lines.select_related("order_line").order_by("order_line__line_no"))
        if lines or any(isinstance(f, MomentField) for f in self.fields.values()):
            self._know_lines([_choice(line) for line in lines], case.shop.zone)
        self.prepare(case, lines)

    def prepare(self, case: Case, lines: list[CaseLine]) -> None:
        """Say what fits this case: choices, initial values."""


def order_lines(order: Order) -> list[LineChoice]:
    """The lines of an order as a form names them."""
    return [
        LineChoice(
            line.pk,
            line.line_no,
            line.sub_order_no,
            f"{line.line_no} · {line.title or line.sku} × {line.quantity_left}",
            line.quantity_left,
        )
        for line in order.lines.order_by("line_no")
    ]


def _choice(line: CaseLine) -> LineChoice:
    of_order = line.order_line
    label = f"{of_order.line_no} · {of_order.title or of_order.sku} × {line.quantity}"
    return LineChoice(of_order.pk, of_order.line_no, of_order.sub_order_no, label, line.quantity)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, (str, list, dict)) and not value)
