"""Personal data: found again without being kept in the clear, shown without being shown.

Every function takes any text and never raises; what is in doubt is hidden.
"""

import hmac
import re
import unicodedata
from functools import lru_cache

from django.conf import settings

HIDDEN = "****"

_MOBILE = re.compile(r"1[3-9]\d{9}")
#: How people and platforms divide a number: spaces, dashes, brackets, a leading ', 转 (ext.).
_DIVIDERS = re.compile(r"[\s\-‐-―().'’`转]+")
_COUNTRY = re.compile(r"^(?:\+|00)86")
_SHORTEST, _LONGEST = 7, 20


def phone_digits(text: str | None) -> str:
    """The digits of a whole phone number as dialled in China, else nothing.

    Masked (138****1234) and encrypted (##…) numbers give nothing: two of them may look alike and
    belong to two people. An extension stays part of it: platforms lend one number to many buyers.
    """
    text = text or ""
    # Nearly every number is plain digits already; with a 1 first they cannot begin with 86 or 00.
    if text[:1] == "1" and _SHORTEST <= len(text) <= _LONGEST and text.isascii() and text.isdigit():
        return text
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKC", text)
        if unicodedata.category(character) != "Cf"
    )
    digits = _DIVIDERS.sub("", plain)
    abroad = _COUNTRY.match(digits)
    if abroad:
        digits = digits[abroad.end() :]
        if not _MOBILE.match(digits) and not digits.startswith("0"):
            digits = "0" + digits  # the area code has its 0 at home
    elif digits.startswith("+"):
        digits = "00" + digits[1:]
    elif digits.startswith("86") and _MOBILE.match(digits, 2):
        digits = digits[2:]
    if not (digits.isascii() and digits.isdigit() and _SHORTEST <= len(digits) <= _LONGEST):
        return ""
    return digits


def phone_hash(text: str | None) -> str:
    """The key under which a phone number is found; nothing for what is no whole number."""
    return phone_keys(text)[0]


def phone_tail_hash(text: str | None) -> str:
    """The key under which a number is found by its last four digits, or by just these four."""
    return phone_keys(text)[1]


def phone_keys(text: str | None) -> tuple[str, str]:
    """(``phone_hash``, ``phone_tail_hash``) of one text."""
    key = settings.PHONE_HASH_KEY
    secret = key if isinstance(key, bytes) else str(key).encode()
    digits = phone_digits(text)
    if not digits:
        plain = unicodedata.normalize("NFKC", text or "").strip()
        return "", _tail_key(secret, plain) if re.fullmatch(r"[0-9]{4}", plain) else ""
    # People know their own number, not the extension a platform lent them.
    number = _MOBILE.match(digits)
    tail = (number[0] if number else digits)[-4:]
    return _keyed(secret, "phone", digits), _tail_key(secret, tail)


def _keyed(secret: bytes, use: str, digits: str) -> str:
    return hmac.digest(secret, f"{use}:{digits}".encode(), "sha256").hex()


@lru_cache(maxsize=10_000)  # there are no more; whole numbers are not kept in memory
def _tail_key(secret: bytes, tail: str) -> str:
    return _keyed(secret, "tail", tail)


def mask_phone(text: str | None) -> str:
    """138****1234: three digits and four, fewer of a short number, none of what is no number."""
    given = (text or "").strip()
    if not given or re.fullmatch(r"[0-9]{0,3}\*{2,8}[0-9]{0,4}", given):
        return given
    digits = phone_digits(given)
    number = _MOBILE.match(digits)
    if number:
        return number[0][:3] + HIDDEN + number[0][-4:]
    if len(digits) >= 10:
        return digits[:3] + HIDDEN + digits[-4:]
    return HIDDEN + digits[-2:]


def mask_name(text: str | None) -> str:
    """张三丰 → 张**, John Smith → J***: the first character and up to three stars."""
    name = "".join(character for character in text or "" if character.isprintable()).strip()
    if len(name) < 2 or not name.strip("*"):
        return "*" * len(name[:4])
    if _is_han(name[0]):
        return name[0] + "*" * min(len(name) - 1, 3)
    return name[0] + "***"


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK")


# Province, city, district. A street sign or a number ends what may be shown; so do the 区 of a
# housing estate (阳光小区, 翠苑一区) and the 市 of a market.
_NAME = r"[\u4e00-\u9fff]"
_WORD = r"(?:(?![路街道巷弄号栋幢室])[\u4e00-\u9fff])"
_END = r"(?!路(?![桥南北])|[街巷弄场政民口])"  # 路桥区, 路南区 are districts
_AREA = re.compile(
    rf"\s*(?:中国\s*)?"
    rf"(?:{_NAME}{{2,6}}?(?:省|特别行政区|自治区)\s*)?"
    rf"(?:{_WORD}{{2,8}}?(?:(?<![超菜夜门])市|自治州|地区|盟){_END}\s*)?"
    rf"(?:[路道]?{_WORD}{{1,8}}?"
    rf"(?:(?<![小社园景校厂院住一二三四五六七八九十甲乙丙丁东南西北])区|县|旗|(?<![超菜夜门])市)"
    rf"{_END})?"
)


def mask_address(text: str | None) -> str:
    """浙江省杭州市西湖区**** : what a courier's region needs and no street or door."""
    address = unicodedata.normalize("NFKC", text or "").strip()
    if not address:
        return ""
    area = _AREA.match(address)
    return (area[0].rstrip() if area else "") + HIDDEN
