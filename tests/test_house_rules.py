"""Rules of the house that no linter knows."""

import ast
import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import get_commands
from django.db import models
from django_fsm import FSMField
from import_export.resources import ModelResource
from unfold.admin import ModelAdmin

from cases.flow import hooks
from cases.flow.states import Stateful
from config.celery import app as celery_app

ROOT = Path(settings.BASE_DIR)
ROOMS = ["config", "cases", "promises", "invoices"]
TOP_LEVEL = {*ROOMS, "tests", "manage.py", "pyproject.toml", "README.md"}
HIDDEN = {".ci", ".env.example", ".gitignore", ".pre-commit-config.yaml"}
#: What work leaves behind; all of it is in .gitignore.
LEFT_BEHIND = {".git", ".venv", ".env", "var", "__pycache__"}

OUR_MODELS = [model for model in apps.get_models() if model.__module__.split(".")[0] in ROOMS]
FLOWS = [model for model in OUR_MODELS if issubclass(model, Stateful)]


def source_files() -> list[Path]:
    found = [path for room in [*ROOMS, "tests"] for path in (ROOT / room).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def test_the_top_level_holds_only_what_was_agreed():
    names = {path.name for path in ROOT.iterdir()} - LEFT_BEHIND
    caches = {name for name in names if name.startswith(".") and name.endswith("_cache")}

    assert names - caches - {".hypothesis"} <= TOP_LEVEL | HIDDEN
    assert names >= TOP_LEVEL | HIDDEN


def test_every_module_says_in_its_first_line_what_it_is_for():
    silent = []
    for path in source_files():
        text = path.read_text()
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            silent.append(str(path.relative_to(ROOT)))

    assert silent == []


def test_no_module_is_a_drawer_for_everything():
    drawers = {"utils.py", "helpers.py", "common.py", "misc.py"}

    assert [str(path) for path in source_files() if path.name in drawers] == []


def test_no_module_outgrows_a_reader():
    ours = [path for path in source_files() if path.relative_to(ROOT).parts[0] != "tests"]
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in ours}
    # A table of declarations that is read from top to bottom is best on one page.
    on_one_page = {"cases/models/lifecycle.py"}

    long = {name: length for name, length in lengths.items() if length > 600}
    assert {name: length for name, length in long.items() if name not in on_one_page} == {}


def test_flows_exist_and_the_door_knows_each_of_them():
    assert FLOWS
    assert set(hooks.flows()) == set(FLOWS)


@pytest.mark.parametrize("model", FLOWS, ids=lambda model: model.__name__)
def test_every_step_leads_between_known_states_and_says_who_may_take_it(model):
    known = {value for value, _ in model._meta.get_field("state").flatchoices}

    for step in model.steps().values():
        assert step.by, step.name
        assert set(step.sources) <= known | {"*"}, step.name
        assert set(step.targets) <= known, step.name


@pytest.mark.parametrize("model", FLOWS, ids=lambda model: model.__name__)
def test_every_step_explains_itself(model):
    for step in model.steps().values():
        assert str(step.label), step.name
        assert getattr(model, step.name).__doc__, step.name


@pytest.mark.parametrize("model", FLOWS, ids=lambda model: model.__name__)
def test_every_state_is_reachable(model):
    field = model._meta.get_field("state")
    known = {value for value, _ in field.flatchoices}
    reached = {str(field.default)} | {t for step in model.steps().values() for t in step.targets}

    assert known <= reached


@pytest.mark.parametrize("model", FLOWS, ids=lambda model: model.__name__)
def test_the_database_knows_the_same_states(model):
    known = {value for value, _ in model._meta.get_field("state").flatchoices}
    listed = [
        set(map(str, child[1]))
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
        for child in constraint.condition.children
        if isinstance(child, tuple) and child[0] == "state__in"
    ]

    assert known in listed


@pytest.mark.parametrize("model", FLOWS, ids=lambda model: model.__name__)
def test_no_form_and_no_assignment_writes_a_state(model, rf):
    field = model._meta.get_field("state")
    assert isinstance(field, FSMField)
    assert field.protected

    if page := admin.site._registry.get(model):
        request = rf.get("/")
        request.user = User(username="boss", is_superuser=True, is_staff=True)
        assert "state" not in page.list_editable
        assert "state" not in page.get_form(request, obj=None, change=True).base_fields


@pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model.__name__)
def test_every_model_has_a_name_people_can_read(model):
    assert model.__str__ is not models.Model.__str__


def test_foreign_keys_of_facts_protect_what_they_point_to():
    """Deleting a row must never take or blank another; lines that are part of a whole may go."""
    silent = [
        f"{model.__name__}.{field.name}"
        for model in OUR_MODELS
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and getattr(model, "append_only", False)
        and field.remote_field.on_delete not in {models.PROTECT, models.DO_NOTHING}
    ]

    assert silent == []


def test_every_beat_entry_names_a_task_and_expires_before_it_repeats():
    celery_app.loader.import_default_modules()
    entries = settings.CELERY_BEAT_SCHEDULE

    assert entries
    for name, entry in entries.items():
        assert entry["task"] in celery_app.tasks, name
        interval = entry["schedule"].run_every
        assert timedelta(seconds=entry["options"]["expires"]) < interval, name


def test_every_admin_page_is_drawn_by_unfold():
    drawn_otherwise = [
        model.__name__
        for model, model_admin in admin.site._registry.items()
        if not isinstance(model_admin, ModelAdmin)
    ]

    assert drawn_otherwise == []


def all_resources(kind: type[ModelResource] = ModelResource) -> list[type[ModelResource]]:
    return [sub for direct in kind.__subclasses__() for sub in [direct, *all_resources(direct)]]


def test_no_import_lists_a_state_among_its_columns():
    for model_admin in admin.site._registry.values():
        import_module(type(model_admin).__module__)
    ours = [sub for sub in all_resources() if sub.__module__.split(".")[0] in ROOMS]

    assert [sub.__name__ for sub in ours if "state" in sub.fields] == []


def test_every_command_of_the_public_surface_exists():
    wanted = {"start", "seed", "import_sheet", "export_sheet", "show", "do", "enforce", "audit"}

    assert wanted <= set(get_commands())


def test_the_pinned_lists_name_no_registry_and_hash_everything():
    for name in ("base", "dev"):
        text = (ROOT / "config" / "requirements" / f"{name}.txt").read_text()
        packages = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)

        assert packages
        assert "://" not in text
        assert all("--hash=sha256:" in package for package in packages)


def test_each_dependency_we_declare_is_in_the_pinned_list():
    tomllib: ModuleType = import_module("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = (ROOT / "config" / "requirements" / "base.txt").read_text()

    for declared in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9-]+", declared)
        assert name
        assert re.search(rf"^{name[0].lower()}==", pinned, re.MULTILINE), declared


def test_nothing_in_the_sources_depends_on_one_machine():
    private = re.compile("/(?:" + "|".join(["root", r"home/\w+", r"Users/\w+", "work"]) + ")/")
    files = [*source_files(), ROOT / "README.md", ROOT / "manage.py", ROOT / ".ci" / "run"]

    assert [str(path) for path in files if private.search(path.read_text())] == []
