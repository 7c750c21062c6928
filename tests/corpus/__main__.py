"""`python -m tests.corpus FOLDER`: writes every file, and a list of the answers they must get."""

import argparse
import csv
import sys
from pathlib import Path

from tests.corpus import EVIDENCE, SHEETS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    answers = []
    for what, kinds in (("sheet", SHEETS), ("evidence", EVIDENCE)):
        (folder / what).mkdir(parents=True, exist_ok=True)
        for kind in kinds.values():
            name = f"{what}/{kind.name}.{kind.ending}"
            (folder / name).write_bytes(kind.make())
            counts = " ".join(f"{key}={value}" for key, value in (kind.counts or {}).items())
            answers.append([name, kind.code, kind.english, kind.chinese, counts])
    with (folder / "answers.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["file", "code", "English", "Chinese", "rows"], *answers])
    sys.stdout.write(f"{len(answers)} files in {folder}\n")


if __name__ == "__main__":
    sys.exit(main())
