"""Which courier is meant: 顺丰, 顺丰速运, SF and ＳＦ Express are one."""

from dataclasses import dataclass, field
from functools import cached_property

from promises.models.courier import CourierName, key_of

#: As seeded: the name all are known by, and what sheets write. Staff add their own.
KNOWN = {
    "顺丰": ("SF", "SF Express", "顺丰速运", "shunfeng"),
    "圆通": ("YTO", "圆通速递", "yuantong"),
    "中通": ("ZTO", "中通快递", "zhongtong"),
    "申通": ("STO", "申通快递", "shentong"),
    "韵达": ("YD", "YUNDA", "韵达快递", "韻達"),
    "京东": ("JD", "JDL", "京东快递", "京东物流", "京東"),
    "极兔": ("JT", "J&T", "JTSD", "极兔速递", "極兔"),
    "德邦": ("DBL", "DEPPON", "德邦快递"),
    "邮政快递": ("EMS", "邮政EMS", "中国邮政", "中国邮政速递物流", "邮政特快专递", "YZPY"),
    "百世": ("HTKY", "BEST", "百世快递", "百世汇通"),
}


@dataclass
class Couriers:
    """The table, read when first asked; the same book serves a whole batch."""

    answers: dict[str, str] = field(default_factory=dict)

    @cached_property
    def known(self) -> dict[str, str]:
        return dict(CourierName.objects.values_list("key", "courier"))

    def one_name(self, name: str) -> str:
        """The one name under which the names of a courier are compared; blank stays blank."""
        if name not in self.answers:
            key = key_of(name)
            self.answers[name] = key_of(self.known[key]) if key in self.known else key
        return self.answers[name]


def seed_couriers() -> int:
    """The names that are there stay as staff left them."""
    standing = set(CourierName.objects.values_list("key", flat=True))
    fresh: dict[str, CourierName] = {}
    for courier, names in KNOWN.items():
        for name in (courier, *names):  # the common name itself is compared by its key as well
            if (key := key_of(name)) not in standing:
                fresh.setdefault(key, CourierName(name=name, key=key, courier=courier))
    return len(CourierName.objects.bulk_create(fresh.values()))
