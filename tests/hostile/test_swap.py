"""A service that follows: versions come and go under load, and no answer is lost, wrong or of two versions."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tintype.files.atomic import write_json
from tintype.files.digest import sha256_of
from tintype.models.bundle import INFO_FILE, NETWORK_FILE, bundle_digest, read_info
from tintype.serving.model.served_version_file import ServedVersion, read_served_version, write_served_version

PHOTOS = ("astronaut", "cat", "clock", "leaves")
_IMPORT = """
import json, sys
from pathlib import Path
from tintype.imaging.provenance import Lineage
from tintype.serving.model.store import import_version
for number, (folder, digest) in enumerate(json.loads(sys.argv[1]), 1):
    print(import_version(Path(folder), Lineage("tintype", str(number), digest)))
"""


def small(path: Path) -> bytes:
    stream = io.BytesIO()
    with Image.open(path) as image:
        image.convert("L").resize((160, 120)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def pixels(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def senseless(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Path:
    """A bundle that is whole by its checksums, and one of whose weights is no number."""
    folder = Path(shutil.copytree(bundle, tmp_path_factory.mktemp("senseless") / "bundle"))
    info, weights = read_info(bundle), (folder / NETWORK_FILE).with_suffix(".bin")
    graph = weights.with_suffix(".xml").read_text()
    offset = int(re.search(r'element_type="f32"[^>]* offset="(\d+)"', graph)[1])  # type: ignore[index]
    content = bytearray(weights.read_bytes())
    content[offset : offset + 4] = np.float32(np.nan).tobytes()
    weights.write_bytes(content)
    files = info.files | {weights.name: sha256_of(weights)}
    write_json(folder / INFO_FILE, info.model_copy(update={"files": files}).description())
    return folder


@dataclass
class Following:
    """A running service that follows a pointer, and the tags that it can be pointed to."""

    server: Any
    pointer: Path
    home: Path
    tags: list[str]

    def point(self, version: int) -> None:
        write_served_version(self.pointer, read_served_version(self.pointer).moved_to(self.tags[version - 1]))

    def facts(self) -> dict[str, Any]:
        with self.server.client() as client:
            return dict(client.get("/model_info").json())

    def wait(self, is_there: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while not is_there(facts := self.facts()):
            assert time.monotonic() < end, (facts["following"], self.server.log.read_text())
            time.sleep(0.1)
        return facts

    def figures(self) -> dict[str, float]:
        with self.server.client() as client:
            lines = client.get("/metrics").text.splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[:1] != "#"}

    def colours(self, photo: bytes) -> tuple[str, NDArray[np.uint8]]:
        with self.server.client() as client:
            answer = client.post("/colorize?format=png", content=photo)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-tintype-model"], pixels(answer.content)


@pytest.fixture(scope="module")
def following(
    serving: Any,
    bundle: Path,
    pyramid_bundle: Path,
    senseless: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Following]:
    """Version 1 is served, as each test leaves it; 2 is another one, 3 makes no sense."""
    folder = tmp_path_factory.mktemp("following")
    home, pointer = folder / "bentoml", folder / "pointer.json"
    bundles = [
        (str(folder), bundle_digest(read_info(folder))) for folder in (bundle, pyramid_bundle, senseless)
    ]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, json.dumps(bundles)],
        env={**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tags = done.stdout.split()
    write_served_version(pointer, ServedVersion(model=tags[0]))
    with serving(
        folder, {"TINTYPE_POINTER": str(pointer), "TINTYPE_FOLLOW": "models:/tintype@champion"}
    ) as server:
        server.wait_until("/readyz", 200)
        yield Following(server, pointer, home, tags)


def test_versions_take_over_under_load_and_no_answer_is_lost_or_mixed(
    clients: ModuleType, following: Following, sample: Path
) -> None:
    photos = [small(sample / f"{name}.jpg") for name in PHOTOS]
    expected: dict[str, list[NDArray[np.uint8]]] = {}
    for version in (2, 1):
        following.point(version)
        following.wait(lambda facts, version=version: facts["version"] == str(version))
        answers = [following.colours(photo) for photo in photos]
        assert {name for name, _ in answers} == {f"tintype/{version}"}
        expected[f"tintype/{version}"] = [image for _, image in answers]
    apart = [np.abs(one.astype(int) - two).max() for one, two in zip(*expected.values(), strict=True)]
    assert min(apart) > 20, "the two versions must be told apart by their colours"

    async def move(stop: asyncio.Event) -> int:
        moves = 0
        for version in (2, 1, 2, 1):
            following.point(version)
            await asyncio.to_thread(
                following.wait, lambda facts, version=version: facts["version"] == str(version)
            )
            await asyncio.sleep(0.3)
            moves += 1
        stop.set()
        return moves

    async def storm() -> tuple[list[Any], int]:
        stop = asyncio.Event()
        crowd = clients.Clients(following.server.port, photos, "?format=png", keep_bodies=True)
        moving = asyncio.create_task(move(stop))
        moving.add_done_callback(lambda _: stop.set())
        shots = await crowd.run(8, lambda sent: not stop.is_set())
        return shots, await moving

    shots, moves = asyncio.run(storm())
    assert moves == 4
    assert [shot for shot in shots if shot.status != 200] == []
    named = []
    for shot in shots:
        match = re.search(rb"x-tintype-model: (\S+)\r\n", shot.headers)
        assert match is not None
        named.append(match[1].decode())
        assert np.array_equal(pixels(shot.body), expected[named[-1]][shot.photo])
    assert set(named) == set(expected)
    assert min(named.count(name) for name in expected) > 10
    figures = following.figures()
    assert figures['tintype_swaps_total{outcome="ok"}'] == 6
    assert figures["tintype_behind"] == 0


def test_a_damaged_and_a_senseless_version_leave_the_old_one_answering(
    following: Following, sample: Path
) -> None:
    photo = small(sample / "cat.jpg")
    before = following.colours(photo)
    network = next((following.home / "models" / following.tags[1].replace(":", "/")).rglob(NETWORK_FILE))
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    for version, reason in ((2, "with SHA-256"), (3, "Expected finite weights in the IR")):
        following.point(version)
        tag = following.tags[version - 1]
        facts = following.wait(lambda facts, tag=tag: facts["following"]["error"].startswith(tag))
        assert facts["version"] == "1"
        assert facts["following"]["wanted"] == tag
        assert facts["following"]["served"] == following.tags[0]
        assert reason in facts["following"]["error"]
        assert reason in following.server.log.read_text()
        name, image = following.colours(photo)
        assert name == before[0]
        assert np.array_equal(image, before[1])
    figures = following.figures()
    assert figures['tintype_swaps_total{outcome="failed"}'] == 2
    assert figures["tintype_behind"] == 1
    # A worker that starts now passes the two over, and takes the one before.
    [worker] = following.server.workers()
    os.kill(worker, 9)
    end = time.monotonic() + 60
    while following.server.workers() in ([worker], []):
        assert time.monotonic() < end
        time.sleep(0.1)
    following.server.wait_until("/readyz", 200)
    assert following.colours(photo)[0] == "tintype/1"
    following.point(1)
    facts = following.wait(lambda facts: facts["following"]["error"] == "")
    assert facts["following"]["wanted"] == facts["following"]["served"]
