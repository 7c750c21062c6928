"""Write the reference data: roles, reasons, SOPs, time limits, windows, limits, calendar days."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from cases.seeding import seed


class Command(BaseCommand):
    help = "Make what is missing of the reference data; what staff changed stays."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps({"created": seed()}))
