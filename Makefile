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
RELEASE_FLAGS  = -c release --static-swift-stdlib -Xswiftc -use-ld=lld $(STATIC_CXX)
PROGRAM       = .build/release/fsfreeze-hook
# What the last release build was made from: lets `sudo make install` do without Swift.
STAMP         = .build/release.stamp

sbindir     = $(DESTDIR)$(PREFIX)/sbin
unitdir     = $(DESTDIR)$(PREFIX)/lib/systemd/system
dropindir   = $(unitdir)/qemu-guest-agent.service.d
catalogdir  = $(DESTDIR)$(PREFIX)/lib/systemd/catalog
tmpfilesdir = $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
datadir     = $(DESTDIR)$(PREFIX)/share/fsfreeze-hook
docdir      = $(DESTDIR)$(PREFIX)/share/doc/fsfreeze-hook
rotatedir   = $(DESTDIR)$(SYSCONFDIR)/logrotate.d

SOURCES  := Package.swift $(shell find Sources -type f)
EXAMPLES := $(wildcard hooks/*.sample)
ALERTS   := packaging/prometheus/fsfreeze-hook.rules.yml

# A crashing process must not leave a backtracer behind that holds the output open.
export SWIFT_BACKTRACE = enable=no

.PHONY: all build demo test bench lint install check-install uninstall clean help
.DEFAULT_GOAL := all

all: build ## the program as it is installed (the default)

build:
	@scripts/need swift libsystemd
	@$(if $(STATIC_CXX),mkdir -p .build/static && ln -sf $(LIBSTDCXX) .build/static/libstdc++.a)
	$(SWIFT) build $(RELEASE_FLAGS) --product fsfreeze-hook
	@touch $(STAMP)

$(STAMP): $(SOURCES)
	@$(MAKE) --no-print-directory build

demo: build ## a freeze and a thaw through the real qemu-ga, shown step by step
	@scripts/need qemu-ga namespaces python3
	@scripts/demo $(PROGRAM)

test: ## all tests (as root: they use mount namespaces)
	@scripts/need swift libsystemd qemu-ga systemd namespaces filesystem promtool python3
	$(SWIFT) test

bench: build ## speed and size beside the stock script, run-parts and a C loop
	@scripts/need qemu-ga run-parts cc python3
	@bench/run

lint: ## style of the Swift code, the shell scripts and the Python scripts
	@scripts/need swift shellcheck python3
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	scripts/lint-scripts

install: $(STAMP) ## the program and its files (DESTDIR, PREFIX=/usr, LAYOUT=debian|rhel)
	@scripts/need strip
	@test -d systemd/$(LAYOUT) || { echo "LAYOUT is debian or rhel, not '$(LAYOUT)'" >&2; exit 64; }
	$(INSTALL) -d $(sbindir) $(dropindir) $(catalogdir) $(tmpfilesdir) $(rotatedir) $(docdir)/examples $(docdir)/prometheus
	$(INSTALL) -m 0755 -s $(PROGRAM) $(sbindir)/fsfreeze-hook
	$(INSTALL) -m 0644 systemd/$(LAYOUT)/50-fsfreeze-hook.conf $(dropindir)/50-fsfreeze-hook.conf
	$(INSTALL) -m 0644 systemd/60-fsfreeze-hook-recover.conf $(dropindir)/60-fsfreeze-hook-recover.conf
	sed -i 's#/usr/sbin/fsfreeze-hook#$(PREFIX)/sbin/fsfreeze-hook#' $(dropindir)/60-fsfreeze-hook-recover.conf
	$(INSTALL) -m 0644 systemd/fsfreeze-hook.catalog $(catalogdir)/fsfreeze-hook.catalog
	$(INSTALL) -m 0644 systemd/fsfreeze-hook.tmpfiles $(tmpfilesdir)/fsfreeze-hook.conf
	$(INSTALL) -m 0644 packaging/fsfreeze-hook.logrotate $(rotatedir)/fsfreeze-hook
	$(INSTALL) -m 0644 $(EXAMPLES) $(docdir)/examples
	$(INSTALL) -m 0644 $(ALERTS) $(docdir)/prometheus
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

check-install: $(STAMP) ## install into a scratch tree, look at it, uninstall again
	@scripts/need systemd logrotate strip
	scripts/check-install

uninstall: ## what install put there, and nothing else
	rm -f $(sbindir)/fsfreeze-hook $(dropindir)/50-fsfreeze-hook.conf $(dropindir)/60-fsfreeze-hook-recover.conf \
		$(catalogdir)/fsfreeze-hook.catalog $(tmpfilesdir)/fsfreeze-hook.conf \
		$(rotatedir)/fsfreeze-hook $(addprefix $(docdir)/examples/,$(notdir $(EXAMPLES))) \
		$(addprefix $(docdir)/prometheus/,$(notdir $(ALERTS))) $(datadir)/qemu-ga.env
	@for directory in $(dropindir) $(docdir)/examples $(docdir)/prometheus $(docdir) $(datadir); do \
		if [ -d "$$directory" ]; then rmdir --ignore-fail-on-non-empty "$$directory"; fi; done
ifeq ($(DESTDIR),)
	@scripts/reload
	@echo
	@echo "Removed. The agent goes back to its own hook after: systemctl restart qemu-guest-agent"
endif

clean: ## everything that a build made
	rm -rf .build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
