"""Credentials by the form that their provider gave them."""

from typing import Final

from probe.patterns.looks import numbered, secretive
from probe.patterns.row import Pattern

_GITLEAKS: Final = "gitleaks, config/gitleaks.toml"
_A20: Final = "Ab1Cd2Ef3Gh4Ij5Kl6Mn"
_H32: Final = "0f1e2d3c4b5a69780f1e2d3c4b5a6978"

ROWS: Final = (
    Pattern(
        "private_key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^-]"
        r"|-[^-])*(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)",
        "RFC 7468; RFC 4880, 6.2",
        (
            "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY",
        ),
        ("-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----"),
    ),
    Pattern(
        "jwt",
        r"eyJ[A-Za-z0-9_=-]{8,}\.[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*)*",
        "RFC 7519: base64url of a JSON object, twice; RFC 7516 has five parts",
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",),
        ("eyJ is how it begins",),
    ),
    Pattern(
        "anthropic_key",
        r"\bsk-ant-[A-Za-z0-9_-]{16,}",
        _GITLEAKS,
        ("sk-ant-api03-AAAABBBBCCCCDDDD",),
        ("sk-ant-...", "task-ant-hill"),
    ),
    Pattern(
        "openrouter_key",
        r"\bsk-or-[A-Za-z0-9_-]{16,}",
        "OpenRouter, authentication",
        (f"sk-or-v1-{_H32}",),
        ("sk-or-v1-***",),
    ),
    Pattern(
        "openai_key",
        r"\bsk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{16,}|\bsk-[A-Za-z0-9]{10,}T3BlbkFJ[A-Za-z0-9]{10,}"
        r"|\bsess-[A-Za-z0-9]{20,}",
        _GITLEAKS,
        ("sk-proj-abcdefghijklmnop1234", "key=sk-admin-AAAABBBBCCCCDDDD", f"sess-{_A20}"),
        ("sk-proj-************9zQn", "risk-proj-plan"),
    ),
    Pattern(
        "api_key",
        r"\b((?:sk|pk|rk|ak)[-_][A-Za-z0-9_-]*(?:[0-9][A-Za-z_-]*){2}[A-Za-z0-9_-]*)",
        "the form that OpenAI began and gateways and vendors follow: sk- and chance",
        (f"sk-{_A20}", "sk_live_abcdefgh12ijklmnop", f"pk-lf-{_A20}"),
        ("sk-...GQFA", "sk-fading-circle", "risk-management-of-everything", "sk-v2"),
        holds=lambda text: len(text) >= 19,
    ),
    Pattern(
        "llm_key",
        r"\b(?:(?:gsk|xai|pplx|fw|r8|nvapi|csk|pcsk|tgp_v1|hf|api_org|lsv2_(?:pt|sk)|jina|tvly|voyage|pa|fc|exa"
        r"|e2b|dg|fal)[-_]"
        r"[A-Za-z0-9_-]{16,})",
        "key pages of Groq, xAI, Perplexity, Fireworks, Replicate, NVIDIA, Cerebras, Pinecone, Together, Hugging"
        " Face, LangSmith",
        (f"gsk_{_A20}", f"hf_{_A20}", f"nvapi-{_A20}", f"xai-{_A20}"),
        ("hf_hub", "pa-rt", "fc-cache"),
        holds=lambda text: "-" not in text[6:] or any(sign.isdigit() for sign in text[6:]),
    ),
    Pattern("google_key", r"\bAIza[A-Za-z0-9_-]{30,}", _GITLEAKS, ("AIza" + "A" * 35,), ("AIza",)),
    Pattern(
        "google_token",
        r"\b(?:ya29\.[A-Za-z0-9_.-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}|1//0[A-Za-z0-9_-]{30,})",
        "Google OAuth 2.0",
        (f"ya29.a0{_A20}", f"GOCSPX-{_A20}"),
        ("ya29.", "GOCSPX"),
    ),
    Pattern(
        "github_token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
        _GITLEAKS,
        ("token ghp_abcdefghijklmnopqrstuv", f"github_pat_{_A20}"),
        ("github_path", "ghp_"),
    ),
    Pattern(
        "gitlab_token",
        r"\bgl(?:pat|dt|ptt|rt|oas|cbt|ft|imt|agent|soat|ffct|sbt)-[A-Za-z0-9_.-]{16,}",
        _GITLEAKS,
        (f"glpat-{_A20}",),
        ("glpat-", "gloat-over"),
    ),
    Pattern(
        "slack_token",
        r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}",
        _GITLEAKS,
        ("xoxb-1234567890-abc",),
        ("xoxb-",),
    ),
    Pattern(
        "aws_key_id",
        r"(?:^|[^A-Z0-9])((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA)[A-Z0-9]{16})",
        _GITLEAKS,
        ("AKIAABCDEFGHIJKLMNOP",),
        ("AKIA", "ASIAPACIFIC"),
    ),
    Pattern(
        "cloud_key",
        r"\b(?:LTAI[A-Za-z0-9]{16,}|AKID[A-Za-z0-9]{28,}|do[opr]_v1_[a-f0-9]{40,}|dapi[a-f0-9]{32}"
        r"|hvs\.[A-Za-z0-9_-]{20,}"
        r"|hv[br]\.[A-Za-z0-9_-]{20,}|dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9._-]{30,}"
        r"|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}"
        r"|[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}|ops_eyJ[A-Za-z0-9+/]{30,}={0,3}|HRKU-[A-Za-z0-9_-]{20,}"
        r"|pul-[a-f0-9]{40}|rnd_[A-Za-z0-9]{20,}|fo1_[A-Za-z0-9_-]{30,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,})",
        _GITLEAKS,
        (f"LTAI5t{_A20}", f"dapi{_H32}", f"hvs.{_A20}{_A20}", f"dckr_pat_{_A20}"),
        ("dapi", "hvs.json", "dp.pt.x"),
    ),
    Pattern(
        "vendor_token",
        r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
        r"|S[KG][a-f0-9]{32}|AC[a-f0-9]{32}"
        r"|[0-9]{8,10}:A[A-Za-z0-9_-]{33,36}|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"
        r"|key-[a-f0-9]{32}"
        r"|sq0[a-z]{3}-[A-Za-z0-9_-]{20,}|EAAA[A-Za-z0-9_-]{40,}|EAAC[A-Za-z0-9]{40,}|shp(?:at|ca|pa"
        r"|ss)_[a-fA-F0-9]{30,}"
        r"|lin_(?:api|oauth)_[A-Za-z0-9]{30,}|ntn_[A-Za-z0-9]{30,}|secret_[A-Za-z0-9]{40,}|PMAK-[a-f0-9-]{40,}"
        r"|fig[dorh]*_[A-Za-z0-9_-]{30,}|sntry[su]_[A-Za-z0-9+/=_-]{40,}|NR(?:AK|JS|II|AA)-[A-Za-z0-9]{20,}"
        r"|glsa_[A-Za-z0-9_]{30,}|glc_[A-Za-z0-9+/=]{30,}|pat[A-Za-z0-9]{14}\.[a-f0-9]{40,}|ATATT3[A-Za-z0-9_=-]{40,}"
        r"|[sp]k\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|whsec_[A-Za-z0-9+/=]{20,}|phc_[A-Za-z0-9]{30,}"
        r"|rdme_[a-z0-9]{40,}"
        r"|AKCp[A-Za-z0-9]{60,}|xkeysib-[a-f0-9-]{40,}|dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}|oy2[a-z0-9]{43}"
        r"|rubygems_[a-f0-9]{40,})",
        _GITLEAKS,
        ("npm_" + _A20 * 2, f"SG.{_A20}.{_A20}", f"key-{_H32}", f"shpat_{_H32}", "NRAK-ABCDEFGHIJKLMNOPQRSTU12345A"),
        ("npm_config_registry", "SG.Paris", "key-value", "figure_one"),
    ),
    Pattern(
        "age_key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}", _GITLEAKS, ("AGE-SECRET-KEY-1" + "Q" * 58,), ("AGE-SECRET-KEY-",)
    ),
    Pattern(
        "license_key",
        r"\b(?:[A-Z0-9]{4,8}-){3,}[A-Z0-9]{4,8}\b",
        "groups of capitals and digits, as software licences are written",
        ("AB1CD-2EF3G-H4IJ5-K6LM7",),
        ("2026-06-14-12-00", "CASE-0012-34"),
        holds=lambda text: sum(sign.isdigit() for sign in text) >= 3 and sum(sign.isalpha() for sign in text) >= 3,
    ),
    Pattern(
        "credential",
        r"(?i:\b(?:bearer|basic|negotiate|token|apikey|oauth|geniekey|ssws"
        r"|splunk)\s+(?:token=)?\"?)([A-Za-z0-9+/._~=!$%&*|:-]{16,})",
        "RFC 7235, RFC 6750, and schemes of vendors",
        ("Bearer abcdefghijkl1234", "Authorization: Basic dXNlcjpwYXNzd29yZA=="),
        ("Bearer token", "basic support", "token authentication_failed_here"),
        holds=lambda text: any(sign.isdigit() for sign in text) or text.endswith("=") or text[1:].lower() != text[1:],
    ),
    Pattern(
        "credential",
        r"(?i:\b(?:bearer|basic|negotiate)\s+)([A-Za-z0-9+/._~=-]{6,})",
        "RFC 7235, RFC 6750, and short ones",
        ("Bearer abc.def.ghi-123",),
        ("Bearer token", "basic support"),
        holds=lambda text: numbered(text) or text.endswith("="),
    ),
    Pattern(
        "credential",
        r"(?i:\b(?:otp|pin|cvv2?|cvc2?|tan|puk|(?:verification|security|access|confirmation|backup|recovery"
        r"|login|one-time|2fa|mfa|sms) (?:code|pin|password))\b"
        r"(?: code)?(?: is| was|:|=)? ?)([0-9][0-9 -]{2,8}[0-9]|[0-9]{3,8})\b",
        "the words before it name a code that opens something",
        ("otp code is 483920", "verification code 839201", "cvv 123"),
        ("status code 503", "error code: 1020", "pin the version 2.10.1"),
    ),
    Pattern(
        "credential",
        r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n\x00]* -p([^\s\x00]{4,})",
        "the client's manual: the password follows -p without a space",
        ("mysql -uroot -phunter2x db",),
        ("mysql -p db",),
    ),
    Pattern(
        "userinfo",
        r"[a-zA-Z][a-zA-Z0-9+.-]*://([^/\s@\"'<>:]*:[^/\s\"'<>]+)@|[a-zA-Z][a-zA-Z0-9+.-]*://([^/\s@\"'<>:?#]+)@",
        "RFC 3986, 3.2.1",
        ("http://user:secret@proxy.test:3128", "https://token123@git.test"),
        ("http://host:8080/path", "mailto:a@b.test"),
    ),
    Pattern(
        "webhook",
        r"(?i)(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
        r"|webhook\.office\.com(?:/webhookb2)?"
        r"|hooks\.zapier\.com/hooks/catch|hook\.[a-z0-9.]*make\.com|open\.feishu\.cn/open-apis/bot/v2/hook"
        r"|api\.telegram\.org)/"
        r"([A-Za-z0-9_/@:.-]{16,})",
        "incoming webhooks are credentials: Slack, Discord, Teams, Zapier, Make, Feishu; Telegram has the token"
        " in the path",
        ("https://hooks.slack.com/services/T00000000/B00000000/abcdefghijkl",),
        ("hooks.slack.com/help",),
    ),
    Pattern(
        "credential",
        r"(?i:(?:\b|_)(?:key|token|cookie|secret|password|passphrase|passcode|credentials?|pwd?|kennwort|passwort)s?\b"
        r"(?: (?:we|they|i|you|he|she) [a-z]+)?(?: in use)?(?: (?:is|was|are|were|ist"
        r"|lautet))?[\s>=:：为是]*[\s>=:：为是\"'`(\[][\"'`(\[]?)"
        r"([A-Za-z0-9!#$%*+./:=@^_~-]{8,})",
        "the word before it names it as a credential",
        ("the key is hunter2hunter2", "token we deployed is Ab1-Cd2-Ef3", "API key Ab1Cd2Ef3G"),
        ("token authentication", "password is wrong", "key gpt-4o-mini", "token 128000.0", "keys#rotate-your-token-74"),
        holds=secretive,
    ),
    Pattern(
        "credential",
        r"(?:^|[\s'\"])(?:-p|-u|--?[a-z-]*(?:key|token|secret|password|passwd|pass|auth"
        r"|user)[a-z-]*)[ =]\"?'?([^\s\"'<>|;]{6,})",
        "options of curl, docker, mysql and most programs",
        ("docker login -u ci -p hunter2x", "--api-key abcdef", "curl -u ci:hunter2"),
        ("-p 8080", "--api-key $KEY"),
        holds=lambda text: not text.isdigit() and text[0] not in "$-{[*\x00" and (numbered(text) or len(text) < 40),
    ),
)
