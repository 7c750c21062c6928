"""Who can sign in on the first day: passwords made here, kept readable by the owner only.

Only the embedded profile does this. A password that its owner has changed is forgotten here.
"""

import json
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

#: Easy to read out and to type: no letters that look like digits.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    groups = ["".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3)]
    return "-".join(groups)


def notebook() -> Path:
    return Path(settings.VAR_DIR) / "first_people.json"


def remembered() -> dict[str, str]:
    place = notebook()
    return json.loads(place.read_text()) if place.is_file() else {}


def remember(passwords: dict[str, str]) -> None:
    place = notebook()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch(mode=0o600)
    place.write_text(json.dumps(passwords, indent=1))


def make_first_supervisor() -> None:
    """On an empty site: one superuser, `admin`. Does nothing where anybody is registered."""
    if not User.objects.exists():
        User.objects.create_superuser("admin")


def give_first_passwords() -> None:
    """Whoever never had a password gets one, noted in the notebook; for a fresh office only."""
    passwords = remembered()
    for user in User.objects.filter(is_active=True, is_staff=True, last_login=None):
        if not user.has_usable_password():
            passwords[user.username] = new_password()
            user.set_password(passwords[user.username])
            user.save(update_fields=["password"])
    remember(passwords)


def sign_ins() -> list[dict[str, str]]:
    """`[{"username", "password", "roles"}]` of those whose first password still opens the door."""
    found = []
    passwords = remembered()
    for user in User.objects.filter(username__in=passwords).prefetch_related("groups"):
        password = passwords[user.username]
        if user.is_active and user.check_password(password):
            roles = "、".join(sorted(group.name for group in user.groups.all()))
            found.append({"username": user.username, "password": password, "roles": roles})
    remember({one["username"]: one["password"] for one in found})
    return sorted(found, key=lambda one: (one["username"] != "admin", one["username"]))
