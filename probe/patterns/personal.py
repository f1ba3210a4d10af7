"""Personal data by its form: numbers with check digits, addresses of the net and of houses, IDs of accounts."""

from typing import Final

from probe.patterns import checks
from probe.patterns.row import Pattern

ROWS: Final = (
    Pattern(
        "email",
        r"[\pL\pN._%+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)*\.\pL{2,}",
        "RFC 5322 and RFC 6531, the usual part of it",
        ("write to jane.doe@example.test now", "bj\u00f8rn@m\u00fcller.test"),
        ("user at example.test", "a@b"),
    ),
    Pattern(
        "iban",
        r"(?:^|[^A-Za-z0-9])([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)",
        "ISO 13616",
        ("to DE89 3704 0044 0532 0130 00 today",),
        ("DE00 3704 0044 0532 0130 00", "HTTP2025"),
        holds=checks.mod97,
    ),
    Pattern(
        "card",
        r"(?:^|[^0-9A-Za-z.-])([2-6][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{4,5}(?:[ -]?[0-9]{1,4})?)(?:$|[^0-9A-Za-z_])",
        "ISO/IEC 7812-1",
        ("card 4111 1111 1111 1111",),
        ("4111 1111 1111 1112", "created 1787721724"),
        holds=checks.luhn,
    ),
    Pattern(
        "device",
        r"\b(?:0[01]|35|86|98|99)[0-9]{13}\b",
        "3GPP TS 23.003: an IMEI, with its check digit",
        ("IMEI 490154203237518".replace("49", "35").replace("7518", "7517"),),
        ("123456789012345",),
        holds=checks.luhn,
    ),
    Pattern(
        "ip",
        r"(?:^|[^0-9A-Za-z.-])((?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]"
        r"|1?[0-9]?[0-9]))(?:$|[^0-9A-Za-z.-]|[.-](?:$|[^0-9]))",
        "RFC 791",
        ("(IP: 203.0.113.7)", "from 10.1.2.3:443"),
        ("version 1.2.3", "gpt-4.1.0.2026x", "999.1.1.1", "Chrome/126.0.0.0", "127.0.0.1"),
        holds=checks.address_v4,
    ),
    Pattern(
        "ip",
        r"(?:^|[^0-9A-Za-z:.])((?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?::?(?:[0-9]{1,3}\.){3}[0-9]{1,3})?)",
        "RFC 4291",
        ("client 2001:db8:0:1:2:3:4:5 refused", "from fe80::1c2d:3e4f to"),
        ("at 12:30:45", "a::b::c", "sha256::"),
        holds=checks.address_v6,
    ),
    Pattern(
        "device",
        r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b|\b(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}\b"
        r"|\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b",
        "IEEE 802: a MAC address",
        ("from 00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7"),
        ("12:30:45:00", "2026-06-14"),
    ),
    Pattern(
        "account_id",
        r"\b((?:org|user|usr|proj|acct|acc|tenant|ws|team|cust|cus|customer|workspace|member|client|sub|mem|uid"
        r"|grp)[-_][A-Za-z0-9]{8,})",
        "OpenAI organisation, user and project IDs, and the form that others share",
        ("organization org-abcdEFGH1234", "`proj_AbCdEfGhIjKl`", "cust_123456789"),
        ("org-wide", "user_name", "project", "user_completely", "team-building"),
        holds=lambda text: checks.numbered(text) or text[5:].lower() != text[5:],
    ),
    Pattern(
        "account_id",
        r"(?i:(?:^|[/\s\"'=])(?:tenants?|users?|accounts?|orgs?|organizations?|projects?|customers?|members?"
        r"|workspaces?|subscriptions?|teams?|people)/)([^/?#\s\"'<>&]{6,})",
        "the segment of a path before it names it",
        ("/v1/users/jdoe1990/keys",),
        ("/users/me", "/account/api-keys", "users/day"),
        holds=lambda text: checks.numbered(text) or "@" in text or "." in text.rstrip(".,;:)"),
    ),
    Pattern(
        "phone",
        r"(?:^|[^0-9A-Za-z+])(\+[0-9]{1,3}[ .-]?\(?[0-9]{2,4}\)?(?:[ .-]?[0-9]{2,4}){2,4}"
        r"|\+[0-9]{1,3} [0-9]{2,4} [0-9]{6,9}"
        r"|\([0-9]{3}\) ?[0-9]{3}-[0-9]{4})",
        "E.164 with separators, and the North American form",
        ("call +49 30 1234 5678", "call (303) 555-0119", "+49 151 22334455"),
        ("+1", "2026+02:00"),
    ),
    Pattern(
        "phone",
        r"(?:^|[^0-9A-Za-z.+-])([2-9][0-9]{2}[-. ][2-9][0-9]{2}[-. ][0-9]{4}|0[1-9](?:[ .-][0-9]{2}){4}"
        r"|0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}"
        r"|1[3-9][0-9]{9})(?:$|[^0-9A-Za-z_-])",
        "national forms: North America, France, Germany and Britain, mobiles of China",
        ("call 415-555-0119", "06 12 34 56 78", "13912345678 called", "030 1234567"),
        ("2026-06-14", "1787721724000", "limit 30000 of 29512"),
    ),
    Pattern(
        "national_id",
        r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
        "Social Security Administration: area, group, serial",
        ("SSN 123-45-6789",),
        ("2026-06-14", "123-456-7890"),
    ),
    Pattern(
        "national_id",
        r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b"
        r"|\b[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\b"
        r"|\b[STFGM][0-9]{7}[A-Z]\b|\b[A-Z]{5}[0-9]{4}[A-Z]\b|\b[0-9]{6}-[1-4][0-9]{6}\b"
        r"|\b[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}\b"
        r"|\b[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[A-Z0-9][0-9]\b|\b756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}\b",
        "HMRC (National Insurance), Agenzia delle Entrate, ICA Singapore, Income Tax India, Korea, Belgium,"
        " Mexico, Switzerland",
        ("NI AB 12 34 56 C", "RSSMRA85T10A562S", "S1234567D"),
        ("AB 12", "HTTP 12 34 56 Z"),
    ),
    Pattern(
        "national_id",
        r"\b[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx]\b",
        "GB 11643",
        ("11010519491231002X",),
        ("110105194912310021",),
        holds=checks.chinese_resident,
    ),
    Pattern(
        "national_id",
        r"\b[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-[0-9]{2}\b",
        "Receita Federal: CPF",
        ("529.982.247-25",),
        ("529.982.247-26",),
        holds=checks.brazilian_person,
    ),
    Pattern(
        "national_id",
        r"\b[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b",
        "INSEE: NIR",
        ("1 84 12 76 451 089 46".replace("46", "46"),),
        ("1 84 12 76 451 089 47",),
        holds=checks.french_social,
    ),
    Pattern("national_id", r"\b[0-9]{8}[A-Z]\b", "DNI", ("12345678Z",), ("12345678A",), holds=checks.spanish_person),
    Pattern(
        "vehicle",
        r"\b[A-HJ-NPR-Z0-9]{17}\b",
        "ISO 3779",
        ("1M8GDM9AXKP042788",),
        ("1M8GDM9A1KP042788", "12345678901234567"),
        holds=checks.vehicle,
    ),
    Pattern(
        "place",
        r"-?[0-9]{1,2}\.[0-9]{4,},? ?-?[0-9]{1,3}\.[0-9]{4,}\b",
        "ISO 6709: latitude and longitude as numbers",
        ("at 52.52000, 13.40500",),
        ("took 0.0041 of 1.8842", "1.2.3"),
        holds=lambda text: "," in text,
    ),
    Pattern(
        "address",
        r"\b[0-9]{1,5}[A-Za-z]? (?:[\p{Lu}][\pL'.-]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard"
        r"|Blvd|Court|Ct|Square|Place|Way|Terrace)\b\.?(?:, [\p{Lu}][\pL .'-]+)?(?:,? [A-Z]{0,2} ?[0-9]{4,5})?"
        r"|\b[\p{Lu}][\pL-]+(?:straße|strasse|str\.|gasse|weg|allee"
        r"|platz) [0-9]{1,4} ?[a-z]?(?:, [0-9]{5} [\p{Lu}][\pL -]+)?"
        r"|\b[0-9]{1,4},? (?:rue|avenue|boulevard|place|chemin|via|calle|rua) (?:d[eu]s? "
        r"|de la )?[\p{Lu}][\pL'-]+(?:, [0-9]{5} [\p{Lu}][\pL-]+)?",
        "street and number as English, German and French write them",
        ("12 Elm Street, Springfield 12345", "Hauptstraße 5, 10115 Berlin", "12 rue Victor"),
        ("3 Bad Requests", "404 Not Found", "a long way"),
    ),
    Pattern(
        "bank_account",
        r"(?i:\b(?:bic|swift)(?: code)?\s*[:#]?\s*)([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b",
        "ISO 9362",
        ("BIC COBADEFFXXX",),
        ("BIC missing", "swift runs"),
    ),
    Pattern(
        "vehicle",
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{5,6}",
        "GA 36: plates of China",
        ("车牌 京A12345",),
        ("京都", "新API"),
    ),
    Pattern(
        "sql_values",
        r"(?i:\bvalues\s*)\(([^)\n\x00]*)\)",
        "ISO 9075: rows as they are written to a table",
        ("INSERT INTO t (a) VALUES ('Jane Doe', 1)",),
        ("the values (a", "invalid value"),
    ),
    Pattern(
        "handle",
        r"(?:^|[\s(:,])@([A-Za-z][A-Za-z0-9_.]{2,29}[A-Za-z0-9_])(?:$|[^A-Za-z0-9_./@-]|[.](?:$|\s))",
        "user names of social networks",
        ("posted by @jane_doe today",),
        ("a@b.test", "@scope/name", "@x"),
    ),
    Pattern(
        "wallet",
        r"\b(?:bc1[a-z0-9]{25,60}|0x[0-9a-fA-F]{40}|[13][1-9A-HJ-NP-Za-km-z]{33})\b",
        "BIP 173; EIP-55; Base58Check",
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",),
        ("bc1q", "0x1f"),
    ),
)
