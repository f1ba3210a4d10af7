"""The Pod Security Standards' profile "restricted", with all of "baseline", written from the published standard.

The admission controller itself is a part of the API server, and none was at hand.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Json = Mapping[str, Any]
VOLUMES: Final = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
}
SECCOMP: Final = {"RuntimeDefault", "Localhost"}
SELINUX: Final = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
SYSCTLS: Final = {
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"),
    *("net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
    "net.ipv4.tcp_keepalive_probes",
}


def violations(pod: Json) -> Iterator[str]:
    """What the profile forbids of a pod's spec."""
    for namespace in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(namespace):
            yield f"{namespace} is forbidden"
    for volume in pod.get("volumes", ()):
        if not VOLUMES & set(volume):
            yield f"volume {volume['name']} is of a forbidden type"
    of_pod = pod.get("securityContext", {})
    yield from _options("the pod", of_pod)
    if {it["name"] for it in of_pod.get("sysctls", ())} - SYSCTLS:
        yield "an unsafe sysctl"
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind, ()):
            yield from _container(container, of_pod)


def _container(container: Json, of_pod: Json) -> Iterator[str]:
    name, own = container["name"], container.get("securityContext", {})
    yield from _options(name, own)
    if own.get("privileged"):
        yield f"{name} is privileged"
    if own.get("procMount", "Default") != "Default":
        yield f"{name} has a procMount"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield f"{name} has a port of the host"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name} has to set allowPrivilegeEscalation to false"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", ()):
        yield f"{name} has to drop ALL"
    if set(capabilities.get("add", ())) - {"NET_BIND_SERVICE"}:
        yield f"{name} adds capabilities"
    if own.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
        yield f"{name} has to set runAsNonRoot"
    if own.get("seccompProfile", of_pod.get("seccompProfile", {})).get("type") not in SECCOMP:
        yield f"{name} has to set a seccompProfile"


def _options(name: str, context: Json) -> Iterator[str]:
    """What pod and container may both say."""
    if context.get("runAsUser") == 0:
        yield f"{name} runs as 0"
    if context.get("runAsNonRoot") is False:
        yield f"{name} may run as root"
    if context.get("seccompProfile", {}).get("type", "RuntimeDefault") not in SECCOMP:
        yield f"{name} has a forbidden seccompProfile"
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in SECCOMP:
        yield f"{name} has a forbidden appArmorProfile"
    selinux = context.get("seLinuxOptions", {})
    if selinux.get("type") not in SELINUX or selinux.get("user") or selinux.get("role"):
        yield f"{name} has forbidden seLinuxOptions"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield f"{name} is a host process"
