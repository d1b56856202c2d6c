"""Check digits of numbers that belong to a person: which of them a string of digits can't have by accident."""

import re

_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_VIN_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def is_resident_id(text: str) -> bool:
    """Whether the 18th character is the check digit of the 17 before it (GB 11643)."""
    digits = re.sub(r"[ -]", "", text).upper()
    return "10X98765432"[sum(w * int(d) for w, d in zip(_RESIDENT_WEIGHTS, digits, strict=False)) % 11] == digits[17]


def is_hong_kong_id(text: str) -> bool:
    """Whether the character in brackets makes the weighted sum a multiple of eleven."""
    letters, digits = re.sub(r"[\d()]", "", text.upper()[:2]), re.sub(r"^[A-Za-z]+", "", text).upper()
    values = [36] * (2 - len(letters)) + [ord(letter) - 55 for letter in letters] + [int(d) for d in digits[:6]]
    check = 10 if digits[7] == "A" else int(digits[7])
    return (sum(w * v for w, v in zip((9, 8, 7, 6, 5, 4, 3, 2), values, strict=True)) + check) % 11 == 0


def is_card_number(text: str) -> bool:
    """Whether the digits pass Luhn's check."""
    digits = [int(d) for d in reversed(text) if d.isdigit()]
    return sum(sum(divmod(d * 2, 10)) if place % 2 else d for place, d in enumerate(digits)) % 10 == 0


def is_nhs_number(text: str) -> bool:
    """Whether the tenth digit is the check digit of the nine before it (modulus 11)."""
    digits = [int(d) for d in text if d.isdigit()]
    return (11 - sum((10 - place) * d for place, d in enumerate(digits[:9])) % 11) % 11 == digits[9]


def is_vin(text: str) -> bool:
    """Whether the ninth of 17 characters is the check digit of a vehicle's number (ISO 3779), with three letters or more and four digits at its end."""
    text = text.upper()
    if sum(char.isalpha() for char in text) < 3 or not text[13:].isdigit():
        return False
    return "0123456789X"[sum(w * _VIN_VALUES[c] for w, c in zip(_VIN_WEIGHTS, text, strict=True)) % 11] == text[8]
