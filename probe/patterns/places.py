"""Files, folders and machines that carry names of people and of what they work on."""

from typing import Final

from probe.patterns.row import Pattern

_DOCUMENTS: Final = (
    "xlsx?|pdf|docx?|csv|tsv|pptx?|odt|ods|rtf|eml|msg|pages|numbers|heic|jpe?g|png|tiff?|mp3|mp4|wav|m4a|mov"
    "|zip|rar|7z|gz|tgz|bak|sql|dump"
    "|sqlite|db|parquet|p12|pfx|pem|key|kdbx|keystore|jks|ovpn|ppk|pst|vcf|ics|dcm"
)

ROWS: Final = (
    Pattern(
        "private_path",
        r"(?:/home/|/Users/|/root/|/mnt/|/Volumes/|/var/home/|/export/home/|/media/|/nfs/|/srv/(?:home|users)/"
        r"|/data/(?:home|users)/|/afs/|~/"
        r"|/run/user/|[A-Za-z]:\\+(?:Users|Profiles|Documents and Settings|home)\\+|[A-Za-z]:/Users/"
        r"|file:///?)[^\s\"'<>:,;)|\x00]+",
        "home folders carry people's names",
        ("File /home/jane/app/main.py", "C:\\Users\\jane\\x.txt", "D:\\Profiles\\jane"),
        ("/homepage", "/usr/lib", "C:\\Windows"),
    ),
    Pattern(
        "private_path",
        r"(?:^|[\s\"'(=\[>:,])(\\\\[A-Za-z0-9._-]+\\[^\s\"'<>|\x00]+)",
        "Windows: a share on a server",
        ("opened \\\\files01\\hr\\jane\\x.docx",),
        ("\\\\n", "a\\\\b"),
    ),
    Pattern(
        "private_path",
        r"\b(?:s3a?|gs|wasbs?|abfss?|r2|hdfs|smb|nfs|sftp|ftp|dbfs)://([^\s\"'<>,;)\x00]+)",
        "objects in stores are named after people and what they work on",
        ("upload to s3://acme-exports/jane/intake.parquet failed",),
        ("https://docs.test/s3", "s3 bucket"),
    ),
    Pattern(
        "private_path",
        r"(?:^|[\s\"'(=])([A-Za-z]:\\+[^\s\"'<>:,;)|\x00]{4,})",
        "Windows: a file on somebody's drive, other than what every machine has",
        ("wrote C:\\ProgramData\\acme\\jane.log",),
        ("C:\\Windows\\System32\\x.dll", "C:\\Program Files\\x"),
        holds=lambda text: (
            text[2:].lstrip("\\").lower().split("\\")[0]
            not in ("windows", "program", "program files", "python312", "python311")
        ),
    ),
    Pattern(
        "private_path",
        r"(?i)\b(?:[a-z0-9-]+\.)?(?:sharepoint\.com|onedrive\.live\.com|1drv\.ms|dropbox\.com|box\.com"
        r"|docs\.google\.com|drive\.google\.com|notion\.so"
        r"|s3[a-z0-9.-]*\.amazonaws\.com|storage\.googleapis\.com|blob\.core\.windows\.net"
        r"|[a-z0-9.-]*myqcloud\.com|oss-[a-z0-9-]+\.aliyuncs\.com"
        r"|r2\.cloudflarestorage\.com|linkedin\.com/in|instagram\.com|facebook\.com|t\.me)/([^\s?#\"'<>\x00]{3,})",
        "shared drives, stores of objects and pages of people: the path names them",
        ("https://acme.sharepoint.com/personal/jane_doe/x", "linkedin.com/in/jane-doe-1"),
        ("https://platform.openai.com/docs/x", "dropbox.com"),
    ),
    Pattern(
        "private_path",
        r"\bgit@[A-Za-z0-9.-]+:([^\s\"'<>\x00]+)|\barn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:([0-9]{12}:[^\s\"'<>,;)\x00]+)",
        "git over SSH; AWS resource names",
        ("git@github.com:acme/x.git", "arn:aws:iam::123456789012:user/jane"),
        ("git@", "arn:aws:s3:::public"),
    ),
    Pattern(
        "private_file",
        r"(?:^|[\s\"'(=/\\:,>])([\pL\pN][\pL\pN_.()+-]*\.(?:" + _DOCUMENTS + r"))(?:$|[^\pL\pN_-])",
        "documents are named after people and what they work on",
        ("attached layoff-plan_v3.xlsx today", "filename=Q3.pdf"),
        ("docs/errors.html", "main.py", "report.json", ".zip"),
    ),
    Pattern(
        "private_host",
        r"\b(?:[A-Za-z0-9_-]+\.)+(?:internal|local|localdomain|corp|lan|intra|intranet|home|private|ad|priv)\b",
        "RFC 6762, RFC 8375 and ICANN on private use: names that only one network knows",
        ("lookup db7.corp.acme.local: no such host", "ip-10-0-3-4.ec2.internal"),
        ("api.example.com", "localhost"),
    ),
)
