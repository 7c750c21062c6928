"""Makes the spreadsheets the tests feed: the platforms' printed headers, and files by content."""

import csv
import io
import zipfile

import xlsxwriter


def printed(names):
    """Header names as printed, blanks before a comma included; lines are joined."""
    return "".join(line.removeprefix("    ") for line in names.strip().splitlines()).split(",")


TAOBAO_ORDERS = printed(
    """
    订单编号,买家会员名,买家支付宝账号,支付单号,支付详情,买家应付货款,买家应付邮费,买家支付积分,
    总金额,返点积分,买家实际支付金额,买家实际支付积分,订单状态,买家留言,收货人姓名,收货地址 ,
    运送方式,联系电话 ,联系手机,订单创建时间,订单付款时间 ,宝贝标题 ,宝贝种类 ,物流单号 ,
    物流公司,订单备注,宝贝总数量,店铺Id,店铺名称,订单关闭原因,卖家服务费,买家服务费,发票抬头,
    是否手机订单,分阶段订单信息,特权订金订单id,是否上传合同照片,是否上传小票,是否代付,定金排名,
    修改后的sku,修改后的收货地址,异常信息,天猫卡券抵扣,集分宝抵扣,是否是O2O交易,新零售交易类型,
    新零售导购门店名称,新零售导购门店id,新零售发货门店名称,新零售发货门店id,退款金额,预约门店,
    确认收货时间,打款商家金额,含应开票给个人的个人红包
    """
)
TAOBAO_ORDERS_NEW = printed(
    """
    订单编号,订单创建时间,订单付款时间,发货时间,确认收货时间,订单状态,买家实付金额,退款金额,
    确认收货打款金额,总金额,买家应付货款,买家应付邮费,支付详情,店铺名称,商品标题,商品属性SKU,
    宝贝种类,宝贝总数量,物流单号,物流公司,商家备注,订单关闭原因
    """
)
TAOBAO_DETAILS = printed(
    """
    订单编号,标题,价格,购买数量,外部系统编号,商品属性,套餐信息,备注,订单状态,商家编码
    """
)
TAOBAO_REFUNDS_2017 = printed(
    """
    订单编号,退款编号,支付宝交易号,订单付款时间,商家编码,退款完结时间,买家会员名称,
    买家实际支付金额,宝贝标题,买家退款金额,手工退款/系统退款,是否需要退货,退款的申请时间,
    超时时间,退款状态,货物状态,退货物流信息,发货物流信息,客服介入状态,卖家真实姓名,卖家退货地址,
    卖家邮编,卖家电话,卖家手机,退货物流单号,退货物流公司,买家退款原因,买家退款说明,买家退货时间,
    责任方,售中或售后,商家备注,完结时间,部分退款/全部退款,审核操作人,举证超时,是否零秒响应,
    退款操作人,主数据编码
    """
)
TAOBAO_REFUNDS_2024 = printed(
    """
    订单编号,退款编号,支付单号,订单付款时间,商品 id,商品编码,退款完结时间,买家实际支付金额,
    宝贝标题,买家退款金额,手工退款/系统退款,售后类型,退款的申请时间,超时时间,退款状态,货物状态,
    退货物流信息,发货物流信息,客服介入状态,卖家真实姓名,卖家退货地址,卖家手机,退货物流单号,
    退货物流公司,买家退款原因,买家退款说明,买家退货时间,责任方,售中或售后,备注标签,商家备注,
    完结时间,部分退款/全部退款,是否零秒响应,退款操作人,业务类型
    """
)
DOUYIN_ORDERS = printed(
    """
    主订单编号,子订单编号,选购商品,商品规格,商品数量,商品ID,商家编码,商品单价,订单应付金额,运费,
    优惠总金额,平台优惠,商家优惠,达人优惠,商家改价,支付优惠,红包抵扣,支付方式,手续费,收件人,
    收件人手机号,省,市,区,街道,详细地址,是否修改过地址,地址修改时段,买家留言,订单提交时间,
    旗帜颜色,商家备注,订单完成时间,支付完成时间,APP渠道,流量来源,订单状态,承诺发货时间,订单类型,
    鲁班落地页ID,达人ID,达人昵称,所属门店ID,售后状态,取消原因,预约发货时间,仓库ID,仓库名称,
    序列号,是否安心购,广告渠道,流量类型,流量体裁,流量渠道,发货主体,发货主体明细,发货时间,
    降价类优惠,平台实际承担优惠金额,商家实际承担优惠金额,达人实际承担优惠金额,预计送达时间,
    是否平台仓自流转,车型,商品69码,发货SN码,发货IMEI码1,发货IMEI码2,预约送达时间,
    建议发货时间（起）,建议发货时间（止）,物流SN码,物流IMEI码1,物流IMEI码2
    """
)
DOUYIN_AFTER_SALES = printed(
    """
    售后单号,订单号,商品单号,商品名称,商品ID,应付金额（元）,商品运费（元）,支付优惠（元）,
    商品税费（元）,商品发货状态,售后类型,退商品金额（元）,退运费金额（元）,退支付优惠（元）,
    退税费金额（元）,售后状态,售后申请时间,退款方式,是否已上传退款凭证,售后原因,售后原因标签,
    退货物流单号,退货异常,退货发货时间,退货物流公司,自动处理截止时间,同意售后申请时间,
    商家退款时间,用户到账时间,售后关闭时间,商家退货地址,商家退货联系人姓名,商家退货联系人电话,
    仲裁状态,纠纷责任方,是否极速退款,是否拒签后退款,发货物流单号,发货物流状态,换货物流单号,
    退货物流状态,售后完结时间,订单备注,用户售后说明,售后备注,操作人,协商记录,换货商品信息,
    商家编码,门店名称
    """
)
PDD_ORDERS = printed(
    """
    订单成交时间,商品,订单号,订单状态,商品总价(元),邮费(元),店铺优惠折扣(元),平台优惠折扣(元),
    多多支付立减金额(元),用户实付金额(元),商家实收金额(元),商品数量(件),发货时间,确认收货时间,商品id,
    商品规格,样式ID,商家编码-规格维度,商家编码-商品维度,商家备注,售后状态,快递单号,快递公司
    """
)
JD_ORDERS = printed(
    """
    订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,订单状态,
    订单类型,下单帐号,客户姓名,客户地址,联系电话,订单备注,发票类型,发票抬头,发票内容,商家备注,
    商家备注等级（等级1-5为由高到低）,运费金额,付款确认时间,增值税发票,货号,订单完成时间,订单来源,订单渠道,
    """
)
NATIVE_ORDERS = printed(
    """
    shop,platform,order_no,line_no,sku,title,category,serials,quantity,unit_price,discount,
    paid_amount,freight_paid,ordered_at,paid_at,ship_by,shipped_at,courier,waybill,
    named_courier,promised_arrival,signed_at,finished_at,status,buyer,receiver,phone,address,
    shipped_free,promises
    """
)
NATIVE_CASES = printed(
    """
    case_no,shop,order_no,line_no,quantity,kind,reason,amount,freight,applied_at,
    platform_due_at,state,text,courier,waybill,platform_case_no
    """
)

