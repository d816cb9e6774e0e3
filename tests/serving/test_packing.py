"""From a version to a Bento, and the Bento where nothing of this project is."""

import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import grimp
import httpx
import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore
from ruamel.yaml import YAML
from typer.testing import CliRunner

from tintype.cli import app
from tintype.imaging.provenance import Lineage
from tintype.models.bundle import BundleError, bundle_digest, read_info
from tintype.serving.model.store import ModelError, import_version, load_packed, model_tag
from tintype.serving.packing.context import data_files, fill_context, service_modules
from tintype.serving.packing.description import bento_labels
from tintype.serving.packing.requirements import CPU, GPU, VARIANTS, locked_requirements

ROOT = Path(__file__).resolve().parents[2]
NOT_FOR_SERVING = {"mlflow", "dvc", "great-expectations", "pandas", "kagglehub", "pytest", "scikit-image"}


@pytest.fixture
def store(tmp_path):
    """A BentoML store of the test's own."""
    models = tmp_path / "models"
    models.mkdir()
    BentoMLContainer.model_store.set(ModelStore(models))
    yield models
    BentoMLContainer.model_store.reset()


@pytest.fixture(scope="module")
def built(built_bento):
    """The Bento of the tests' bundle: BENTOML_HOME, and its tag. Nobody may change it."""
    return built_bento.home, built_bento.command[-1]


def folder_of(home, tag):
    return home / "bentos" / tag.replace(":", "/")


@pytest.fixture
def lineage(bundle):
    return Lineage("tintype", "3", bundle_digest(read_info(bundle)), run_id="0a1b", git_commit="c0ffee")


@pytest.fixture(scope="session")
def options():
    return YAML(typ="safe").load(ROOT / "bentofile.yaml")


@pytest.fixture(scope="session")
def served():
    """Modules of ours that the service imports, now or while it runs."""
    graph = grimp.build_graph("tintype")
    service = "tintype.serving.service"
    return {service, *graph.find_upstream_modules(service)}


def names(requirements):
    return set(re.findall(r"^([a-z0-9-]+)==", requirements, re.M))


def command(*arguments):
    """`tintype`, in this process, whose own mistakes come through."""
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def test_a_version_comes_out_of_the_store_as_it_went_in(store, bundle, lineage):
    tag = import_version(bundle, lineage)
    assert tag == f"tintype:v3-{lineage.bundle_sha256[:12]}"
    folder, found = load_packed(tag)
    assert found == lineage
    assert read_info(folder) == read_info(bundle)
    assert folder.is_relative_to(store)


def test_what_was_never_registered_says_so_in_its_tag(lineage):
    digest = lineage.bundle_sha256[:12]
    assert model_tag(replace(lineage, version="")) == f"tintype:unregistered-{digest}"
    assert model_tag(replace(lineage, version="starter")) == f"tintype:starter-{digest}"


def test_importing_twice_changes_nothing(store, bundle, lineage):
    tag = import_version(bundle, lineage)
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    assert import_version(bundle, lineage) == tag
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


@pytest.mark.parametrize("lost", ["model.yaml", "lineage.json", "bundle/network.keras"])
def test_an_import_that_was_cut_off_is_done_again(store, bundle, lineage, lost):
    tag = import_version(bundle, lineage)
    (store / tag.replace(":", "/") / lost).unlink()
    with pytest.raises((ModelError, BundleError)):
        load_packed(tag)
    import_version(bundle, lineage)
    assert load_packed(tag)[1] == lineage


def test_another_bundle_under_the_same_name_is_refused(store, bundle, lineage):
    with pytest.raises(ModelError, match=r"Expected the bundle in .* to have the digest"):
        import_version(bundle, replace(lineage, bundle_sha256="0" * 64))
    assert not list(store.rglob("model.yaml"))


def test_a_tag_that_is_not_there_is_reported(store):
    with pytest.raises(ModelError, match=r"Expected the model tintype:v9-0 in BentoML's store\. Received: "):
        load_packed("tintype:v9-0")


def test_the_service_needs_no_training_no_data_and_no_registry(served):
    parts = {module.split(".")[1] for module in served if "." in module}
    assert parts == {
        *("colorize", "engine", "errors", "files", "formats"),
        *("imaging", "measures", "models", "pages", "params", "serving"),
    }


def test_a_bento_holds_what_the_service_imports_and_nothing_else(options, served):
    packed = {
        ".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__")
        for path in service_modules(ROOT, options["service"])
    }
    packages = {module.rpartition(".")[0] for module in served} - {""}
    assert packed == served | packages
    assert not {module for module in packed if module.startswith("tintype.serving.packing")}


def test_a_bento_holds_the_page_and_no_weights_of_its_own(tmp_path, options):
    included = data_files(ROOT, options["include"])
    for name in (
        "serving/page/index.html",
        "serving/http/docs.html.j2",
        "pages/base.html.j2",
        "pages/page.css",
    ):
        assert Path("src/tintype", name) in included
    fill_context(tmp_path, ROOT, CPU, "", "", {})
    packed = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in packed if path.suffix in {".npz", ".keras", ".bin", ".pyc"}]
    assert sum(path.stat().st_size for path in packed) < 2_000_000


def test_requirements_are_exact_and_without_training():
    for variant in VARIANTS.values():
        requirements = locked_requirements(ROOT, variant.extras)
        lines = [line for line in requirements.splitlines() if line and not line.startswith("#")]
        assert all(re.match(r"[A-Za-z0-9._-]+(\[[a-z-]+\])?==\S+", line) for line in lines), lines
        assert not names(requirements) & NOT_FOR_SERVING
        assert {"bentoml", "openvino", "pillow"} <= names(requirements)


