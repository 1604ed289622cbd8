# SPDX-License-Identifier: Apache-2.0
"""The guest's disk: a Debian 12 built without any privilege of the host but root's, kept in the cache directory."""

import fcntl
import hashlib
import pathlib
import re
import shutil
import subprocess

FILES = pathlib.Path(__file__).resolve().parent / "files"
MIRROR = FILES.parents[2] / "scripts" / "debian-mirror"
PACKAGES = (
    "systemd-sysv", "dbus", "udev", "kmod", "procps", "e2fsprogs", "qemu-guest-agent",
    "linux-image-cloud-amd64", "initramfs-tools", "python3",
    "mariadb-server", "postgresql", "redis-server",
)
# The databases are installed, and run only where a check wants them.
DATABASES = ("mariadb.service", "postgresql.service", "redis-server.service")
# The initrd needs only these modules to find its root, and starts in a third of the time.
MODULES = "virtio_pci\\nvirtio_blk\\next4\\n"
SETTINGS = {
    "etc/hostname": "guest\n",
    "etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
    "etc/machine-id": "",
    "etc/systemd/journald.conf.d/persistent.conf": "[Journal]\nStorage=persistent\n",
    # No timer may write beside the checks.
    "etc/systemd/system/apt-daily.timer": None,
    "etc/systemd/system/apt-daily-upgrade.timer": None,
    "etc/systemd/system/dpkg-db-backup.timer": None,
    "etc/systemd/system/e2scrub_all.timer": None,
    "etc/systemd/system/fstrim.timer": None,
    # The checks read an image as it is: no server may repair a table that was not closed.
    "etc/mysql/mariadb.conf.d/90-lab.cnf": (
        "[mariadbd]\nmyisam-recover-options = OFF\naria-recover-options = OFF\ninnodb-buffer-pool-size = 32M\n"),
    "etc/systemd/system/mariadb.service.d/lab.conf": "[Service]\nExecStartPost=\n",
}
# A second instance of Redis, for Debian's template unit: this one keeps an append-only file.
REDIS_AOF = {
    "port": "6380", "pidfile": "/run/redis-aof/redis-server.pid", "logfile": "/var/log/redis/redis-aof.log",
    "dir": "/var/lib/redis/aof", "appendonly": "yes", "save": '""',
}
SIZE = "3G"
# Debian's own policy, and what compiles a module for it.
SELINUX_PACKAGES = (
    "selinux-policy-default", "selinux-policy-dev", "policycoreutils", "selinux-utils", "semodule-utils", "checkpolicy",
    "m4", "make",
)
POLICY = FILES.parent / "selinux"


class Image:
    """Kernel, initrd and disk of the guest, built when the cache has none of this recipe."""

    packages = PACKAGES
    # More for the kernel's command line.
    kernel_options = ""
    _sources = FILES,

    def __init__(self, cache):
        self._cache = cache
        recipe = [*self.packages, *DATABASES, MODULES, SIZE]
        recipe += [f"{name} {text}" for settings in (SETTINGS, REDIS_AOF) for name, text in settings.items()]
        recipe += [path.read_text() for directory in self._sources for path in sorted(directory.iterdir())]
        name = hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]
        self.directory = cache / f"image-{name}"
        self.kernel = self.directory / "vmlinuz"
        self.initrd = self.directory / "initrd"
        self.disk = self.directory / "disk.raw"

    def build(self):
        """Builds what is missing."""
        with open(self._cache / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.disk.exists():
                self._build()

    def _build(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        tree = self.directory / "tree"
        self.directory.mkdir(parents=True)
        initramfs = (
            'sed -i s/MODULES=most/MODULES=list/ "$1/etc/initramfs-tools/initramfs.conf"; '
            f'printf "{MODULES}" >> "$1/etc/initramfs-tools/modules"; chroot "$1" update-initramfs -u -k all'
        )
        run(
            "mmdebstrap", "--variant=minbase", "--mode=root", "--quiet", f"--include={','.join(self.packages)}",
            '--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"',
            "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*", f"--customize-hook={initramfs}",
            "bookworm", str(tree), run(str(MIRROR)).strip(),
        )
        self._settle(tree)
        shutil.copy(next((tree / "boot").glob("vmlinuz-*")), self.kernel)
        shutil.copy(next((tree / "boot").glob("initrd.img-*")), self.initrd)
        unfinished = self.directory / "disk.new"
        run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(unfinished), SIZE)
        shutil.rmtree(tree)
        unfinished.rename(self.disk)

    def _settle(self, tree):
        for name, text in SETTINGS.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.symlink_to("/dev/null")
            else:
                path.write_text(text)
        (tree / "var/log/journal").mkdir(exist_ok=True)
        wanted = tree / "etc/systemd/system/multi-user.target.wants"
        wanted.mkdir(parents=True, exist_ok=True)
        for name in DATABASES:
            (wanted / name).unlink()
        redis = (tree / "etc/redis/redis.conf").read_text()
        for key, value in REDIS_AOF.items():
            redis = re.sub(rf"(?m)^{key} .*\n", "", redis) + f"{key} {value}\n"
        (tree / "etc/redis/redis-aof.conf").write_text(redis)
        run("chroot", str(tree), "install", "-d", "-o", "redis", "-g", "redis", "-m", "750", "/var/lib/redis/aof")
        shutil.copy(FILES / "lab-shell", tree / "usr/local/sbin/lab-shell")
        unit = tree / "etc/systemd/system/lab-shell.service"
        shutil.copy(FILES / "lab-shell.service", unit)
        (wanted / unit.name).symlink_to(f"/etc/systemd/system/{unit.name}")


class EnforcingImage(Image):
    """The same guest with SELinux, enforcing: Debian's policy, and the agent's domain as RHEL 9 has it."""

    packages = PACKAGES + SELINUX_PACKAGES
    kernel_options = "security=selinux selinux=1 enforcing=1 audit=1"
    _sources = FILES, POLICY

    def _settle(self, tree):
        super()._settle(tree)
        shutil.copytree(POLICY, tree / "root/policy")
        run("chroot", str(tree), "make", "-C", "/root/policy", "-f", "/usr/share/selinux/devel/Makefile",
            "NAME=default", "TYPE=mcs", "virt_qemu_ga.pp")
        # Without -n semodule would load the policy into this machine's kernel.
        run("chroot", str(tree), "semodule", "-n", "-s", "default", "-i", "/root/policy/virt_qemu_ga.pp")
        # mke2fs copies the labels; the kernel of this machine need not know them. setfiles goes through /proc/self/fd.
        run("unshare", "--mount", "sh", "-c", 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"', str(tree),
            "setfiles", "-F", "/etc/selinux/default/contexts/files/file_contexts", "/")


def overlay(new, base, form="qcow2"):
    """A disk that holds only what differs from another."""
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", form, str(new))


def run(*command, **options):
    """Runs a command, and shows its output only when it fails."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nended with {result.returncode}:\n{result.stdout[-4000:]}")
    return result.stdout
