"""What the desk's templates say again and again."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from cases import looks

register = template.Library()


@register.simple_tag(takes_context=True)
def clock_words(context: template.Context) -> dict[str, str]:
    """The words of countdowns in the page's language, for the script that keeps them fresh."""
    now = int(looks.now_of(context["request"]).timestamp() * 1000)
    soon = int(looks.DUE_SOON.total_seconds() * 1000)
    return {**looks.clock_words(), "now": str(now), "soon": str(soon)}


@register.filter
def yuan(amount: Any) -> str:
    return looks.yuan_text(amount)


@register.filter
def moment(at: Any) -> str:
    return looks.moment(at)


@register.filter
def tag_label(text: Any, tone: str = "") -> SafeString:
    return looks.label(text, tone)
