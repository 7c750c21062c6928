"""Write the demo's spreadsheets: the same seed and the same moment give the same bytes."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.demo import douyin, native, taobao
from config.demo.world import World, make_world

SEED = 20261122


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One sheet, with what a clerk would choose when importing it."""

    path: Path
    dialect: str
    kind: str
    shop: str


def generate(folder: Path, moment: datetime, *, seed: int = SEED) -> tuple[World, list[DemoFile]]:
    """Write all sheets into `folder`, in the order in which they are to be imported.

    `moment` (aware) is the demo's now: every time in the sheets lies before it, the platforms'
    own due times about it. Returns the invented world too, which knows how each case goes on.
    """
    world = make_world(moment, seed)
    folder.mkdir(parents=True, exist_ok=True)
    day = world.moment.strftime("%Y%m%d")
    sheets = [
        ("yunzhi", "taobao", "orders", f"ExportOrderList{day}.csv", taobao.write_orders),
        (
            "yunzhi",
            "taobao",
            "order_lines",
            f"ExportOrderDetailList{day}.csv",
            taobao.write_details,
        ),
        ("jizhou", "douyin", "orders", f"{day}_订单导出.csv", douyin.write_orders),
        ("shanye", "native", "orders", f"orders_{day}.csv", native.write_orders),
    ]
    files = []
    for shop, dialect, kind, name, write in sheets:
        write(folder / name, world.orders_of(shop))
        files.append(DemoFile(folder / name, dialect, kind, shop))
    after_sales = [
        ("yunzhi", "taobao", f"退款报表{day}.xlsx", taobao.write_refunds),
        ("jizhou", "douyin", f"{day}_售后单导出.csv", douyin.write_aftersales),
        ("shanye", "native", f"cases_{day}.csv", native.write_cases),
    ]
    for shop, dialect, name, write_cases in after_sales:
        write_cases(folder / name, world.cases_of(shop))
        files.append(DemoFile(folder / name, dialect, "cases", shop))
    return world, files
