"""What every row with a state and a clock has in common, and how its steps are declared."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from django.db import models
from django.utils.functional import Promise
from django_fsm import RETURN_VALUE, ConcurrentTransitionMixin, FSMField, transition

from cases.flow.reading import BulkRead

if TYPE_CHECKING:
    from cases.flow.door import Actor, Move

Method = TypeVar("Method", bound=Callable[..., Any])

#: Role letters of the domain: agent, lead, warehouse, finance, supervisor, the clock, the platform.
ROLES = {
    "A": "agent",
    "L": "lead",
    "W": "warehouse",
    "F": "finance",
    "S": "supervisor",
    "C": "clock",
    "P": "platform",
}


@dataclass(frozen=True)
class StepInfo:
    """What is declared of a step beside its method.

    ``by``: role letters of ROLES. ``moves``: False for a record (a note, a file) that neither
    counts as the flow's last move nor touches its clock. ``rearm``: a fresh clock even though the
    state stays. ``danger``: the button is drawn as a warning. ``button``: shown among the steps.
    """

    name: str
    label: str | Promise
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    by: frozenset[str]
    conditions: tuple[Callable[[Any], bool], ...]
    moves: bool
    rearm: bool
    danger: bool
    help: str | Promise


def step(  # noqa: PLR0913 - a declaration names everything there is to say of a step
    *,
    source: Sequence[str],
    target: str | Sequence[str] | None,
    by: str,
    label: str | Promise,
    conditions: Sequence[Callable[[Any], bool]] = (),
    moves: bool = True,
    rearm: bool = False,
    danger: bool = False,
    help: str | Promise = "",
) -> Callable[[Method], Method]:
    """A transition of ``state``.

    ``target``: one state, several (the method returns which), or None (the state stays).
    ``by``: role letters separated by blanks; who may take it must be said.
    ``conditions``: ask the row itself, without queries; they also decide whether it is offered.
    """
    unknown = set(by.split()) - set(ROLES)
    if unknown or not by.strip():
        raise TypeError(f"by={by!r}: name who may take the step, of {sorted(ROLES)}")
    several = () if target is None or isinstance(target, str) else tuple(target)
    targets = several or (() if target is None else (str(target),))
    goal: Any = RETURN_VALUE(*several) if several else target

    def declare(method: Method) -> Method:
        @wraps(method)
        def taken(row: Any, inputs: dict[str, Any]) -> Any:
            # In one argument: django-fsm's own parameter names ("method") are inputs of ours too.
            return method(row, **inputs)

        wrapped: Any = transition(
            "state",
            list(source),
            goal,
            conditions=list(conditions),
        )(taken)
        wrapped.info = StepInfo(
            name=method.__name__,
            label=label,
            sources=tuple(str(s) for s in source),
            targets=tuple(str(t) for t in targets),
            by=frozenset(by.split()),
            conditions=tuple(conditions),
            moves=moves,
            rearm=rearm,
            danger=danger,
            help=help,
        )
        return wrapped  # type: ignore[no-any-return]

    return declare


class Stateful(ConcurrentTransitionMixin, BulkRead):
    """A row whose state only the door changes; saving a stale copy raises.

    The clock: ``due_at`` is the deadline people see, ``clock_on`` whose turn it is, ``on_expiry``
    the step that is taken then, ``wake_at`` the next time the sweep has to look at the row (a
    reminder or the deadline; empty when nothing is left to do for it).
    """

    due_at = models.DateTimeField(null=True, blank=True, editable=False)
    wake_at = models.DateTimeField(null=True, blank=True, editable=False)
    clock_on = models.CharField(max_length=12, blank=True, default="", editable=False)
    on_expiry = models.CharField(max_length=40, blank=True, default="", editable=False)
    clock_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    clock_seconds = models.PositiveBigIntegerField(default=0, editable=False)
    clock_working = models.BooleanField(default=False, editable=False)
    provisional = models.BooleanField(default=False, editable=False)
    reminders = models.CharField(max_length=40, blank=True, default="", editable=False)
    extensions = models.PositiveSmallIntegerField(default=0, editable=False)
    #: Granted in days on top of a limit in working time, which counts in another measure.
    extended_seconds = models.PositiveBigIntegerField(default=0, editable=False)
    escalated_at = models.DateTimeField(null=True, blank=True, editable=False)
    sweep_failures = models.PositiveSmallIntegerField(default=0, editable=False)
    moved_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    seq = models.PositiveIntegerField(default=0, editable=False)
    head = models.CharField(max_length=64, blank=True, default="", editable=False)

    #: The concrete event model of this flow; set by the flow's app.
    event_model: ClassVar[type[models.Model]]
    #: The event's column that points at this row.
    event_root: ClassVar[str] = "case_id"
    #: Acts that begin a row's life; they are no steps.
    openings: ClassVar[frozenset[str]] = frozenset()
    #: States that end the flow: no clock runs in them.
    terminal: ClassVar[frozenset[str]] = frozenset()
    #: Set by the door while a step runs: who acts, when, and the facts the guards found.
    acting: "Move"

    if TYPE_CHECKING:
        state: FSMField

    class Meta:
        abstract = True

    @property
    def state_fields(self) -> Iterable[Any]:
        # The mixin looks through all fields each time a row is read.
        return (self._meta.get_field("state"),)

    @classmethod
    def from_db(  # type: ignore[override] # the stubs know a later Django's parameter
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        row = super().from_db(db, field_names, values)
        row._update_initial_state()
        return row

    @classmethod
    def flow_label(cls) -> str:
        return cls._meta.label

    @classmethod
    def steps(cls) -> dict[str, StepInfo]:
        """Every declared step by name, in the order of declaration."""
        cached: dict[str, StepInfo] | None = cls.__dict__.get("_step_table")
        if cached is None:
            cached = {}
            for klass in reversed(cls.__mro__):
                for name, value in vars(klass).items():
                    info = getattr(value, "info", None)
                    if isinstance(info, StepInfo):
                        cached[name] = info
            cls._step_table = cached  # type: ignore[attr-defined]
        return cached

    @classmethod
    def locked(cls, pks: Sequence[int]) -> list["Stateful"]:
        """The rows, locked in pk order; a flow below the case locks its cases first."""
        rows = cls._default_manager.select_for_update(of=("self",)).filter(pk__in=pks)
        return list(rows.order_by("pk"))

    @classmethod
    def arm(cls, moves: list["Move"]) -> None:
        """Set the clocks of a batch after its steps ran in memory; a flow says how."""
        raise NotImplementedError

    @classmethod
    def notify(cls, rows: Sequence["Stateful"], kind: str, at: datetime) -> None:
        """Tell whose turn it is (reminders); a flow says how."""
        raise NotImplementedError

    def in_scope_of(self, actor: "Actor") -> bool:
        """Whether this actor may know of the row at all."""
        raise NotImplementedError

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> NoReturn:
        # django-fsm's version lifts the field's protection for the whole class while it runs.
        raise TypeError("Get the row again; refresh_from_db() unprotects the state meanwhile.")

    def clean_fields(self, exclude: Iterable[str] | None = None) -> None:
        # full_clean() assigns every field it checks, which a protected state refuses.
        super().clean_fields(exclude={"state", *(exclude or ())})
