"""Databases that the processes of a fault story have to themselves."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.faults.running import environment_of, run


def prepare(environment: dict[str, str]) -> None:
    """Tables and reference data."""
    for words in (("migrate", "--noinput"), ("seed",)):
        result = run(environment, *words)
        assert result.returncode == 0, result.stderr


@pytest.fixture(scope="session")
def seeded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with tables and reference data, to be copied."""
    folder = tmp_path_factory.mktemp("seeded")
    prepare(environment_of(folder))
    return folder / "db.sqlite3"


@pytest.fixture
def own_sqlite(seeded_file: Path, tmp_path: Path) -> str:
    """A seeded database that an office in ``tmp_path`` finds by itself; its URL."""
    return f"sqlite:///{shutil.copy(seeded_file, tmp_path)}"


@pytest.fixture(scope="session")
def seeded_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL database with tables and reference data, to be copied; its name."""
    with new_database() as url:
        folder = tmp_path_factory.mktemp("seeded")
        prepare(environment_of(folder, DATABASE_URL=url, DATABASE_POOL="false"))
        yield urlsplit(url).path[1:]


@pytest.fixture
def own_postgres(seeded_postgres: str) -> Iterator[str]:
    """A seeded PostgreSQL database of its own, on the server of this test run; its URL."""
    with new_database(seeded_postgres) as url:
        yield url


@contextmanager
def new_database(template: str = "template1") -> Iterator[str]:
    url = os.environ["DATABASE_URL"]
    name = f"faults_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
