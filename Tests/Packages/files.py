# SPDX-License-Identifier: Apache-2.0
"""The promises of the built files themselves, without installing them."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from container import PROJECT, Fault, expect, run

BUILT = PROJECT / ".build-portable"
# The list is Git's: files of the first build in the tree must not help the second one.
EVERYTHING = ["git", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
# The mark in front of the number in Sources/CLinux/version.c.
MESSAGE_VERSION = b"fsfreeze-hook messages:\0"


def the_one(directory, pattern):
    """The only file that matches."""
    found = sorted(directory.glob(pattern))
    if len(found) != 1:
        raise Fault(f"{directory} has {len(found)} files {pattern}, not one: make deb rpm")
    return found[0]


def lintian_has_nothing_to_say():
    """Errors, warnings and overrides that are not needed any more."""
    changes = the_one(BUILT / "deb", "*.changes")
    said = run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
                "--show-overrides", str(changes)])
    lines = [l for l in said.splitlines() if not l.startswith(("N:", "O:"))]
    if lines:
        raise Fault("\n".join(lines))


def both_packages_have_the_program():
    """The packages hold the program of `make portable`, and the list of its dependencies."""
    program = (BUILT / "fsfreeze-hook").read_bytes()
    with tempfile.TemporaryDirectory() as directory:
        deb, rpm = the_one(BUILT / "deb", "fsfreeze-hook_*.deb"), the_one(BUILT / "rpm", "fsfreeze-hook-[0-9]*.rpm")
        run(["sh", "-c", 'dpkg-deb -x "$1" deb && mkdir rpm && cd rpm && rpm2cpio "$2" | cpio -idm --quiet', "-",
             str(deb), str(rpm)], cwd=directory)
        for kind in ("deb", "rpm"):
            installed = Path(directory, kind, "usr/sbin/fsfreeze-hook")
            expect(installed.read_bytes() == program, f"the {kind} has another program than make portable has built")
            told = Path(directory, kind, "usr/share/doc/fsfreeze-hook/dependencies").read_text()
            for name in ("swift ", "swift-argument-parser ", "swift-system ", "libc6 "):
                expect(f"\n{name}" in f"\n{told}", f"the {kind} does not tell the version of {name}: {told}")


def the_check_finds_a_program_that_needs_a_new_glibc():
    """check-portable refuses the program of `make`, which needs a newer glibc and further libraries."""
    result = subprocess.run(
        [PROJECT / "scripts/check-portable", PROJECT / ".build/release/fsfreeze-hook", BUILT / "fsfreeze-hook.debug"],
        cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    expect(result.returncode == 1, f"it accepts that of make: {result.stdout}")
    for words in ("beyond 2.28", "is not stripped", "are of two builds"):
        expect(words in result.stdout, f"it does not say '{words}': {result.stdout}")


def a_second_build_elsewhere_gives_the_same_bytes():
    """The program, its symbols and all packages, built in a directory of another name."""
    with tempfile.TemporaryDirectory(prefix="fsfreeze-second-build-") as directory:
        second = copy_of_the_project(Path(directory) / "elsewhere")
        if (PROJECT / "Package.resolved").exists():
            shutil.copy2(PROJECT / "Package.resolved", second)
        # The fetched sources may be the same, the build directory must not be.
        run(["cp", "-a", str(BUILT / "sysroot"), "--target-directory", str(make_directory(second / BUILT.name))])
        run(["make", "--no-print-directory", "-C", str(second), "deb", "rpm"])
        compared = ["fsfreeze-hook", "fsfreeze-hook.debug", *sorted(
            str(p.relative_to(BUILT)) for p in (*BUILT.glob("deb/*.deb"), *BUILT.glob("rpm/*.rpm")))]
        expect(len(compared) == 6, f"there are {len(compared)} files to compare, not six")
        for name in compared:
            expect((BUILT / name).read_bytes() == (second / BUILT.name / name).read_bytes(), f"{name} is another one")


def the_packages_name_who_publishes_them():
    """MAINTAINER takes the place of the maintainer that stands for nobody, in every field and changelog."""
    maintainer = "O'Neill & Söhne <packages@example.org>"
    with tempfile.TemporaryDirectory() as directory:
        for kind in ("deb", "rpm"):
            run([PROJECT / f"scripts/make-{kind}", f"{directory}/{kind}"], env=dict(os.environ, MAINTAINER=maintainer))
        deb, rpm = the_one(Path(directory, "deb"), "fsfreeze-hook_*.deb"), the_one(
            Path(directory, "rpm"), "fsfreeze-hook-[0-9]*.rpm")
        said = {
            "Maintainer of the deb": run(["dpkg-deb", "--field", str(deb), "Maintainer"]),
            "changelog of the deb": run(
                ["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -xO "$2" | zcat', "-", str(deb),
                 "./usr/share/doc/fsfreeze-hook/changelog.gz"]),
            "Packager of the rpm": run(["rpm", "-qp", "--qf", "%{PACKAGER}", str(rpm)]),
            "changelog of the rpm": run(["rpm", "-qp", "--changelog", str(rpm)]),
        }
    for place, text in said.items():
        expect(maintainer in text and ".invalid" not in text, f"the {place} names another: {text}")


def copy_of_the_project(path):
    """Copies the files of the project, without the built ones, into another directory, and returns it."""
    for name in (Path(n) for n in run(EVERYTHING).split("\0") if n):
        # A file may be gone from the tree and still in the index.
        if (PROJECT / name).is_file():
            make_directory((path / name).parent)
            shutil.copy2(PROJECT / name, path / name)
    return path


def raise_message_version(program):
    """Raises the version of a built program's messages by one."""
    before, mark, after = program.read_bytes().partition(MESSAGE_VERSION)
    expect(mark and MESSAGE_VERSION not in after, f"{program} does not have the version of its messages once")
    version = int.from_bytes(after[:2], "big") + 1
    program.write_bytes(before + mark + version.to_bytes(2, "big") + after[2:])


def make_directory(path):
    """Makes the directory if need be, and returns it."""
    path.mkdir(parents=True, exist_ok=True)
    return path


TESTS = [
    lintian_has_nothing_to_say, both_packages_have_the_program, the_check_finds_a_program_that_needs_a_new_glibc,
    the_packages_name_who_publishes_them, a_second_build_elsewhere_gives_the_same_bytes,
]
