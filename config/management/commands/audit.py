"""Recompute every invariant from the rows; exit code 2 where one does not hold."""

from typing import Any

from cases.auditing import audit
from cases.management.base import JsonCommand


class Command(JsonCommand):
    help = "Recompute sums, chains, clocks and guards from the rows."

    def answer(self, **options: Any) -> dict[str, Any]:
        result = audit()
        for violation in result.violations:
            self.stderr.write("{what}: {object}: {detail}".format(**violation))
        return result.as_dict()

    def is_bad(self, result: dict[str, Any]) -> bool:
        return bool(result["violations"])
