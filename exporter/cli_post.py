"""`freezeframe packets post`: the incident note of a packet, and the index of all notes, in the folder of posts."""

import os
from pathlib import Path

from exporter import posts
from exporter.cli_run import CONFIG
from exporter.cli_store import AsJson, ConfigFile, kept, refuse_secrets
from exporter.terminal import say, show_json, warn_of
from probe import cautions, durable, settings
from probe.records import Json
from probe.render.post import Links
from probe.render.post import post as written
from probe.render.post_index import index, listed
from probe.settings import ConfigError, Loaded
from probe.vault import Vault

KEY = "escalation.posts"
REMEDY = "Take it out of that line where it was written: below the marker line, in a note, or in the configuration"
_FOR_ALL = 0o666  # a post is for all whom umask allows


def post(packet_id: str, config: ConfigFile = CONFIG, json: AsJson = False) -> None:
    """Write the incident note of a packet into escalation.posts, and the index of all notes there.

    A rerun refreshes both; what you write below the marker line stays.
    """
    loaded = settings.load(config, os.environ)
    folder = _folder(loaded)
    vault = Vault.open(loaded.settings.store, loaded.base)
    document = kept(vault, packet_id).now
    note, page = folder / f"{packet_id}{posts.SUFFIX}", folder / posts.INDEX
    try:
        with posts.opened(folder):
            text = written(document, _links(document, loaded, vault, folder))
            others = posts.all_listed(folder, but=note.name)
            files = {
                note.name: posts.with_kept(note, text),
                page.name: posts.with_kept(page, index((*others, listed(note.name, text)))),
            }
            refuse_secrets(KEY, files, loaded.secrets(), REMEDY)
            durable.write(note, files[note.name], _FOR_ALL)
            durable.write(page, files[page.name], _FOR_ALL)
    except OSError as error:
        raise ConfigError(KEY, "a folder that can be written to", error.strerror or "an error") from None
    warnings = cautions.of_document(document, loaded.secrets())
    if json:
        show_json({"post": str(note), "index": str(page), "warnings": cautions.as_json(warnings)})
    else:
        warn_of(warnings)
        say(f"{note}\n{page}")


def _folder(loaded: Loaded) -> Path:
    stated = loaded.settings.escalation.posts
    if stated is None:
        raise ConfigError(KEY, "the folder of your incident notes", "nothing")
    if "://" in stated:
        raise ConfigError(KEY, "a folder (its path, relative to the configuration)", "a URL")
    return loaded.path(stated)


def _links(document: Json, loaded: Loaded, vault: Vault, folder: Path) -> Links:
    """Pages where the program has an address of its own, else files."""
    settings_ = loaded.settings
    site = settings_.server.external_url

    def page(packet_id: str) -> str | None:
        return None if site is None else f"{site.rstrip('/')}/packets/{packet_id}"

    def file(packet_id: str) -> str:
        name = f"{packet_id}.zip"
        if vault.folder is None:
            return f"{settings_.store.rstrip('/')}/{name}"
        return Path(os.path.relpath(vault.folder.resolve() / name, folder.resolve())).as_posix()

    def is_there(packet_id: str) -> bool:
        return vault.folder is None or (vault.folder / f"{packet_id}.zip").exists()

    identity = document["packet_id"]
    earlier = document["internal"]["earlier_packets"]
    names = {it: f"{it}{posts.SUFFIX}" for it in earlier}
    return Links(
        packet_url=page(identity),
        packet_file=file(identity),
        packets={it: page(it) or file(it) for it in earlier if is_there(it)},
        posts={it: name for it, name in names.items() if (folder / name).exists()},
    )