def test_only_the_gpu_takes_tensorflow():
    cpu, gpu = (names(locked_requirements(ROOT, variant.extras)) for variant in (CPU, GPU))
    assert not {"tensorflow", "keras", "scipy"} & cpu
    assert {"keras", "tensorflow", "nvidia-cudnn-cu12"} <= gpu | {
        name.replace("cu13", "cu12") for name in gpu
    }


def test_a_bentos_name_follows_from_its_content(tmp_path):
    def digest(name, variant=CPU, requirements="a==1\n", readme="one"):
        (tmp_path / name).mkdir()
        return fill_context(tmp_path / name, ROOT, variant, requirements, readme, {})

    first = digest("first")
    assert digest("again") == first
    others = {digest("b", variant=GPU), digest("c", requirements="a==2\n"), digest("d", readme="two")}
    assert len(others | {first}) == 4


def test_the_variants_dockerfile_is_without_fault(tmp_path, bundle, packed, built):
    made = {CPU: built, GPU: (tmp_path, packed(bundle, tmp_path, "--variant", GPU.name))}
    assert set(made) == set(VARIANTS.values())
    for variant, (home, tag) in made.items():
        dockerfile = folder_of(home, tag) / "env/docker/Dockerfile"
        text = dockerfile.read_text()
        assert f"ENV KERAS_BACKEND={variant.backend}" in text
        assert "HEALTHCHECK" in text
        assert re.search(r"^USER 1034:1034$", text, re.M)
        hadolint = Path(sys.executable).with_name("hadolint")
        done = subprocess.run([hadolint, dockerfile], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_same_version_built_twice_is_the_same(tmp_path, bundle, packed, built):
    # A setting of whoever builds must not reach the Bento: with this one it would hold no model.
    again = packed(bundle, tmp_path, TINTYPE_BUNDLE=str(bundle), TINTYPE_WORKERS="3")
    home, tag = built
    assert again == tag
    first, second = contents(folder_of(home, tag)), contents(folder_of(tmp_path, again))
    assert first == second
    assert b"model_tag: tintype:unregistered-" in first["bento.yaml"]


def contents(folder):
    """Every file's bytes, without the times at which things were made."""
    return {
        str(path.relative_to(folder)): re.sub(rb"creation_time: .*", b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_bentos_labels_are_its_lineage(bundle, built):
    home, tag = built
    folder = folder_of(home, tag)
    labels = YAML(typ="safe").load(folder / "bento.yaml")["labels"]
    info = read_info(bundle)
    assert labels["bundle_sha256"] == bundle_digest(info)
    assert labels["manifest_sha256"] == info.data.manifest_sha256
    assert "model_version" not in labels, "it was never registered"
    # Built beside the store and moved: nothing of it is left, and BentoML finds its newest.
    assert not list(home.glob(".tintype-*"))
    assert (folder.parent / "latest").read_text() == folder.name


def test_labels_tell_what_is_known_and_nothing_else():
    known = Lineage("tintype", "3", "b" * 64, "0a1b", "c0ffee", "d" * 64, "e" * 64)
    assert bento_labels("tintype:v3-bbb", known, "5eed") == {
        "model": "tintype-v3-bbb",
        "git_commit": "5eed",
        "model_version": "tintype/3",
        "model_run_id": "0a1b",
        "model_git_commit": "c0ffee",
        "bundle_sha256": "b" * 64,
        "dvc_lock_sha256": "d" * 64,
        "manifest_sha256": "e" * 64,
    }
    assert bento_labels("tintype:x", Lineage("tintype"), "") == {"model": "tintype-x"}


def test_a_model_and_an_alias_at_once_is_reported():
    done = command("package", "--model", "starter", "--alias", "champion")
    assert done.exit_code == 2
    assert "Received both: starter and champion." in done.stderr


def test_packing_elsewhere_than_in_the_project_is_reported(tmp_path, monkeypatch, store, bundle):
    monkeypatch.chdir(tmp_path)
    done = command("package", "--model", bundle)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: Expected ")


def test_without_a_champion_there_is_an_error_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    done = command("serve")
    assert done.exit_code == 1
    assert "there is none yet. Run `dvc repro`." in done.stderr


def test_a_port_that_is_taken_is_reported(bundle):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("serve", "--model", bundle, "--port", port)
    assert done.exit_code == 1
    assert f"Expected to listen on 127.0.0.1, port {port}. Received: Address already in use." in done.stderr


@pytest.mark.timeout(600)
def test_the_built_bento_serves_where_nothing_of_this_project_is(
    built_bento, serving, bundle, cat_file, tmp_path
):
    python = built_bento.command[0]
    with serving(tmp_path, {}, built_bento) as server:
        server.wait_until("/readyz", 200)
        facts = httpx.get(f"{server.url}/model_info", trust_env=False).json()
        answer = httpx.post(f"{server.url}/colorize", content=cat_file, timeout=60, trust_env=False)
        assert server.stop() == 0
    assert facts["bundle_sha256"] == bundle_digest(read_info(bundle))
    assert (facts["backend"], facts["ir"]) == ("openvino", True)
    assert answer.status_code == 200
    assert answer.headers["x-tintype-receipt"]
    for package in ("tintype", "tensorflow", "mlflow"):
        absent = [
            python,
            "-c",
            f"import importlib.util as u; raise SystemExit(u.find_spec({package!r}) is not None)",
        ]
        done = subprocess.run(absent, cwd=tmp_path, env=built_bento.environment, check=False)
        assert done.returncode == 0, package
