"""Tells the stories at the door, in the order of time, the clocks running meanwhile."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from cases.flow import sweep
from cases.flow.door import Actor, perform
from cases.forms import STEP_FORMS
from cases.models import Case, Reason
from config.demo import goods
from config.demo.people import AGENT_SHOPS
from config.demo.pictures import picture
from config.demo.stories import PICTURE, STORIES, Deed
from config.demo.world import ZONE, DemoCase, World

#: How late a sweep may look at a clock: as little as it is in a running house.
LATENESS = timedelta(minutes=5)
#: The other way that is offered instead of what the buyer asks for.
OTHER_REMEDY = {"return_refund": "exchange", "repair": "exchange"}


def awake(at: datetime) -> datetime:
    """What would happen in the night happens late in the evening before, in the same order."""
    local = at.astimezone(ZONE)
    evening = local.replace(hour=22, minute=0)
    if 8 <= local.hour < 22:
        return local
    if local.hour < 8:
        evening -= timedelta(days=1)
    return (evening + (local - evening) * 0.15).replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Act:
    """One deed at its time on its case; `number` makes its key."""

    at: datetime
    case: DemoCase
    number: int
    deed: Deed


class Teller:
    """Knows who works where, and how the placeholders of the stories are filled."""

    def __init__(self, world: World, people: dict[str, User]) -> None:
        self.world = world
        self.people = people
        demanding = Reason.objects.filter(evidence_demanded=True).exclude(evidence="none")
        self.demanding = set(demanding.values_list("code", flat=True))

    def tell(self) -> int:
        """Take every step of every story; returns how many there were."""
        acts = sorted(self._acts(), key=lambda act: (act.at, act.case.case_no, act.number))
        for act in acts:
            self._let_time_run(act.at)
            self._do(act)
        self._let_time_run(self.world.moment)
        return len(acts)

    def _let_time_run(self, until: datetime) -> None:
        """Sweep as often as a clock rings until then."""
        waiting = Case.objects.filter(wake_at__isnull=False).order_by("wake_at")
        while True:
            first = waiting.filter(wake_at__lte=until).values_list("wake_at", flat=True).first()
            if first is None:
                return
            sweep.enforce(min(first + LATENESS, until))

    def _acts(self) -> Iterator[Act]:
        for place, case in enumerate(self.world.cases):
            deeds = [*self._opening(place, case), *STORIES.get(case.wish.story, ())]
            for number, deed in enumerate(deeds):
                hours = timedelta(minutes=round(deed.when * 60))
                at = case.applied_at + hours if deed.after else self.world.moment - hours
                if not deed.exact:
                    at = max(awake(at), case.applied_at + timedelta(minutes=number + 1))
                yield Act(at, case, number, deed)

    def _opening(self, place: int, case: DemoCase) -> Iterator[Deed]:
        """What is done with most cases before their story begins."""
        told = case.wish.story in STORIES
        if case.wish.state != "applied" or not (told or place % 3):
            return
        if case.wish.reason in self.demanding:
            inputs = {"party": "buyer", "evidence": PICTURE, "text": "买家上传的照片"}
            yield Deed(0.3, "A", "add_evidence", inputs)
        if place % 4:
            yield Deed(0.5, "L", "assign", {"user": "@worker"})
        if not told:
            yield Deed(1.0, "A", "add_note", {"text": "已看，待回复买家"})

    def _do(self, act: Act) -> None:
        """The same form as on the step's page, then the door."""
        case = Case.objects.get(case_no=act.case.case_no)
        step = getattr(Case, act.deed.step)
        actor = Actor.person(self._doer(act, step.info.by), "admin")
        filled = {name: self._filled(value, act) for name, value in act.deed.inputs.items()}
        files = {"evidence": filled.pop("evidence")} if "evidence" in filled else {}
        form = STEP_FORMS[act.deed.step](filled, files, case=case, actor=actor)
        if not form.is_valid():
            raise form.refusal()
        key = f"demo/{act.case.case_no}/{act.number}"
        perform(actor, case, step, at=act.at, key=key, **form.inputs())

    def _doer(self, act: Act, letters: frozenset[str]) -> User:
        roles = {"W": "warehouse", "F": "finance", "S": "supervisor", "L": "lead"}
        if act.deed.by != "A":
            return self.people[roles[act.deed.by]]
        if act.case.wish.shop in AGENT_SHOPS:
            return self.people["agent"]
        return self.people["lead" if "L" in letters else "warehouse"]

    def _filled(self, value: Any, act: Act) -> Any:
        if value == PICTURE:
            name = f"{act.case.case_no}.jpg"
            content = picture(act.case.case_no + act.deed.inputs["party"])
            return SimpleUploadedFile(name, content, content_type="image/jpeg")
        fill: dict[str, Callable[[], str]] = {
            "@courier": lambda: self._parcel(act)[0],
            "@waybill": lambda: self._parcel(act)[1],
            "@serial": lambda: f"{act.case.line.line_no}:{act.case.line.serials[0]}N",
            "@worker": lambda: "agent" if act.case.wish.shop in AGENT_SHOPS else "lead",
            "@other_remedy": lambda: OTHER_REMEDY[act.case.wish.kind],
            "@reference": lambda: f"TK{act.at:%Y%m%d}{act.case.case_no[-6:]}",
            "@one_piece": lambda: f"{act.case.line.line_no}:1",
        }
        return fill[value]() if isinstance(value, str) and value in fill else value

    def _parcel(self, act: Act) -> tuple[str, str]:
        """A courier and a waybill of his, the same each time the act is asked."""
        # Nothing here is a secret.
        dice = random.Random(f"{act.case.case_no}/{act.number}")  # noqa: S311
        courier = dice.choice(goods.COURIERS)
        head = goods.WAYBILL_HEADS[courier]
        return courier, head + "".join(dice.choices("0123456789", k=15 - len(head)))


def tell(world: World, people: dict[str, User]) -> int:
    """Let everything happen that the plan says, up to the world's moment."""
    return Teller(world, people).tell()
