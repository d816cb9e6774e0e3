"""A Ray cluster of several nodes on one machine, photos for it, and an object store.

Where the system lets us (Linux, as root), each node lives in a network namespace of its own with its own address,
behind a bridge; else they are raylets side by side. What is started here is ended here, by its process
number: `ray stop` would end every cluster of the machine.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from PIL import Image

from tintype.data.validation.manifest import COLUMNS, REJECTED_COLUMNS, write_manifest
from tintype.files.digest import sha256_of
from tintype.imaging.finding import find_photos

ROOT = Path(__file__).parents[2]
RAY = Path(sys.executable).with_name("ray")
READY_SECONDS = 120
START_ATTEMPTS = 5
KEYS = {  # of the object store: every node has them
    "AWS_ACCESS_KEY_ID": "archive",
    "AWS_SECRET_ACCESS_KEY": "a secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
NETWORK = f"10.{64 + os.getpid() % 64}.{os.getpid() // 64 % 250}"
BRIDGE = f"tt{os.getpid() % 100_000}"


@dataclass
class Node:
    """A raylet and what belongs to it."""

    process: subprocess.Popen[bytes]
    address: str
    namespace: str | None = None

    def family(self) -> list[psutil.Process]:
        """All processes of the node, without those of its workers that have gone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            return [*parent.children(recursive=True), parent]
        return []

    def kill(self) -> None:
        """As when the power goes: all at once, without a word."""
        family = self.family()
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=20)
        self.process.wait(20)

    def freeze(self) -> list[psutil.Process]:
        """As when it is cut off: it answers nobody, and goes on later as if nothing had been."""
        family = self.family()
        for member in family:
            member.suspend()
        return family


@dataclass
class Cluster:
    """A head and its nodes, each with some CPUs.

    Attributes
    ----------
    address : str
        For `cluster.address` or `RAY_ADDRESS`.
    folder : Path
        For the nodes' logs.
    separate : bool
        Whether nodes have network namespaces of their own.
    """

    folder: Path
    separate: bool
    address: str = ""
    nodes: list[Node] = field(default_factory=list)

    def start(self, cpus: int = 1) -> Node:
        """Start the head or, later, one more node."""
        number = len(self.nodes)
        ip = f"{NETWORK}.{number + 1}" if self.separate else "127.0.0.1"
        command = [str(RAY), "start", "--block", "--num-cpus", str(cpus), "--disable-usage-stats"]
        command += ["--node-ip-address", ip, "--object-store-memory", "100000000"]
        namespace = None
        if number == 0:
            port = _free_port()
            self.address = f"{ip}:{port}"
            command += ["--head", "--port", str(port), "--include-dashboard", "false"]
        else:
            command += ["--address", self.address]
            if self.separate:
                namespace = _namespace(number, ip)
                command = ["ip", "netns", "exec", namespace, *command]
        log = self.folder / f"node{number}.log"
        # Ray gives a node 30 s to start, which on a machine that is busy with other tests may be too few.
        for attempt in range(1, START_ATTEMPTS + 1):
            with log.open("wb") as output:
                process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
            node = Node(process, ip, namespace)
            if _has_started(log, process) or attempt == START_ATTEMPTS:
                break
            node.kill()
        self.nodes.append(node)
        assert process.poll() is None, log.read_text()
        return node

    def end(self) -> None:
        for node in reversed(self.nodes):
            node.kill()
            if node.namespace:
                subprocess.run(["ip", "netns", "del", node.namespace], check=True)