TAOBAO_ORDER = {
    "订单编号": '="351234567890123456"',
    "买家会员名": "买家甲",
    "买家应付货款": "199.00",
    "买家应付邮费": "10.00",
    "总金额": "209.00",
    "买家实际支付金额": "209.00",
    "订单状态": "交易成功",
    "收货人姓名": "张三",
    "收货地址": "浙江省 杭州市 西湖区 某街道1号",
    "联系手机": "'19900001234",
    "订单创建时间": "2025-01-05 08:00:00",
    "订单付款时间": "2025-01-05 08:01:10",
    "宝贝标题": "纯棉短袖 夏季新款",
    "物流单号": "No:SF0012345",
    "物流公司": "顺丰速运",
    "宝贝总数量": "2",
    "店铺名称": "某某旗舰店",
    "退款金额": "0.00",
    "确认收货时间": "2025-01-12 09:00:00",
    "订单备注": "'发顺丰",
}
NATIVE_ORDER = {
    "shop": "S1",
    "platform": "other",
    "order_no": "A1",
    "line_no": "1",
    "quantity": "1",
    "paid_amount": "49.90",
    "paid_at": "2025-01-05 08:00:00",
}


def rows_of(headers, *rows):
    """Rows in the order of the headers, from dictionaries by stripped header name."""
    known = {header.strip() for header in headers}
    for row in rows:
        assert set(row) <= known, set(row) - known
    return [[row.get(header.strip(), "") for header in headers] for row in rows]


def csv_text(rows, *, delimiter=",", end="\r\n"):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def csv_file(path, rows, *, encoding="utf-8", **how):
    path.write_bytes(csv_text(rows, **how).encode(encoding))
    return path


def xlsx_file(path, rows, *, sheet="Sheet1", before=(), after=()):
    """Python values become native cells; `before` and `after` are further sheets (name, rows)."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, content in [*before, (sheet, rows), *after]:
            page = book.add_worksheet(name)
            for at, row in enumerate(content):
                for column, cell in enumerate(row):
                    if hasattr(cell, "isoformat"):
                        page.write_datetime(at, column, cell, time)
                    else:
                        page.write(at, column, cell)
    return path


def zip_file(path, parts, *, mimetype=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        if mimetype:
            book.writestr(zipfile.ZipInfo("mimetype"), mimetype)
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def with_part(source, path, name, change):
    """A copy of a workbook with one part changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == name else content)
    return path


def ods_file(path, rows):
    def cell(value):
        if value == "":
            return "<table:table-cell/>"
        if isinstance(value, bool):
            said = str(value).lower()
            return f'<table:table-cell office:value-type="boolean" office:boolean-value="{said}"/>'
        if hasattr(value, "isoformat"):
            said = value.isoformat()
            return f'<table:table-cell office:value-type="date" office:date-value="{said}"/>'
        if isinstance(value, int | float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return (
            '<table:table-cell office:value-type="string">'
            f"<text:p>{value}</text:p></table:table-cell>"
        )

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in [("office", "office"), ("table", "table"), ("text", "text")]
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}>'
        '<office:body><office:spreadsheet><table:table table:name="表1">'
        f"{body}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = '<?xml version="1.0"?><manifest/>'
    return zip_file(
        path,
        {"content.xml": content, "META-INF/manifest.xml": manifest},
        mimetype="application/vnd.oasis.opendocument.spreadsheet",
    )
