# One vocabulary for people, hooks and CI. `make` alone lists it.
# Nothing has to be installed first but python3, make and git: .ci/uv.py gets uv, and uv gets the rest.

UV     := python3 .ci/uv.py
RUN    := $(UV) run --no-sync
PHOTO  ?= data/legacy/black-canyon.jpg
PRESET ?= sample
PORT   ?=
TESTS  ?=
MODEL  ?=
PHOTOS ?=
EXTRA  ?= heif
SCRATCH ?=
TIER    ?=
DATA    ?=
SET    ?=
DIR    ?=
REFERENCE ?=
DEPLOY ?=
VARIANT ?= cpu
BACKEND ?= buildah
BASE   ?=

AGAINST ?= origin/main
WORKFLOWS := $(wildcard .github/workflows/*.yml)

# Where no model is named, commands take the registry's champion, else the starter.
MODEL_OPTION = $(if $(MODEL),--model $(MODEL))

# Some machines forbid Python to keep what it has compiled; compiling it anew adds a second and more to each process.
unexport PYTHONDONTWRITEBYTECODE
# Models, Bentos and caches stay in the project, not in the home folder.
export BENTOML_HOME ?= $(CURDIR)/.bentoml
export MPLCONFIGDIR ?= $(CURDIR)/.cache/matplotlib
export KERAS_HOME ?= $(CURDIR)/.cache/keras

.DEFAULT_GOAL := help
.PHONY: help demo pipeline extras wheel starter mlflow monitor serve watch bento container bench bench-smoke bench-imaging bench-memory bench-scale bench-cluster bench-load bench-faults bench-gate loop study experiments bento-test test test-fast test-slow test-stores test-cluster docs notebook check check-workflows pipeline-check pr-report pr-comment release-image release-push release-deploy release-smoke format hooks params clean env env-pipeline env-serve in-git

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##--- To use it

demo: pipeline ## From a fresh clone through the whole pipeline to a registered version, then PHOTO=... in colour
	$(RUN) tintype colorize $(PHOTO) --output demo --force $(MODEL_OPTION)
	@echo
	@echo "In colour:            demo/$(notdir $(PHOTO)), by $(or $(MODEL),the champion: the starter, until you promote another)"
	@echo "By what was trained:  make demo MODEL=$$(sed -n 's/.*"model_uri": "\(.*\)".*/\1/p' reports/register.json)"
	@echo "All legacy photos:    reports/evaluate/custom.jpg"
	@echo "Gray, ours, truth:    reports/evaluate/grid.jpg"
	@echo "How good it is:       reports/evaluate/metrics.json"
	@echo "The checks of data:   reports/validate/docs/index.html"
	@echo "Runs and versions:    make mlflow, then http://127.0.0.1:5000"
	@echo "The page for people:  make serve, then http://127.0.0.1:3000"
	@echo "Your own photos:      make demo PHOTO=path/to/photo.jpg"

pipeline: in-git env-pipeline ## Run what has changed of the DVC pipeline
	$(RUN) dvc repro

experiments: in-git env-pipeline ## Compare experiments: the headline figures, and the parameters that differ
	$(RUN) dvc exp show --only-changed --hide-workspace --drop 'Created|.*/'

mlflow: env-pipeline ## Serve MLflow's pages on the pipeline's own store, at PORT=5000
	@test -z "$$MLFLOW_TRACKING_URI" || { echo "error: MLFLOW_TRACKING_URI names another store: see its own pages, or unset it." >&2; exit 1; }
	@mkdir -p .mlflow
	@echo "MLflow answers in a moment (Ctrl+C ends it): http://127.0.0.1:$(or $(PORT),5000)/#/models"
	exec env MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_DISABLE_TELEMETRY=true \
	$(RUN) mlflow server --host 127.0.0.1 --port $(or $(PORT),5000) --workers 1 --uvicorn-opts "--log-level warning" \
	  --backend-store-uri "sqlite:///$(CURDIR)/.mlflow/mlflow.db" --artifacts-destination "$(CURDIR)/.mlflow/artifacts"

monitor: env-pipeline ## Judge what a service wrote down in DIR=folder; REFERENCE=file to see drift
	$(RUN) tintype monitor $(DIR) $(if $(REFERENCE),--reference $(REFERENCE))

serve: env-serve ## Serve the champion, or the starter: page and interface, at PORT=3000; MODEL=models:/tintype/3 another
	$(RUN) tintype serve $(MODEL_OPTION) --port $(or $(PORT),3000)

watch: env-serve ## Pack each new champion, and run DEPLOY="command {bento}" with it
	$(RUN) tintype watch $(if $(DEPLOY),--deploy "$(DEPLOY)")

bento: env-serve ## Pack the champion, or the starter, with its lineage and pinned requirements; VARIANT=gpu for TensorFlow
	$(RUN) tintype package $(MODEL_OPTION) --variant $(VARIANT)

container: env-serve ## Build the image, run it, colour PHOTO through it; VARIANT=gpu, BACKEND=docker, BASE=an image
	$(RUN) python .ci/container.py $(MODEL_OPTION) --variant $(VARIANT) --backend $(BACKEND) $(if $(BASE),--base $(BASE)) --photo $(PHOTO)

extras: ## Add packages to .venv: EXTRA=heif, gpu, cluster, stores, pipeline or serve, or several in quotes
	$(UV) sync --locked --inexact --no-default-groups $(addprefix --extra ,$(EXTRA))

wheel: ## Build the package for pip: dist/tintype-*.whl
	$(UV) build --wheel --out-dir dist

starter: env-pipeline ## Train the starter from PHOTOS="folder folder" and put it into the package; TIER=open takes only those
	$(RUN) python .ci/starter.py --photos $(PHOTOS) $(if $(TIER),--tier $(TIER)) $(if $(DATA),--data "$(DATA)") $(if $(SCRATCH),--scratch $(SCRATCH)) $(if $(SET),--set $(SET))

##--- To change it

test: env ## Run the tests; TESTS="tests/imaging -k lab" runs some of them
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" $(TESTS)

test-fast: env ## Run the tests that start no process and load no TensorFlow, in less than a minute
	$(RUN) pytest -n 2 --dist loadfile -m fast $(TESTS)

test-slow: env ## Run the tests that take long and have a quicker one beside them
	$(RUN) pytest -n 2 -m slow $(TESTS)

test-stores: ## Run the loop on PostgreSQL and S3, which are started for it (docs/stores.md)
	$(UV) sync --locked --inexact --extra stores --group test-servers
	$(RUN) pytest -n 0 tests/stores $(TESTS)

test-cluster: ## Run features and training on real Ray nodes and an S3 server, which are started for it (docs/cluster.md)
	$(UV) sync --locked --inexact --extra cluster --extra stores --group test-servers
	$(RUN) pytest -n 0 tests/cluster $(TESTS)

check: env check-workflows ## Check format, style, types, the direction of imports and the workflows
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports

check-workflows: env ## Check .github/workflows: their schema, and what an attacker could use
	$(RUN) check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(RUN) zizmor --offline --quiet $(WORKFLOWS)

docs: ## Build the pages of docs/ as a site without anything from elsewhere: site/index.html
	$(UV) sync --locked --inexact --group docs
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --quiet

notebook: env ## Run docs/first-steps.ipynb and keep what it shows; `make test` compares
	$(RUN) jupyter execute --inplace --NotebookClient.record_timing=False docs/first-steps.ipynb

bento-test: env ## Hold the built Bento, in an environment of its own, to the service's tests
	TINTYPE_TEST_BENTO=1 $(RUN) pytest -n 0 tests/serving/test_service.py tests/serving/test_limits.py tests/serving/test_stopping.py

bench: env ## Measure one machine's speed, with what it is held to beside it; PHOTOS=folder (docs/performance)
	$(RUN) python -m benchmarks.features $(if $(PHOTOS),--folder $(PHOTOS))
	$(RUN) python -m benchmarks.precision $(if $(PHOTOS),--folder $(PHOTOS))
	$(RUN) python -m benchmarks.pipeline $(if $(PHOTOS),--folder $(PHOTOS))
	$(RUN) python -m benchmarks.training $(if $(PHOTOS),--photos $(PHOTOS))
	$(RUN) python -m benchmarks.serving

bench-smoke: env ## Run the benchmarks on next to nothing, to see that they run
	$(RUN) python -m benchmarks.smoke

bench-imaging: env ## Measure what a photo costs around the network, up to 100 megapixels
	$(RUN) python -m benchmarks.imaging
	$(RUN) python -m benchmarks.imaging --depth 16 --megapixels 12

bench-memory: env ## Measure the peak of memory of every stage at 2,000 and 20,000 photos; hours
	$(RUN) python -m experiments.memory

bench-scale: env ## Measure what is done with rows of the manifest, up to 10 million of them (docs/scale.md)
	$(RUN) python -m experiments.scale

bench-cluster: env ## Measure what Ray costs; PHOTOS=folder COUNT=200 of more photos than the sample's
	$(UV) sync --locked --inexact --extra cluster
	$(RUN) python -m experiments.cluster $(if $(PHOTOS),--photos $(PHOTOS) --count $(or $(COUNT),200))

bench-load: env ## Measure the service under load; MINUTES=10 for growth of memory
	$(RUN) python -m benchmarks.load $(if $(MINUTES),--minutes $(MINUTES))

bench-faults: env ## Kill a worker, stop the service, both under load: nothing accepted may be lost
	$(RUN) python -m experiments.faults

bench-gate: env ## Show the gate challengers that are bad on purpose
	$(RUN) python -m experiments.gate

loop: env ## In a fresh clone: train, compare, promote in the browser, pack, serve, trace, roll back
	$(RUN) pytest -n 0 -s tests/loop

study: env-pipeline ## Train every recipe of conf/recipe, compare, write docs/quality.md; PHOTOS=folder, else Kaggle's
	$(RUN) python -m experiments.study $(if $(PHOTOS),--photos $(PHOTOS))

format: env ## Bring the code into shape
	$(RUN) ruff check --fix
	$(RUN) ruff format

hooks: env ## Run the checks before each commit of yours
	$(RUN) pre-commit install

params: env-pipeline ## Write params.yaml anew from conf/, for PRESET=sample
	$(RUN) python .ci/params.py $(PRESET)

##--- To automate it: the steps of .github/workflows

pipeline-check: in-git env-pipeline ## Check that dvc.lock belongs to code, parameters and data; data may be elsewhere
	$(RUN) python .ci/pipeline_check.py

pr-report: in-git env-pipeline ## Compare metrics, parameters and plots with AGAINST=origin/main, into demo/report
	$(RUN) python .ci/pr_report.py --base $(AGAINST)

pr-comment: ## Put the report of RUN_ID under PULL_REQUEST, anew or in place of the last
	rm -rf demo/report
	gh run download "$$RUN_ID" --name report --dir demo/report
	gh pr comment "$$PULL_REQUEST" --edit-last --create-if-none --body-file demo/report/report.md

release-image: env-serve ## Build the image of TINTYPE_VERSION and colour a photo through it (docs/automation.md)
	$(RUN) python .ci/release.py image

release-push: ## Push the image TINTYPE_BUILT to TINTYPE_REGISTRY
	python3 .ci/release.py push

release-deploy: ## Run the command TINTYPE_DEPLOY for TINTYPE_IMAGE
	python3 .ci/release.py deploy

release-smoke: ## Ask the service at TINTYPE_URL: ready, the right version, colours a photo
	python3 .ci/release.py smoke

clean: ## Remove what tools leave behind; data, models and runs stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .cache demo site
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

env: ## Make .venv with all there is to work on the code; then: source .venv/bin/activate
	$(UV) sync --locked --inexact

env-serve:
	$(UV) sync --locked --inexact --no-default-groups --extra pipeline --extra serve

env-pipeline:
	$(UV) sync --locked --inexact --no-default-groups --extra pipeline

in-git:
	@git rev-parse --git-dir > /dev/null || { echo "error: Expected a git repository, for DVC and for the lineage of versions. Clone the project, or" >&2; \
	echo "run \`git init && git add -A && git commit -m Start\` here; \`dvc config --local core.no_scm true\` and \`dvc repro\` go without." >&2; exit 1; }
