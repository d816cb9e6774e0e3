"""Run an image as strictly as it will ever be run, and see that it works.

No network at all, a root file system that cannot be written, no capabilities, not root: what starts here needs
nothing from outside. A photo goes in and comes out through the container's own Python.
"""

import subprocess
import sys
import time
import uuid
from pathlib import Path

STRICT = ["--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
STRICT += ["--security-opt", "no-new-privileges"]
READY_SECONDS = 180
_CLIENT = """
import sys, urllib.request
photo, url = sys.stdin.buffer.read(), "http://127.0.0.1:3000/colorize"
with urllib.request.urlopen(urllib.request.Request(url, photo, {"Content-Type": "image/jpeg"}), timeout=120) as answer:
    for name, value in answer.headers.items():
        if name.lower().startswith("x-tintype"):
            print("   ", name, value, file=sys.stderr)
    sys.stdout.buffer.write(answer.read())
"""
_BIGGEST = (
    "du -sm /app/.venv/lib/python3*/site-packages/* | sort -rn | head -8;"
    "du -sm $BENTO_PATH/models $BENTO_PATH/src; find /app -name __pycache__ -prune -exec du -sk {} + "
    "| awk '{s += $1} END {print int(s / 1024) \"\\tof it compiled Python\"}'"
)
_WRITES = "touch $BENTO_PATH/x || touch /app/x || touch $(find $BENTO_PATH/models -name bundle.json)"
_FOREIGN = "import importlib.util as u; print(*(n for n in {names} if u.find_spec(n)))"
TRAINING = ("mlflow", "dvc", "great_expectations", "pandas", "sklearn", "pip", "pytest")


def check(engine: str, image: str, photo: Path, output: Path) -> None:
    """Start the image, colour a photo, look at what is inside, stop it; end with a sentence if something is wrong."""
    size = int(_run(engine, "image", "inspect", "--format", "{{.Size}}", image))
    name = f"tintype-{uuid.uuid4().hex[:8]}"
    start = time.monotonic()
    _run(engine, "run", "--detach", "--pull", "never", "--name", name, *STRICT, image)
    try:
        _wait(engine, name)
        print(
            f"Ready after {time.monotonic() - start:.1f} s, without a network and with nothing to write to but /tmp"
        )
        _colour(engine, name, photo, output)
        _look_inside(engine, name)
        print(f"{image}: {size / 1e6:.0f} MB, of which packages, model and code in MB:")
        print(_inside(engine, name, "sh", "-c", _BIGGEST))
        _stop(engine, name)
    except BaseException:
        subprocess.run([engine, "logs", "--tail", "30", name])
        raise
    finally:
        subprocess.run([engine, "rm", "--force", name], capture_output=True)


def _wait(engine: str, name: str) -> None:
    """Until the image's own health check says so."""
    end = time.monotonic() + READY_SECONDS
    while not _is_healthy(engine, name):
        if (
            time.monotonic() > end
            or _run(engine, "inspect", "--format", "{{.State.Running}}", name) != "true"
        ):
            sys.exit(
                f"error: Expected a healthy container within {READY_SECONDS} s. It is not; its log is above."
            )
        time.sleep(1)


def _is_healthy(engine: str, name: str) -> bool:
    if engine == "docker":
        return _run(engine, "inspect", "--format", "{{.State.Health.Status}}", name) == "healthy"
    return subprocess.run([engine, "healthcheck", "run", name], capture_output=True).returncode == 0


def _colour(engine: str, name: str, photo: Path, output: Path) -> None:
    start = time.monotonic()
    done = subprocess.run(
        [engine, "exec", "--interactive", name, "python", "-c", _CLIENT],
        input=photo.read_bytes(),
        capture_output=True,
    )
    if done.returncode or not done.stdout.startswith(b"\xff\xd8"):
        sys.exit(f"error: Expected a coloured JPEG. Received: {done.stderr.decode(errors='replace')}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(done.stdout)
    print(f"Coloured {photo.name} into {output} in {time.monotonic() - start:.1f} s")
    print(done.stderr.decode(), end="")


def _look_inside(engine: str, name: str) -> None:
    """Not root, nothing of it can be changed, no package of training."""
    user = _inside(engine, name, "id", "-u")
    if user == "0":
        sys.exit("error: Expected a user other than root in the container. Received: root.")
    if subprocess.run([engine, "exec", name, "sh", "-c", _WRITES], capture_output=True).returncode == 0:
        sys.exit("error: Expected code and model that cannot be written. Received: a file that could.")
    if foreign := _inside(engine, name, "python", "-c", _FOREIGN.format(names=TRAINING)):
        sys.exit(f"error: Expected no package of training in the image. Received: {foreign}.")
    print(
        f"Runs as user {user}; code, packages and model cannot be written; none of {', '.join(TRAINING)} inside"
    )


def _stop(engine: str, name: str) -> None:
    start = time.monotonic()
    _run(engine, "stop", "--time", "60", name)
    code = _run(engine, "inspect", "--format", "{{.State.ExitCode}}", name)
    if code != "0":
        sys.exit(f"error: Expected the container to end with 0 on SIGTERM. Received: {code}.")
    print(f"Stopped by SIGTERM after {time.monotonic() - start:.1f} s")


def _inside(engine: str, name: str, *command: str) -> str:
    return _run(engine, "exec", name, *command)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command[:3])} failed: {done.stderr.strip()}")
    return done.stdout.strip()
