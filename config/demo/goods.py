"""What the invented shops sell and who the invented buyers are: plain tables, nothing real."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Goods:
    """One article: its price in yuan, and what the shop promises on it."""

    sku: str
    title: str
    spec: str
    price: Decimal
    category: str
    serial_prefix: str = ""
    promises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoShop:
    """One storefront; `free_from` is the goods total from which it ships free."""

    code: str
    name: str
    platform: str
    goods: tuple[Goods, ...]
    free_from: Decimal
    freight: Decimal
    return_name: str
    return_phone: str
    return_address: str


def _goods(*rows: tuple[str, ...]) -> tuple[Goods, ...]:
    return tuple(
        Goods(
            sku=sku,
            title=title,
            spec=spec,
            price=Decimal(price),
            category=category,
            serial_prefix=rest[0] if rest else "",
            promises=tuple(rest[1].split(";")) if len(rest) > 1 else (),
        )
        for sku, title, spec, price, category, *rest in rows
    )


HOME_GOODS = _goods(
    (
        "YZ-BD-1801",
        "长绒棉四件套 60支贡缎 纯色床品",
        "颜色分类:雾蓝;尺寸:1.8米床",
        "459.00",
        "general",
    ),
    (
        "YZ-BD-1501",
        "长绒棉四件套 60支贡缎 纯色床品",
        "颜色分类:燕麦;尺寸:1.5米床",
        "429.00",
        "general",
    ),
    ("YZ-QT-2004", "新疆棉花被 春秋被芯 手工棉胎", "尺寸:200x230cm;重量:4斤", "268.00", "general"),
    ("YZ-PL-0702", "乳胶枕头 波浪护颈枕 单只", "规格:高低枕", "139.00", "general"),
    ("YZ-TW-0303", "纯棉毛巾 A类 吸水不掉毛 三条装", "颜色分类:奶白+浅灰+豆沙", "39.90", "general"),
    (
        "YZ-CT-2701",
        "遮光窗帘 北欧雪尼尔 定制尺寸 单片",
        "宽3.0米x高2.7米;挂钩款",
        "318.00",
        "custom",
    ),
    ("YZ-CL-M011", "女士羊毛混纺针织开衫 秋冬外套", "颜色:焦糖色;尺码:M", "229.00", "clothing"),
    ("YZ-CL-L012", "女士羊毛混纺针织开衫 秋冬外套", "颜色:藏青;尺码:L", "229.00", "clothing"),
    ("YZ-CL-S021", "纯棉家居服套装 秋冬加厚 可外穿", "颜色:燕麦条纹;尺码:S", "159.00", "clothing"),
    ("YZ-CL-4201", "羊皮乐福鞋 女 平底 软底", "颜色:黑色;尺码:38", "369.00", "clothing"),
    ("YZ-CS-0101", "积雪草面霜 50ml 保湿修护", "规格:50ml", "128.00", "cosmetics"),
    ("YZ-CS-0105", "氨基酸洁面乳 120g 温和清洁", "规格:120g", "59.00", "cosmetics"),
    ("YZ-LP-0901", "床头护眼台灯 三档调光 暖光", "颜色分类:原木", "119.00", "general"),
    ("YZ-VC-2201", "无线除螨仪 床铺吸尘 紫外线", "颜色分类:白色", "399.00", "electronics"),
)
DIGITAL_GOODS = _goods(
    (
        "JZ-EP-PRO2",
        "主动降噪蓝牙耳机 入耳式 45小时续航",
        "颜色分类:曜石黑",
        "299.00",
        "electronics",
        "EP2",
    ),
    ("JZ-KB-087W", "87键三模机械键盘 热插拔 茶轴", "配色:灰白", "349.00", "electronics", "KB8"),
    ("JZ-MS-0060", "轻量化无线鼠标 双模 60克", "颜色分类:白色", "189.00", "electronics", "MS6"),
    ("JZ-WT-S301", "智能运动手表 血氧心率 GPS定位", "表带:石墨黑", "799.00", "electronics", "WS3"),
    ("JZ-SP-M200", "户外便携蓝牙音箱 防水 立体声", "颜色分类:军绿", "459.00", "electronics", "SP2"),
    (
        "JZ-PB-20K6",
        "20000毫安移动电源 65W快充 可登机",
        "颜色分类:深空灰",
        "199.00",
        "electronics",
        "PB2",
    ),
    (
        "JZ-CH-100G",
        "100W氮化镓充电器 四口 折叠插脚",
        "颜色分类:白色",
        "169.00",
        "electronics",
        "CH1",
    ),
    ("JZ-CB-C2M0", "编织数据线 双Type-C 100W 2米", "颜色分类:黑色", "29.90", "electronics"),
    (
        "JZ-TB-1104",
        "11英寸学习平板 8+256G 类纸屏",
        "颜色分类:远山灰",
        "1599.00",
        "electronics",
        "TB1",
    ),
    (
        "JZ-CM-2K01",
        "2K高清电脑摄像头 自动对焦 带麦克风",
        "颜色分类:黑色",
        "219.00",
        "electronics",
        "CM2",
    ),
    (
        "JZ-PJ-0901",
        "家用投影仪 1080P 自动校正 静音",
        "颜色分类:月白",
        "2199.00",
        "electronics",
        "PJ9",
    ),
    ("JZ-ST-0302", "铝合金笔记本支架 可折叠升降", "颜色分类:银色", "89.00", "general"),
)
MOUNTAIN_GOODS = _goods(
    (
        "SY-TEA-150",
        "高山乌龙茶 清香型 150克礼盒",
        "规格:150g",
        "168.00",
        "food",
        "",
        "quality;arrive_on_time",
    ),
    (
        "SY-HNY-500",
        "秦岭土蜂蜜 百花蜜 500克瓶装",
        "规格:500g",
        "89.00",
        "food",
        "",
        "fake_triple;damage_resend",
    ),
    ("SY-MSH-250", "干香菇 肉厚无根 250克袋装", "规格:250g", "46.80", "food", "", "quality"),
    (
        "SY-ORG-005",
        "赣南脐橙 5斤装 中果 现摘现发",
        "规格:净重5斤",
        "36.90",
        "perishable",
        "",
        "ship_on_time;damage_resend",
    ),
    (
        "SY-BEE-008",
        "原切牛腱子 1公斤 冷链配送",
        "规格:1kg",
        "98.00",
        "perishable",
        "",
        "ship_on_time;arrive_on_time",
    ),
    ("SY-NUT-750", "每日坚果 混合果仁 750克30包", "规格:750g", "79.90", "food", "", "fake_triple"),
    (
        "SY-POT-026",
        "珐琅铸铁锅 26厘米 双耳炖锅",
        "颜色:海盐蓝",
        "399.00",
        "general",
        "",
        "damage_resend;free_return",
    ),
    (
        "SY-KET-017",
        "手冲咖啡壶 温控 1.0升 电热",
        "颜色:哑光黑",
        "329.00",
        "electronics",
        "KT1",
        "quality;free_return;named_courier",
    ),
    (
        "SY-GRD-004",
        "电动咖啡磨豆机 48档 锥刀",
        "颜色:银灰",
        "569.00",
        "electronics",
        "GR4",
        "quality;fake_triple;free_return",
    ),
    (
        "SY-AIR-050",
        "可视空气炸锅 5升 免翻面",
        "颜色:墨绿",
        "299.00",
        "electronics",
        "AF5",
        "quality;free_return;ship_on_time",
    ),
    (
        "SY-CUP-380",
        "手工粗陶马克杯 380毫升",
        "颜色:窑变青",
        "68.00",
        "general",
        "",
        "damage_resend",
    ),
    (
        "SY-KNF-003",
        "三件套厨刀 大马士革纹 礼盒",
        "规格:三件",
        "459.00",
        "general",
        "",
        "fake_triple;named_courier",
    ),
)

SHOPS = (
    DemoShop(
        "yunzhi",
        "云织家居旗舰店",
        "tmall",
        HOME_GOODS,
        Decimal("99.00"),
        Decimal("10.00"),
        "云织售后部",
        "19900008801",
        "浙江省嘉兴市桐乡市示范镇织锦路 18 号 3 号仓",
    ),
    DemoShop(
        "jizhou",
        "极昼数码专营店",
        "douyin",
        DIGITAL_GOODS,
        Decimal("0.00"),
        Decimal("0.00"),
        "极昼售后部",
        "19900008802",
        "广东省东莞市示范区光谷路 66 号 B 栋 2 楼",
    ),
    DemoShop(
        "shanye",
        "山野食集旗舰店",
        "jd",
        MOUNTAIN_GOODS,
        Decimal("99.00"),
        Decimal("8.00"),
        "山野售后部",
        "19900008803",
        "陕西省西安市示范区云岭大道 9 号 5 号库",
    ),
)

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = (
    "子涵",
    "思远",
    "若溪",
    "嘉宁",
    "明哲",
    "雨桐",
    "一诺",
    "俊熙",
    "晓楠",
    "静怡",
    "文博",
    "雪晴",
    "浩然",
    "梓萱",
    "立轩",
    "婉清",
    "家豪",
    "佳琪",
    "志远",
    "欣妍",
    "建国",
    "秀兰",
    "晨",
    "颖",
    "磊",
    "敏",
    "洋",
    "倩",
    "涛",
    "芳",
)
NICK_HEADS = (
    "柠檬不酸",
    "半糖去冰",
    "山月知我",
    "一只橘猫",
    "打工人阿",
    "晚风有信",
    "小满未满",
    "拾光",
    "云朵收集",
    "慢慢来",
    "西瓜味的",
    "老周家的",
    "奔跑的蜗",
    "青柠",
    "木子",
    "南风",
    "阿布",
)
PLACES = (
    ("浙江省", "杭州市", "余杭区", "仓前街道"),
    ("江苏省", "苏州市", "姑苏区", "平江街道"),
    ("广东省", "广州市", "天河区", "石牌街道"),
    ("广东省", "深圳市", "南山区", "粤海街道"),
    ("四川省", "成都市", "武侯区", "浆洗街街道"),
    ("湖北省", "武汉市", "洪山区", "关山街道"),
    ("山东省", "青岛市", "市南区", "香港中路街道"),
    ("北京市", "北京市", "海淀区", "中关村街道"),
    ("上海市", "上海市", "浦东新区", "花木街道"),
    ("陕西省", "西安市", "雁塔区", "小寨路街道"),
    ("湖南省", "长沙市", "岳麓区", "望月湖街道"),
    ("福建省", "厦门市", "思明区", "莲前街道"),
    ("河南省", "郑州市", "金水区", "花园路街道"),
    ("重庆市", "重庆市", "渝北区", "龙溪街道"),
    ("辽宁省", "大连市", "沙河口区", "星海湾街道"),
    ("云南省", "昆明市", "五华区", "华山街道"),
)
ROADS = (
    "云雀路",
    "青禾路",
    "白鹭街",
    "松针巷",
    "风铃路",
    "月桂街",
    "石榴路",
    "海棠巷",
    "芦苇路",
    "杉木街",
)
HOMES = ("晴川里", "竹溪苑", "星河湾里", "南桥新村", "枫林小区", "听雨轩", "橡树庄园", "半山居")

COURIERS = ("中通快递", "圆通速递", "韵达快递", "顺丰速运", "京东快递", "极兔速递", "申通快递")
WAYBILL_HEADS = {
    "中通快递": "7868",
    "圆通速递": "YT88",
    "韵达快递": "4630",
    "顺丰速运": "SF14",
    "京东快递": "JDV0",
    "极兔速递": "JT51",
    "申通快递": "7730",
}

BUYER_NOTES = (
    "",
    "",
    "",
    "",
    "",
    "",
    "麻烦尽快发货，谢谢",
    "请放门口快递柜",
    "送人用，请勿放小票",
    "周末送货",
    "发货前请检查一下",
    "家里有老人，请提前打电话",
)
SELLER_NOTES = ("", "", "", "", "", "老客户", "已核对地址", "赠小样一份", "加急", "送货前联系")
