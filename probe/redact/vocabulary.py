"""The words of names of fields, headers, parameters and labels, and of what they speak."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A name that begins with one of these speaks of a part of it.
ALWAYS: Final = {"ssn": "national_id", "passport": "national_id", "iban": "bank_account"}
SECRET: Final = _words(
    "accesskey accesstoken apikey appkey assertion auth authentication authkey authorization auths "
    "authtoken bearer connectionstring contrasena contraseña cookie cookies credential credentials csrf "
    "dsn hapikey hmac idtoken jsessionid jwt kennwort keytab mnemonic motdepasse nonce oauth otpauth "
    "pass passcode passphrase passwd password passwort pat pem phpsessid privatekey pw pwd pword "
    "refreshtoken samlrequest samlresponse sas secret secretkey secrets sess session sessionid sid sig "
    "signature token totp userpass verifier webhook xsrf "
    "パスワード 令牌 口令 密码 密钥 秘钥 비밀번호"
)
CODES: Final = _words("2fa cvc cvv mfa otp pin puk tan")
NOT_A_SECRET_KEY: Final = _words(
    "by cache composite dict duplicate each error foreign group hash i18n idempotency json lookup map "
    "message missing object partition primary routing sort the translation unique unknown which"
)
NO_KEYS: Final = _words("donkey hockey hotkey jockey monkey turkey whiskey")
KEY_SEEDS: Final = _words("authenticator mfa otp recovery totp wallet")
NUMBERED: Final = _words("code guid id identifier ids key no nr num number nummer ref uuid")
SUBJECTS: Final = _words(
    "taxpayer policyholder account acct advertising anonymous app application bank billing booking card cc "
    "child citizen claim "
    "client contact contract credit customer device directory distinct driver employee end enduser "
    "external fiscal guest health iban id identity installation insurance invoice kunden licence license "
    "loan machine mandate medical member merchant mobile mrn national ni order org organisation "
    "organization owner parent passport patient person personal phone plate policy profile project "
    "rechnungs registration reservation resource routing safety security social sort student subscriber "
    "subscription tax team tenant user usr vat vehicle vertrags visitor voter workspace"
)
NAME_OF: Final = _words(
    "account agent author billing business card cardholder client common company contact customer "
    "display employee family father first full given guest holder last legal login maiden member "
    "merchant middle mother nick org organisation organization owner parent patient person preferred "
    "profile project real recipient sam screen sender shipping spouse sur team tenant user workspace"
)
# Of these a `name` is a name of no person, also where it is written like one: "Moonshot AI".
THINGS: Final = _words(
    "cluster deployment engine event field function gateway header host model operation parameter plugin product "
    "provider region resource rule schema server service source tool type upstream vendor"
)
PROMPTS: Final = _words(
    "completion_prompt contents conversation document documents history input inputs instruction "
    "instructions messages passage passages prompt prompts query question system transcript utterance"
)
PROMPT_NAMES: Final = _words(
    "chat_history input_value last_message system_message system_prompt user_input user_message"
)
DIGESTS: Final = _words(
    "blob_sha256 build checksum commit crc32 digest etag fingerprint hash integrity md5 revision sha "
    "sha1 sha224 sha256 sha384 sha512 snapshot version"
)
IDS: Final = _words(
    "batch call case chat completion conversation correlation deployment event file generation job log "
    "message model operation ray request response run span thread ticket trace transaction"
)
SECRET_ENDINGS: Final = (
    *("apikey", "token", "secret", "password", "passwd", "sessionid"),
    *("passphrase", "accesskey", "privatekey", "secretkey", "authkey", "credential"),
    *("credentials", "securitytoken", "signature", "pwd"),
)
# Words about a value, which are none.
ORDINARY: Final = _words(
    "a active admin all allowed also always an and any are array assistant at auto available basic bearer "
    "blocked by bytes can cannot check configured could deactivated default deleted denied deprecated did "
    "digest disabled do does each empty enabled error every exceeded exists expired failed false for "
    "forbidden found free from given had has have hidden high in inactive incorrect insufficient integer "
    "invalid is it its key limited low malformed masked may member might mismatch missing must n/a na needed "
    "negotiate never nil no none not null number object of off ok okay on only optional or overdue pending "
    "please plus private pro provided public reached redacted rejected required restricted revoked rotated "
    "see self set should string suspended system tba team that the these this those to token true "
    "unauthorized unavailable undefined unknown unset unsupported use used user using was were will with "
    "without would wrong yes you your"
)
# What stands in names without a capital.
NAME_PARTS: Final = _words(
    "ab af al as bin da das de del den der di dos du e el gmbh i ibn inc kg la le llp ltd o.o oy plc s.a "
    "s.r.l sa ter van von y z zu"
)
WEAK: Final = {"key": "credential", "code": "code", "state": "code", "seed": "code"}
_KINDS: Final = {
    "email": "email mail emails mailbox 邮箱",
    "phone": (
        "phone mobile cell cellphone fax telephone tel msisdn whatsapp telefon handy 手机 电话 手机号 电话号码 手机号码"
    ),
    "person": (
        "kin viewer insured guardian username login user uid uname upn owner author assignee reporter "
        "requester requestor recipient "
        "sender approver employee patient customer cardholder holder contact member handle nickname "
        "surname firstname lastname fullname twitter instagram linkedin telegram skype beneficiary payee "
        "subscriber caller callee signatory principal enduser student "
        "spouse 姓名 用户 用户名 客户 联系人 患者"
    ),
    "account": (
        "tenant tid organization organisation org company employer merchant workspace project team "
        "account acct identifier oid sub appid firma 公司 client department"
    ),
    "address": ("address street city zip zipcode postcode postalcode plz town adresse strasse ort 地址 住址"),
    "birth_date": "dob birthday birthdate birth born birthplace geburtsdatum 出生日期 生日",
    "national_id": (
        "ssn sin nino nin nhs cpf cnpj nir dni nie nif pesel bsn aadhaar passport mrn curp rut sociale "
        "steuernummer steuerid svnr ahv hkid nric 身份证 身份证号 "
        "身份证号码 护照 护照号 idcard rrn license licence itin "
        "ein"
    ),
    "vehicle": "plate kennzeichen vin numberplate fahrgestellnummer 车牌 车牌号",
    "device": "imei imsi iccid mac hwaddr ether serialnumber udid idfa gaid meid",
    "ip": "ip addr ips remoteip clientip ipaddress ipv peer",
    "place": "lat latitude lon lng longitude location coordinates geo gps latlng",
    "bank_account": "iban bic swift bankaccount kontonummer 银行卡 银行卡号",
    "card": "card cardnumber pan ccnumber creditcard expiry",
    "wallet": "wallet",
    "customer_number": "invoice kundennummer rechnungsnummer vertragsnummer versichertennummer",
    "private_file": "filename attachment attachments cwd workdir homedir basename",
    "private_host": "hostname workstation computername nodename",
    "personal": (
        "medication allergies allergy bloodtype iq gender religion ethnicity nationality diagnosis salary age"
    ),
}
PERSONAL: Final = {word: kind for kind, words in _KINDS.items() for word in words.split()}
