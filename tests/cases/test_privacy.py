"""Personal data is found by a keyed hash and shown with its middle hidden."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.privacy import (
    mask_address,
    mask_name,
    mask_phone,
    phone_digits,
    phone_hash,
    phone_tail_hash,
)

SAME = [
    "13812345678",
    " 13812345678\t",
    "'13812345678",
    "138 1234 5678",
    "138-1234-5678",
    "+8613812345678",
    "+86 138-1234-5678",
    "(+86)13812345678",
    "008613812345678",
    "86-13812345678",
    "8613812345678",
    "１３８１２３４５６７８",  # full width
    "＋86 138\u00a01234\u20115678",
    "\u200b13812345678\ufeff",
]


@pytest.mark.parametrize("written", SAME)
def test_a_number_is_the_same_however_it_is_written(written):
    assert phone_digits(written) == "13812345678"
    assert phone_hash(written) == phone_hash("13812345678")
    assert phone_tail_hash(written) == phone_tail_hash("5678")


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("0571-8888 8888", "057188888888"),
        ("+86 571 8888 8888", "057188888888"),
        ("+86 10 8888 8888", "01088888888"),
        ("400-800-1234", "4008001234"),
        ("13812345678-1234", "138123456781234"),
        ("13812345678转1234", "138123456781234"),
        ("+852 5123 4567", "0085251234567"),
        ("+1 (415) 555-0123", "0014155550123"),
        ("86123456", "86123456"),
    ],
)
def test_landlines_extensions_and_numbers_abroad_are_numbers_too(written, digits):
    assert phone_digits(written) == digits
    assert re.fullmatch("[0-9a-f]{64}", phone_hash(written))


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "   ",
        "138****1234",
        "1381234＊＊＊＊",
        "*",
        "##AbCd1234==##",
        "##13812345678",
        "138xxxx1234",
        "123456",
        "1" * 21,
        "13812345678/13912345678",
        "无",
        "微信 abc",
        "٠١٢٣٤٥٦٧٨٩",  # digits of another script
    ],
)
def test_what_is_no_whole_number_has_no_hash(written):
    assert phone_hash(written) == ""
    assert phone_tail_hash(written) == ""


def test_a_lent_number_is_found_by_its_own_tail_and_not_as_another_buyers():
    assert phone_tail_hash("13812345678-9999") == phone_tail_hash("5678")
    assert phone_hash("13812345678-9999") != phone_hash("13812345678-8888")


def test_the_hash_depends_on_the_key_and_tells_nothing_without_it(settings):
    before = phone_hash("13812345678"), phone_tail_hash("5678")
    settings.PHONE_HASH_KEY = "another key"

    assert phone_hash("13812345678") != before[0]
    assert phone_tail_hash("5678") != before[1]
    settings.PHONE_HASH_KEY = b"another key"
    assert phone_hash("13812345678") == phone_hash("13812345678")


def test_hash_and_tail_are_as_first_written(settings):
    """Stored hashes must be found by later releases."""
    settings.PHONE_HASH_KEY = "key"

    assert phone_hash("13812345678") == (
        "68a5ac11c43b2a842727f3c54e9b9df27fb4f0daa920a4b5ba7f4cee9086b095"
    )
    assert phone_tail_hash("5678") == (
        "ac0d07c72b4042f408769f18b1136fb615dc1327d869ba2fbebfac701fc7be4b"
    )


@given(st.one_of(st.none(), st.text(), st.from_regex(r"[+0-9 *#-]{0,24}")))
def test_any_text_has_a_hash_or_none(text):
    assert re.fullmatch("([0-9a-f]{64})?", phone_hash(text))
    assert re.fullmatch("([0-9a-f]{64})?", phone_tail_hash(text))


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from([" ", "-", ""]))
def test_a_mobile_number_survives_its_dress(number, divider):
    dressed = divider.join(["+86", number[:3], number[3:7], number[7:]])

    assert phone_hash(dressed) == phone_hash(number) != ""
    assert phone_tail_hash(dressed) == phone_tail_hash(number[-4:])
    assert mask_phone(dressed) == f"{number[:3]}****{number[-4:]}"


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+86 138 1234 5678", "138****5678"),
        ("13812345678-1234", "138****5678"),
        ("0571-88888888", "057****8888"),
        ("8888888", "****88"),
        ("138****1234", "138****1234"),
        ("##secret##", "****"),
        ("wechat13812345678", "****"),
        ("123", "****"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_phone_shows_its_ends_only(phone, shown):
    assert mask_phone(phone) == shown


@given(st.text(max_size=40))
def test_a_masked_phone_shows_seven_digits_at_most(text):
    shown = mask_phone(text)

    assert sum(character.isdigit() for character in shown) <= 7
    assert "**" in shown or not text.strip()
    assert mask_phone(shown) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("欧阳娜娜", "欧***"),
        ("买买提·阿卜杜拉", "买***"),
        ("张", "*"),
        ("张**", "张**"),
        ("John Smith", "J***"),
        ("tb12345678", "t***"),
        (" \t李四\u200b ", "李*"),
        ("***", "***"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_name_shows_its_first_character(name, shown):
    assert mask_name(name) == shown


@given(st.text())
def test_a_masked_name_shows_one_character_at_most(text):
    shown = mask_name(text)

    assert len(shown.replace("*", "")) <= 1
    assert len(shown) <= 4
    assert mask_name(shown) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("浙江省杭州市西湖区文三路 123 号 4 单元 501", "浙江省杭州市西湖区****"),
        ("浙江省 杭州市 西湖区 文三路123号", "浙江省 杭州市 西湖区****"),
        ("北京市朝阳区望京街道1号", "北京市朝阳区****"),
        ("上海市浦东新区世纪大道1号", "上海市浦东新区****"),
        ("江苏省南京市鼓楼区中山路1号", "江苏省南京市鼓楼区****"),
        ("江苏省苏州市昆山市花桥镇", "江苏省苏州市昆山市****"),
        ("河北省石家庄市长安区1号", "河北省石家庄市长安区****"),
        ("浙江省台州市路桥区商海街", "浙江省台州市路桥区****"),
        ("黑龙江省哈尔滨市道里区1号", "黑龙江省哈尔滨市道里区****"),
        ("新疆维吾尔自治区伊犁哈萨克自治州霍城县", "新疆维吾尔自治区伊犁哈萨克自治州霍城县****"),
        ("内蒙古自治区锡林郭勒盟正蓝旗上都镇", "内蒙古自治区锡林郭勒盟正蓝旗****"),
        ("香港特别行政区九龙弥敦道", "香港特别行政区****"),
        ("广东省东莞市长安镇", "广东省东莞市****"),
        # an estate, a market, a building are no district
        ("杭州市阳光花园小区3栋", "杭州市****"),
        ("杭州市翠苑一区5幢", "杭州市****"),
        ("物美超市旁边红砖房", "****"),
        ("文三路西湖区", "****"),
        ("红旗路12号", "****"),
        ("221B Baker Street, London", "****"),
        ("浙江省杭州市西湖区****", "浙江省杭州市西湖区****"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_ends_at_its_district(address, shown):
    assert mask_address(address) == shown


@given(st.one_of(st.text(), st.text("浙江省杭州市西湖区路号小 1３*旗县自治")))
def test_a_masked_address_shows_no_number_and_little_else(text):
    shown = mask_address(text)

    assert not any(character.isdigit() for character in shown)
    assert shown == "" or shown.endswith("****")
    assert len(shown) <= 60
    assert mask_address(shown) == shown


@given(st.from_regex(r"[01][0-9]{3,21}", fullmatch=True))
def test_plain_digits_are_read_as_the_same_digits_with_blanks_are(number):
    spaced = f" {number[:3]} {number[3:]}"
    assert phone_digits(number) == phone_digits(spaced)
    assert phone_tail_hash(number) == phone_tail_hash(f" {number}")
