"""All settings, from the environment; everything has an embedded default.

Two profiles. `embedded` (the default) runs on one machine with nothing installed: SQLite under
`var/`, an in-memory broker inside the one worker process, a key made at the first start.
`production` refuses to start without SECRET_KEY, DATABASE_URL, BROKER_URL and ALLOWED_HOSTS, and
speaks HTTPS only. `.env.example` lists every variable.
"""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

import environ
from celery.schedules import schedule
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from config import unfold

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

PROFILE = env.str("PROFILE", default="embedded")
if PROFILE not in {"embedded", "production"}:
    raise ImproperlyConfigured(f"PROFILE={PROFILE}: there are embedded and production.")
IS_PRODUCTION = PROFILE == "production"
if IS_PRODUCTION:
    needed = ["SECRET_KEY", "DATABASE_URL", "BROKER_URL", "ALLOWED_HOSTS"]
    if missing := [name for name in needed if not env.str(name, default="")]:
        raise ImproperlyConfigured(
            f"The production profile has no default for {', '.join(missing)}: set them."
        )

#: Everything the office writes on this machine: database, uploads, key, collected static files.
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))


def embedded_key() -> str:
    """The key of this installation, made at the first start and kept; never a constant."""
    place = VAR_DIR / "secret_key"
    if not place.exists():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=VAR_DIR)  # readable by its owner only
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, place)  # the first of several processes wins, all read the same
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return place.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="") or embedded_key()
#: Search by phone works on a keyed hash. Changing this key makes old hashes unfindable.
PHONE_HASH_KEY = (
    env.str("PHONE_HASH_KEY", default="")
    or hashlib.sha256(f"phone:{SECRET_KEY}".encode()).hexdigest()
)

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

UNFOLD = unfold.UNFOLD

INSTALLED_APPS = [
    "config",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "csp",
    "import_export",
    "cases",
    "promises",
    "invoices",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.second_factor.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ]
        },
    }
]

