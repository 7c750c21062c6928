"""Pages of other packages, drawn by unfold: their plain forms have invisible inputs there."""

from typing import TYPE_CHECKING, Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as PlainGroupAdmin
from django.contrib.auth.admin import UserAdmin as PlainUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_otp.plugins.otp_static.admin import StaticDeviceAdmin as PlainStaticDeviceAdmin
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.admin import TOTPDeviceAdmin as PlainTOTPDeviceAdmin
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

if TYPE_CHECKING:
    AnyUserAdmin = PlainUserAdmin[User]
else:
    AnyUserAdmin = PlainUserAdmin

for model in (User, Group, TOTPDevice, StaticDevice, AccessAttempt, AccessFailureLog, AccessLog):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(User)
class UserAdmin(AnyUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(PlainGroupAdmin, ModelAdmin):
    pass


@admin.register(TOTPDevice)
class TOTPDeviceAdmin(PlainTOTPDeviceAdmin, ModelAdmin):
    pass


class StaticTokenInline(TabularInline):
    model = StaticToken
    extra = 0


@admin.register(StaticDevice)
class StaticDeviceAdmin(PlainStaticDeviceAdmin, ModelAdmin):
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
