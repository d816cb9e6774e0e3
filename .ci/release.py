"""From a version to a service that answers with it: `python .ci/release.py image`, then push, deploy, smoke.

Everything comes from the environment, so that a value sent from outside is never part of a command:

TINTYPE_VERSION    a version's number, or an alias such as champion
TINTYPE_VARIANT    cpu or gpu
TINTYPE_BACKEND    docker, podman or buildah
TINTYPE_BASE       an image with Python 3.11 to build on, if not the usual one
TINTYPE_REGISTRY   where images go, such as ghcr.io/owner/tintype
REGISTRY_USER, REGISTRY_PASSWORD   its login, if it wants one
TINTYPE_BUILT      the image on this machine, as `image` printed it
TINTYPE_IMAGE      the image in the registry, as `push` printed it
TINTYPE_DEPLOY     a shell command that brings TINTYPE_IMAGE into service
TINTYPE_URL        where the service answers then
TINTYPE_API_KEY    its key, if it has one
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import container
import container_check

PHOTO = container.PROJECT / "data/legacy/black-canyon.jpg"
STEPS = ("image", "push", "deploy", "smoke")
_VERSION = re.compile(r"\d{1,9}|[a-z][a-z0-9_-]{0,63}")
_REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d{1,5})?(/[a-z0-9][a-z0-9._-]*)+")
_READY_SECONDS = 600  # a rollout fetches the image first


def main() -> None:
    """Do one step."""
    if len(sys.argv) != 2 or sys.argv[1] not in STEPS:
        sys.exit(
            f"error: Expected one of {', '.join(STEPS)}. Received: {' '.join(sys.argv[1:]) or 'nothing'}."
        )
    {"image": image, "push": push, "deploy": deploy, "smoke": smoke}[sys.argv[1]]()


def image() -> None:
    """Build the image of the version and colour a photo through it, without a network."""
    variant, backend = given("TINTYPE_VARIANT", "cpu"), given("TINTYPE_BACKEND", "docker")
    if variant not in ("cpu", "gpu") or backend not in ("docker", "podman", "buildah"):
        sys.exit(
            "error: Expected cpu or gpu in TINTYPE_VARIANT, and docker, podman or buildah in TINTYPE_BACKEND. "
            f"Received: {variant}, {backend}."
        )
    built = container.build(model(), variant, backend, given("TINTYPE_BASE", "") or None)
    output = container.PROJECT / "demo/from-container.jpg"
    container_check.check(container.engine_of(backend), built, PHOTO, output)
    tell("built", built)
    if registered := re.search(r":v(\d+)-", built):
        tell("version", registered[1])


def push() -> None:
    """Push the image that `image` built under the Bento's own tag, which names one version for good."""
    built, registry = given("TINTYPE_BUILT"), given("TINTYPE_REGISTRY").lower()
    if not _REGISTRY.fullmatch(registry):
        sys.exit(
            f"error: Expected HOST/NAME in TINTYPE_REGISTRY, such as ghcr.io/owner/tintype. Received: {registry}."
        )
    engine = container.engine_of(given("TINTYPE_BACKEND", "docker"))
    os.environ.update(container.own_store())
    user = given("REGISTRY_USER", "")
    if user:
        login = [engine, "login", "--username", user, "--password-stdin", registry.partition("/")[0]]
        subprocess.run(login, input=given("REGISTRY_PASSWORD"), text=True, check=True)
    target = f"{registry}:{built.rpartition(':')[2]}"
    container.quietly(engine, "tag", built, target)
    insecure = ["--tls-verify=false"] if engine == "podman" and registry.startswith("localhost:") else []
    container.quietly(engine, "push", *insecure, target)
    tell("image", target)


def deploy() -> None:
    """Run the command that brings the image into service. The old service is that command's to keep, if it fails."""
    command = given("TINTYPE_DEPLOY")
    given("TINTYPE_IMAGE")
    done = subprocess.run(command, shell=True)
    if done.returncode:
        sys.exit(
            f"error: Expected the command of TINTYPE_DEPLOY to succeed. It ended with {done.returncode}."
        )


def smoke() -> None:
    """Ask the service in place: it is ready, it is the version that was released, it colours a photo."""
    url, version = given("TINTYPE_URL").rstrip("/"), given("TINTYPE_VERSION", "")
    wait_until_ready(url)
    info = json.loads(ask(f"{url}/model_info")[1])
    if version.isdecimal() and info["version"] != version:
        sys.exit(f"error: Expected version {version} at {url}. Received: version {info['version']}.")
    headers, photo = ask(f"{url}/colorize", PHOTO.read_bytes())
    if not photo.startswith(b"\xff\xd8"):
        sys.exit(f"error: Expected a JPEG from {url}/colorize. Received: {photo[:200]!r}")
    print(f"{url} is ready and colours {PHOTO.name} with {headers['X-Tintype-Model']}")


def model() -> str | None:
    """The address of the version asked for; None leaves the choice to `tintype package`."""
    version = given("TINTYPE_VERSION", "")
    if not version:
        return None
    if not _VERSION.fullmatch(version):
        sys.exit(f"error: Expected a version's number or an alias in TINTYPE_VERSION. Received: {version!r}.")
    return f"models:/tintype{'/' if version.isdecimal() else '@'}{version}"


def wait_until_ready(url: str) -> None:
    """Until /readyz says so, for a bounded time."""
    end, answer = time.monotonic() + float(given("TINTYPE_READY_SECONDS", str(_READY_SECONDS))), "nothing"
    while time.monotonic() < end:
        try:
            ask(f"{url}/readyz", seconds=10)
            return
        except OSError as error:  # a refusal of the connection, or a status that is no 200
            answer = str(error)
            time.sleep(1)
    sys.exit(f"error: Expected {url}/readyz to answer 200. Received, last: {answer}.")


def ask(url: str, photo: bytes | None = None, seconds: int = 120) -> tuple[dict, bytes]:
    """Headers and body of the answer to a GET, or to a POST of a photo."""
    headers = {"Content-Type": "image/jpeg"} if photo else {}
    if key := given("TINTYPE_API_KEY", ""):
        headers["Authorization"] = f"Bearer {key}"
    with urllib.request.urlopen(urllib.request.Request(url, photo, headers), timeout=seconds) as answer:
        return answer.headers, answer.read()


def given(name: str, default: str | None = None) -> str:
    """A value of the environment."""
    value = os.environ.get(name) or default
    if value is None:
        sys.exit(f"error: Expected {name} in the environment. It is not set; .ci/release.py says what it is.")
    return value


def tell(name: str, value: str) -> None:
    """Print a result, and hand it to the next step where one workflow does all."""
    print(f"{name}={value}")
    if file := os.environ.get("GITHUB_OUTPUT"):
        with Path(file).open("a", encoding="utf-8") as outputs:
            outputs.write(f"{name}={value}\n")


if __name__ == "__main__":
    main()
