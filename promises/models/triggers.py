"""What the database itself holds of dated terms: no overlap, and no edit of what was in force."""

from typing import Any

TABLE = "promises_term"
#: What may be set later: the end of a row, and its remark.
_OPEN = frozenset({"id", "valid_to", "source"})
NAMES = frozenset({f"{TABLE}_apart_new", f"{TABLE}_apart_end", f"{TABLE}_kept"})

_SAME_PLACE = "t.promise = NEW.promise AND t.platform = NEW.platform AND t.id <> NEW.id"
_SAME_TIME = (
    "(t.valid_to IS NULL OR NEW.valid_from IS NULL OR NEW.valid_from < t.valid_to) "
    "AND (NEW.valid_to IS NULL OR t.valid_from IS NULL OR t.valid_from < NEW.valid_to)"
)


def install(connection: Any) -> None:
    """(Re)install them; SQLite loses triggers whenever a migration remakes the table."""
    if TABLE not in connection.introspection.table_names():
        return
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for name in sorted(NAMES):
            on = f' ON "{TABLE}"' if postgres else ""
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{on}')
        for statement in _postgres() if postgres else _sqlite():
            cursor.execute(statement)


def _columns() -> list[str]:
    from promises.models.terms import Term  # noqa: PLC0415 - models are ready only now

    return [str(f.column) for f in Term._meta.concrete_fields if f.column not in _OPEN]


def _postgres() -> list[str]:
    changed = " OR ".join(f'OLD."{c}" IS DISTINCT FROM NEW."{c}"' for c in _columns())
    overlap = (
        f'SELECT 1 FROM "{TABLE}" t WHERE {_SAME_PLACE} '  # noqa: S608 - constants of ours
        f"AND t.shop_id IS NOT DISTINCT FROM NEW.shop_id AND {_SAME_TIME}"
    )
    function = f"""
        CREATE OR REPLACE FUNCTION shouhou_terms_apart() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          -- Two at once would not see each other's row.
          PERFORM pg_advisory_xact_lock(hashtext('{TABLE}'));
          IF EXISTS ({overlap}) THEN
            RAISE EXCEPTION 'terms overlap' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN NEW;
        END $$
        """
    kept = f"""
        CREATE OR REPLACE FUNCTION shouhou_terms_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF {changed} THEN
            RAISE EXCEPTION 'terms are not edited' USING ERRCODE = 'integrity_constraint_violation';
          END IF;
          RETURN NEW;
        END $$
        """
    triggers = (
        ("apart_new", "INSERT", "apart"),
        ("apart_end", "UPDATE", "apart"),
        ("kept", "UPDATE", "kept"),
    )
    return [
        function,
        kept,
        *(
            f'CREATE TRIGGER "{TABLE}_{name}" BEFORE {act} ON "{TABLE}" '
            f"FOR EACH ROW EXECUTE FUNCTION shouhou_terms_{what}()"
            for name, act, what in triggers
        ),
    ]


def _sqlite() -> list[str]:
    changed = " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in _columns())
    overlap = (
        f'EXISTS (SELECT 1 FROM "{TABLE}" t WHERE {_SAME_PLACE} '  # noqa: S608 - constants of ours
        f"AND t.shop_id IS NEW.shop_id AND {_SAME_TIME})"
    )
    stop = "BEGIN SELECT RAISE(ABORT, 'terms overlap'); END"
    # AFTER: only then the new row has its number.
    return [
        f'CREATE TRIGGER "{TABLE}_apart_new" AFTER INSERT ON "{TABLE}" WHEN {overlap} {stop}',
        f'CREATE TRIGGER "{TABLE}_apart_end" AFTER UPDATE ON "{TABLE}" WHEN {overlap} {stop}',
        (
            f'CREATE TRIGGER "{TABLE}_kept" BEFORE UPDATE ON "{TABLE}" WHEN {changed} '
            "BEGIN SELECT RAISE(ABORT, 'terms are not edited'); END"
        ),
    ]
