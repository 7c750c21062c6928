"""The password asked once more before an act that a borrowed computer must not do."""

from django.contrib.auth import authenticate
from django.http import HttpRequest

from cases.admin.scope import person


def confirmed(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of whoever is signed in; wrong ones count for the lock-out."""
    user = person(request)
    found = authenticate(request, username=user.get_username(), password=password)
    return found is not None and found.pk == user.pk
