# SPDX-License-Identifier: Apache-2.0
# The usual targets; `make help` lists them.

PREFIX     ?= /usr
SYSCONFDIR ?= /etc
DESTDIR    ?=
SWIFT      ?= swift
INSTALL    ?= install

# Where the agent's unit gets its hook from: debian (the unit names none) or rhel
# (the unit reads a variable). Found out when it is not given.
LAYOUT ?= $(shell . /etc/os-release 2>/dev/null; \
	case " $$ID $$ID_LIKE " in (*" rhel "*|*" fedora "*|*" centos "*) echo rhel;; (*) echo debian;; esac)

# The C++ and gcc runtimes are linked in where their static libraries are installed: two libraries fewer to load and to
# relocate at every start. swiftc has no option for the first: it takes what it finds first on its path.
LIBSTDCXX     := $(shell cc -print-file-name=libstdc++.a 2>/dev/null)
STATIC_CXX    := $(if $(wildcard $(LIBSTDCXX)),-Xlinker -L.build/static -Xswiftc -Xclang-linker -Xswiftc -static-libgcc)
# lld, which comes with Swift: gold warns of a function in Foundation that is never called.
# -function-sections and --no-export-dynamic: the linker drops single functions that nobody calls; every start pays for
# what is kept, in pages and relocations.
RELEASE_FLAGS  = -c release --static-swift-stdlib -Xswiftc -use-ld=lld $(STATIC_CXX) \
	-Xswiftc -Xfrontend -Xswiftc -function-sections -Xlinker --no-export-dynamic
DEFAULT_PROGRAM = .build/release/fsfreeze-hook
# What is installed and measured. `make install PROGRAM=.build-portable/fsfreeze-hook` takes the portable one.
PROGRAM        ?= $(DEFAULT_PROGRAM)
# What the last release build was made from: lets `sudo make install` do without Swift.
STAMP           = .build/release.stamp
# What was linked into it; empty for a program of which nobody knows.
DEPENDENCIES   ?= $(PROGRAM).dependencies
# What has to be there before PROGRAM can be installed. Another one than that of `make` is stripped already.
BUILT           = $(if $(filter $(DEFAULT_PROGRAM),$(PROGRAM)),$(STAMP),$(PROGRAM))
STRIP           = $(if $(filter $(DEFAULT_PROGRAM),$(PROGRAM)),-s)

