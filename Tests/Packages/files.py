"""What has to hold of the built files themselves, without installing them."""

from container import Fault, run
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
BUILT = PROJECT / ".build-portable"


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


TESTS = [lintian_has_nothing_to_say]
