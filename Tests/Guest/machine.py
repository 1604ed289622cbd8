# SPDX-License-Identifier: Apache-2.0
"""A virtual machine of the guest."""

import contextlib
import pathlib
import socket
import subprocess
import time

from agent import Agent, Monitor, Shell

BOOT_LIMIT = 240


class Machine:
    """A running QEMU. Its sockets are inherited pairs: there is no path, and nothing to connect to."""

    def __init__(self, image, disk, cargo, directory, accelerator="tcg,thread=multi", load=None, memory=512):
        self.disk = disk
        self.console = pathlib.Path(directory) / f"{disk.stem}.console"
        pairs = {name: socket.socketpair() for name in ("qmp", "agent", "lab")}
        numbers = {name: pair[1].fileno() for name, pair in pairs.items()}
        # A processor of the same name everywhere: a saved state fits no other one.
        processor = "Nehalem" if accelerator.startswith("tcg") else "host"
        command = [
            "qemu-system-x86_64", "-accel", accelerator, "-cpu", processor, "-smp", "2", "-m", str(memory),
            "-nodefaults", "-display", "none", "-nic", "none",
            "-kernel", str(image.kernel), "-initrd", str(image.initrd),
            "-append", f"root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0 {image.kernel_options}",
            "-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console",
            "-chardev", f"socket,id=qmp,fd={numbers['qmp']}", "-mon", "chardev=qmp,mode=control",
            "-device", "virtio-serial",
            "-chardev", f"socket,id=agent,fd={numbers['agent']}",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            "-chardev", f"socket,id=lab,fd={numbers['lab']}", "-device", "virtserialport,chardev=lab,name=lab",
            "-drive", f"if=none,id=disk,format=qcow2,cache=unsafe,file={disk}",
            "-device", "virtio-blk-pci,drive=disk",
            "-drive", f"if=none,id=cargo,format=raw,readonly=on,file={cargo}",
            "-device", "virtio-blk-pci,drive=cargo",
        ]
        if load:
            command += ["-loadvm", load]
        self._process = subprocess.Popen(
            command, pass_fds=list(numbers.values()), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        for _, other in pairs.values():
            other.close()
        self._sockets = [own for own, _ in pairs.values()]
        try:
            self.monitor = Monitor(pairs["qmp"][0])
        except Exception:
            self.stop()
            raise RuntimeError(f"QEMU did not start: {self._process.stderr.read()}") from None
        self.agent = Agent(pairs["agent"][0])
        self.shell = Shell(pairs["lab"][0])

    def wait(self):
        """Waits until the guest is up."""
        self.shell.wait(BOOT_LIMIT)
        self.agent.sync(BOOT_LIMIT)

    def wait_off(self, timeout):
        """Waits until the guest has switched itself off; the seconds that it took."""
        begin = time.monotonic()
        self._process.wait(timeout)
        return time.monotonic() - begin

    def stop(self):
        """Ends it without a word to the guest."""
        self._process.kill()
        self._process.wait()
        for own in self._sockets:
            own.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.stop()
