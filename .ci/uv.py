"""Run uv, and get it first where it is missing: `python3 .ci/uv.py sync`, `python3 .ci/uv.py run pytest`.

Needs python3 and nothing else. A uv on PATH is used if it is new enough. Otherwise one is put into `.uv/`,
by pip where there is pip (so that its configuration of index, proxy and certificates counts), else with
the standard library alone; its checksum is the one below either way.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

PINNED = "0.13.9"
WHEELS = {  # (system, machine): the end of the wheel's name, its SHA-256
    ("Linux", "x86_64"): (
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    ("Linux", "aarch64"): (
        "manylinux_2_28_aarch64",
        "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
    ),
    ("Darwin", "arm64"): (
        "macosx_11_0_arm64",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
    ("Darwin", "x86_64"): (
        "macosx_10_12_x86_64",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ),
}
OLDEST_UV = (0, 9)  # reads uv.lock and knows the options that the Makefile uses
PYTHONS = ((3, 11), (3, 14))  # from, below: requires-python of pyproject.toml
BY_HAND = "Or install uv yourself (https://docs.astral.sh/uv) and run the command again."
PROJECT = Path(__file__).resolve().parent.parent


def main():
    """Become uv."""
    uv = shutil.which("uv")
    if uv is None or not _new_enough(uv):
        uv = str(_private_uv())
    if not (PROJECT / ".venv").exists():
        _say_if_python_does_not_fit()
    os.chdir(str(PROJECT))
    os.execv(uv, [uv, *sys.argv[1:]])


def _new_enough(uv):
    """Whether this uv runs (a version manager's stand-in may not) and can do what is asked of it."""
    try:
        answer = subprocess.run(
            [uv, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.match(r"uv (\d+)\.(\d+)", answer.stdout.decode("utf-8", "replace"))
    return bool(version) and tuple(map(int, version.groups())) >= OLDEST_UV


def _private_uv():
    """The path of uv in `.uv/`, fetched on the first call."""
    home = PROJECT / ".uv" / PINNED
    uv = home / "bin" / "uv"
    if uv.exists():
        return uv
    try:
        tag, checksum = WHEELS[platform.system(), platform.machine()]
    except KeyError:
        sys.exit(f"error: no uv is known here for {platform.system()} on {platform.machine()}. {BY_HAND}")
    print(f"Fetching uv {PINNED} into .uv/ (17 MB, once) ...", file=sys.stderr, flush=True)
    home.parent.mkdir(exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f"{PINNED}-", suffix=".part", dir=str(home.parent)))
    try:
        if not _install_with_pip(part, checksum):
            _install_from_index(part, f"uv-{PINNED}-py3-none-{tag}.whl", checksum)
        if not uv.exists():  # unless a second make was faster
            part.rename(home)
    finally:
        shutil.rmtree(str(part), ignore_errors=True)
    return uv


def _install_with_pip(folder, checksum):
    """Whether pip could do it. A Debian without python3-pip has none."""
    demand = folder / "requirements.txt"
    demand.write_text(f"uv=={PINNED} --hash=sha256:{checksum}\n")
    options = [
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--no-deps",
        "--require-hashes",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), "-r", str(demand)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode == 0 and (folder / "bin" / "uv").exists()


def _install_from_index(folder, name, checksum):
    """Fetch the wheel from the package index, check it, unpack the program."""
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
    page = index.rstrip("/") + "/uv/"
    try:
        link = re.search(rf'href="([^"]*/{re.escape(name)})[#"]', _get(page).decode("utf-8"))
        if link is None:
            sys.exit(f"error: {name} is not at {page}. {BY_HAND}")
        wheel = _get(urllib.parse.urljoin(page, link.group(1)))
    except (OSError, ValueError) as error:
        sys.exit(f"error: uv could not be fetched from {page}: {error}. Check the network. {BY_HAND}")
    if hashlib.sha256(wheel).hexdigest() != checksum:
        sys.exit(f"error: what came from {page} as {name} has another checksum than expected. {BY_HAND}")
    archive = folder / name
    archive.write_bytes(wheel)
    target = folder / "bin" / "uv"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(str(archive)) as content:
        target.write_bytes(content.read(f"uv-{PINNED}.data/scripts/uv"))
    target.chmod(0o755)
    archive.unlink()


def _get(url):
    """The bytes at `url`."""
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.read()


def _say_if_python_does_not_fit():
    """One sentence before uv looks for a Python of its own, which needs its download site."""
    oldest, beyond = PYTHONS
    fits = oldest <= sys.version_info[:2] < beyond
    others = (f"python3.{minor}" for minor in range(oldest[1], beyond[1]))
    if not fits and not any(map(shutil.which, others)) and "UV_PYTHON" not in os.environ:
        print(
            f"note: Tintype needs Python 3.{oldest[1]} to 3.{beyond[1] - 1}, and python3 here is "
            f"{platform.python_version()}. uv will try to fetch a newer one; if it cannot, install python3.12 "
            "and run the command again.",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    main()
