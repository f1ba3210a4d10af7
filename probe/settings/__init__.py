"""The configuration: the only reader of the environment and of files, once, at the door.

`load` returns a `Loaded` that holds, or raises `ConfigError` (`ConfigErrors`, where there are several) with one clear
line for each setting. A message never repeats a value that could be a secret.
"""

from probe.settings.contracts import Contracts, shipped
from probe.settings.credentials import Credential
from probe.settings.errors import ConfigError, ConfigErrors
from probe.settings.kinds import is_loopback, split_listen
from probe.settings.load import Loaded, effective, load
from probe.settings.model import Settings
from probe.settings.show import schema

__all__ = [
    "ConfigError",
    "ConfigErrors",
    "Contracts",
    "Credential",
    "Loaded",
    "Settings",
    "effective",
    "is_loopback",
    "load",
    "schema",
    "shipped",
    "split_listen",
]
