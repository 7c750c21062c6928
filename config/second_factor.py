"""The second factor: a code from an authenticator, where the deployment demands it.

With OTP_REQUIRED=true a password alone opens nothing. A person without a registered device is
told to see a supervisor, who registers one under TOTP devices.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_otp import match_token
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES


class LoginForm(AuthenticationForm):
    """Name, password and, where it is demanded, the six digits; all wrong answers look alike."""

    code = forms.CharField(
        label=_("Code from the authenticator"),
        required=False,
        max_length=32,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "class": " ".join(BASE_INPUT_CLASSES),
            }
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.OTP_REQUIRED:
            del self.fields["code"]

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if not settings.OTP_REQUIRED:
            return
        device = match_token(user, self.cleaned_data.get("code") or "")
        if device is None:
            raise self.get_invalid_login_error()
        user.otp_device = device  # django_otp marks the session verified when it is made


class SecondFactorMiddleware:
    """Sends a session that was never verified back to the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if settings.OTP_REQUIRED and user.is_authenticated and not user.is_verified():
            logout(request)
            return HttpResponseRedirect(reverse(settings.LOGIN_URL))
        return self.get_response(request)
