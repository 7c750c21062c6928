"""Writers of one SQLite file stand in line, whatever process they are in."""

from threading import Event, Thread

from django.db import connection

from cases.flow.onewriter import OneWriter, has_company


def test_a_second_writer_waits_no_longer_than_the_first_writes_and_leaves_word(
    tmp_path, monkeypatch
):
    database = tmp_path / "db.sqlite3"
    database.touch()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(database))
    # Each has a lock of its own, as if in two processes: only the file can keep them apart.
    first, second = OneWriter(), OneWriter()
    inside = Event()

    def write() -> None:
        with second:
            inside.set()

    with first:
        assert not has_company(60)
        thread = Thread(target=write)
        thread.start()
        assert not inside.wait(0.2)
        assert has_company(60)
    assert inside.wait(5)
    thread.join()
    assert not has_company(0)


def test_a_database_in_memory_has_no_line(tmp_path, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "none"))
    writer = OneWriter()
    with writer:
        pass
    with writer:
        pass
    assert not list(tmp_path.iterdir())
