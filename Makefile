# Danglian 档联. Every target sets itself up: a machine with make and Python 3.11 or newer is enough.

UV_VERSION := 0.13.8

# The first Python that is new enough; give another with `make PYTHON=... test`.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_STAMP := $(VENV)/.uv-$(UV_VERSION)
SYNC_STAMP := $(VENV)/.synced

# More arguments for the demonstration, for example: make demo DEMO_ARGS="--sites 24 --exit-when-settled"
DEMO_ARGS ?=
# Arguments for pytest instead of these, for example: make test TEST_ARGS="tests/unit -x". Files of tests run side by side, five
# on two processors, for many of them wait, and in the order of their folders, so that the quick ones fill the end; every
# test has its own ports and folders.
TEST_ARGS ?= -n 5 --dist loadfile --no-loadscope-reorder
# Where tests keep their files: in memory where there is room for them (4 GiB), for some thousand small databases and every
# server wait for their disk at each commit, and no test cuts a machine's power.
TEST_TMP ?= $(shell free() { [ "$${1:-0}" -ge 4194304 ]; }; test -w /dev/shm \
	&& free "$$(df -Pk /dev/shm | awk 'NR == 2 {print $$4}')" \
	&& free "$$(awk '/^MemAvailable:/ {print $$2}' /proc/meminfo)" && echo /dev/shm || echo "$${TMPDIR:-/tmp}")
BENCH_ARGS ?=
# More arguments for the search engines side by side, for example: make bench ENGINE_ARGS="--rows 1000000 --only danglian"
ENGINE_ARGS ?=
# More arguments for the questions, for example: make contract CONTRACT_ARGS="--only synonym --failures"
CONTRACT_ARGS ?=
# More arguments for the faults, for example: make chaos CHAOS_ARGS="--only kill --seed 7 --rows 20000"
CHAOS_ARGS ?=
# More arguments for the rehearsal of a transfer, for example: make rehearsal REHEARSAL_ARGS="--items 200 --seed 7"
REHEARSAL_ARGS ?=

# uv works in our own .venv with the interpreter that made it, whatever the caller's shell has activated.
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV
# What was compiled is kept, whatever the caller's shell says: five processes of tests, and every program that they start,
# would compile it all again.
unexport PYTHONDONTWRITEBYTECODE

SOURCES := node hub protocol replication deploy tests

.DEFAULT_GOAL := help
.PHONY: help demo test lint format contract bench chaos rehearsal clean

help:
	@echo 'make demo    一台机器上的一个县：真实的程序，虚构的目录  /  a whole county on this machine: real programs, fictitious catalogues'
	@echo 'make test    检查代码并运行全部测试  /  check the code and run every test'
	@echo 'make lint    只检查代码：ruff、mypy、导入规则  /  check the code only: ruff, mypy, import rules'
	@echo 'make format  整理代码格式  /  put the code in order'
	@echo 'make contract  检索质量：公布的问题集逐类召回率  /  search quality: recall of the published questions by class'
	@echo 'make bench   运行基准测试并打印结果表  /  run the benchmarks and print their table'
	@echo 'make chaos   对真实程序注入真实故障并写出报告  /  real faults on the real programs, and a report (root adds disk and line)'
	@echo 'make rehearsal  一次移交从头到尾的排练：256 kbit/s 线路、随机断电、清空消息服务  /  a whole transfer rehearsed under faults (root)'
	@echo 'make clean   删除 .venv 与缓存  /  remove .venv and caches'

demo: $(SYNC_STAMP)
	$(BIN)/danglian-demo $(DEMO_ARGS)

test: lint
	TMPDIR="$(TEST_TMP)" $(BIN)/pytest $(TEST_ARGS)

# The second run of mypy reads the node's path as Windows sees it: a Unix-only call has no such attribute there. Each of
# the two has one processor; both are waited for.
lint: $(SYNC_STAMP)
	$(UV) lock --check --offline --quiet
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 -p node -p replication -p protocol & windows=$$!; \
		$(BIN)/mypy; here=$$?; wait $$windows && exit $$here
	$(BIN)/lint-imports --no-logo

format: $(SYNC_STAMP)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

contract: $(SYNC_STAMP)
	@# The dictionary that is measured beside us; without it its column stays empty.
	$(UV) sync --frozen --all-extras --group bench
	$(BIN)/python -m tests.search_contract --write $(CONTRACT_ARGS)

bench: $(SYNC_STAMP)
	@# The peers that are measured beside us; without them their column stays empty.
	$(UV) sync --frozen --all-extras --group bench
	$(BIN)/python -m tests.bench $(BENCH_ARGS)
	$(BIN)/python -m tests.bench.engines $(ENGINE_ARGS)

chaos: $(SYNC_STAMP)
	$(BIN)/python -m tests.chaos --report chaos-report/report $(CHAOS_ARGS)

rehearsal: $(SYNC_STAMP)
	$(BIN)/python -m tests.chaos.rehearsal --report rehearsal-report/report $(REHEARSAL_ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(UV_STAMP):
	@if [ -z "$(PYTHON)" ]; then \
		echo '错误：需要 Python 3.11 或更高版本（请安装，或用 make PYTHON=/路径/python3 指定）。' >&2; \
		echo 'Error: Python 3.11 or newer is needed (install it, or name it: make PYTHON=/path/python3).' >&2; \
		exit 1; \
	fi
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo '错误：$(PYTHON) 不是 Python 3.11 或更高版本。' >&2; \
		echo 'Error: $(PYTHON) is not Python 3.11 or newer.' >&2; \
		exit 1; \
	fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo '错误：该 Python 缺少 venv 模块（Debian/Ubuntu：apt-get install python3-venv）。' >&2; \
		echo 'Error: this Python lacks its venv module (Debian/Ubuntu: apt-get install python3-venv).' >&2; \
		exit 1; \
	fi
	@# An environment of an interpreter that is gone, or too old, is made anew.
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'
	@touch $@

$(SYNC_STAMP): $(UV_STAMP) pyproject.toml uv.lock
	$(UV) sync --frozen --all-extras --compile-bytecode
	@touch $@
