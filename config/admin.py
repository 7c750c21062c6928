"""Pages of other packages, drawn by unfold: their plain forms have invisible inputs there."""

from typing import TYPE_CHECKING, Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as PlainGroupAdmin
from django.contrib.auth.admin import UserAdmin as PlainUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.admin import StaticDeviceAdmin as PlainStaticDeviceAdmin
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.admin import TOTPDeviceAdmin as PlainTOTPDeviceAdmin
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.foreign_words import permission_in_words, role_in_words

if TYPE_CHECKING:
    AnyUserAdmin = PlainUserAdmin[User]
else:
    AnyUserAdmin = PlainUserAdmin

for model in (User, Group, TOTPDevice, StaticDevice, AccessAttempt, AccessFailureLog, AccessLog):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class InWords:
    """Roles and permissions in words; the database has their codes and English names."""

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None and db_field.related_model is Permission:
            field.label_from_instance = permission_in_words
        if field is not None and db_field.related_model is Group:
            field.label_from_instance = role_in_words
        return field


@admin.register(User)
class UserAdmin(InWords, AnyUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(InWords, PlainGroupAdmin, ModelAdmin):  # type: ignore[misc]
    list_display = ["in_words"]

    @display(description=_("role"), ordering="name")
    def in_words(self, group: Group) -> str:
        return role_in_words(group)


@admin.register(TOTPDevice)
class TOTPDeviceAdmin(PlainTOTPDeviceAdmin, ModelAdmin):
    search_help_text = _("Name or e-mail of the user")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_fieldsets(request, obj)
        return [(title and gettext(str(title)), options) for title, options in found]

    @display(description=_("QR code"))
    def qrcode_link(self, device: TOTPDevice) -> SafeString | str:
        if device.pk is None:
            return ""
        url = reverse("admin:otp_totp_totpdevice_config", kwargs={"pk": device.pk})
        return format_html('<a href="{}">{}</a>', url, _("Show"))


class StaticTokenInline(TabularInline):
    model = StaticToken
    extra = 0


@admin.register(StaticDevice)
class StaticDeviceAdmin(PlainStaticDeviceAdmin, ModelAdmin):
    search_help_text = _("Name or e-mail of the user")
    fieldsets = None
    fields = ["user", "name", "confirmed", "created_at", "last_used_at"]
    inlines = [StaticTokenInline]


class WrittenByTheSite(ModelAdmin):
    """Records nobody enters or edits by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AccessAttempt)
class LockoutAdmin(AccessAttemptAdmin, WrittenByTheSite):
    # Deleting a row lets the person try again; a hierarchy by date would count the whole table.
    date_hierarchy = None


@admin.register(AccessFailureLog)
class FailureAdmin(AccessFailureLogAdmin, WrittenByTheSite):
    date_hierarchy = None
