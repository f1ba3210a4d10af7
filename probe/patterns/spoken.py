"""Personal data and prompts by the words around them."""

from typing import Final

from probe.patterns import checks
from probe.patterns.row import Pattern

# A full stop ends a name and a sentence, but for an initial or a title: what comes after it is the server's own word.
_NAME: Final = r"(?:(?:\p{Lu}|St|Dr|Prof)\.|\p{Lu}[\pL'’-]+(?:\.[\pL'’-]+)*)"
_NUMBER_SIGN: Final = r"(?:[ _-]?(?:no|nr|num|number|nummer|id|code)\b\.?)?\s*[:#]?\s*"

ROWS: Final = (
    Pattern(
        "account_id",
        r"(?i:\b(?:tenant|customer|account|user|member|organi[sz]ation|org|project|workspace|subscription"
        r"|patient|employee|directory|client"
        r"|subscriber|device|app|application)s?(?:[ _-]?(?:id|uuid"
        r"|guid))?[\"'=:/ (#]{1,4})([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-f]{24,40}\b)",
        "RFC 9562: a UUID is a request's or a tenant's; the word before tells",
        ("tenant 8d0f4a5e-1b2c-4d3e-8f90-0123456789ab",),
        ("request 8d0f4a5e-1b2c-4d3e-8f90-0123456789ab",),
    ),
    Pattern(
        "vehicle",
        r"(?i:\b(?:licen[cs]e plate|number plate|plate|kennzeichen|immatriculation|matrícula"
        r"|registration)(?:\s*(?:no\.?|number|nr\.?))?\s*[:#]?\s*)([A-Z0-9ÄÖÜ]{1,4}(?:[ -][A-Z0-9]{1,4}){1,3})",
        "the word before it names it",
        ("Kennzeichen B-XY 1234", "licence plate AB12 CDE"),
        ("license plate missing", "plate tectonics"),
        holds=checks.numbered,
    ),
    Pattern(
        "address",
        r"(?i:\b(?:(?:lives|living|resides|resident|located) at|ship(?:ped|ping)? to|deliver(?:ed|y)? to"
        r"|bill(?:ed|ing)? to|home address:?|wohnhaft in)\s+)([^\n;\"<>\x00]{6,90})",
        "the words before it name it",
        ("lives at 12 Elm Street, Springfield 12345",),
        ("ship to docs",),
        holds=checks.numbered,
    ),
    Pattern(
        "birth_date",
        r"(?i:\b(?:born|birth(?:day|date)?|dob|geboren|né|née|nacid[oa]|出生)(?: date| on| am| le| el"
        r"| in)*\s*[:=]?\s*)([0-9]{1,4}[-./ ][0-9A-Za-z]{1,9}[-./ ][0-9]{1,4}|[0-9]{4})",
        "the word before it names it",
        ("born 1980-01-02", "DOB: 02.01.1980"),
        ("born to fail", "first observed 2026-06-14"),
    ),
    Pattern(
        "national_id",
        r"(?i:(?:护照|身份证|\bpassport|\b(?:reisepass|passeport|pasaporte|ssn|social security|national id|id card"
        r"|identity card|driver'?s? licen[cs]e|tax id|steuer-?(?:id|nummer)|nhs|cpf|dni|nir|pesel|bsn|aadhaar"
        r"|sin|tfn|curp|rut|cnpj|ahv|personalausweis"
        r"|resident id|vat|ust-?id|medical record|mrn))"
        + _NUMBER_SIGN
        + r"(?:is )?)([A-Z0-9][A-Z0-9 ./-]{4,20}[A-Z0-9])\b",
        "the word before it names it",
        ("passport no. C01X00T47", "passport X12345678"),
        ("passport expired", "passport.js"),
        holds=checks.numbered,
    ),
    Pattern(
        "customer_number",
        r"(?i:\b(?:customer|client|invoice|order|contract|policy|member|account|kunden|rechnungs?|vertrags?"
        r"|patient|claim|booking|iban|facture"
        r"|routing|serial|employee|staff|student|reservation|subscriber|bic|swift|bank|loan|sort code)"
        + _NUMBER_SIGN
        + r"(?:is )?)([A-Z]{0,4}-?[0-9][A-Z0-9/-]{4,}|[A-Z]{1,4}-[A-Z0-9-]{5,}|[A-Z0-9]{8,12})\b",
        "the word before it names it",
        ("customer no. KD-12345678", "invoice INV-2026-123456", "Kundennummer: 12345678"),
        ("account suspended", "order of 3", "client 1.2"),
        holds=lambda text: sum(sign.isdigit() for sign in text) >= 4,
    ),
    Pattern(
        "customer_number",
        r"(?i:\b[a-z]{3,20} (?:number|nummer|nr\.|no\.)\s*[:#]?\s*)([A-Z0-9][A-Z0-9/.-]*[0-9][A-Z0-9/.-]{4,})\b",
        "a number of something: somebody's until known otherwise",
        ("locker number 48392-11", "Mandat Nr. 8839201"),
        ("line number 12", "port number 8080", "version no. 2.10"),
        holds=lambda text: sum(sign.isdigit() for sign in text) >= 5,
    ),
    Pattern(
        "address",
        r"(?:地址|住址|住所|주소)(?:は|为|是|[:：\s])*([^\n,，;；\"<>\x00]{5,60})",
        "the word before it names it",
        ("地址：北京市朝阳区建国路88号",),
        ("地址", "基础地址 x"),
    ),
    Pattern(
        "person",
        r"(?i:\bnames?\b(?: is|'s| was|:)? )(" + _NAME + r"(?: " + _NAME + r"){1,3})",
        "the word before it",
        ("her name is Jane Doe",),
        ("name is missing", "the name Jane"),
        holds=checks.name,
    ),
    Pattern(
        "prompt",
        r"(?is)<(?:prompt|user_input|user_message|instruction)>(.*?)(?:</(?:prompt|user)|$)"
        r"|\[INST\](.*?)(?:\[/INST\]|$)|<\|im_start\|>(?:user|system)\s(.*?)(?:<\|im_end\|>|$)"
        r"|<\|start_header_id\|>(?:user|system)<\|end_header_id\|>(.*?)(?:<\|eot_id\|>|$)",
        "chat templates of ChatML, Llama and Mistral",
        ("[INST] my case [/INST]", "<|im_start|>user\nmy case<|im_end|>"),
        ("[INST", "prompt>"),
    ),
    Pattern(
        "person",
        r"\b(?:(?i:[a-z]+ed|written|sent) by"
        r"|(?i:assigned to|on behalf of|spoke (?:to|with)|met with|contact(?:ed)?|caller|patient|patientin"
        r"|kundin|kunde|mitarbeiter(?:in)?|customer|user"
        r"|member|agent|manager|nurse|doctor|driver|tenant|employee|client|colleague|witness|attn\.?|cc|regards,"
        r"|sincerely,|thanks,|von|für))"
        r":?\s+(" + _NAME + r"(?: (?:van|von|de|der|da|del|la))*(?: " + _NAME + r"){1,3}|\p{Han}{2,4})",
        "words that come before a person's name",
        ("reported by Jane Doe", "assigned to: Jane van Dyke", "contact J. R. Doe", "contact Jane St. Clair"),
        ("reported by upstream", "customer sees", "patient zero", "customer The"),
        holds=checks.name,
    ),
    Pattern(
        "person",
        r"\b(?:(?i:dear|hi|hello|hallo|bonjour|hola|liebe[r]?|sehr geehrte[r]?)|Herr|Frau|Mr|Mrs|Ms|Dr|Prof"
        r"|Monsieur|Madame|Señora?)\.? (" + _NAME + r"(?: " + _NAME + r"){0,3})",
        "how people are addressed",
        ("Dear Jane Doe,", "Dr. Okonkwo"),
        ("dear support", "dr reads", "Hi All", "1843.22ms No user"),
        holds=checks.name,
    ),
    Pattern(
        "transcript",
        r"(?m)^(?:Customer|Human|Patient|Caller|Client|Agent|Assistant|User|Kunde"
        r"|Bot):[ \t]+(\p{Lu}[^\n\x00]*(?: [^ \n\x00]+){4,})$",
        "how a talk is written down",
        ("Customer: The parcel never came to us",),
        ("User: not found", "Agent: curl"),
    ),
    Pattern(
        "prompt",
        r"(?is)-{2,} ?(?:begin )?(?:user |system )?(?:prompt|messages?|transcript|conversation"
        r"|input) ?-{2,}\r?\n(.*?)(?:\r?\n-{2,} ?end|$)",
        "how dumps mark a prompt",
        ("--- prompt ---\nmy case\n--- end prompt ---",),
        ("-- prompt", "--- status ---"),
    ),
)
