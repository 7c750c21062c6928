"""A hostile file at an upload page is answered in words, never with an error page."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from cases.models import Evidence, Order
from tests.cases import admin_data
from tests.corpus import EVIDENCE, SHEETS

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

AT_IMPORT = (
    "a-billion-laughs",
    "a-cell-of-a-megabyte",
    "a-part-that-says-it-is-small",
    "a-workbook-cut-in-half",
    "an-old-workbook-of-noise",
    "nothing-at-all",
    "noise",
    "ten-rows-a-million-times",
    "two-cells-at-the-ends-of-the-sheet",
)
AT_EVIDENCE = (
    "a-hundred-and-sixty-nine-megapixels",
    "a-jpeg-cut-in-half",
    "a-paper-that-runs-a-script",
    "a-printers-program-called-png",
    "a-video-whose-box-says-exabytes",
    "no-bytes",
)


def upload(kind) -> SimpleUploadedFile:
    return SimpleUploadedFile(f"订单.{kind.ending}", kind.make(), content_type="text/csv")


@pytest.mark.parametrize("name", AT_IMPORT)
def test_a_hostile_sheet_is_answered_in_words(name):
    office = admin_data.office()
    page = reverse("admin:cases_importjob_add")
    response = office.client("agent").post(page, {"file": upload(SHEETS[name])}, follow=True)

    assert response.status_code == 200
    assert "Traceback" not in response.content.decode()
    assert not Order.objects.exists()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", AT_EVIDENCE)
def test_hostile_evidence_is_answered_in_words(name):
    office = admin_data.office()
    case = admin_data.case(admin_data.order(office.a, "A-1"))
    client, page = (
        office.client("agent"),
        reverse("admin:cases_case_do", args=[case.pk, "add_evidence"]),
    )
    hidden = dict(
        re.findall(r'name="(_key|_version)" value="([^"]*)"', client.get(page).content.decode())
    )
    response = client.post(page, {**hidden, "party": "buyer", "evidence": upload(EVIDENCE[name])})

    assert response.status_code == 200
    assert "errornote" in response.content.decode() or response.context["form"].errors
    assert not Evidence.objects.exists()
