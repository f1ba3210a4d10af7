"""LiteLLM's proxy, as people deploy it: mock models for its own error paths, and a custom auth that knows one key."""

import json
import secrets
from pathlib import Path

from tests.servers import CACHE, Process, free_port

KEY = "sk-fake-litellm-good"
_MASTER_KEY = f"sk-{secrets.token_hex(32)}"  # it refuses to start without one; no request ever carries it

_AUTH = f"""
from litellm.proxy._types import ProxyException, UserAPIKeyAuth


async def user_api_key_auth(request, api_key):
    if api_key == {KEY!r}:
        return UserAPIKeyAuth(api_key=api_key)
    raise ProxyException(
        message="Authentication Error, Invalid proxy server token passed", type="auth_error", param="key", code=401
    )
"""

_MODELS: dict[str, dict[str, object]] = {
    "pong": {"mock_response": "pong"},
    "limited": {"mock_response": "litellm.RateLimitError"},
    "broken": {"mock_response": "litellm.InternalServerError"},
    "slow": {"mock_response": "pong", "mock_delay": 4},
    "timing-out": {"mock_timeout": True, "timeout": 0.3},
}


def start(folder: Path) -> tuple[Process, str]:
    """The running proxy and its base URL."""
    port = free_port()
    model_list = [
        {"model_name": name, "litellm_params": {"model": "openai/gpt-4o-mini", "api_key": "sk-fake", **mock}}
        for name, mock in _MODELS.items()
    ]
    config = {
        "model_list": model_list,
        "general_settings": {"custom_auth": "custom_auth.user_api_key_auth", "master_key": _MASTER_KEY},
        "litellm_settings": {"num_retries": 0, "telemetry": False},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / "custom_auth.py").write_text(_AUTH)
    process = Process.start(
        "litellm",
        folder,
        [
            *(CACHE / "litellm/bin/litellm", "--config", folder / "config.yaml"),
            *("--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"),
        ],
        {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"},
    )
    process.wait_until_answering(f"http://127.0.0.1:{port}/health/liveliness", 90)
    return process, f"http://127.0.0.1:{port}/v1"
