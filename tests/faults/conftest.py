"""Databases that the processes of a fault story have to themselves."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest


@pytest.fixture
def own_postgres() -> Iterator[str]:
    """A PostgreSQL database of its own, on the server of this test run; its URL."""
    url = os.environ["DATABASE_URL"]
    name = f"faults_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