@pytest.fixture(scope="session", autouse=True)
def environment_of_ray() -> Iterator[None]:
    """The environment of every cluster in this run: Ray reads its token once a process, whichever test comes first."""
    # A token of its own on both sides: what the machine's user has set up for Ray plays no part.
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    # Ray makes its workers give way to everything else on the machine, which here is other tests.
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (token | quiet | KEYS).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, bridge: bool, environment_of_ray: None
) -> Iterator[Cluster]:
    """A cluster of a head and one more node, with a CPU each. Its environment is this process's, too."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), separate=bridge)
    try:
        made.start()
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def s3_address(bridge: bool) -> Iterator[str]:
    """Where a real S3 server listens, reachable from every node."""
    from moto.server import ThreadedMotoServer

    address = f"{NETWORK}.1" if bridge else "127.0.0.1"
    server = ThreadedMotoServer(address, 0, verbose=False)
    server.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in KEYS.items():
                patch.setenv(name, value)
            yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@pytest.fixture(scope="session")
def bridge() -> Iterator[bool]:
    """Whether there is a bridge between network namespaces."""
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
    except (OSError, subprocess.CalledProcessError):
        yield False
        return
    try:
        _ip("addr", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        yield True
    finally:
        _ip("link", "del", BRIDGE)


def _namespace(number: int, ip: str) -> str:
    name = f"{BRIDGE}n{number}"
    _ip("netns", "add", name)
    _ip("link", "add", f"{BRIDGE}v{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
    _ip("link", "set", f"{BRIDGE}v{number}", "master", BRIDGE, "up")
    for command in (("addr", "add", f"{ip}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
        _ip("-n", name, *command)
    _ip("-n", name, "link", "set", "lo", "up")
    return name


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@dataclass(frozen=True)
class Project:
    """A folder with params.yaml, photos and their manifest, as the stages `lab` and `embed` find them."""

    root: Path

    def engine(self, engine: str, address: str | None = None, **blocks: dict[str, Any]) -> None:
        """Write params.yaml: small tensors, three crops a photo, the engine, and what else is to differ."""
        from ruamel.yaml import YAML

        yaml = YAML(typ="safe")
        content = yaml.load((ROOT / "params.yaml").read_text())
        content["cluster"] = {"engine": engine, "address": address}
        content["lab"] |= {"size": 32, "workers": 1}
        content["crops"]["per_photo"] = 3
        content["embed"]["batch_size"] = 8
        for block, changed in blocks.items():
            content[block] |= changed
        with (self.root / "params.yaml").open("w") as file:
            yaml.dump(content, file)

    def write_manifest(self, table: pd.DataFrame) -> None:
        write_manifest(self.root / "manifest", table, pd.DataFrame(columns=REJECTED_COLUMNS))

    def run(self, stage: str, *places: str | Path, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run `lab` or `embed`, with the places that come after photos and manifest."""
        return self.run_plain(stage, "raw", "manifest", *places, **changed)

    def run_plain(self, stage: str, *places: str | Path, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"tintype.stages.{stage}", *map(str, places)],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | changed,
            capture_output=True,
            text=True,
            timeout=400,
        )


@pytest.fixture
def make_project(tmp_path: Path, sample: Path) -> Callable[[int], Project]:
    """A project with so many photos: the sample's, then pieces of them."""

    def make(count: int) -> Project:
        root = tmp_path / "project"
        photos = root / "raw/photos"
        photos.mkdir(parents=True)
        found = find_photos(sample)
        for number in range(count):
            source, turn = found[number % len(found)], number // len(found)
            if turn == 0:
                shutil.copy(source, photos)
                continue
            with Image.open(source) as picture:
                left = 8 * turn
                piece = picture.convert("RGB").crop((left, left, picture.width, picture.height))
                piece.save(photos / f"{source.stem}-{turn}.jpg", quality=90)
        project = Project(root)
        project.write_manifest(_manifest_of(photos))
        return project

    return make


def _manifest_of(photos: Path) -> pd.DataFrame:
    """What `validate` would write, as far as `lab` and `embed` look: 16 buckets and two splits."""
    paths = find_photos(photos)
    table = pd.DataFrame({"path": [path.name for path in paths]})
    table["content_hash"] = [sha256_of(path) for path in paths]
    table["bucket"] = table["content_hash"].str[:1]
    table["split"] = ["validation" if digest[1] in "0123" else "train" for digest in table["content_hash"]]
    for name, kind in COLUMNS.items():
        if name not in table:
            table[name] = "" if kind == "str" else 0
    return table.astype(COLUMNS)[list(COLUMNS)].sort_values("content_hash", ignore_index=True)


@pytest.fixture(scope="session")
def digests() -> Callable[[Path], dict[str, str]]:
    """SHA-256 of every file in a folder."""
    return _digests


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _has_started(log: Path, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if b"Ray runtime started" in log.read_bytes():
            return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
