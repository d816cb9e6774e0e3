"""A Ray cluster to work on: one that is there already, or one of this machine alone for as long as the work takes.

Ray answers an address where nothing listens after two minutes and many lines of its own, so the address is tried first.
"""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tintype.errors import TintypeError, first_line, install_command

ADDRESS = "RAY_ADDRESS"  # Ray's own name
_PROBE_SECONDS = 10
# What Ray would do unasked: report its use, start the workers anew through `uv run` where that started us, and have
# those of a cluster that is started here give way to every other process of the machine.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
}
# What workers compute with and where they write. Keys of an object store are not among it: Ray shows a job's
# environment to everyone with access to the cluster, so each node has its own.
_HANDED_ON = (
    "KERAS_BACKEND",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "AWS_REGION",
)


class ClusterError(TintypeError):
    """The cluster cannot be had or does not do its work."""


@contextmanager
def connected(
    address: str | None = None, *, cpus: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Any]:
    """Ray, connected for the length of the block.

    Workers run this process's own copy of the package: on an existing cluster it is sent to them, so that
    nodes need its dependencies and not its code.

    Parameters
    ----------
    address : str, optional
        Of an existing cluster, such as ``"10.0.0.5:6379"``. If not given: what `RAY_ADDRESS` says; else a cluster is
        started on this machine, and ended with the block.
    cpus : int, optional
        For a cluster that is started here: how many CPUs it offers; by default those of the machine.
    environment : mapping of str to str, optional
        Environment variables for the workers, beside those that say which backend and which object store to use.

    Yields
    ------
    module
        `ray`.

    Raises
    ------
    ClusterError
        If Ray is not installed, or nothing that is Ray answers at the address.
    """
    if importlib.util.find_spec("ray") is None:
        raise ClusterError(
            "Expected the package ray for work on a cluster, but it is not installed. "
            f"Run `{install_command('cluster')}`, or set cluster.engine to local in params.yaml."
        )
    address = address or os.environ.get(ADDRESS) or None
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if address is not None and "://" not in address and address != "auto":
        _probe(address)
    import ray

    if ray.is_initialized():
        yield ray
        return
    _init(ray, address, cpus, dict(environment or {}))
    try:
        yield ray
    finally:
        ray.shutdown()


def _init(ray: Any, address: str | None, cpus: int | None, environment: dict[str, str]) -> None:
    package = Path(__file__).parents[1]
    handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    runtime: dict[str, Any] = {"env_vars": handed_on | environment}
    if address is None:
        # The same machine: the workers take the code from where it is.
        path = os.pathsep.join(filter(None, [str(package.parent), os.environ.get("PYTHONPATH")]))
        runtime["env_vars"]["PYTHONPATH"] = path
    else:
        runtime["py_modules"] = [str(package)]
    try:
        ray.init(
            address=address or "local",
            num_cpus=cpus if address is None else None,
            include_dashboard=False if address is None else None,
            logging_level="ERROR",
            log_to_driver=False,  # errors come as exceptions; workers' chatter would bury the progress bar
            runtime_env=runtime,
        )
    except (
        ConnectionError,
        RuntimeError,
        SystemExit,
        ray.exceptions.RayError,
    ) as error:  # it exits, unanswered
        where = address or "this machine"
        raise ClusterError(
            f"Expected a Ray cluster at {where}, but it refused this process: {first_line(error)}. "
            "Both sides need the same versions of Ray and Python, and the same token "
            "(RAY_AUTH_MODE=token and RAY_AUTH_TOKEN) if the cluster was started with one."
        ) from error


def _probe(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ClusterError(
            f"Expected the address of a Ray cluster, host:port, such as 10.0.0.5:6379. Received: {address!r}."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_SECONDS).close()
    except OSError as error:
        raise ClusterError(
            f"Expected a Ray cluster at {address}, but nothing answers there ({error.strerror or error}). "
            f"Start one with `ray start --head --port {port}`, or correct cluster.address in params.yaml or {ADDRESS}; "
            "without either a cluster is started on this machine."
        ) from None
