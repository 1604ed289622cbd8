# SPDX-License-Identifier: Apache-2.0
# The portable program, and the packages that are made from it.

PORTABLE   = .build-portable
SYSROOT    = $(abspath $(PORTABLE)/sysroot)
COMPAT     = $(abspath $(PORTABLE)/glibc-compat.o)
# The directory where swiftc finds the C++ runtime first: it has no option for the static one.
STATIC_DIR = $(abspath $(PORTABLE)/static)
TOOLCHAIN  = $(abspath $(dir $(realpath $(shell command -v $(SWIFT))))..)

# The hardening of a distribution's own packages, as far as Swift has it. Control-flow protection would need all of
# Swift's own libraries to be compiled with it.
HARDENING = -Xcc -fstack-protector-strong -Xcc -fstack-clash-protection \
	-Xswiftc -Xfrontend -Xswiftc -enable-stack-protector \
	-Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now -Xlinker -z -Xlinker noexecstack

# Two builds of the same sources give the same bytes, wherever they are made. Breadcrumbs are the places of compiled
# modules, and incremental code generation leaves hashes of the command line behind: both hold paths.
NO_PATHS = $(foreach map,$(CURDIR)=. $(TOOLCHAIN)=/swift,-Xcc -ffile-prefix-map=$(map) -Xswiftc -file-prefix-map -Xswiftc $(map)) \
	-Xswiftc -Xfrontend -Xswiftc -no-clang-module-breadcrumbs \
	-Xswiftc -Xfrontend -Xswiftc -disable-incremental-llvm-codegen -Xlinker --build-id=sha1

# -Osize: the program mostly waits for processes and disks, and has a limit of 17 MB.
# -function-sections: otherwise the linker keeps or drops all functions of a module together, and folds none of them.
# --no-eh-frame-hdr: C++ exceptions need the table; the program throws none, and debuggers do without.
# --no-export-dynamic: Swift exports every function, and nobody looks one up; without exports the linker drops more
# code, and a start relocates less.
PORTABLE_FLAGS = -c release --static-swift-stdlib -Xswiftc -Osize -Xswiftc -Xfrontend -Xswiftc -function-sections \
	--disable-local-rpath --scratch-path $(PORTABLE)/build \
	-Xswiftc -sdk -Xswiftc $(SYSROOT) -Xcc --sysroot=$(SYSROOT) \
	-Xlinker -L$(STATIC_DIR) -Xswiftc -Xclang-linker -Xswiftc -static-libgcc \
	-Xlinker $(COMPAT) $(addprefix -Xlinker --wrap=,exp exp2 log log2) \
	-Xswiftc -use-ld=lld -Xlinker --icf=all -Xlinker --no-eh-frame-hdr -Xlinker --no-export-dynamic $(HARDENING) $(NO_PATHS)

.PHONY: portable

portable: $(PORTABLE)/fsfreeze-hook ## the program for all distributions from glibc 2.28 on, and its debug symbols

$(SYSROOT)/PACKAGES: scripts/sysroot scripts/debian-mirror
	scripts/sysroot $(SYSROOT)

$(PORTABLE)/fsfreeze-hook: $(SYSROOT)/PACKAGES $(SOURCES) packaging/portable/glibc-compat.c packaging/packages.mk \
		scripts/check-portable scripts/dependencies
	@scripts/need swift strip
	@mkdir -p $(STATIC_DIR)
	@# swiftc looks for its own static libraries below the sysroot.
	@ln -sfn $(TOOLCHAIN)/lib/swift_static $(SYSROOT)/usr/lib/swift_static
	@ln -sf $(SYSROOT)/usr/lib/gcc/*/*/libstdc++.a $(STATIC_DIR)/libstdc++.a
	@# Swift links libutil and uses nothing of it: with an empty archive a start loads a library less.
	@printf '!<arch>\n' >$(STATIC_DIR)/libutil.a
	clang --sysroot=$(SYSROOT) -O2 -fPIC -Wall -Wextra -Werror -c packaging/portable/glibc-compat.c -o $(COMPAT)
	@# SwiftPM does not track glibc-compat.o, and would not link again after a change of it.
	@rm -f $(PORTABLE)/build/release/fsfreeze-hook
	$(SWIFT) build $(PORTABLE_FLAGS) --product fsfreeze-hook
	objcopy --only-keep-debug --compress-debug-sections $(PORTABLE)/build/release/fsfreeze-hook $@.debug
	chmod 0644 $@.debug
	strip --remove-section=.comment -o $@.new $(PORTABLE)/build/release/fsfreeze-hook
	cd $(PORTABLE) && objcopy --add-gnu-debuglink=fsfreeze-hook.debug fsfreeze-hook.new
	scripts/check-portable $@.new $@.debug
	scripts/dependencies $(SYSROOT)/PACKAGES >$@.dependencies
	mv $@.new $@

# The publisher of the packages, 'NAME <ADDRESS>', in place of the placeholder in packaging/debian/control.
MAINTAINER ?=
export MAINTAINER

.PHONY: deb

deb: portable ## packages for Debian and Ubuntu, in .build-portable/deb (MAINTAINER='NAME <ADDRESS>')
	@scripts/need debhelper
	@scripts/make-deb $(PORTABLE)/deb

.PHONY: rpm

rpm: portable ## packages for RHEL, its rebuilds and Fedora, in .build-portable/rpm (MAINTAINER=...)
	@scripts/need rpmbuild
	@scripts/make-rpm $(PORTABLE)/rpm

.PHONY: package-test

package-test: build deb rpm ## the packages: installed, upgraded and removed in systems of their own (as root)
	@scripts/need package-tests debian-keyring python3
	@Tests/Packages/run
