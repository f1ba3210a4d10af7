"""An export or a post in which a secret can be read is refused: which file, line and kind, what to do, never what."""

import pytest
from pydantic import SecretStr

from exporter.cli_export import REMEDY as EXPORT
from exporter.cli_post import REMEDY as POST
from exporter.cli_store import refuse_secrets
from probe.settings import ConfigError

KEY = "sk-proj-Zk7Qw2Lp9Rt4Xv8Nm3Bs"


@pytest.mark.parametrize("remedy", [EXPORT, POST])
@pytest.mark.parametrize(
    ("secrets", "kind"), [((), "provider key"), ((SecretStr(KEY),), "a configured secret")], ids=["looks", "configured"]
)
def test_what_is_refused_is_named_by_place_with_what_to_do(remedy: str, secrets, kind: str) -> None:
    files = {"summary.md": b"# fine\n", "addenda/p-1.001.json": f'{{\n"text": "see {KEY}"\n}}'.encode()}
    with pytest.raises(ConfigError) as refused:
        refuse_secrets("p-1-support.zip", files, secrets, remedy)
    told = str(refused.value)
    assert f"addenda/p-1.001.json, line 2, read as plain text: {kind}" in told
    assert remedy in told
    assert not any(KEY[at : at + 6] in told for at in range(len(KEY) - 5))
    refuse_secrets("p-1-support.zip", {"summary.md": b"# fine\n"}, secrets, remedy)
