"""Build the image of a version, run it, colour a photo through it: `python .ci/container.py --variant cpu`.

With buildah and without a base image given, the base is made by debootstrap: no registry of images is needed, and
no engine that runs as a service. Everything that buildah and podman keep lies in one folder, by default below
the folder for temporary files; CONTAINERS_STORAGE_CONF names another store.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import container_check

PROJECT = Path(__file__).resolve().parent.parent
STORE = Path(tempfile.gettempdir()) / "tintype-containers"
RELEASE = "bookworm"  # its Python is the 3.11 that bentofile.yaml names
OWN_BASE = f"localhost/tintype-python:{RELEASE}"
# Files that a running service never reads
NEEDLESS = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
)
# A container here may not raise its limits, as the defaults would; netavark and runc are what Debian's podman needs.
CONTAINERS_CONF = """[network]
network_backend = "netavark"
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
"""


def main() -> None:
    """Build, run, report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--variant", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--model", help="[default: the champion, else the starter]")
    parser.add_argument("--backend", choices=("buildah", "podman", "docker"), default="buildah")
    parser.add_argument(
        "--base",
        help="image with Python 3.11 and venv [default: made here with buildah, "
        "python:3.11-slim with the others]",
    )
    parser.add_argument("--photo", type=Path, default=PROJECT / "data/legacy/black-canyon.jpg")
    parser.add_argument("--output", type=Path, default=PROJECT / "demo/from-container.jpg")
    given = parser.parse_args()
    photo, output = given.photo.resolve(), given.output.resolve()
    image = build(given.model, given.variant, given.backend, given.base)
    container_check.check(engine_of(given.backend), image, photo, output)


def build(model: str | None, variant: str, backend: str, base: str | None) -> str:
    """The name of the image of a model."""
    for program in {backend, engine_of(backend)}:
        need(program)
    os.environ.update(own_store())
    os.environ.setdefault("BENTOML_HOME", str(PROJECT / ".bentoml"))  # as `tintype package` chooses it
    tag = package(model, variant)
    base = base or (debian_base() if backend == "buildah" else None)
    image = f"localhost/{tag}"
    containerize(tag, image, backend, base)
    return image


def engine_of(backend: str) -> str:
    """The program that runs and pushes what a backend builds."""
    return "docker" if backend == "docker" else "podman"


def need(program: str) -> None:
    """Say what is missing before anything is built."""
    if shutil.which(program) is None:
        sys.exit(
            f"error: Expected {program} on PATH. Install it (on Debian: apt-get install buildah podman runc "
            "debootstrap), or build with another engine: make container BACKEND=docker."
        )


def own_store() -> dict[str, str]:
    """The environment that keeps buildah's and podman's files in one folder of ours."""
    if "CONTAINERS_STORAGE_CONF" in os.environ:
        return {}
    STORE.mkdir(parents=True, exist_ok=True)
    (STORE / "containers.conf").write_text(CONTAINERS_CONF)
    (STORE / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{STORE}/graph"\nrunroot = "{STORE}/run"\n'
    )
    return {
        "CONTAINERS_STORAGE_CONF": str(STORE / "storage.conf"),
        "CONTAINERS_CONF": str(STORE / "containers.conf"),
        "BUILDAH_ISOLATION": "chroot",  # without the rights that a full sandbox takes
        "BUILDAH_FORMAT": "docker",  # OCI's own has no health check
    }


def package(model: str | None, variant: str) -> str:
    """The tag of the Bento, built unless it is there."""
    command = [Path(sys.executable).with_name("tintype"), "package", "--variant", variant]
    command += ["--model", model] if model else []
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return re.search(r"tintype:\S+", done.stdout).group()


def debian_base() -> str:
    """An image of Debian with nothing but Python, made once."""
    if subprocess.run(["buildah", "inspect", OWN_BASE], capture_output=True).returncode == 0:
        return OWN_BASE
    need("debootstrap")
    print(f"Making {OWN_BASE} with debootstrap (a minute, once) ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="tintype-base-") as scratch:
        root = Path(scratch) / "root"
        quietly(
            "debootstrap",
            "--variant=minbase",
            "--include=python3,python3-venv,ca-certificates",
            RELEASE,
            root,
        )
        for name in NEEDLESS:
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir(parents=True)
        container = quietly("buildah", "from", "scratch")
        quietly("buildah", "add", "--quiet", container, root, "/")
        quietly("buildah", "commit", "--quiet", "--rm", container, OWN_BASE)
    return OWN_BASE


def containerize(tag: str, image: str, backend: str, base: str | None) -> None:
    """`bentoml containerize`, with what this machine needs to reach its package index."""
    print(f"Building {image} with {backend} (minutes) ...", flush=True)
    arguments = {name: os.environ.get(name) for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT")}
    arguments["BASE_IMAGE"] = base
    options = [f"build-arg={name}={value}" for name, value in arguments.items() if value]
    certificate = os.environ.get("PIP_CERT")
    if certificate and backend != "docker":
        folder = Path(certificate).parent
        options.append(f"volume={folder}:{folder}:ro")
    flags = [flag for option in options for flag in ("--opt", option)]
    # BentoML reads the template only from below the current folder, and copies it below the one for temporary files.
    quietly(
        *(
            sys.executable,
            "-m",
            "bentoml",
            "containerize",
            tag,
            "--backend",
            backend,
            "--image-tag",
            image,
            *flags,
        ),
        cwd=tempfile.gettempdir(),
    )


def quietly(*command: object, cwd: str | None = None) -> str:
    """Run a command and give what it printed; if it fails, show that and end."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}\nerror: {command[0]} failed; see above.")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