# Database

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
database = DATABASES["default"]
options = database.setdefault("OPTIONS", {})
IS_SQLITE = database["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    if database["NAME"] != ":memory:":
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    database["CONN_MAX_AGE"] = None
    options.update(
        # A transaction that starts as a reader and then writes fails at once under others.
        transaction_mode="IMMEDIATE",
        timeout=20,
        # Without recursive triggers REPLACE would walk past the append-only triggers.
        init_command=(
            "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;"
        ),
    )
else:
    database["CONN_MAX_AGE"] = 0  # the pool keeps the connections
    if env.bool("DATABASE_POOL", default=True):
        options["pool"] = {
            "min_size": env.int("DATABASE_POOL_MIN", default=1),
            "max_size": env.int("DATABASE_POOL_MAX", default=12),
            "timeout": 10,
        }
    options["options"] = " ".join(
        [
            f"-c lock_timeout={env.int('DATABASE_LOCK_TIMEOUT_MS', default=10_000)}",
            f"-c statement_timeout={env.int('DATABASE_STATEMENT_TIMEOUT_MS', default=300_000)}",
        ]
    )

# Worker and broker: the broker is a doorbell, the database is the ledger.

BROKER_URL = env.str("BROKER_URL", default="memory://")
#: The web process can ring no bell here; one worker process looks by itself every two seconds.
IS_EMBEDDED_BROKER = BROKER_URL.startswith("memory:")
TASK_TIME_LIMIT = env.int("TASK_TIME_LIMIT", default=900)

CELERY_BROKER_URL = "memory://localhost/" if IS_EMBEDDED_BROKER else BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = TASK_TIME_LIMIT
CELERY_TASK_SOFT_TIME_LIMIT = TASK_TIME_LIMIT - 60
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
if BROKER_URL.startswith(("redis", "valkey")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Above twice the time limit, or a long task is handed out a second time while it runs.
        "visibility_timeout": TASK_TIME_LIMIT * 2 + 60,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
    }
#: In memory: nothing to keep in a file, because every entry may run at any time.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=2 if IS_EMBEDDED_BROKER else 30)
#: An exported file is removed after so many days; who exported what stays on record.
EXPORT_KEEP_DAYS = env.int("EXPORT_KEEP_DAYS", default=7)
#: The same for imported files and for what became of each of their rows; the counts stay.
IMPORT_KEEP_DAYS = env.int("IMPORT_KEEP_DAYS", default=30)
#: How often in a day one person may export personal data in clear.
CLEAR_EXPORTS_PER_DAY = env.int("CLEAR_EXPORTS_PER_DAY", default=5)
#: How often somebody looks for imports and exports that wait, or whose worker died.
JOB_SECONDS = env.int("JOB_SECONDS", default=2 if IS_EMBEDDED_BROKER else 5)
#: A worker that has not been heard of for so long is taken for dead, and its job goes on elsewhere.
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=60)
JOB_TIME_LIMIT = env.int("JOB_TIME_LIMIT", default=6 * 3600)
#: How often orders whose time has come are looked at for broken promises.
BREACH_SECONDS = env.int("BREACH_SECONDS", default=10 if IS_EMBEDDED_BROKER else 60)
#: The tax authority: "manual" (a clerk enters what it says), "simulated", or a dotted path.
INVOICE_AUTHORITY = {
    "manual": "invoices.authority.Manual",
    "simulated": "invoices.authority.Simulated",
}.get(name := env.str("INVOICE_AUTHORITY", default="manual"), name)
CELERY_BEAT_SCHEDULE = {
    "call_the_authority": {
        "task": "invoices.tasks.call_the_authority",
        "schedule": schedule(SWEEP_SECONDS),
        "options": {"expires": SWEEP_SECONDS * 0.9},
    },
    # A backlog of knocks would only repeat one look at the clock: each expires before the next.
    "sweep_clocks": {
        "task": "cases.tasks.sweep_clocks",
        "schedule": schedule(SWEEP_SECONDS),
        "options": {"expires": SWEEP_SECONDS * 0.9},
    },
    "run_jobs": {
        "task": "cases.tasks.run_jobs",
        "schedule": schedule(JOB_SECONDS),
        "options": {"expires": JOB_SECONDS * 0.9},
    },
    "run_exports": {
        "task": "cases.tasks.run_exports",
        "schedule": schedule(JOB_SECONDS),
        "options": {"expires": JOB_SECONDS * 0.9},
    },
    "find_breaches": {
        "task": "promises.tasks.find_breaches",
        "schedule": schedule(BREACH_SECONDS),
        "options": {"expires": BREACH_SECONDS * 0.9},
    },
    "run_prints": {
        "task": "invoices.tasks.run_prints",
        "schedule": schedule(JOB_SECONDS),
        "options": {"expires": JOB_SECONDS * 0.9},
    },
    "remove_old_prints": {
        "task": "invoices.tasks.remove_old_prints",
        "schedule": schedule(3600),
        "options": {"expires": 3000},
    },
    "remove_old_files": {
        "task": "cases.tasks.remove_old_files",
        "schedule": schedule(3600),
        "options": {"expires": 3000},
    },
}
#: Imports and exports run long: they have a queue of their own, so that no clock waits for them.
CELERY_TASK_ROUTES = {
    "cases.tasks.run_jobs": {"queue": "jobs"},
    "cases.tasks.run_exports": {"queue": "jobs"},
    "invoices.tasks.run_prints": {"queue": "jobs"},
}

# People

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "admin:login"

AXES_FAILURE_LIMIT = env.int("LOCKOUT_AFTER", default=5)
AXES_COOLOFF_TIME = env.float("LOCKOUT_HOURS", default=0.25)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]

#: true: whoever signs in also needs a registered authenticator; see config/second_factor.py.
OTP_REQUIRED = env.bool("OTP_REQUIRED", default=False)
OTP_TOTP_ISSUER = "售后"

SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

# HTTP

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # unfold's Alpine evaluates its attributes; no inline script stands anywhere.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
if IS_PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("HTTPS_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
if env.bool("BEHIND_PROXY", default=False):
    # Only behind a proxy that sets this header itself, or anyone may claim to speak HTTPS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Languages and time

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("zh-hant", "繁體中文"), ("en", "English")]
#: Texts of third parties that their own packages leave untranslated; ours lie in each app.
LOCALE_PATHS = [BASE_DIR / "config" / "vendor_locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH = ["config.formats"]
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y%m%d"]
DATETIME_INPUT_FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
]

# Files

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
#: Uploads are served by a view that checks scope, never by the web server: no MEDIA_URL.
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "import_export": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "imports"},
    },
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640

# import-export would by its defaults let anyone with a login import and export.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_TMP_STORAGE_CLASS = "import_export.tmp_storages.MediaStorage"
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_SKIP_ADMIN_LOG = False
#: Reference lists are small and shown row by row before they are taken; orders go another way.
LIST_SHEET_MOST_BYTES = 1024 * 1024
LIST_SHEET_MOST_ROWS = 2_000

# Logs carry ids, never names, phones or addresses.

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "axes": {"level": "ERROR"},
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
