"""`python -m tests.bench NAME --rows N [--database sqlite|postgres]`: measured, never guessed.

Each bench runs ours, what a user would write with the stock libraries, and the physical floor on
the same data, three times in turn; one JSON line each and a last line of ratios.
"""

import argparse
import importlib
import json
import sys

from tests.bench import stand

MODULES = {
    "import": "tests.bench.importing",
    "export": "tests.bench.exporting",
    "sweep": "tests.bench.sweep",
    "door": "tests.bench.door",
    "list": "tests.bench.lists",
    "desk": "tests.bench.desk",
    "breach": "tests.bench.breach",
    "reversal": "tests.bench.reversal",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=sorted(MODULES))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    given = parser.parse_args()
    with stand.site_on(given.database):
        module = importlib.import_module(MODULES[given.name])
        for line in module.run(given.rows, given.database):
            print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
