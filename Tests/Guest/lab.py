# SPDX-License-Identifier: Apache-2.0
"""Prepared guests: the program is installed once, and each check begins from a copy of that moment."""

import contextlib
import itertools
import pathlib
import shutil
import tarfile
import tempfile
import time

from image import EnforcingImage, Image, overlay, run
from machine import Machine

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = pathlib.Path(__file__).resolve().parent / "tools"
STATE = "ready"
# In MiB.
MEMORY = {"plain": 512, "databases": 1024, "enforcing": 1024}
INSTALL = """
tar -xf /dev/vdb -C / && systemd-tmpfiles --create fsfreeze-hook.conf && install -d /etc/qemu/fsfreeze-hook.d &&
systemctl daemon-reload && journalctl --update-catalog && systemctl restart qemu-guest-agent
"""
START_DATABASES = """
systemctl enable --now mariadb postgresql redis-server redis-server@aof && lab-load create
"""
# The labels that dpkg gives, and those that hooks of the agent have on RHEL.
START_ENFORCING = """
restorecon -RF /usr/sbin/fsfreeze-hook /usr/libexec/fsfreeze-hook /usr/lib/systemd/system/qemu-guest-agent.service.d &&
fsfreeze-hook enable mariadb postgresql redis &&
chcon -R -h -t virt_qemu_ga_unconfined_exec_t /usr/sbin/fsfreeze-hook /etc/qemu/fsfreeze-hook.d &&
chcon -R -t virt_qemu_ga_var_run_t /run/fsfreeze-hook /var/lib/fsfreeze-hook &&
systemctl enable --now mariadb postgresql redis-server && systemctl restart qemu-guest-agent
"""
PREPARE = {"plain": "", "databases": START_DATABASES, "enforcing": START_ENFORCING}


class Lab:
    """The source of machines. All files but the image go at its end."""

    def __init__(self, cache, options):
        plain = Image(cache)
        self._images = {"plain": plain, "databases": plain, "enforcing": EnforcingImage(cache)}
        self.options = options
        self._directory = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=cache))
        self._prepared = {}
        self._cargo = self._directory / "cargo.tar"
        self._program = options.program and options.program.resolve()
        self._numbers = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self._directory, ignore_errors=True)

    def _prepare(self, kind):
        """Boots the guest, installs the program in it, starts the databases if wanted, and keeps that moment."""
        if not self._cargo.exists():
            self._pack()
        disk = self._directory / f"{kind}.qcow2"
        self._images[kind].build()
        overlay(disk, self._images[kind].disk, "raw")
        with self._machine(disk, kind) as machine:
            machine.wait()
            status, words = machine.shell.run(f"{{ {INSTALL} {PREPARE[kind]}\n}} && sync", timeout=300)
            if status != 0:
                raise SystemExit(f"the installation in the guest ended with {status}: {words}")
            machine.agent.sync(60)
            machine.monitor.human(f"savevm {STATE}")
        return disk

    @contextlib.contextmanager
    def ready(self, kind="plain"):
        """A machine in the prepared moment."""
        if kind not in self._prepared:
            self._prepared[kind] = self._prepare(kind)
        disk = self._new_disk()
        shutil.copy(self._prepared[kind], disk)
        with self._machine(disk, kind, load=STATE) as machine:
            machine.wait()
            yield machine

    @contextlib.contextmanager
    def boot(self, disk, kind="plain"):
        """A second machine that starts from a disk; the disk itself stays as it is."""
        new = self._new_disk()
        overlay(new, disk)
        with self._machine(new, kind) as machine:
            machine.wait()
            yield machine

    def snapshot(self, machine):
        """The machine's disk as it is now; the machine goes on with another one."""
        taken, new = machine.disk, self._new_disk()
        machine.monitor.ask("blockdev-snapshot-sync", device="disk", snapshot_file=str(new), format="qcow2")
        machine.disk = new
        return taken

    def _new_disk(self):
        return self._directory / f"disk-{next(self._numbers)}.qcow2"

    def _machine(self, disk, kind, load=None):
        image, accelerator = self._images[kind], self.options.accelerator
        return Machine(image, disk, self._cargo, self._directory, accelerator, load, MEMORY[kind])

    def _pack(self):
        """The installed files, as the archive that the guest unpacks."""
        tree = self._directory / "tree"
        command = ["make", "-s", "-C", str(CHECKOUT), "install", f"DESTDIR={tree}", "LAYOUT=debian"]
        if self._program:
            # make -o: the given program is installed as it is, however old.
            command += [f"PROGRAM={self._program}", f"STAMP={self._program}", "DEPENDENCIES=",
                        "-o", str(self._program)]
        run(*command)
        # What the packages' scripts call.
        (tree / "root").mkdir(mode=0o700)
        shutil.copy(CHECKOUT / "packaging/scriptlets/selinux.sh", tree / "root")
        for path in (*TOOLS.iterdir(), CHECKOUT / "bench" / "mysql-flush-hook"):
            place = "etc/systemd/system" if path.suffix == ".service" else "usr/local/sbin"
            (tree / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tree / place)
        with tarfile.open(self._cargo, "w") as archive:
            for path in sorted(tree.rglob("*")):
                if not path.is_dir() or path.is_symlink():
                    archive.add(path, arcname=path.relative_to(tree), recursive=False)
        shutil.rmtree(tree)
        # The size of a disk is a multiple of its sectors'.
        with open(self._cargo, "ab") as file:
            file.write(bytes(-file.tell() % 65536))


class Timer:
    """The duration of a block."""

    def __enter__(self):
        self._begin = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._begin
