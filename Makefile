# What `sam build` runs for each function, by way of deploy/package/<architecture>/Makefile.
# By hand: make -f deploy/package/arm64/Makefile build-McpFunction ARTIFACTS_DIR=<an empty directory>

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
RUNTIME := 3.13
PLATFORM_arm64 := aarch64-manylinux_2_28
PLATFORM_x86_64 := x86_64-manylinux_2_28
PLATFORM = $(or $(PLATFORM_$(ARCHITECTURE)),$(error ARCHITECTURE is neither arm64 nor x86_64))

UV ?= uv
# A bytecode file is only as good as the interpreter that wrote it: it must be the one that Lambda runs.
PYTHON ?= $(shell $(ROOT)/deploy/find-python $(RUNTIME))

.PHONY: build-McpFunction build-HttpApiFunction
build-McpFunction build-HttpApiFunction:
	$(if $(PYTHON),,$(error no CPython $(RUNTIME)))
	$(UV) export --project "$(ROOT)" --quiet --frozen --no-dev --no-emit-project --no-header --no-annotate \
	    --output-file "$(ARTIFACTS_DIR)/requirements.txt"
	$(UV) pip install --quiet --no-config --require-hashes --only-binary :all: --link-mode copy \
	    --python "$(PYTHON)" --python-version $(RUNTIME) --python-platform $(PLATFORM) \
	    --target "$(ARTIFACTS_DIR)" --requirements "$(ARTIFACTS_DIR)/requirements.txt"
	"$(PYTHON)" -I "$(ROOT)/deploy/build_package.py" "$(ROOT)/src" "$(ARTIFACTS_DIR)"
