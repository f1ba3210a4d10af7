"""Check digits: what tells an account, a card or a national number from any other number."""

import ipaddress
from typing import Final

_CHINESE_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (int(sign) for sign in "12345678123457923456789"), strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1: the check digit of a payment card; an IMEI has the same."""
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [
        digit if place % 2 else (2 * digit - 9 if digit > 4 else 2 * digit)
        for place, digit in enumerate(digits[-2::-1])
    ]
    return 13 <= len(digits) <= 19 and (sum(doubled) + digits[-1]) % 10 == 0


def mod97(text: str) -> bool:
    """ISO 13616: the check digits of an IBAN."""
    plain = "".join(char for char in text if char.isalnum()).upper()
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def chinese_resident(text: str) -> bool:
    """GB 11643: eighteen signs, the last one the remainder by eleven."""
    total = sum(int(sign) * weight for sign, weight in zip(text, _CHINESE_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


def brazilian_person(text: str) -> bool:
    """Receita Federal: two check digits of the CPF."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    for length in (9, 10):
        total = sum(digit * (length + 1 - place) for place, digit in enumerate(digits[:length]))
        if total * 10 % 11 % 10 != digits[length]:
            return False
    return True


def french_social(text: str) -> bool:
    """INSEE: the key of the NIR is 97 less the rest by 97."""
    digits = "".join(sign for sign in text if sign.isdigit())
    return len(digits) == 15 and 97 - int(digits[:13]) % 97 == int(digits[13:])


def spanish_person(text: str) -> bool:
    """DNI: the letter is the remainder by 23."""
    return _DNI_LETTERS[int(text[:8]) % 23] == text[-1]


def vehicle(text: str) -> bool:
    """ISO 3779 and 49 CFR 565: the ninth sign is a remainder by eleven."""
    total = sum((_VIN_VALUES.get(sign) or int(sign)) * weight for sign, weight in zip(text, _VIN_WEIGHTS, strict=True))
    return text[8] == ("X" if total % 11 == 10 else str(total % 11)) and not text.isdigit()


def address_v4(text: str) -> bool:
    """An address of somebody: not the machine itself, no product's version."""
    return not (text.startswith("127.") or text == "0.0.0.0" or text.endswith(".0.0.0"))  # noqa: S104


def address_v6(text: str) -> bool:
    try:
        found = ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified)


def numbered(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


_NO_NAMES: Final = frozenset(
    (
        *("API", "All", "Error", "Everyone", "HTTP", "If", "It", "Model", "No", "Not"),
        *("Please", "Request", "Response", "Status", "Support", "Team", "That", "The", "There", "This"),
        *("We", "When", "You", "Your"),
    )
)


def name(text: str) -> bool:
    """A capital that begins a name, not a sentence."""
    return text.split(" ")[0] not in _NO_NAMES
