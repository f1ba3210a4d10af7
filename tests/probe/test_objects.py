"""What a remote store needs is taken from its library's own variables, and no word of it comes back in an error."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from probe.objects import Objects, StoreError
from probe.settings.credentials import store_secrets
from tests.servers import free_port

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAFAKEFAKEFAKE0002",
    "AWS_SECRET_ACCESS_KEY": "fake/secret+key/0002",
    "AWS_REGION": "us-east-1",
    "AWS_TIMEOUT": "1s",
}


@pytest.mark.parametrize(
    ("environ", "known"),
    [
        ({}, ()),
        ({"AWS_REGION": "us-east-1", "PATH": "/usr/bin:/bin"}, ()),
        (KEYS, (KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])),
        ({"AWS_SECRET_ACCESS_KEY": " fake-secret-key\n", "AWS_TOKEN": "short"}, ("fake-secret-key",)),
        (
            {"AZURE_STORAGE_ACCOUNT_KEY": "ZmFrZS1rZXk=", "AZURE_CLIENT_SECRET": "fake~secret"},
            ("ZmFrZS1rZXk=", "fake~secret"),
        ),
        ({"AZURE_STORAGE_SAS_TOKEN": "?sv=2026-01-01&sp=rcwl&sig=fake%2Bsignature%3D"}, ("fake+signature=",)),
        ({"AZURE_STORAGE_SAS_KEY": "no signature at all"}, ()),
    ],
)
def test_keys_and_signatures_of_a_store_are_secrets(environ: Mapping[str, str], known: tuple[str, ...]) -> None:
    assert tuple(secret.get_secret_value() for secret in store_secrets(environ)) == known


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://user:fake-password@127.0.0.1:{port}", "AWS_ALLOW_HTTP": "true"}, "no connection"),
        ({"AWS_ENDPOINT_URL": "http://user:fake-password@127.0.0.1:{port}"}, "the request could not be sent"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_ROLE_ARN": "arn:fake", "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token"},
            "no credentials could be read",
        ),
    ],
)
async def test_an_error_of_a_remote_store_says_what_kind_it_was_and_nothing_else(
    more: Mapping[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (KEYS | dict(more)).items():
        if text:
            monkeypatch.setenv(name, text.format(port=free_port()))
    if not more.get("AWS_ACCESS_KEY_ID", "stated"):
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    objects = Objects.open("s3://bucket/prefix", Path("/"))
    assert objects.is_remote
    with pytest.raises(StoreError) as raised:
        await objects.create("a-1.zip", b"zip")
    assert str(raised.value) == f"write a-1.zip: {said}"
    assert "fake" not in repr(objects)