sbindir     = $(DESTDIR)$(PREFIX)/sbin
unitdir     = $(DESTDIR)$(PREFIX)/lib/systemd/system
dropindir   = $(unitdir)/qemu-guest-agent.service.d
catalogdir  = $(DESTDIR)$(PREFIX)/lib/systemd/catalog
tmpfilesdir = $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
datadir     = $(DESTDIR)$(PREFIX)/share/fsfreeze-hook
selinuxdir  = $(DESTDIR)$(PREFIX)/share/selinux/packages
POLICY      = $(wildcard packaging/selinux/*.cil)
docdir      = $(DESTDIR)$(PREFIX)/share/doc/fsfreeze-hook
rotatedir   = $(DESTDIR)$(SYSCONFDIR)/logrotate.d
libexecdir  = $(DESTDIR)$(PREFIX)/libexec/fsfreeze-hook
mandir      = $(DESTDIR)$(PREFIX)/share/man
bashdir     = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
fishdir     = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
# Debian's zsh looks for what packages bring in a directory of its own.
zshdirs     = $(addprefix $(DESTDIR)$(PREFIX)/share/zsh/,vendor-completions site-functions)
zshdir      = $(word $(if $(filter debian:/usr,$(LAYOUT):$(PREFIX)),1,2),$(zshdirs))

SOURCES     := Package.swift $(shell find Sources -type f)
EXAMPLES    := $(wildcard hooks/*.sample)
RECIPES     := $(wildcard hooks/recipes/*)
# What the recipes read.
RECIPE_LIBRARY := $(wildcard hooks/*.sh)
RECIPE_PAGES := $(wildcard docs/recipes/*.md)
# For who uses the program; the other one is for who changes it.
PAGES       := $(filter-out docs/architecture.md,$(wildcard docs/*.md))
ALERT_RULES := $(wildcard packaging/prometheus/*.rules.yml)
MANUALS     := $(wildcard man/*.[1-9])
COMPLETIONS  = $(bashdir)/fsfreeze-hook $(fishdir)/fsfreeze-hook.fish $(addsuffix /_fsfreeze-hook,$(zshdirs))

# A crashing process must not leave a backtracer behind that holds the output open.
export SWIFT_BACKTRACE = enable=no

.PHONY: all build demo test test-release recipe-test guest-test soak inject fuzz fault-test bench lint install \
	check-install uninstall clean help
.DEFAULT_GOAL := all

all: build ## the program as it is installed (the default)

build:
	@scripts/need swift libsystemd
	@$(if $(STATIC_CXX),mkdir -p .build/static && ln -sf $(LIBSTDCXX) .build/static/libstdc++.a)
	$(SWIFT) build $(RELEASE_FLAGS) --product fsfreeze-hook
	@scripts/dependencies >$(DEFAULT_PROGRAM).dependencies
	@touch $(STAMP)

$(STAMP): $(SOURCES)
	@$(MAKE) --no-print-directory build

demo: build ## a freeze and a thaw through the real qemu-ga, shown step by step
	@scripts/need qemu-ga namespaces python3
	@scripts/demo $(PROGRAM)

test: ## all tests but those of the recipes (as root: they use mount namespaces)
	@scripts/need swift libsystemd qemu-ga systemd namespaces filesystem promtool python3
	$(SWIFT) test --skip RecipeTests

# The optimizer moves what a debug build leaves where it stands: the ends of values' lives, above all.
test-release: build ## the tests of the program from outside, on the optimized one that is installed (as root)
	@scripts/need swift libsystemd qemu-ga systemd namespaces filesystem promtool python3
	TESTED_PROGRAM=$(abspath $(PROGRAM)) $(SWIFT) test --filter 'ProgramTests|WindowTests|AgentTests'

recipe-test: ## the recipes on real database servers, each in namespaces of its own (as root)
	@scripts/need swift libsystemd namespaces network busybox filesystem mariadb postgresql redis influxdb etcd openssl slapd rabbitmq systemd podman node
	$(SWIFT) test --filter RecipeTests

# Options, and names of checks: `make guest-test GUEST_FLAGS=load`.
GUEST_FLAGS ?=

guest-test: build ## the program in a real guest that QEMU boots: an hour; GUEST_FLAGS=--ci: what CI runs (as root)
	@scripts/need guest debian-keyring strip python3
	@Tests/Guest/run $(GUEST_FLAGS)

# Steps, and the seed of the first series: chosen and printed when it is empty.
SOAK_STEPS ?= 10000
SOAK_SEED  ?=

soak: build ## random steps of all that can happen to a window; SOAK_STEPS=10000, SOAK_SEED= (as root)
	@scripts/need namespaces python3
	@nice Tests/Soak/soak --program $(PROGRAM) --steps $(SOAK_STEPS) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

# Options, and cases: `make inject INJECT_FLAGS=freeze:runner:write:3:ENOSPC`.
INJECT_FLAGS ?=

inject: build ## every system call of freeze and thaw fails once, with each error; INJECT_FLAGS=--seconds=N (as root)
	@scripts/need namespaces python3 strace
	@nice Tests/Soak/inject --program $(PROGRAM) $(INJECT_FLAGS)

# The time for each reader; which readers, when it is not all.
FUZZ_SECONDS ?= 600
FUZZ_READERS ?=
# Debug is built in a quarter of the time, and makes a tenth of the inputs.
FUZZ_BUILD   ?= release
FUZZ_FLAGS    = -c $(FUZZ_BUILD) -Xswiftc -enable-testing --sanitize fuzzer --scratch-path .build/fuzz --product Fuzz

fuzz: ## inputs made by libFuzzer for every reader; FUZZ_SECONDS=600 for each, FUZZ_READERS="json record"
	@scripts/need swift libsystemd python3
	FSFREEZE_FUZZ=yes $(SWIFT) build $(FUZZ_FLAGS)
	@nice Tests/Fuzz/run --program .build/fuzz/$(FUZZ_BUILD)/Fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_READERS)

fault-test: build ## what CI runs of soak, inject and fuzz: less than three minutes (as root)
	@scripts/need swift libsystemd namespaces python3 strace
	@Tests/Soak/soak --program $(PROGRAM) --seconds 45
	@Tests/Soak/inject --program $(PROGRAM) --seconds 40
	@$(MAKE) --no-print-directory fuzz FUZZ_BUILD=debug FUZZ_SECONDS=1

bench: build ## speed and size beside the stock script, run-parts and a C loop; the recipes on real servers
	@scripts/need qemu-ga run-parts cc python3 mariadb postgresql redis
	@bench/run

lint: ## style of the code and the scripts, the order of the folders, comments, the links of the pages
	@scripts/need swift shellcheck python3
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	scripts/lint-scripts
	scripts/check-layers
	scripts/check-docs
	scripts/check-links
	scripts/check-threat-model
	scripts/check-licences
	scripts/release-notes --check

# Every manual page where it is installed: under its section.
each_manual = $(foreach page,$(MANUALS),$(mandir)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page)))

install: $(BUILT) ## the program and its files (DESTDIR, PREFIX=/usr, LAYOUT=debian|rhel)
	@$(if $(STRIP),scripts/need strip)
	@test -d systemd/$(LAYOUT) || { echo "LAYOUT is debian or rhel, not '$(LAYOUT)'" >&2; exit 64; }
	$(INSTALL) -d $(sbindir) $(dropindir) $(catalogdir) $(tmpfilesdir) $(rotatedir) $(docdir)/examples
	$(INSTALL) -m 0755 $(STRIP) $(PROGRAM) $(sbindir)/fsfreeze-hook
	$(INSTALL) -m 0644 systemd/$(LAYOUT)/50-fsfreeze-hook.conf $(dropindir)/50-fsfreeze-hook.conf
	$(INSTALL) -m 0644 systemd/60-fsfreeze-hook-recover.conf $(dropindir)/60-fsfreeze-hook-recover.conf
	sed -i 's#/usr/sbin/fsfreeze-hook#$(PREFIX)/sbin/fsfreeze-hook#' $(dropindir)/60-fsfreeze-hook-recover.conf
	$(INSTALL) -m 0644 systemd/fsfreeze-hook.catalog $(catalogdir)/fsfreeze-hook.catalog
	$(INSTALL) -m 0644 systemd/fsfreeze-hook.tmpfiles $(tmpfilesdir)/fsfreeze-hook.conf
	$(INSTALL) -m 0644 packaging/fsfreeze-hook.logrotate $(rotatedir)/fsfreeze-hook
	$(INSTALL) -d $(selinuxdir)
	$(INSTALL) -m 0644 $(POLICY) $(selinuxdir)
	$(INSTALL) -m 0644 $(EXAMPLES) $(docdir)/examples
	$(INSTALL) -m 0644 $(PAGES) $(docdir)
	$(if $(DEPENDENCIES),$(INSTALL) -m 0644 $(DEPENDENCIES) $(docdir)/dependencies)
	$(if $(RECIPES),$(INSTALL) -d $(libexecdir)/recipes && $(INSTALL) -m 0755 $(RECIPES) $(libexecdir)/recipes)
	$(if $(RECIPE_LIBRARY),$(INSTALL) -d $(libexecdir) && $(INSTALL) -m 0644 $(RECIPE_LIBRARY) $(libexecdir))
	$(if $(RECIPE_PAGES),$(INSTALL) -d $(docdir)/recipes && $(INSTALL) -m 0644 $(RECIPE_PAGES) $(docdir)/recipes)
	$(if $(ALERT_RULES),$(INSTALL) -d $(docdir)/prometheus && $(INSTALL) -m 0644 $(ALERT_RULES) $(docdir)/prometheus)
	@set -e; for page in $(MANUALS); do \
		$(INSTALL) -D -m 0644 $$page $(mandir)/man$${page##*.}/$${page##*/}; done
	$(INSTALL) -d $(bashdir) $(zshdir) $(fishdir)
	@# The shell reads it; it is no script to be run.
	$(PROGRAM) --generate-completion-script bash | sed '1{/^#!/d}' >$(bashdir)/fsfreeze-hook
	$(PROGRAM) --generate-completion-script zsh >$(zshdir)/_fsfreeze-hook
	$(PROGRAM) --generate-completion-script fish >$(fishdir)/fsfreeze-hook.fish
	@chmod 0644 $(bashdir)/fsfreeze-hook $(zshdir)/_fsfreeze-hook $(fishdir)/fsfreeze-hook.fish
