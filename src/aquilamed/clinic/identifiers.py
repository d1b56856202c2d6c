"""Made-up persons' identifiers: right in form and check digit, of no living person.

Chinese identity numbers carry birth years 1900 to 1905; telephone numbers, card numbers and addresses come from ranges kept
for examples.
"""

import numpy as np

from aquilamed.clinic.phrasing import pick

SURNAMES = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗".split()
GIVEN = "建国 秀英 志强 丽华 海燕 文博 雅琴 子涵 国栋 淑珍 明哲 晓梅 永福 佳宁 德胜 玉兰".split()
FIRST = "Alice Martin Joanna Peter Harriet Samuel Nadia Oliver Grace Victor Emily Duncan Ruth Felix Clara Hugo".split()
LAST = "Whitfield Barrow Langley Okafor Preston Halloway Mercer Tennant Aldridge Fenwick Castellan Rowntree Dunmore Ashby".split()
PINYIN = "wangwu lisi zhangsan chenyi liufang zhaoliu yangmei sunqi".split()
LINES = {
    "zh": (
        ("患者{name}，联系电话{phone}，身份证号{id_card}。", ("name", "phone", "id_card")),
        ("联系人：{name}；手机：{phone}；邮箱：{email}。", ("name", "phone", "email")),
        ("报销信息：{name}，银行卡号{bank_card}，电话{phone}。", ("name", "bank_card", "phone")),
        ("预约登记：{name}，身份证{id_card}，邮箱{email}。", ("name", "id_card", "email")),
        ("想了解更多的朋友请联系{name}，手机{phone}。", ("name", "phone")),
    ),
    "en": (
        ("Patient: {name}, phone {phone}, NHS number {id_card}.", ("name", "phone", "id_card")),
        ("Contact {name} at {email} or call {phone}.", ("name", "email", "phone")),
        ("Refund to {name}, card number {bank_card}, phone {phone}.", ("name", "bank_card", "phone")),
        ("Booked by {name}, NHS number {id_card}, e-mail {email}.", ("name", "id_card", "email")),
        ("For more, write to {name}: {email}.", ("name", "email")),
    ),
}
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def line(lang: str, rng: np.random.Generator) -> tuple[str, list[dict[str, str]]]:
    """A line of a page with a person's identifiers in it, and what was planted: `[{"kind": "phone", "value": ...}]`."""
    template, kinds = pick(rng, LINES[lang])
    planted = {kind: _MAKERS[kind](lang, rng) for kind in kinds}
    return template.format(**planted), [{"kind": kind, "value": value} for kind, value in planted.items()]


def check_digit_zh(digits: str) -> str:
    """The 18th character of a Chinese identity number (GB 11643, ISO 7064 MOD 11-2)."""
    return "10X98765432"[sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=True)) % 11]


def check_digit_nhs(digits: str) -> int:
    """The tenth digit of an NHS number (modulus 11); 10 means that there is no such number."""
    return (11 - sum((10 - place) * int(digit) for place, digit in enumerate(digits)) % 11) % 11


def check_digit_luhn(digits: str) -> str:
    """The last digit of a card number."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def digits(rng: np.random.Generator, n: int) -> str:
    """`n` digits."""
    return "".join(str(digit) for digit in rng.integers(0, 10, n))


def _name(lang: str, rng: np.random.Generator) -> str:
    return pick(rng, SURNAMES) + pick(rng, GIVEN) if lang == "zh" else f"{pick(rng, FIRST)} {pick(rng, LAST)}"


def _phone(lang: str, rng: np.random.Generator) -> str:
    return f"1990000{digits(rng, 4)}" if lang == "zh" else f"(212) 555-01{digits(rng, 2)}"


def _email(lang: str, rng: np.random.Generator) -> str:
    who = pick(rng, PINYIN) if lang == "zh" else f"{pick(rng, FIRST)}.{pick(rng, LAST)}".lower()
    return f"{who}{digits(rng, 2)}@example.org"


def id_card(lang: str, rng: np.random.Generator) -> str:
    """A Chinese identity number of a person born 1900 to 1905, or an NHS number of the range 999."""
    if lang == "zh":
        body = f"110101{rng.integers(1900, 1906)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}{digits(rng, 3)}"
        return body + check_digit_zh(body)
    body = "999" + digits(rng, 6)
    while check_digit_nhs(body) == 10:
        body = "999" + digits(rng, 6)
    whole = f"{body}{check_digit_nhs(body)}"
    return f"{whole[:3]} {whole[3:6]} {whole[6:]}"


def bank_card(lang: str, rng: np.random.Generator) -> str:
    """19 digits in Chinese, 16 in English, the last being the check digit."""
    body = ("620000" + digits(rng, 12)) if lang == "zh" else ("400000" + digits(rng, 9))
    return body + check_digit_luhn(body)


_MAKERS = {"name": _name, "phone": _phone, "email": _email, "id_card": id_card, "bank_card": bank_card}
