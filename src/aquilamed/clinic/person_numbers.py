"""Numbers and dates of a made-up person, as notes write them: right in form and check digit, of no living person."""

import string
from collections.abc import Callable

import numpy as np

from aquilamed.clinic import identifiers
from aquilamed.clinic.identifiers import digits
from aquilamed.clinic.phrasing import pick

_AREAS = ("110101", "310104", "440305", "510107", "330106", "220104")
_MONTHS = "January February March April May June July August September October November December".split()
_HAN_DIGITS = "〇一二三四五六七八九"
_PROVINCES = "京沪津渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_VIN = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ"
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_HAN_AGES = ("九十", "九十一", "九十三", "九十五", "九十八")


def resident_id(rng: np.random.Generator) -> str:
    """18 characters of a person born 1900 to 1905, now and then with blanks or a small x."""
    born = f"{rng.integers(1900, 1906)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
    first = f"{pick(rng, _AREAS)}{born}{digits(rng, 3)}"
    whole = first + identifiers.check_digit_zh(first)
    return pick(rng, (whole, whole, whole, whole.lower(), f"{whole[:6]} {whole[6:14]} {whole[14:]}"))


def old_resident_id(rng: np.random.Generator) -> str:
    """The 15 digits of before 1999."""
    return f"{pick(rng, _AREAS)}{rng.integers(0, 6):02d}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}{digits(rng, 3)}"


def hong_kong_id(rng: np.random.Generator) -> str:
    """Letter, six digits and the check digit in brackets."""
    letter, body = pick(rng, "ABCDEFGHKPRVZ"), digits(rng, 6)
    total = 9 * 36 + 8 * (ord(letter) - 55) + sum((7 - place) * int(digit) for place, digit in enumerate(body))
    return f"{letter}{body}({'0123456789A'[-total % 11]})"


def taiwan_id(rng: np.random.Generator) -> str:
    """Letter and nine digits; the last makes the weighted sum a multiple of ten."""
    letter, body = pick(rng, "ABCDEFGH"), pick(rng, "12") + digits(rng, 7)
    region = ord(letter) - 55
    total = region // 10 + 9 * (region % 10) + sum((8 - place) * int(digit) for place, digit in enumerate(body))
    return f"{letter}{body}{-total % 10}"


def passport(rng: np.random.Generator) -> str:
    return pick(rng, (f"E{digits(rng, 8)}", f"G{digits(rng, 8)}", f"EA{digits(rng, 7)}", f"{digits(rng, 9)}"))


def permit(rng: np.random.Generator) -> str:
    """Travel permits to and from Hong Kong, Macau and Taiwan."""
    return pick(rng, "CHMT") + digits(rng, 8)


def nhs_number(rng: np.random.Generator) -> str:
    return identifiers.id_card("en", rng)


def ssn(rng: np.random.Generator) -> str:
    """From the ten numbers that are kept for advertising."""
    return f"987-65-432{digits(rng, 1)}"


def record(rng: np.random.Generator) -> str:
    n = digits(rng, int(rng.integers(6, 11)))
    return pick(rng, (n, n, f"ZY{n}", f"MR-{n}", f"{n[:4]}-{n[4:]}", f"A{n}"))


def specimen(rng: np.random.Generator) -> str:
    return pick(rng, (f"20{digits(rng, 10)}", f"S{digits(rng, 2)}-{digits(rng, 5)}", f"BL{digits(rng, 8)}", digits(rng, 9)))


def insurance(rng: np.random.Generator) -> str:
    return pick(rng, (f"YB{digits(rng, 9)}", digits(rng, 10), f"{pick(rng, string.ascii_uppercase)}{digits(rng, 8)}",
                      f"XQ{pick(rng, string.ascii_uppercase)}{digits(rng, 9)}"))


def account(rng: np.random.Generator) -> str:
    return pick(rng, (digits(rng, 8), digits(rng, 12), f"{digits(rng, 4)}-{digits(rng, 6)}"))


def card_zh(rng: np.random.Generator) -> str:
    whole = identifiers.bank_card("zh", rng)
    return pick(rng, (whole, " ".join(whole[at:at + 4] for at in range(0, len(whole), 4))))


def card_en(rng: np.random.Generator) -> str:
    whole = "400000" + digits(rng, 9)
    whole += identifiers.check_digit_luhn(whole)
    return pick(rng, (whole, " ".join(whole[at:at + 4] for at in range(0, 16, 4)), "-".join(whole[at:at + 4] for at in range(0, 16, 4))))


