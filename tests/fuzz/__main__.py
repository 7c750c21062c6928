"""`python -m tests.fuzz --seconds N [--seed S] [--save FOLDER]`: a JSON summary; 1 on a finding.

Sound files of every format are changed in ways that know their structure, rows are made up by
Hypothesis, and both go in by the doors that uploads use. A finding's file is kept.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import django


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--save", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    return _run(given.seconds, given.seed, given.save)


def _run(seconds: float, seed: int, save: Path) -> int:
    # Django must be set up before what stands on its models is imported.
    from django.test.runner import DiscoverRunner  # noqa: PLC0415
    from django.utils import translation  # noqa: PLC0415

    from cases.flow import clock  # noqa: PLC0415
    from tests.cases.sheets.loading_desk import NOW  # noqa: PLC0415
    from tests.factories import furnished  # noqa: PLC0415
    from tests.fuzz.running import Broken, Fuzz  # noqa: PLC0415

    runner = DiscoverRunner(verbosity=0)
    databases = runner.setup_databases()
    fuzz, code, began = Fuzz(seed), 0, time.monotonic()
    try:
        furnished()
        with clock.standing_at(NOW), translation.override("en"):
            fuzz.run(seconds)
    except Broken as broken:
        save.mkdir(parents=True, exist_ok=True)
        file = save / f"finding-{seed}-{broken.name}"
        file.write_bytes(broken.content)
        fuzz.summary.finding = f"{broken.rule} ({file})"
        code = 1
    finally:
        runner.teardown_databases(databases)
    said = fuzz.summary.as_dict() | {"seconds": round(time.monotonic() - began, 1)}
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
