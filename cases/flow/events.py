"""Append-only, hash-chained events; and the triggers that keep append-only tables so."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def plain(value: Any) -> Any:
    """A value as JSON can hold it: money as text, times as ISO 8601 in UTC, rows by their code.

    A file is its hash.
    """
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return _plain_object(value)


def _plain_object(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if (digest := getattr(value, "sha256_in", None)) is not None:
        return digest
    if isinstance(value, models.Model):
        return getattr(value, "code", None) or value.pk
    return str(value)


#: Made once: json.dumps would make a new one for every event.
_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: Any) -> str:
    return _encoder.encode(value)


def digest_of(verb: str, inputs: dict[str, Any]) -> str:
    """What a repeated idempotency key is compared by (hex SHA-256)."""
    return hashlib.sha256(canonical([verb, inputs]).encode()).hexdigest()


class AppendOnly(models.Model):
    """Rows that are written once; the database refuses UPDATE and DELETE (triggers below)."""

    append_only: ClassVar[bool] = True

    class Meta:
        abstract = True


class Event(AppendOnly):
    """One row per step: who, when, from, to, what was entered; chained by hash per root.

    ``at`` is business time, ``recorded_at`` the wall clock and never overridden. ``late``: the
    step came after the deadline that ran before it (``due_before``).
    """

    seq = models.PositiveIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now)
    verb = models.CharField(_("step"), max_length=40)
    source = models.CharField(_("from"), max_length=24, blank=True)
    target = models.CharField(_("to"), max_length=24, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    channel = models.CharField(_("channel"), max_length=16)
    inputs = models.JSONField(_("inputs"), default=dict)
    note = models.TextField(_("note"), blank=True, default="")
    key = models.CharField(max_length=120, null=True, unique=True)  # noqa: DJ001 - many have none
    digest = models.CharField(max_length=64, blank=True, default="")
    due_before = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)
    prev = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"#{self.seq}"

    @property
    def root_pk(self) -> int:
        raise NotImplementedError

    def seal(self) -> str:
        """The hash of this row over the one before it."""
        due = self.due_before
        body = [
            self.root_pk,
            self.seq,
            self.at.astimezone(UTC).isoformat(),
            self.recorded_at.astimezone(UTC).isoformat(),
            self.verb,
            self.source,
            self.target,
            self.user_id,
            self.channel,
            self.inputs,
            self.note,
            self.key,
            due.astimezone(UTC).isoformat() if due else None,
            self.late,
            self.prev,
        ]
        return hashlib.sha256(canonical(body).encode()).hexdigest()


def append_only_tables() -> list[str]:
    return sorted(m._meta.db_table for m in apps.get_models() if getattr(m, "append_only", False))


def drop_triggers(vendor: str, tables: list[str] | None = None) -> list[str]:
    """Statements that lift the append-only triggers (test teardown and nothing else)."""
    statements = []
    for table in append_only_tables() if tables is None else tables:
        names = [f"{table}_no_update", f"{table}_no_delete"]
        if vendor == "postgresql":
            names.append(f"{table}_no_truncate")
            statements += [f'DROP TRIGGER IF EXISTS "{n}" ON "{table}"' for n in names]
        else:
            names.append(f"{table}_no_replace")
            statements += [f'DROP TRIGGER IF EXISTS "{n}"' for n in names]
    return statements


def create_triggers(vendor: str, tables: list[str] | None = None) -> list[str]:
    """Statements that make append-only tables refuse UPDATE, DELETE, TRUNCATE and REPLACE."""
    names = append_only_tables() if tables is None else tables
    if vendor == "postgresql":
        return [_PG_FUNCTION, *(s for t in names for s in _pg_triggers(t))]
    return [s for t in names for s in _sqlite_triggers(t)]


_PG_FUNCTION = """
CREATE OR REPLACE FUNCTION shouhou_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def _pg_triggers(table: str) -> list[str]:
    run = "EXECUTE FUNCTION shouhou_append_only()"
    return [
        f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON "{table}" FOR EACH ROW {run}',
        f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" FOR EACH ROW {run}',
        f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" {run}',
    ]


def _sqlite_triggers(table: str) -> list[str]:
    stop = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return [
        f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON "{table}" {stop}',
        f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" {stop}',
        (
            f'CREATE TRIGGER "{table}_no_replace" BEFORE INSERT ON "{table}" '  # noqa: S608
            "WHEN NEW.id IS NOT NULL AND EXISTS "
            f'(SELECT 1 FROM "{table}" WHERE id = NEW.id) {stop}'
        ),
    ]


def standing_triggers(connection: Any) -> set[str]:
    """Names of the triggers that stand in this database."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall()}


def expected_triggers(vendor: str) -> set[str]:
    third = "truncate" if vendor == "postgresql" else "replace"
    return {f"{t}_no_{what}" for t in append_only_tables() for what in ("update", "delete", third)}


def install_triggers(connection: Any) -> None:
    """(Re)install every trigger; SQLite loses them whenever a migration remakes a table."""
    existing = set(connection.introspection.table_names())
    tables = [t for t in append_only_tables() if t in existing]
    vendor = connection.vendor
    with connection.cursor() as cursor:
        for statement in [*drop_triggers(vendor, tables), *create_triggers(vendor, tables)]:
            cursor.execute(statement)


def broken_links(events: list[Event], seq: int, head: str) -> list[str]:
    """What is wrong with one root's chain, given its events in order and the root's own head."""
    wrong, prev = [], ""
    for number, event in enumerate(events, start=1):
        if event.seq != number:
            wrong.append(f"event {number} is missing")
            break
        if event.prev != prev or event.hash != event.seal():
            wrong.append(f"event {number} was changed")
        prev = event.hash
    if not wrong and (len(events) != seq or prev != head):
        wrong.append("the last events are missing")
    return wrong
