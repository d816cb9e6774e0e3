"""The commands that README.md and docs/ tell people to run, with nothing beforehand but python3, make and git."""

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main
from ruamel.yaml import YAML

from tintype.cli import app

ROOT = Path(__file__).resolve().parents[2]
SHELL = {"curl", "export"}  # every machine has them
PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)


def commands():
    """Each command of the README as words, without its comment."""
    for block in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            while "&&" in words:
                end = words.index("&&")
                yield words[:end]
                words = words[end + 1 :]
            if words:
                yield words


COMMANDS = list(commands())


def those_of(program):
    return [words[1:] for words in COMMANDS if words[0] == program]


def test_only_what_is_there_is_called():
    called = {words[0] for words in COMMANDS}
    assert called - SHELL == {"make", "source", "tintype", "dvc"}
    assert those_of("source") == [[".venv/bin/activate"]]
    assert {"tintype", "dvc"} <= {path.name for path in Path(sys.executable).parent.iterdir()}


@pytest.mark.parametrize("words", those_of("make"), ids=" ".join)
def test_make_has_the_target_and_the_variables(words):
    done = subprocess.run(
        ["make", "--dry-run", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words[1:]:
        assert f"$({word.partition('=')[0]})" in makefile


@pytest.mark.parametrize("words", those_of("tintype"), ids=" ".join)
def test_tintype_takes_the_arguments(words):
    command = typer.main.get_command(app).commands[words[0]]
    command.make_context(words[0], words[1:])


@pytest.mark.parametrize("words", those_of("dvc"), ids=" ".join)
def test_dvc_sets_parameters_that_are_there(words):
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    for option, setting in pairwise(words):
        if option != "-S":
            continue
        key, _, value = setting.partition("=")
        group = ROOT / "conf" / key
        if group.is_dir():
            assert all((group / f"{choice}.yaml").is_file() for choice in value.split(",")), setting
            continue
        block = params
        for name in key.split("."):
            assert name in block, setting
            block = block[name]


@pytest.mark.parametrize("page", PAGES)
def test_no_sentence_advises_what_is_not_installed(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.findall(r"\buv (?:sync|run|pip|lock|export|add)\b.*", text)
    assert not re.findall(r"--group\b.*", text)


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_links_to_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[)#]", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target
