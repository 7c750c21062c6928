"""What apps add to a flow by name: guards, bookings, effects, blockers; the door calls them.

All hooks take a *batch* (``list[Move]``) and load what they need in a constant number of
queries. A guard or booking refuses one object with ``move.refuse(...)`` and lets the others go on.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from cases.flow.door import Move
    from cases.flow.states import Stateful

Hook = Callable[[list["Move"]], None]
F = TypeVar("F", bound=Callable[..., object])
Blocker = Callable[[list["Stateful"]], dict[int, str]]
Preparation = Callable[[list[Any], dict[str, Any]], None]

ANY = "*"
_guards: dict[tuple[str, str], list[Hook]] = defaultdict(list)
_bookings: dict[tuple[str, str], list[Hook]] = defaultdict(list)
_effects: dict[tuple[str, str], list[Hook]] = defaultdict(list)
_blockers: dict[tuple[str, str], list[Blocker]] = defaultdict(list)
_preparations: dict[str, list[Preparation]] = defaultdict(list)
_flows: list[type["Stateful"]] = []


def _add(table: dict[tuple[str, str], list[F]], flow: str, steps: tuple[str, ...], hook: F) -> F:
    for name in steps or (ANY,):
        if hook not in table[flow, name]:
            table[flow, name].append(hook)
    return hook


def guard(flow: str, *steps: str) -> Callable[[Hook], Hook]:
    """Before the step: may refuse, and may put facts the step needs into ``move.facts``."""
    return lambda hook: _add(_guards, flow, steps, hook)


def booking(flow: str, *steps: str) -> Callable[[Hook], Hook]:
    """After the step in memory, before any write: locks and checks shared counters."""
    return lambda hook: _add(_bookings, flow, steps, hook)


def effect(flow: str, *steps: str) -> Callable[[Hook], Hook]:
    """After the flow's rows and events are written: writes the rows that belong to the step."""
    return lambda hook: _add(_effects, flow, steps, hook)


def blocker(flow: str, *steps: str) -> Callable[[Blocker], Blocker]:
    """What stands in the way of a step: ``{pk: sentence}``; also shown on the page."""
    return lambda hook: _add(_blockers, flow, steps, hook)


def preparation(flow: str) -> Callable[[Preparation], Preparation]:
    """Before a sweep acts on rows step by step: lock, in one order, what all these steps share.

    Without it two sweeps lock the same rows in the order of their steps, and stand in each
    other's way. What is loaded goes into the dictionary, which every move of the batch sees.
    """

    def add(function: Preparation) -> Preparation:
        _preparations[flow].append(function)
        return function

    return add


def flow(model: type["Stateful"]) -> type["Stateful"]:
    """Say that the sweep and the audit watch over this model."""
    if model not in _flows:
        _flows.append(model)
    return model


def prepare(flow_label: str, rows: list[Any], shared: dict[str, Any]) -> None:
    for function in _preparations.get(flow_label, ()):
        function(rows, shared)


def flows() -> tuple[type["Stateful"], ...]:
    return tuple(_flows)


def guards_of(flow_label: str, name: str) -> list[Hook]:
    return [*_guards.get((flow_label, ANY), ()), *_guards.get((flow_label, name), ())]


def bookings_of(flow_label: str, name: str) -> list[Hook]:
    return [*_bookings.get((flow_label, ANY), ()), *_bookings.get((flow_label, name), ())]


def effects_of(flow_label: str, name: str) -> list[Hook]:
    return [*_effects.get((flow_label, name), ()), *_effects.get((flow_label, ANY), ())]


def blockers_of(flow_label: str, name: str) -> list[Blocker]:
    return [*_blockers.get((flow_label, ANY), ()), *_blockers.get((flow_label, name), ())]
