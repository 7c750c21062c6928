"""Every damaged or hostile picture, paper and film gets its answer, or comes in clean."""

import io

import pytest
from django.utils import translation

from cases.files import FileRefused, inspect
from tests.corpus import EVIDENCE, Kind
from tests.corpus.leftovers import readers_left

REFUSED = {name: kind for name, kind in EVIDENCE.items() if kind.is_refused}
KEPT = {name: kind for name, kind in EVIDENCE.items() if not kind.is_refused}
HARM = (b"alert(1)", b"<?php", b"PK\x03\x04", b"<script", b"Exif")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", REFUSED.values(), ids=REFUSED)
def test_evidence_is_refused_in_words(kind: Kind):
    content = kind.make()
    for language, words in (("en", kind.english), ("zh-hans", kind.chinese)):
        with translation.override(language), pytest.raises(FileRefused) as refusal:
            inspect(io.BytesIO(content), name=f"photo.{kind.ending}")
        assert (refusal.value.code, refusal.value.message) == (kind.code, words)
    assert readers_left() == []


@pytest.mark.parametrize("kind", KEPT.values(), ids=KEPT)
def test_evidence_comes_in_clean(kind: Kind):
    content = kind.make()
    safe = inspect(io.BytesIO(content), name=f"photo.{kind.ending}")

    assert (safe.kind, safe.mime) == (kind.kept["kind"], kind.kept["mime"])
    if safe.kind != "image":
        assert safe.content == content
        return
    assert (safe.width, safe.height) == kind.kept["size"]
    assert not [trace for trace in HARM if trace in safe.content]


def test_a_reader_of_papers_sees_nothing_of_our_secrets(monkeypatch, tmp_path):
    """It runs with what it needs of the environment and no more."""
    from cases.files import papers  # noqa: PLC0415 - beside its use

    monkeypatch.setenv("SECRET_KEY", "not for strangers")
    script = tmp_path / "pdf_guard.py"
    script.write_text("import os, json; print(json.dumps({'code': ' '.join(sorted(os.environ))}))")
    monkeypatch.setattr(papers, "__file__", str(tmp_path / "papers.py"))
    with pytest.raises(KeyError) as refusal:
        papers.check(b"%PDF-1.7")

    assert "SECRET_KEY" not in str(refusal.value)
