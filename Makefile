# make demo        an embedded AWS on this machine, and Dicoogle deployed into it
# make demo-down   stop it and remove what it left
# make check       what is quick: style, types, unit tests, documentation
# make test        everything that is checked before a change lands
# make help        the single steps

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEWEST_PYTHON ?= $(shell \
  for each in python3.14 python3.13 python3.12 $$(pyenv root 2> /dev/null)/versions/3.1[2-4]*/bin/python $(PYTHON); do \
    "$$each" -c '' 2> /dev/null && echo "$$each" && break; done)
COLLECTION := .cache/collections/ansible_collections/openpacs/dicoogle

export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_NOCOLOR := $(if $(CI),1,)
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/.cache/bin:$(PATH)

# Files run side by side, the tests of a file one after the other.
pytest := pytest -q -n auto --dist loadfile
# Both cores side by side.
both := printf '%s\n' .cache/cores/oldest .cache/cores/newest | xargs -P 2 -n 1 bash

say = @printf '\n==> %s\n' "$(1)"

.PHONY: help
help:  ## Show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# ---- The machine ----

.PHONY: python
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
	  || { echo "Python 3.11 or newer is needed: apt-get install python3 (or make PYTHON=/path/to/python3)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null \
	  || { echo "Python's venv module is needed: apt-get install python3-venv"; exit 1; }

$(BIN)/.demo: requirements.txt | python
	$(call say,Installing Ansible into $(VENV))
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(BIN)/.test: tests/requirements.txt $(BIN)/.demo
	$(call say,Installing the test tools into $(VENV))
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

.cache/checkov/bin/checkov: tests/requirements-checkov.txt | python
	$(call say,Installing checkov on its own as it pins what others need newer)
	@$(PYTHON) -m venv .cache/checkov
	@.cache/checkov/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-checkov.txt
	@touch $@

.cache/mitmproxy/bin/mitmdump: tests/requirements-mitmproxy.txt | python
	$(call say,Installing mitmproxy on its own as it pins what others need newer)
	@$(PYTHON) -m venv .cache/mitmproxy
	@.cache/mitmproxy/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-mitmproxy.txt
	@touch $@

.cache/cores/oldest/.ready: CORE_PYTHON = $(PYTHON)
.cache/cores/newest/.ready: CORE_PYTHON = $(NEWEST_PYTHON)
.cache/cores/%/.ready: tests/requirements-%.txt | python
	$(call say,Installing the $* ansible-core that $(CORE_PYTHON) allows)
	@$(CORE_PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-$*.txt
	@touch $@

.cache/bin/ghostunnel: tests/tools/ghostunnel/go.sum
	$(call say,Building Ghostunnel for the tests)
	@mkdir -p $(@D)
	@if command -v go > /dev/null; then \
	  go build -C tests/tools/ghostunnel -mod=readonly -trimpath -ldflags "-s -w -X main.version=1.11.0" \
	    -o "$(CURDIR)/$@" github.com/ghostunnel/ghostunnel; \
	else \
	  echo "Go 1.26 or newer is not here: tests that need Ghostunnel are skipped."; \
	fi

.cache/jetty/Servlets.class: $(addprefix tests/tools/jetty/,pom.xml sha256sums Servlets.java)
	$(call say,Fetching Dicoogle's Jetty for the tests)
	@mkdir -p $(@D)
	@if command -v mvn > /dev/null && command -v javac > /dev/null; then \
	  mvn --quiet --batch-mode --file tests/tools/jetty/pom.xml dependency:copy-dependencies \
	    -DoutputDirectory="$(CURDIR)/$(@D)"; \
	  (cd $(@D) && sha256sum --quiet --check "$(CURDIR)/tests/tools/jetty/sha256sums"); \
	  javac -d $(@D) -cp "$(@D)/*" tests/tools/jetty/Servlets.java; \
	else \
	  echo "Maven or a JDK is not here: tests that need Jetty are skipped."; \
	fi

$(COLLECTION):
	@mkdir -p $(dir $@)
	@ln -sfn ../../../.. $@

# ---- The demonstration ----

demo demo-down: export ANSIBLE_STDOUT_CALLBACK ?= openpacs.dicoogle.story
docker_answers := docker info > /dev/null 2>&1

.PHONY: demo
demo: $(BIN)/.demo $(COLLECTION)  ## Deploy into an embedded AWS on this machine
	@ansible-playbook -i inventory/embedded playbooks/embedded.yml
	@ansible-playbook -i inventory/embedded site.yml
	@if [ "$$(id -u)" = 0 ] && $(docker_answers); then \
	  ansible-playbook -i inventory/embedded playbooks/verify.yml; \
	else \
	  echo; \
	  echo "Dicoogle itself did not run: its containers need Docker, and root for their network."; \
	  echo "To see an image stored, found and moved, install Docker (apt-get install docker.io), then run as root: make demo-down demo"; \
	fi

.PHONY: demo-down
demo-down: $(BIN)/.demo $(COLLECTION)  ## Stop the embedded AWS and remove its state
	@registry=$$(cut -d/ -f3 .cache/embedded/endpoint 2> /dev/null || true); \
	ansible-playbook -i inventory/embedded playbooks/embedded.yml -e dicoogle_embedded_state=stopped; \
	if [ -n "$$registry" ] && $(docker_answers); then \
	  docker images --digests --format '{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}' "$$registry/*/*" \
	    | tr ' ' '\n' | sed '/<none>/d' | xargs --no-run-if-empty docker rmi > /dev/null; \
	fi
	@rm -rf .cache/embedded

# ---- The checks ----

.PHONY: check
check: lint unit docs-check  ## What is quick: for daily work

.PHONY: test
test: check recipes contract attacks embedded roles side-by-side system faults images dataplane release sanity  ## Everything
	$(call say,All checks passed)

# Each of these keeps one processor busy.
.PHONY: side-by-side
side-by-side: $(BIN)/.test $(COLLECTION)
	$(call say,Modules beside Molecule; each is shown when it has ended)
	@$(MAKE) --jobs 2 --output-sync=target integration molecule

.PHONY: lint
lint: $(BIN)/.test $(COLLECTION) .cache/checkov/bin/checkov  ## Style, types, templates, security rules
	$(call say,Python: ruff and mypy)
	@ruff check --quiet .
	@ruff format --quiet --check .
	@MYPYPATH=.cache/collections mypy --no-error-summary -p ansible_collections.openpacs.dicoogle.plugins
	@MYPYPATH=embedded mypy --no-error-summary -p openpacs_embedded
	$(call say,Shell: shellcheck)
	@git ls-files '*.sh' .ci/run docker | xargs grep -lE '^#!.*sh$$' | xargs shellcheck
	$(call say,Ansible: yamllint and ansible-lint)
	@yamllint --strict .
	@ansible-lint --offline --strict -q
	$(call say,CloudFormation: cfn-lint and checkov)
	@cfn-lint
	@.cache/checkov/bin/checkov --config-file .checkov.yaml --quiet --compact

.PHONY: unit
unit: $(BIN)/.test  ## Pure functions, modules with fakes, templates as data
	$(call say,Unit tests)
	@$(pytest) tests/unit

.PHONY: recipes
recipes: $(BIN)/.test $(COLLECTION)  ## What CONTRIBUTING.md tells to do, on a copy of the repository
	$(call say,Recipes of CONTRIBUTING.md)
	@$(pytest) --dist load tests/docs

# make contract DICOOGLE_ARCHIVE=/path/Dicoogle_v3.5.1.zip JAVA=/path/java tries a real one.
.PHONY: contract
contract: $(BIN)/.test  ## What the product relies on in Dicoogle, with the double or a real one
	$(call say,What the product relies on in Dicoogle)
	@$(pytest) tests/contract

.PHONY: attacks
attacks: $(BIN)/.test .cache/bin/ghostunnel .cache/jetty/Servlets.class $(COLLECTION)  ## What attackers want and do not get
	$(call say,Attacks)
	@$(pytest) tests/attacks

.PHONY: embedded
embedded: $(BIN)/.test $(COLLECTION)  ## The embedded AWS
	$(call say,The embedded AWS)
	@$(pytest) tests/embedded

.PHONY: roles
roles: $(BIN)/.test $(COLLECTION)  ## Roles by themselves
	$(call say,Roles)
	@$(pytest) tests/roles

.PHONY: integration
integration: $(BIN)/.test $(COLLECTION)  ## Every module: check, run, check again, run again
	$(call say,Modules against the embedded AWS)
	@bash tests/integration/run.sh

.PHONY: molecule
molecule: $(BIN)/.test $(COLLECTION)  ## The whole run: converge, idempotence, verify, destroy
	$(call say,Molecule)
	@cd extensions && molecule test --all

.PHONY: system
system: $(BIN)/.test $(COLLECTION)  ## What users rely on: changes, two environments, two runs, secrets
	$(call say,The collection as users know it)
	@$(pytest) tests/system

# make faults FAULT_SEEDS=20 kills runs at more points.
.PHONY: faults
faults: $(BIN)/.test .cache/mitmproxy/bin/mitmdump $(COLLECTION)  ## Lost calls, denied actions, killed runs
	$(call say,Faults)
	@$(pytest) tests/faults

.PHONY: images
images: $(BIN)/.test .cache/bin/ghostunnel  ## The container images, with a container engine
	$(call say,Container images)
	@$(pytest) tests/images

.PHONY: dataplane
dataplane: $(BIN)/.test .cache/bin/ghostunnel $(COLLECTION)  ## DICOM through the tunnels
	$(call say,DICOM through the tunnels)
	@$(pytest) tests/dataplane

CORES := .cache/cores/oldest/.ready .cache/cores/newest/.ready

.PHONY: sanity
sanity: $(BIN)/.test $(CORES)  ## ansible-test sanity on the oldest and newest ansible-core
	$(call say,ansible-test sanity on the oldest and the newest ansible-core)
	@$(both) tests/sanity/run.sh

.PHONY: release
release: $(BIN)/.test $(CORES)  ## Build the tarball, install and run it on both
	$(call say,The tarball on the oldest and the newest ansible-core)
	@$(both) tests/release/run.sh

.PHONY: bench
bench: $(BIN)/.test .cache/bin/ghostunnel $(COLLECTION)  ## Measure the budgets of calls, seconds and images
	@PYTHONPATH=docker/dicoogle:tests:tests/integration/targets/setup_dicom_archive/files python tests/bench/run.py

# Warnings of Sphinx are errors: a link to nothing is one.
define site
rm -rf build/docs
python docs/pages.py build/docs/source
mkdir build/docs/source/collection
antsibull-docs --config-file docs/antsibull-docs.cfg collection --use-current --squash-hierarchy --fail-on-error \
  --dest-dir build/docs/source/collection openpacs.dicoogle
sphinx-build -q -W --keep-going -c docs -d build/docs/doctrees build/docs/source build/docs/html
endef

.PHONY: docs
docs: $(BIN)/.test $(COLLECTION)  ## Draw the picture and build the site into build/docs/html
	@python docs/architecture.py
	@$(site)

# Without the ceiling, antsibull-docs leaves out the collections in .venv, because git ignores that folder.
.PHONY: docs-check
docs-check: $(BIN)/.test $(COLLECTION)  ## Documentation of plugins and roles, fragments of changes, the site
	$(call say,Documentation)
	@GIT_CEILING_DIRECTORIES=$(CURDIR) antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
	@antsibull-changelog lint
	@$(site)

.PHONY: execution-environment
execution-environment: $(BIN)/.test  ## Build an image for AWX and ansible-navigator, with Docker or Podman
	@ansible-galaxy collection build --force --output-path build
	@ansible-builder build --tag openpacs-dicoogle --context build/execution-environment

.PHONY: clean
clean:  ## Remove everything that make has made
	@rm -rf .cache build $(VENV)
