"""Settings of the tests: SQLite in memory unless DATABASE_URL names another database."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "only-for-the-tests-" + "0" * 50)
os.environ.setdefault("VAR_DIR", os.path.join(tempfile.gettempdir(), "shouhou-tests"))
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
os.environ.setdefault("ENV_FILE", os.devnull)
os.environ.setdefault("DATABASE_POOL", "false")

from config.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Locking out is tested where it is the subject; elsewhere it needs a request to sign in.
AXES_ENABLED = False

# Several runs side by side each need a database of their own.
if name := os.environ.get("TEST_DB"):
    DATABASES["default"]["TEST"] = {
        "NAME": (
            os.path.join(tempfile.gettempdir(), f"test_{name}.sqlite3")
            if IS_SQLITE
            else f"test_{name}"
        )
    }

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
CELERY_TASK_ALWAYS_EAGER = False
LOGGING["root"]["level"] = "WARNING"
