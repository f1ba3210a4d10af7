#!/usr/bin/env python3
"""Cases with other kinds of secrets and personal data than generate.py has, in its format, for the same judge.

    elsewhere.py --seed N --out DIR [--n 1000]

The exchange around the values, the keep strings and the oracle are generate.py's; the kinds, their places and the words
around them are this file's. Formats are public facts, checksums are real, no value is or ever was anybody's.
"""

import argparse, base64, hashlib, html, json, os, random, string, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generate as G
from generate import AN, B64, B64U, HEX, UP, b64e, mixed, pick, word
from urllib.parse import quote

D = string.digits
LOW = string.ascii_lowercase + D
B32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

# ---------------------------------------------------------------- credentials: kind -> (public prefix, maker)
CRED = {
    "gitlab_pat": ("glpat-", lambda r: "glpat-" + mixed(r, B64U, 20)),
    "npm_token": ("npm_", lambda r: "npm_" + mixed(r, AN, 36)),
    "pypi_token": ("pypi-", lambda r: "pypi-AgEIcHlwaS5vcmc" + mixed(r, B64U, 120)),
    "sendgrid_key": ("SG.", lambda r: "SG." + mixed(r, B64U, 22) + "." + mixed(r, B64U, 43)),
    "twilio_key": ("SK", lambda r: "SK" + pick(r, HEX, 32)),
    "telegram_bot": ("", lambda r: pick(r, D[1:], 10) + ":AA" + mixed(r, B64U, 33)),
    "discord_bot": ("", lambda r: "M" + mixed(r, AN, 25) + "." + "G" + mixed(r, AN, 5) + "." + mixed(r, B64U, 38)),
    "databricks": ("dapi", lambda r: "dapi" + mixed(r, HEX, 32)),
    "digitalocean": ("dop_v1_", lambda r: "dop_v1_" + mixed(r, HEX, 64)),
    "mailgun": ("key-", lambda r: "key-" + mixed(r, HEX, 32)),
    "square": ("sq0atp-", lambda r: r.choice(["sq0atp-", "EAAA"]) + mixed(r, B64U, 22 if r.random() < 0.5 else 60)),
    "shopify": ("shpat_", lambda r: "shpat_" + mixed(r, HEX, 32)),
    "linear": ("lin_api_", lambda r: "lin_api_" + mixed(r, AN, 40)),
    "notion": ("ntn_", lambda r: "ntn_" + pick(r, D, 11) + mixed(r, AN, 35)),
    "postman": ("PMAK-", lambda r: "PMAK-" + mixed(r, HEX, 24) + "-" + mixed(r, HEX, 34)),
    "figma": ("figd_", lambda r: "figd_" + mixed(r, B64U, 40)),
    "sentry": (
        "sntrys_",
        lambda r: (
            "sntrys_"
            + b64e(json.dumps({"iat": r.random(), "url": "https://sentry.io", "org": word(r)})).rstrip("=")
            + "_"
            + mixed(r, B64, 43)
        ),
    ),
    "newrelic": ("NRAK-", lambda r: "NRAK-" + pick(r, UP, 27)),
    "vault": ("hvs.", lambda r: "hvs." + mixed(r, B64U, 90)),
    "grafana": ("glsa_", lambda r: "glsa_" + mixed(r, AN, 32) + "_" + pick(r, HEX, 8)),
    "terraform": ("", lambda r: mixed(r, AN, 14) + ".atlasv1." + mixed(r, B64U, 64)),
    "azure_client_secret": ("", lambda r: mixed(r, AN, 3) + "8Q~" + mixed(r, AN + "_.~-", 34)),
    "alibaba_key": ("LTAI", lambda r: "LTAI5t" + mixed(r, AN, 18)),
    "tencent_id": ("AKID", lambda r: "AKID" + mixed(r, AN, 32)),
    "replicate": ("r8_", lambda r: "r8_" + mixed(r, AN, 37)),
    "perplexity": ("pplx-", lambda r: "pplx-" + mixed(r, AN, 48)),
    "groq": ("gsk_", lambda r: "gsk_" + mixed(r, AN, 52)),
    "fireworks": ("fw_", lambda r: "fw_" + mixed(r, AN, 24)),
    "nvidia": ("nvapi-", lambda r: "nvapi-" + mixed(r, B64U, 64)),
    "cerebras": ("csk-", lambda r: "csk-" + mixed(r, LOW + "ABC", 48)),
    "pinecone": ("pcsk_", lambda r: "pcsk_" + mixed(r, AN, 6) + "_" + mixed(r, AN, 63)),
    "langfuse": ("sk-lf-", lambda r: "sk-lf-" + G.uuid_(r)),
    "langsmith": ("lsv2_pt_", lambda r: "lsv2_pt_" + pick(r, HEX, 32) + "_" + pick(r, HEX, 10)),
    "docker_pat": ("dckr_pat_", lambda r: "dckr_pat_" + mixed(r, B64U, 27)),
    "age_key": ("AGE-SECRET-KEY-1", lambda r: "AGE-SECRET-KEY-1" + pick(r, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    "doppler": ("dp.pt.", lambda r: "dp.pt." + mixed(r, AN, 43)),
    "airtable": ("pat", lambda r: "pat" + mixed(r, AN, 14) + "." + mixed(r, HEX, 64)),
    "atlassian": (
        "ATATT3xFfGF0",
        lambda r: "ATATT3xFfGF0" + mixed(r, B64U, 170) + "=" + pick(r, "0123456789ABCDEF", 8),
    ),
    "mapbox": (
        "sk.",
        lambda r: "sk." + G.b64u(json.dumps({"u": word(r), "a": mixed(r, LOW + "A", 25)})) + "." + mixed(r, AN, 22),
    ),
    "facebook": ("EAAC", lambda r: "EAAC" + mixed(r, AN, 160)),
    "invented_prefix": (
        "",
        lambda r: (
            word(r, 2) + r.choice(["_live_", "-key-", "_", "-v2-", "_pk_"]) + mixed(r, AN, r.choice([24, 32, 40]))
        ),
    ),
    "invented_hex": ("", lambda r: word(r, 2) + "_" + mixed(r, HEX, 48)),
}
NOPREFIX = {
    "invented_plain": ("", lambda r: mixed(r, AN, r.choice([20, 26, 33, 45]))),
    "datadog_key": ("", lambda r: pick(r, HEX, 32)),
    "wandb_key": ("", lambda r: pick(r, HEX, 40)),
    "totp_seed": ("", lambda r: pick(r, B32, 32)),
    "uuid_key": ("", lambda r: G.uuid_(r)),
    "license_key": ("", lambda r: "-".join(pick(r, UP, 5) for _ in range(5))),
    "short_password": ("", lambda r: mixed(r, AN + "!#%", r.randint(9, 14))),
    "passphrase": ("", lambda r: "-".join(word(r, 2) for _ in range(4)) + str(r.randint(10, 99))),
}


# ---------------------------------------------------------------- personal data
def cn_id(r):
    b = (
        r.choice(["110105", "310115", "440305"])
        + "19%02d%02d%02d" % (r.randint(50, 99), r.randint(1, 12), r.randint(1, 28))
        + pick(r, D, 3)
    )
    return (
        b
        + "10X98765432"[sum(int(c) * w for c, w in zip(b, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])) % 11]
    )


def cpf(r):
    d = [r.randrange(10) for _ in range(9)]
    for _ in range(2):
        s = sum(a * b for a, b in zip(d, range(len(d) + 1, 1, -1))) * 10 % 11
        d.append(0 if s == 10 else s)
    s = "".join(map(str, d))
    return "%s.%s.%s-%s" % (s[:3], s[3:6], s[6:9], s[9:])


def nir(r):
    b = "%d%02d%02d%s%s%s" % (
        r.randint(1, 2),
        r.randint(40, 99),
        r.randint(1, 12),
        r.choice(["75", "69", "13"]),
        pick(r, D, 3),
        pick(r, D, 3),
    )
    k = "%02d" % (97 - int(b) % 97)
    return "%s %s %s %s %s %s %s" % (b[0], b[1:3], b[3:5], b[5:7], b[7:10], b[10:13], k) if r.random() < 0.5 else b + k


def dni(r):
    n = r.randrange(10**7, 10**8)
    return "%d%s" % (n, "TRWAGMYFPDXBNJZSQVHLCKE"[n % 23])


def vin(r):
    s = list(pick(r, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789", 17))
    v = {c: int(n) for c, n in zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789")}
    w = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
    t = sum((v[c] if c in v else int(c)) * q for c, q in zip(s, w)) % 11
    s[8] = "X" if t == 10 else str(t)
    return "".join(s)


def imei(r):
    b = "35" + pick(r, D, 12)
    return next(b + c for c in D if G.luhn(b + c))


PII = {
    "ssn": lambda r: "%03d-%02d-%04d" % (r.randint(101, 665), r.randint(10, 99), r.randint(1000, 9999)),
    "nino": lambda r: (
        "%s%s %02d %02d %02d %s"
        % (
            r.choice("ABCEHJ"),
            r.choice("ABCEHJ"),
            r.randint(10, 99),
            r.randint(10, 99),
            r.randint(10, 99),
            r.choice("ABCD"),
        )
    ),
    "cn_resident_id": cn_id,
    "cpf": cpf,
    "nir": nir,
    "dni": dni,
    "vin": vin,
    "imei": imei,
    "passport": lambda r: r.choice(["C", "L", "K", "X", "P"]) + pick(r, D, 8),
    "birth_date": lambda r: "19%02d-%02d-%02d" % (r.randint(40, 99), r.randint(1, 12), r.randint(1, 28)),
    "postal_address": lambda r: r.choice(
        [
            "%d %s %s, %s %s"
            % (
                r.randint(2, 9999),
                word(r, 2).capitalize(),
                r.choice(["Street", "Avenue", "Road", "Lane"]),
                word(r, 2).capitalize(),
                pick(r, D[1:], 5),
            ),
            "%sstraße %d, %s %s"
            % (word(r, 2).capitalize(), r.randint(2, 200), pick(r, D[1:], 5), word(r, 2).capitalize()),
        ]
    ),
    "mac": lambda r: r.choice([":", "-"]).join(pick(r, HEX, 2) for _ in range(6)),
    "gps": lambda r: "%.5f, %.5f" % (r.uniform(36, 60), r.uniform(-9, 30)),
    "plate": lambda r: r.choice(
        [
            "%s-%s %d"
            % (pick(r, string.ascii_uppercase, 2), pick(r, string.ascii_uppercase, 2), r.randint(1000, 9999)),
            "%s%d %s" % (pick(r, string.ascii_uppercase, 2), r.randint(10, 99), pick(r, string.ascii_uppercase, 3)),
        ]
    ),
    "customer_number": lambda r: r.choice(["KD-", "C", ""]) + pick(r, D[1:], 8),
    "invoice_number": lambda r: r.choice(["INV-2026-", "RE", "F-"]) + pick(r, D[1:], 6),
    "cn_mobile": lambda r: "1" + r.choice("35789") + pick(r, D, 9),
    "private_host": lambda r: (
        word(r, 2)
        + r.choice(["-db01", "-nas", "-dc2", "-build7"])
        + r.choice([".corp.", ".intra.", ".lan.", ".ad."])
        + word(r, 2)
        + r.choice([".local", ".internal", ".lan"])
    ),
    "unc_path": lambda r: (
        "\\\\" + word(r, 2) + "-fs\\" + word(r, 2) + "\\" + G.uname(r) + "\\" + word(r, 3) + "\\bericht.docx"
    ),
    "bucket_path": lambda r: (
        r.choice(["s3://", "gs://"]) + word(r, 2) + "-exports/" + G.uname(r) + "/" + word(r, 3) + "/intake-2026.parquet"
    ),
    "var_home_path": lambda r: (
        r.choice(["/var/home/", "/export/home/", "/media/", "D:\\Profiles\\"]).replace(
            "/media/", "/media/" + word(r, 2) + "/"
        )
        + G.uname(r)
        + "/"
        + word(r, 3)
        + "/notes.txt"
    ),
    "social_handle": lambda r: "@" + word(r, 3) + r.choice(["_", ""]) + word(r, 2),
    "btc_address": lambda r: "bc1q" + pick(r, "qpzry9x8gf2tvdw0s3jn54khce6mua7l", 38),
    "person": lambda r: (
        r.choice("Wilhelmina Agnieszka Kwame Lourdes Hiroshi Svetlana Cormac Xiomara Anselm Bintou".split())
        + " "
        + r.choice(
            "Featherstonehaugh Adeyemi Kowalczyk Zubizarreta Thorvaldsen Marchetti Oyelaran Pfeiffer Sandoval Ishikawa".split()
        )
    ),
    "company": lambda r: (
        word(r, 3).capitalize()
        + " "
        + r.choice(["Holdings plc", "& Partners LLP", "S.r.l.", "Oy", "Treuhand KG", "Sp. z o.o."])
    ),
    "us_mobile": lambda r: "%d-%d-%d" % (r.choice([415, 646, 737]), r.randint(220, 980), r.randint(1000, 9999)),
}
PUBLIC = {"bucket_path": "s3://", "social_handle": "@", "btc_address": "bc1q"}
FIELD = {  # JSON, YAML and query names
    "ssn": ["ssn", "social_security_number"],
    "nino": ["ni_number", "nationalInsuranceNumber"],
    "cn_resident_id": ["id_card", "idNumber"],
    "cpf": ["cpf", "tax_id"],
    "nir": ["nir", "numero_securite_sociale"],
    "dni": ["dni", "national_id"],
    "vin": ["vin", "vehicle_id"],
    "imei": ["imei", "deviceId"],
    "passport": ["passport_number", "passportNo"],
    "birth_date": ["date_of_birth", "dob", "birthDate", "geburtsdatum"],
    "postal_address": ["address", "street_address", "shippingAddress"],
    "mac": ["mac_address", "hwaddr"],
    "gps": ["location", "coordinates", "geo"],
    "plate": ["license_plate", "plateNumber"],
    "customer_number": ["customer_number", "customerNo", "kundennummer"],
    "invoice_number": ["invoice_number", "invoiceId"],
    "cn_mobile": ["mobile", "phoneNumber"],
    "private_host": ["hostname", "upstream_host", "node"],
    "unc_path": ["share", "file"],
    "bucket_path": ["object", "uri"],
    "var_home_path": ["workdir", "cwd"],
    "social_handle": ["twitter", "handle"],
    "btc_address": ["wallet", "btc_address"],
    "person": ["patient_name", "fullName", "employee", "assignee", "cardholder", "signed_by"],
    "company": ["employer", "companyName", "merchant", "customer_company"],
    "us_mobile": ["cell", "fax", "contact_number"],
}
PHRASE = {  # free text
    "ssn": ["SSN %s", "her social security number is %s"],
    "nino": ["NI number %s"],
    "cn_resident_id": ["身份证号：%s", "resident ID %s"],
    "cpf": ["CPF %s"],
    "nir": ["numéro de sécurité sociale %s"],
    "dni": ["DNI %s"],
    "vin": ["VIN %s"],
    "imei": ["IMEI %s"],
    "passport": ["passport %s", "passport no. %s"],
    "birth_date": ["born %s", "DOB: %s"],
    "postal_address": ["lives at %s", "ship to %s"],
    "mac": ["from MAC %s", "device %s joined"],
    "gps": ["last seen at %s"],
    "plate": ["licence plate %s", "Kennzeichen %s"],
    "customer_number": ["customer no. %s", "Kundennummer: %s"],
    "invoice_number": ["invoice %s", "see invoice number %s"],
    "cn_mobile": ["手机号：%s", "call her on %s"],
    "private_host": ["could not resolve %s", "dial tcp: lookup %s: no such host"],
    "unc_path": ["opened %s"],
    "bucket_path": ["upload to %s failed"],
    "var_home_path": ["wrote %s"],
    "social_handle": ["posted by %s", "tweet from %s"],
    "btc_address": ["paid to %s"],
    "person": ["reported by %s", "Dear %s,", "assigned to: %s", "Patient name: %s"],
    "company": ["Company: %s", "account_name=%s"],
    "us_mobile": ["call %s", "tel. %s"],
}
SECFIELD = [
    "apiToken",
    "service_key",
    "signing_secret",
    "webhook_secret",
    "refreshToken",
    "bot_token",
    "personal_access_token",
    "encryptionKey",
    "app_secret",
    "license_key",
    "master_password",
    "db_pass",
    "privateKey",
    "x-functions-key",
    "credential",
    "otp_seed",
]
SECHEAD = [
    "X-Service-Token",
    "PRIVATE-TOKEN",
    "X-Vault-Token",
    "DD-API-KEY",
    "X-Shopify-Access-Token",
    "X-Plex-Token",
    "Api-Token",
    "X-Webhook-Signature",
    "X-Hub-Signature-256",
    "X-Figma-Token",
    "X-N8N-API-KEY",
    "Session-Token",
    "X-CSRF-Token",
    "Authentication",
    "X-Acme-Context",
    "Cookie2",
]
SECPHRASE = [
    "the token we deployed is %s as of today",
    "used %s yesterday, please revoke",
    "set FOO_TOKEN=%s and retry",
    "login with %s failed",
    "docker login -u ci -p %s registry.example",
    "--api-key %s",
    "mykey: %s",
    "passwd=%s;",
    "secret `%s` is in the log",
    '"credentials": "%s"',
    "Vault token: %s",
    "密钥：%s",
]
for k in {**CRED, **NOPREFIX}:
    G.GROUP[k] = "cred"
for k in [
    "oauth_code2",
    "session_cookie2",
    "pgp_block",
    "openssh_key",
    "kube_token",
    "url_userinfo2",
    "digest_auth",
    "webhook_discord",
    "presigned",
    "code_verifier",
]:
    G.GROUP[k] = "cred"
for k in PII:
    G.GROUP[k] = "pii"
for k in ["transcript", "rag_document", "tool_prompt", "embedding_input", "file_text"]:
    G.GROUP[k] = "prompt"

PROSE = [
    "The {w} ward asked whether {p} may be discharged before the {n} results are in.",
    "Bitte fassen Sie das Gespräch mit {p} über die Kündigung Nr. {n} zusammen.",
    "{p} wrote that the {w} contract {n} was signed under pressure and wants it voided.",
    "Traduis la lettre de {p}: le bail {n} de la rue {w} prend fin en mars.",
    "Extract every medication from the discharge summary of {p}, file {n}, {w} hospital.",
]


def prose(r):
    return r.choice(PROSE).format(p=PII["person"](r), n=pick(r, D[1:], 6), w=word(r, 3))


def cred(b, where, short=False, only=None, enc=None):
    names = only or (list(CRED) + (list(NOPREFIX) if short else []))
    kind = b.r.choice(names)
    pub, mk = {**CRED, **NOPREFIX}[kind]
    v = mk(b.r)
    return b.sec(v, kind, where, pub if v.startswith(pub) else "", enc=enc)


def pii(b, where, kind=None, enc=None):
    kind = kind or b.r.choice(list(PII))
    v = PII[kind](b.r)
    return b.sec(v, kind, where, PUBLIC.get(kind, "") if kind != "bucket_path" else v[:5], enc=enc)


def fields(b, where, n):
    o = {}
    for k in b.r.sample(list(PII), n):
        o[b.r.choice(FIELD[k])] = pii(b, where, k)
    return o


def say(b, where, kind=None):
    kind = kind or b.r.choice(list(PHRASE))
    return b.r.choice(PHRASE[kind]) % pii(b, where, kind)


def tell(b, where):
    s = b.r.choice(SECPHRASE)
    bare = s.startswith(("used", "login", "the token", "secret"))
    return s % cred(b, where, short=not bare)


def N(x, s):
    x["notes"] += "\n" + s


def E(x, s):
    x["error"] = (x["error"] + "\n" if x["error"] else "") + s


def c_header(b, x):
    r = b.r
    w = "request.headers"
    F = [
        lambda: x["rh"].append([G.hcase(r, r.choice(SECHEAD)), cred(b, w, True)]),
        lambda: x["rh"].append(
            [
                "Authorization",
                r.choice(["Token token=%s", "GenieKey %s", "SSWS %s", "Bearer %s", "token %s", "OAuth %s", "Splunk %s"])
                % cred(b, w, True),
            ]
        ),
        lambda: x["rh"].append(
            [
                "Authorization",
                'Digest username="%s", realm="api", nonce="%s", uri="/v1", response="%s"'
                % (pii(b, w, "person"), pick(r, HEX, 16), b.sec(pick(r, HEX, 32), "digest_auth", w)),
            ]
        ),
        lambda: x["rh"].append(
            [
                "Cookie",
                "consent=1; %s=%s"
                % (
                    r.choice(["PHPSESSID", "JSESSIONID", "auth_state", "_gh_sess", "laravel_session"]),
                    b.sec(mixed(r, AN, r.choice([26, 40])), "session_cookie2", w),
                ),
            ]
        ),
        lambda: x["sh"].append(
            [
                "Set-Cookie",
                "%s=%s; Path=/; Secure"
                % (
                    r.choice(["ASP.NET_SessionId", "rack.session", "ARRAffinity"]),
                    b.sec(mixed(r, AN, 32), "session_cookie2", "response.headers"),
                ),
            ]
        ),
        lambda: x["rh"].append(
            [r.choice(["X-Device-Id", "X-Employee", "X-Geo", "X-Contact", "X-Caller", "X-Custom-Meta"]), pii(b, w)]
        ),
        lambda: x["sh"].append(
            [r.choice(["X-Account-Holder", "X-Backend-Host", "X-Served-For"]), pii(b, "response.headers")]
        ),
        lambda: x["sh"].append(
            [
                "WWW-Authenticate",
                'Bearer realm="x", error="invalid_token", error_description="token %s revoked"'
                % cred(b, "response.headers"),
            ]
        ),
    ]
    for f in r.sample(F, r.randint(1, 3)):
        f()


def c_json(b, x):
    r = b.r
    w = "request.body"

    def setm(v):
        G.setmsg(x, lambda m: m + " " + v)

    F = [
        lambda: x["rb"].update({r.choice(SECFIELD): cred(b, w, True)}),
        lambda: x["rb"].update({"metadata": fields(b, w, r.randint(1, 3))}),
        lambda: x["rb"].update({r.choice(["customer", "patient", "profile", "end_user"]): fields(b, w, 2)}),
        lambda: x["sb"].update(
            {
                r.choice(["account", "billing", "holder", "contact", "subject"]): fields(
                    b, "response.body", r.randint(1, 3)
                )
            }
        ),
        lambda: x["sb"].update(fields(b, "response.body", 1)),
        lambda: x["sb"].update({"debug": {r.choice(SECFIELD): cred(b, "response.body", True)}}),
        lambda: setm(tell(b, "response.body")),
        lambda: setm(say(b, "response.body")),
        lambda: x["rb"].update({"input": b.sec(prose(r), "embedding_input", w)}),
        lambda: x["rb"].update(
            {
                "messages": [
                    {"role": "user", "content": "Return the word pong."},
                    {
                        "role": "tool",
                        "tool_call_id": "call_" + mixed(r, AN, 24),
                        "content": b.sec(prose(r), "rag_document", w),
                    },
                ]
            }
        ),
        lambda: x["rb"].update(
            {
                "messages": [
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {
                                "id": "call_1",
                                "type": "function",
                                "function": {
                                    "name": "search",
                                    "arguments": json.dumps(
                                        {"query": b.sec(prose(r), "tool_prompt", w)}, ensure_ascii=False
                                    ),
                                },
                            }
                        ],
                    }
                ]
            }
        ),
        lambda: x["rb"].update({"documents": [{"title": "x", "text": b.sec(prose(r), "rag_document", w)}]}),
        lambda: x["rb"].update({"prompt": b.sec(prose(r), "embedding_input", w)}),
        lambda: x["rb"].update(
            {"contents": [{"role": "user", "parts": [{"text": b.sec(prose(r), "embedding_input", w)}]}]}
        ),
        lambda: x["rb"].update({"system": b.sec(prose(r), "embedding_input", w)}),
    ]
    for f in r.sample(F, r.randint(1, 3)):
        f()


def c_sse(b, x):
    r = b.r
    x["rb"]["stream"] = True
    x["sh"][1][1] = "text/event-stream"
    w = "response.body.sse"
    k = r.random()
    if k < 0.4:
        kind = r.choice(list(CRED))
        pub, mk = CRED[kind]
        v = mk(r)
        x["sb"] = G.sse_events(
            b,
            G.split_text(b, r.choice(["pong. ", "pong, using "]), v, " ok", kind, pub if v.startswith(pub) else "", w),
        )
    elif k < 0.6:
        kind = r.choice(
            [
                "ssn",
                "cn_resident_id",
                "cpf",
                "mac",
                "vin",
                "imei",
                "cn_mobile",
                "private_host",
                "bucket_path",
                "btc_address",
            ]
        )
        v = PII[kind](r)
        x["sb"] = G.sse_events(b, G.split_text(b, "pong ", v, " pong", kind, "", w))
    elif k < 0.8:
        x["sb"] = G.sse_events(b, ["pong", ". " + say(b, w) + ". "])
    else:
        x["sb"] = G.sse_events(b, ["pong"], {"message": tell(b, w), "type": "auth_error", "code": "bad_key"})
        b.k("bad_key", "error_code", "response.body")
    if k < 0.8:
        b.k("pong", "pong", "response.body")


def c_url(b, x):
    r = b.r
    w = "request.url"
    q = lambda s: quote(s, safe="")

    def add(s):
        x["url"] += ("&" if "?" in x["url"] else "?") + s

    F = [
        lambda: add(
            "%s=%s"
            % (
                r.choice(
                    [
                        "apikey",
                        "appid",
                        "client_secret",
                        "subscription_key",
                        "hapikey",
                        "private_token",
                        "sessionToken",
                        "otp",
                    ]
                ),
                cred(b, w, True, enc=q),
            )
        ),
        lambda: add(
            "%s=%s"
            % (
                r.choice(["code", "state", "code_verifier", "id_token_hint"]),
                b.sec(mixed(r, B64U, 43), "oauth_code2", w),
            )
        ),
        lambda: (lambda kk: add("%s=%s" % (r.choice(FIELD[kk]), pii(b, w, kk, enc=q))))(r.choice(list(PII))),
        lambda: add("prompt=" + b.sec(prose(r), "embedding_input", w, enc=q)),
        lambda: N(
            x,
            "hook https://discord.com/api/webhooks/%s/%s"
            % (pick(r, D[1:], 18), b.sec(mixed(r, B64U, 68), "webhook_discord", "notes")),
        ),
        lambda: N(
            x,
            "fetch https://storage.googleapis.com/b/o?GoogleAccessId=probe&Expires=1790000000&Signature=%s"
            % b.sec(b64e(bytes(r.randrange(256) for _ in range(64))), "presigned", "notes", enc=q),
        ),
        lambda: E(x, "GET https://api.telegram.org/bot%s/getMe 401" % cred(b, "error", only=["telegram_bot"])),
        lambda: E(
            x,
            "amqps://%s:%s@mq.example:5671/vh refused"
            % (word(r, 2), b.sec(mixed(r, AN + "!", 18), "url_userinfo2", "error", enc=q)),
        ),
        lambda: N(
            x,
            "clone https://oauth2:%s@git.example/a.git"
            % cred(b, "notes", only=["gitlab_pat", "invented_prefix", "invented_plain"]),
        ),
        lambda: x["rh"].append(
            ["Referer", "https://app.example/reset?t=%s" % b.sec(mixed(r, AN, 32), "oauth_code2", "request.headers")]
        ),
    ]
    for f in r.sample(F, r.randint(1, 2)):
        f()


def c_text(b, x):
    r = b.r
    F = [
        lambda: N(x, tell(b, "notes")),
        lambda: N(x, say(b, "notes")),
        lambda: N(x, say(b, "notes") + " and " + say(b, "notes")),
        lambda: E(x, say(b, "error")),
        lambda: E(x, tell(b, "error")),
        lambda: N(x, "%s: %s" % (r.choice(SECFIELD), cred(b, "notes", True))),
        lambda: N(x, "PUT /v1 -H '%s: %s'" % (r.choice(SECHEAD[:9]), cred(b, "notes", True))),
        lambda: N(
            x,
            "[%s] level=warn %s=%s user_agent=curl"
            % (b.ts, r.choice(["token", "api_token", "secret", "auth"]), cred(b, "notes", True)),
        ),
        lambda: N(x, "Authenticator seed otpauth://totp/x?secret=%s&issuer=y" % cred(b, "notes", only=["totp_seed"])),
        lambda: N(x, "Customer: %s\nAgent: How may I help?\n" % b.sec(prose(r), "transcript", "notes")),
        lambda: N(
            x,
            "eyed log: kubectl token "
            + b.sec(G.jwt(r, {"iss": "kubernetes/serviceaccount", "sub": "system:" + word(r)}), "kube_token", "notes"),
        ),
    ]
    for f in r.sample(F, r.randint(1, 3)):
        f()


def c_html(b, x):
    r = b.r
    w = "response.body.html"
    e = html.escape
    x["sh"][1][1] = "text/html"
    kk = r.choice(list(PII))
    C = [
        lambda: (
            "<tr><th>%s</th><td>%s</td></tr>"
            % (r.choice(FIELD[kk]).replace("_", " ").capitalize(), pii(b, w, kk, enc=e))
        ),
        lambda: (
            '<input type="hidden" name="%s" value="%s">'
            % (
                r.choice(["authenticity_token", "__RequestVerificationToken", "_csrf", "SAMLResponse"]),
                cred(b, w, only=["invented_plain", "license_key", "datadog_key"]),
            )
        ),
        lambda: "<p>%s</p>" % e(say(b, w)).replace("&#x27;", "'"),
        lambda: '<meta name="csrf-token" content="%s">' % cred(b, w, only=["invented_plain", "invented_hex"]),
        lambda: (
            "<script>var cfg = {%s: '%s'};</script>"
            % (r.choice(["authToken", "sessionKey", "clientSecret"]), cred(b, w))
        ),
        lambda: "<li>served by %s</li>" % pii(b, w, "private_host"),
        lambda: "<code>%s</code>" % cred(b, w, enc=e),
        lambda: "<Config><Password>%s</Password></Config>" % cred(b, w, only=["short_password", "passphrase"], enc=e),
        lambda: '<a href="tel:%s">call</a>' % pii(b, w, r.choice(["cn_mobile", "us_mobile"])),
    ]
    x["sb"] = (
        "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1>\n%s\n</body></html>"
        % "\n".join(f() for f in r.sample(C, r.randint(1, 3)))
    )
    b.k("403 Forbidden", "error_message", "response.body")


def c_exc(b, x):
    r = b.r
    w = "error"
    F = [
        lambda: (
            "ValueError: bad credentials " + repr({"user": pii(b, w, "person"), r.choice(SECFIELD): cred(b, w, True)})
        ),
        lambda: (
            "PermissionError: [Errno 13] Permission denied: '%s'" % pii(b, w, r.choice(["var_home_path", "unc_path"]))
        ),
        lambda: (
            "Config(host='%s', password='%s', retries=3)"
            % (pii(b, w, "private_host"), cred(b, w, only=["short_password", "passphrase", "invented_plain"]))
        ),
        lambda: (
            "java.lang.IllegalStateException: token=%s rejected\n\tat io.acme.Client.call(Client.java:42)" % cred(b, w)
        ),
        lambda: "panic: %s" % say(b, w),
        lambda: (
            "sqlalchemy.exc.IntegrityError: duplicate key (%s)=(%s) already exists"
            % (lambda k: (r.choice(FIELD[k]), pii(b, w, k)))(
                r.choice(["ssn", "person", "cn_mobile", "passport", "customer_number"])
            )
        ),
        lambda: "INSERT INTO users (name, ssn) VALUES ('%s', '%s')" % (pii(b, w, "person"), pii(b, w, "ssn")),
        lambda: "ENOTFOUND getaddrinfo %s" % pii(b, w, "private_host"),
        lambda: (
            "Error: Request failed { config: { headers: { 'X-Api-Token': '%s' }, data: '{\"prompt\":\"%s\"}' } }"
            % (cred(b, w), b.sec(prose(r), "tool_prompt", w))
        ),
    ]
    x["error"] = (
        r.choice(["", 'Traceback (most recent call last):\n  File "/usr/lib/python3.12/x.py", line 3, in f\n'])
        + F[r.randrange(len(F))]()
    )


def c_nested(b, x):
    r = b.r
    w = "response.body.nested"
    o = {"error": {"message": "Upstream refused", "type": "upstream"}}
    b.k("Upstream refused", "error_message", "response.body")
    k = r.randrange(4)
    if k == 0:
        o["request"] = {"headers": {r.choice(SECHEAD): cred(b, w, True)}}
    elif k == 1:
        o["profile"] = fields(b, w, 2)
    elif k == 2:
        o["trace"] = say(b, w) + "; " + tell(b, w)
    else:
        o["body"] = {"contents": [{"parts": [{"text": b.sec(prose(r), "rag_document", w)}]}]}
    s = json.dumps(o, ensure_ascii=r.random() < 0.5)
    for _ in range(r.randint(0, 2)):
        s = json.dumps({"payload": s}, ensure_ascii=r.random() < 0.5)
    x["sb"] = {"error": {"message": "Provider returned error", "code": x["status"], "details": s}}
    b.k("Provider returned error", "error_message", "response.body")


def c_b64(b, x):
    r = b.r
    k = r.randrange(4)

    def whole(t):
        return b64e(t) if b.mode == "real" else G.PLACE

    if k == 0:
        v = CRED["gitlab_pat"][1](r)
        b.sec(v, "gitlab_pat", "notes", "glpat-")
        N(x, "auth: " + whole("_json_key:" + v))
    elif k == 1:
        p = prose(r)
        b.sec(p, "file_text", "request.body")
        x["rb"]["messages"] = [
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": whole(p), "format": "wav"}}]}
        ]
    elif k == 2:
        v = PII["person"](r) + " " + PII["ssn"](r)
        b.sec(v, "person", "response.body")
        x["sb"]["blob"] = whole(json.dumps({"who": v}))
    else:
        v = NOPREFIX["short_password"][1](r)
        b.sec(v, "short_password", "notes")
        N(x, '{"auths":{"registry.example":{"auth":"%s"}}}' % whole("deploy:" + v))
    if k == 2:
        x["sb"]["blob_sha256"] = h = hashlib.sha256(b.key.encode()).hexdigest()
        b.k(h, "sha256", "response.body")


def c_multi(b, x):
    r = b.r
    k = r.randrange(5)
    if k == 0:
        v = (
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n"
            + "\n".join(pick(r, B64, 64) for _ in range(6))
            + "\n="
            + pick(r, B64, 4)
            + "\n-----END PGP PRIVATE KEY BLOCK-----"
        )
        N(x, "found:\n" + b.sec(v, "pgp_block", "notes", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n"))
    elif k == 1:
        N(
            x,
            "[default]\naws_session_token = %s\nregion = eu-west-1\n[db]\nuser = probe\npassword = %s\n"
            % (
                b.sec(mixed(r, B64, 200), "invented_plain", "notes"),
                cred(b, "notes", only=["short_password", "passphrase"]),
            ),
        )
    elif k == 2:
        N(
            x,
            "customer:\n  name: %s\n  birth_date: %s\n  address:\n    street: %s\n  phone: '%s'\nretries: 3"
            % (
                pii(b, "notes", "person"),
                pii(b, "notes", "birth_date"),
                pii(b, "notes", "postal_address"),
                pii(b, "notes", "cn_mobile"),
            ),
        )
        b.k("retries: 3", "json_value", "notes")
    elif k == 3:
        N(
            x,
            "GET /x HTTP/1.1\nHost: api.example\nX-Service-Token: %s\nX-Device-Owner: %s\nAccept: */*\n"
            % (cred(b, "notes", True), pii(b, "notes", "person")),
        )
        b.k("Accept: */*", "json_value", "notes")
    else:
        kind = r.choice(["gitlab_pat", "vault", "pypi_token", "invented_prefix", "nvidia"])
        pub, mk = CRED[kind]
        v = mk(r)
        t = b.sec(v, kind, "notes", pub if v.startswith(pub) else "")
        N(x, "quoted:\n> token is\n> " + "\n> ".join(t[i : i + 30] for i in range(0, len(t), 30)) + "\n> bye")


_negative = G.negative


def negative(b, x, ctx):
    _negative(b, x, ctx)
    r = b.r

    def note(s, v, kind):
        x["notes"] += " " + s % v
        b.k(v, kind, "notes")

    P = [
        lambda: note("image digest sha256:%s.", hashlib.sha256(str(r.random()).encode()).hexdigest(), "sha256"),
        lambda: note("built from revision %s.", pick(r, HEX, 40), "git_sha"),
        lambda: note("correlation ID %s.", G.uuid_(r), "request_id"),
        lambda: note("completion %s stopped early.", "chatcmpl-" + mixed(r, AN, 29), "completion_id"),
        lambda: note(
            "see %s",
            "https://apidoc.example-gateway.dev/guide/errors/401-unauthorized?lang=en#invalid-token",
            "doc_url",
        ),
        lambda: note("served %s requests.", str(r.randrange(10**6, 10**12)), "long_number"),
        lambda: note("ran on Python %s.", "3.11.%d" % r.randint(1, 15), "version_string"),
        lambda: note(
            "%s",
            r.choice(
                [
                    "No user was affected.",
                    "The customer sees HTTP 429.",
                    "Please call support only after the third retry.",
                    "The address of the docs is public.",
                    "Name the model in the title.",
                ]
            ),
            "secret_word_prose",
        ),
        lambda: note(
            "compared to %s.",
            r.choice(
                [
                    "claude-sonnet-4-5-20250929",
                    "doubao-1-5-pro-32k-250115",
                    "black-forest-labs/flux-1.1-pro-ultra",
                    "text-embedding-3-large",
                    "gpt-5-mini-2025-08-07",
                    "qwen/qwen3-next-80b-a3b-instruct",
                ]
            ),
            "model_name",
        ),
        lambda: note("window %s to", "2026-08-26T05:22:04.499Z", "iso_time"),
        lambda: note(
            "error class %s.",
            r.choice(
                [
                    "UpstreamConnectionTimeoutError",
                    "org.apache.http.conn.ConnectTimeoutException",
                    "openai.InternalServerError",
                ]
            ),
            "exception",
        ),
        lambda: note("p95 %s", "1843.22ms", "latency"),
        lambda: note("retry with %s.", "exponential-backoff-and-full-jitter", "sk_dash_word"),
    ]
    for f in r.sample(P, r.randint(2, 5)):
        f()
    if isinstance(x["sb"], dict) and r.random() < 0.4:
        h = hashlib.md5(b.key.encode()).hexdigest()
        x["sb"]["cache"] = {"etag": h, "hit": True, "age_ms": 1733}
        b.k(h, "etag", "response.body")
        s = pick(r, HEX, 16)
        x["sb"]["span_id"] = s
        b.k(s, "trace_id", "response.body")


G.negative = negative
G.POS.update(zip(G.CONTEXTS, [c_header, c_json, c_sse, c_url, c_text, c_html, c_exc, c_nested, c_b64, c_multi]))

if __name__ == "__main__":
    G.main()