def licence(rng: np.random.Generator) -> str:
    return pick(rng, (f"1{digits(rng, 14)}", f"{pick(rng, string.ascii_uppercase)}{digits(rng, 7)}", f"{digits(rng, 3)}-{digits(rng, 3)}-{digits(rng, 3)}",
                      f"MD{digits(rng, 6)}"))


def plate_zh(rng: np.random.Generator) -> str:
    tail = "".join(pick(rng, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(2)) + digits(rng, 3)
    return pick(rng, _PROVINCES) + pick(rng, "ABCDEFGH") + pick(rng, ("", "·", "", "-")) + pick(rng, (tail, f"D{tail}"))


def plate_en(rng: np.random.Generator) -> str:
    letters = "".join(pick(rng, string.ascii_uppercase) for _ in range(3))
    return pick(rng, (f"{letters}-{digits(rng, 4)}", f"{digits(rng, 1)}{letters}{digits(rng, 3)}", f"{letters} {digits(rng, 3)}"))


def vin(rng: np.random.Generator) -> str:
    """17 characters of which the ninth is the check digit."""
    body = "".join(pick(rng, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(11)) + digits(rng, 6)
    total = sum(weight * (_VIN.index(char) % 10) for weight, char in zip(_VIN_WEIGHTS, body, strict=True))
    return body[:8] + "0123456789X"[total % 11] + body[9:]


def serial(rng: np.random.Generator) -> str:
    return pick(rng, (f"SN{digits(rng, 8)}", f"{pick(rng, 'PJH')}{pick(rng, 'KLM')}{digits(rng, 6)}H",
                      f"{digits(rng, 5)}-{digits(rng, 4)}-{digits(rng, 2)}", digits(rng, 10)))


def mac(rng: np.random.Generator) -> str:
    return pick(rng, ("00:00:5E:00:53:{0:02X}", "00-00-5E-00-53-{0:02X}", "00:00:5e:00:53:{0:02x}")).format(int(rng.integers(256)))


def ip(rng: np.random.Generator) -> str:
    return pick(rng, (f"192.0.2.{rng.integers(1, 255)}", f"198.51.100.{rng.integers(1, 255)}", f"203.0.113.{rng.integers(1, 255)}",
                      f"2001:db8:{digits(rng, 2)}::{digits(rng, 3)}"))


def url(rng: np.random.Generator) -> str:
    return pick(rng, ("https://portal.example.org/u/{0}", "http://www.example.com/report?id={0}", "https://example.net/share/{0}.pdf",
                      "www.example.org/p/{0}")).format(digits(rng, 6))


def image(rng: np.random.Generator) -> str:
    return pick(rng, ("https://img.example.org/face/{0}.jpg", "face_{0}.png", "IMG_{0}.jpg", "/photos/patient_{0}.jpeg")).format(digits(rng, 6))


def fingerprint(rng: np.random.Generator) -> str:
    return pick(rng, (f"FP-{digits(rng, 8)}", f"FP{digits(rng, 10)}", "".join(pick(rng, "0123456789abcdef") for _ in range(32))))


def chat_account(rng: np.random.Generator) -> str:
    return pick(rng, (f"wx{digits(rng, 6)}", f"wxid_{digits(rng, 8)}", f"happy_{digits(rng, 4)}", f"lily{digits(rng, 6)}", digits(rng, 9),
                      digits(rng, 10)))


def number(rng: np.random.Generator) -> str:
    return pick(rng, (f"SUBJ-{digits(rng, 4)}", f"P{digits(rng, 5)}", f"20{digits(rng, 6)}", f"{digits(rng, 2)}-{digits(rng, 3)}", f"K{digits(rng, 7)}"))


def age_zh(rng: np.random.Generator) -> str:
    return pick(rng, (f"{rng.integers(90, 105)}岁", f"{rng.integers(90, 105)}岁", f"{pick(rng, _HAN_AGES)}岁"))


def age_en(rng: np.random.Generator) -> str:
    age = rng.integers(90, 105)
    return pick(rng, (f"{age}-year-old", f"{age} year old", f"{age} y/o", f"{age}-yr-old", f"{age} years old"))


def _day(rng: np.random.Generator) -> tuple[int, int, int]:
    return int(rng.integers(2015, 2027)), int(rng.integers(1, 13)), int(rng.integers(1, 29))


def date_zh(rng: np.random.Generator) -> str:
    year, month, day = _day(rng)
    han = "".join(_HAN_DIGITS[int(digit)] for digit in str(year))
    return pick(rng, (
        f"{year}-{month:02d}-{day:02d}", f"{year}-{month:02d}-{day:02d}", f"{year}年{month}月{day}日", f"{year}年{month}月{day}日",
        f"{year}年{month:02d}月{day:02d}日",
        f"{year}.{month:02d}.{day:02d}", f"{year}/{month}/{day}", f"{year}年{month}月", f"{month}月{day}日", f"{han}年{_han(month)}月{_han(day)}日",
        f"{year} 年 {month} 月 {day} 日"))


def date_hant(rng: np.random.Generator) -> str:
    """Now and then in the years of the Republic."""
    year, month, day = _day(rng)
    return f"民國{year - 1911}年{month}月{day}日" if rng.random() < 0.2 else date_zh(rng)


def full_date_zh(rng: np.random.Generator) -> str:
    """With its year, as after a label."""
    year, month, day = _day(rng)
    return pick(rng, (f"{year}-{month:02d}-{day:02d}", f"{year}年{month}月{day}日", f"{year}{month:02d}{day:02d}", f"{year}.{month}.{day}",
                      f"{year}/{month:02d}/{day:02d}"))


def date_en(rng: np.random.Generator) -> str:
    year, month, day = _day(rng)
    name = _MONTHS[month - 1]
    return pick(rng, (
        f"{month:02d}/{day:02d}/{year}", f"{month}/{day}/{year % 100:02d}", f"{name} {day}, {year}", f"{name} {day}", f"{day} {name} {year}",
        f"{name[:3]} {day}, {year}", f"{day:02d}-{name[:3]}-{year}",
        f"{year}-{month:02d}-{day:02d}", f"{name} {_ordinal(day)}", f"{day} {name[:3]}", f"{name} {year}", f"{_ordinal(day)} of {name}"))


def full_date_en(rng: np.random.Generator) -> str:
    year, month, day = _day(rng)
    name = _MONTHS[month - 1]
    return pick(rng, (f"{month:02d}/{day:02d}/{year}", f"{month}/{day}/{year}", f"{name} {day}, {year}", f"{day} {name[:3]} {year}",
                      f"{year}-{month:02d}-{day:02d}", f"{day:02d}-{name[:3].upper()}-{year}", f"{day:02d}.{month:02d}.{year}"))


def _han(n: int) -> str:
    tens, ones = divmod(n, 10)
    return ("" if tens == 0 else "十" if tens == 1 else f"{_HAN_DIGITS[tens]}十") + (_HAN_DIGITS[ones] if ones else "")


def _ordinal(day: int) -> str:
    return f"{day}{'th' if 10 < day < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


NUMBERS: dict[str, tuple[str, Callable[[np.random.Generator], str]]] = {
    "id18": ("resident_id", resident_id), "id15": ("resident_id", old_resident_id), "hkid": ("resident_id", hong_kong_id),
    "twid": ("resident_id", taiwan_id),
    "passport": ("travel_document", passport), "permit": ("travel_document", permit), "nhs": ("insurance_number", nhs_number), "ssn": ("ssn", ssn),
    "mrn": ("record_number", record),
    "specimen": ("record_number", specimen), "insurance": ("insurance_number", insurance), "account": ("account", account),
    "licence": ("licence", licence),
    "vin": ("vehicle", vin), "serial": ("device", serial), "mac": ("device", mac), "ip": ("ip", ip), "url": ("url", url), "image": ("biometric", image),
    "fingerprint": ("biometric", fingerprint),
    "chat": ("chat_account", chat_account), "number": ("other_number", number),
}
"""Slot -> (kind, maker); those that differ by script are in `BY_SCRIPT`."""
BY_SCRIPT: dict[str, dict[str, tuple[str, Callable[[np.random.Generator], str]]]] = {
    "zh": {"card": ("bank_card", card_zh), "plate": ("vehicle", plate_zh), "age90": ("age", age_zh), "date": ("date", date_zh),
           "dob": ("date", full_date_zh)},
    "hant": {"age90": ("age", age_zh), "date": ("date", date_hant), "dob": ("date", full_date_zh)},
    "en": {"card": ("bank_card", card_en), "plate": ("vehicle", plate_en), "age90": ("age", age_en), "date": ("date", date_en),
           "dob": ("date", full_date_en)},
}