ifeq ($(LAYOUT),rhel)
	$(INSTALL) -d $(datadir)
	$(INSTALL) -m 0644 systemd/rhel/qemu-ga.env $(datadir)/qemu-ga.env
	sed -i 's#/usr/sbin/fsfreeze-hook#$(PREFIX)/sbin/fsfreeze-hook#' $(datadir)/qemu-ga.env
	sed -i 's#/usr/share/fsfreeze-hook#$(PREFIX)/share/fsfreeze-hook#' $(dropindir)/50-fsfreeze-hook.conf
else
	sed -i 's#/usr/sbin/fsfreeze-hook#$(PREFIX)/sbin/fsfreeze-hook#' $(dropindir)/50-fsfreeze-hook.conf
endif
ifeq ($(DESTDIR),)
	@scripts/reload
	@echo
	@echo "Installed. The agent calls it after: systemctl restart qemu-guest-agent"
endif

check-install: $(BUILT) ## install into a scratch tree, look at it, uninstall again
	@scripts/need systemd logrotate strip manuals shells python3
	scripts/check-install
	scripts/check-manuals $(PROGRAM)
	scripts/check-scripting $(PROGRAM)

uninstall: ## what install put there, and nothing else
	rm -f $(sbindir)/fsfreeze-hook $(dropindir)/50-fsfreeze-hook.conf $(dropindir)/60-fsfreeze-hook-recover.conf \
		$(catalogdir)/fsfreeze-hook.catalog $(tmpfilesdir)/fsfreeze-hook.conf \
		$(rotatedir)/fsfreeze-hook $(addprefix $(docdir)/examples/,$(notdir $(EXAMPLES))) \
		$(addprefix $(libexecdir)/recipes/,$(notdir $(RECIPES))) \
		$(addprefix $(libexecdir)/,$(notdir $(RECIPE_LIBRARY))) \
		$(addprefix $(docdir)/,$(notdir $(PAGES)) dependencies) \
		$(addprefix $(docdir)/recipes/,$(notdir $(RECIPE_PAGES))) \
		$(addprefix $(docdir)/prometheus/,$(notdir $(ALERT_RULES))) \
		$(addprefix $(selinuxdir)/,$(notdir $(POLICY))) $(each_manual) $(COMPLETIONS) $(datadir)/qemu-ga.env
	@for directory in $(dropindir) $(docdir)/examples $(docdir)/recipes $(docdir)/prometheus $(docdir) $(datadir) \
		$(libexecdir)/recipes $(libexecdir) $(selinuxdir) $(patsubst %/,%,$(dir $(selinuxdir))) \
		$(foreach file,$(COMPLETIONS),$(dir $(file))) \
		$(sort $(foreach file,$(COMPLETIONS),$(dir $(patsubst %/,%,$(dir $(file)))))); do \
		if [ -d "$$directory" ]; then rmdir --ignore-fail-on-non-empty "$$directory"; fi; done
ifeq ($(DESTDIR),)
	@scripts/reload
	@echo
	@echo "Removed. The agent goes back to its own hook after: systemctl restart qemu-guest-agent"
endif

include packaging/packages.mk

clean: ## everything that a build made
	rm -rf .build .build-portable

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
