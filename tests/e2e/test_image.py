"""The image: built for real on a local base, then run as a pod runs it: not root, no shell, nothing to write to."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from probe import __version__
from tests.servers import Process, free_port, until
from tests.servers.chart import Programs, documents, only, probing
from tests.servers.chat import GOOD, chat
from tests.servers.image import Builder, Image
from tests.servers.kubelet import Cluster, Pod

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="a build in a chroot, and its base, are root's to make"),
]

USER = 65532
MOST_MB = 115


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    builder = Builder(tmp_path_factory.mktemp("image"))
    yield builder.build("--build-arg", f"VERSION={__version__}", "--build-arg", "REVISION=of-the-test")
    builder.close()


def files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder) / name for name in names)


def test_the_image_says_what_it_is_and_whose_number_it_runs_as(image: Image) -> None:
    assert image.config["User"] == f"{USER}:{USER}", "a number: runAsNonRoot cannot judge a name"
    assert image.config["Entrypoint"] == ["/opt/freezeframe/bin/freezeframe"], "the exec form needs no shell"
    assert image.config["ExposedPorts"] == {"9464/tcp": {}}
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in image.config["Labels"].items()}
    assert labels["title"] == "freezeframe"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"] == __version__
    assert labels["revision"] == "of-the-test"


def test_nothing_that_only_builds_is_in_it_and_it_is_as_small_as_stated(image: Image) -> None:
    installed = image.root / "opt/freezeframe/lib/python3.11/site-packages"
    assert (installed / "probe/contracts/cometapi.yaml").is_file()
    assert (installed / "exporter/templates/status.html").is_file()
    assert {it.name for it in installed.iterdir()}.isdisjoint({"pip", "hatchling", "tests"})
    assert not (image.root / "build").exists()
    size = sum(file.lstat().st_size for file in files(image.root / "opt/freezeframe"))
    assert 50 < size / 1e6 < MOST_MB


def test_the_program_s_user_may_change_none_of_its_files(image: Image) -> None:
    ours = [image.root / "opt/freezeframe", *files(image.root / "opt/freezeframe")]
    assert not [it for it in ours if it.lstat().st_uid == USER]
    assert not [it for it in ours if not it.is_symlink() and it.stat().st_mode & 0o002]


def test_without_a_shell_on_a_root_that_cannot_be_written_the_whole_demo_goes_through(image: Image) -> None:
    shells = [image.root / "usr/bin" / name for name in ("bash", "dash", "sh", "rbash")]
    for shell in shells:
        shell.unlink(missing_ok=True)
    ended = image.run("demo", "--seconds", "10", "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(json.loads(ended.stdout)["packets"]) >= 4
    assert ended.stderr == ""


def as_mounted(pod: Pod) -> None:
    """What the kubelet does beside: `fsGroup` and `defaultMode`."""
    for file in (pod.root / "etc").rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.chown(file, 0, USER)
            file.chmod(0o440)
    os.chown(pod.root / "var/lib/freezeframe", 0, USER)
    (pod.root / "var/lib/freezeframe").chmod(0o2770)


def test_the_chart_s_pod_runs_in_it_and_helm_test_finds_all_well(
    image: Image, tmp_path: Path, keep: Callable[[Process], Process]
) -> None:
    """The command line, the mounts and the identity of the pod, and the same of the pod of `helm test`."""
    with chat(lambda _: GOOD) as server:
        rendered = documents(Programs("newest", tmp_path).template(probing(server.base_url, "small")))
        spec = only(rendered, "StatefulSet")["spec"]["template"]["spec"]
        assert f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}" == image.config["User"]
        secrets = {"freezeframe-keys/team-a": "fake-key-of-team-a", "freezeframe-token/token": "fake-token-of-pages"}
        pod = Pod.start(tmp_path / "pod", spec, Cluster.of(rendered, secrets), moved=False)
        as_mounted(pod)
        [container] = spec["containers"]
        places = [it["mountPath"] for it in container["volumeMounts"] if it["mountPath"] != "/tmp"]
        mounts = {place: pod.root / place.removeprefix("/") for place in places}
        listen = f"127.0.0.1:{free_port()}"
        arguments = [*image.config["Entrypoint"], *container["args"], "--listen", listen]
        env = image.environment | pod.environment(spec, {"metadata.namespace": "probing"})
        process = keep(Process.start("in-the-image", tmp_path, image.command(arguments, mounts), env))
        process.wait_until_answering(f"http://{listen}/-/ready", 30)
        [test] = next(it for it in rendered if it["kind"] == "Pod")["spec"]["containers"]
        given = {"URL": f"http://{listen}", "TOKEN_FILE": "/etc/freezeframe/secrets/freezeframe-token/token"}
        asked = subprocess.run(
            image.command([*test["command"], *test["args"]], mounts),
            env=image.environment | given,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (asked.returncode, asked.stderr) == (0, ""), asked.stdout
        assert asked.stdout.count(": ok") == 6
        until("a probe", lambda: server.count("small"), 10)
        assert process.terminate(45) == 0
    assert (tmp_path / "pod/var/lib/freezeframe/state/history.sqlite").is_file()


def test_its_own_command_line_asks_for_the_mounted_configuration(image: Image) -> None:
    ended = image.run(*image.config["Cmd"])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "/etc/freezeframe/config/freezeframe.yaml: expected a configuration file, found none" in ended.stderr
