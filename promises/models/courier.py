"""The names couriers go by in sheets; a small table staff can edit."""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

#: What every company of the trade may write behind its name. 快运 is another service.
_ENDINGS = re.compile(r"(速运|速递|快递|物流|express|集团|股份|有限公司|公司)+$")
_NOTHING = re.compile(r"[\s·・.,，。()（）\-_/&]+")


def key_of(name: str) -> str:
    """A name as it is compared: width, case, blanks and company endings do not matter."""
    plain = _NOTHING.sub("", unicodedata.normalize("NFKC", name).casefold())
    return _ENDINGS.sub("", plain) or plain


class CourierName(models.Model):
    """Another name of a courier."""

    name = models.CharField(
        _("name in sheets"), max_length=60, help_text=_("As sheets write it, e.g. SF or 顺丰速运.")
    )
    key = models.CharField(max_length=60, unique=True, editable=False)
    courier = models.CharField(
        _("courier"), max_length=60, help_text=_("One name for all of them, e.g. 顺丰.")
    )

    class Meta:
        verbose_name = _("name of a courier")
        verbose_name_plural = _("names of couriers")
        ordering = ["courier", "name"]

    def __str__(self) -> str:
        return f"{self.name} = {self.courier}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = key_of(self.name)
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Two spellings that are compared alike are one name."""
        same = CourierName.objects.filter(key=key_of(self.name)).exclude(pk=self.pk).first()
        if same is not None:
            raise ValidationError(
                {"name": _("%(other)s is compared as the same name.") % {"other": same}}
            )
