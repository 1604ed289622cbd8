# SPDX-License-Identifier: Apache-2.0
"""Random steps of everything that can happen to a window."""

import os
import shutil
import signal

from machine import AGENT_STATE, APPLICATIONS, LOST_LIMIT, PLACE, QUIET_LIMIT, RUN, Violation
from processes import everything, pause

CALLS = (["freeze"], ["freeze"], ["thaw"], ["thaw"], ["recover"], ["rehearse", "--hold", "30ms"])
PARTS = ("guard", "holder", "drainer", "marker", "client")
# 1: a freeze that fails by the policy. 2: a cycle that is not application-consistent. 73: the run directory cannot be
# used. 75: another cycle has the lock, or the agent has frozen.
STATUSES = (0, 1, 2, 73, 75)


class Series:
    """Some random steps on a machine, and the conditions that hold after them."""

    def __init__(self, machine, random):
        self.machine = machine
        self.random = random
        self.events = []
        self.stopped = set()
        # A thaw hook that lacks processes itself has answered by its status: whoever reads the log thaws once more.
        self.is_starved = False
        # What happened to the record, which nobody can tell from that of a killed freeze when its end is cut off.
        self.is_cut = False
        self.is_lost = False

    def step(self):
        step = self.random.choices(list(STEPS), list(STEPS.values()))[0]
        self.events.append(step.__name__)
        step(self)

    def note(self, text):
        self.events[-1] += f" {text}"

    def expect(self, call, statuses=STATUSES):
        self.note(str(call))
        if call.status not in statuses:
            raise Violation(f"status: {call}: {call.text[:500]!r}")

    def pick(self, choices):
        return self.random.choice(list(choices))

    def moment(self):
        """Any moment of a call: most are over after a tenth of a second."""
        pause(self.random.uniform(0, self.pick((0.005, 0.03, 0.12))))

    def victims(self, kinds=PARTS):
        return sorted((pid, kind) for pid, kind in self.machine.parts().items() if kind in kinds)

    def send(self, pid, kind, number):
        self.machine.note_late_loss()
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        self.note(f"{signal.Signals(number).name} {kind} {pid}")
        if number == signal.SIGSTOP:
            self.stopped.add(pid)

    def go_on(self):
        """Lets all that was stopped go on."""
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        self.stopped.clear()

    # Steps

    def freeze(self):
        self.expect(self.machine.call("freeze"))

    def thaw(self):
        self.expect(self.machine.call("thaw"), (0, 1))

    def recover(self):
        self.expect(self.machine.call("recover"), (0, 1, 75))

    def rehearse(self):
        self.expect(self.machine.call("rehearse", "--hold", "30ms"))

    def status(self):
        self.expect(self.machine.call("status", self.pick(("--json", "--nagios"))), (0, 1, 2, 3))

    def wait(self):
        pause(self.random.uniform(0, 0.15))

    def together(self):
        calls = [self.machine.start(*self.pick(CALLS)) for _ in range(self.random.randint(2, 4))]
        for call in calls:
            self.expect(self.machine.finish(call))

    def kill_runner(self):
        call = self.machine.start(*self.pick(CALLS))
        self.moment()
        call.kill(signal.SIGKILL)
        self.expect(self.machine.finish(call), (*STATUSES, -signal.SIGKILL))

    def terminate_runner(self):
        call = self.machine.start(*self.pick(CALLS))
        self.moment()
        call.kill(signal.SIGTERM)
        # A program that does not yet read signals is ended by them.
        self.expect(self.machine.finish(call), (*STATUSES, -signal.SIGTERM))

    def stop_runner(self):
        """A freeze that stands still while the guard thaws, and then goes on, has not frozen."""
        before = self.machine.cycle()
        call = self.machine.start(*self.pick(CALLS))
        self.moment()
        call.kill(signal.SIGSTOP)
        pause(self.random.uniform(0, self.pick((0.1, 0.6))))
        cycle = self.machine.cycle()
        is_frozen = any(line[:2] == ["moment", "frozen"] for line in self.machine.record())
        # The record of the cycle before may still be there.
        is_ended = cycle != before and any(
            line[0] == cycle and line[3] == "expired" for line in self.machine.trace())
        call.kill(signal.SIGCONT)
        self.expect(self.machine.finish(call))
        if "freeze" in call.arguments and call.status == 0 and is_ended and not is_frozen:
            raise Violation(f"late: {call} is done although the guard had ended its window")

    def hit_beside(self):
        """Another process is hit while a call runs."""
        call = self.machine.start(*self.pick(CALLS))
        self.moment()
        victims = self.victims((*PARTS, "runner"))
        if victims:
            pid, kind = self.pick(victims)
            self.send(pid, kind, self.pick((signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP)))
            # A child looks like its runner until it executes its hook, and the kernel has the runner wait until then.
            if kind == "runner":
                pause(self.random.uniform(0, 0.2))
                self.go_on()
        self.expect(self.machine.finish(call), (*STATUSES, -signal.SIGKILL))

    def hit_at_rest(self):
        victims = self.victims()
        if victims:
            self.send(*self.pick(victims), self.pick((signal.SIGKILL, signal.SIGSTOP)))

    def hit_all(self):
        number = self.pick((signal.SIGKILL, signal.SIGSTOP))
        for pid, kind in self.victims():
            self.send(pid, kind, number)

    def cont(self):
        self.go_on()

    def lose_record(self):
        path = f"{RUN}/cycle"
        if not os.path.exists(path):
            return
        how = self.pick(("removed", "emptied", "cut", "garbage"))
        self.note(how)
        if how == "removed":
            os.unlink(path)
        elif how == "garbage":
            with open(path, "ab") as file:
                file.write(self.random.randbytes(self.random.randint(1, 200)))
        else:
            size = 0 if how == "emptied" else self.random.randint(0, os.path.getsize(path))
            os.truncate(path, size)
            self.is_cut = True

    def lose_run_directory(self):
        shutil.rmtree(RUN, ignore_errors=True)
        self.is_lost = True

    def fill_run(self):
        self.machine.fill_run()

    def empty_run(self):
        if os.path.exists("/run/filler"):
            os.unlink("/run/filler")

    def starve(self):
        """A call may start no process, or only some; sometimes it may again after a moment."""
        if not self.machine.group:
            return
        self.is_starved = True
        # The call itself is one of them.
        more = self.random.randint(1, 6)
        self.machine.limit_processes(more)
        call = self.machine.start(*self.pick(CALLS), through=self.machine.in_group())
        if self.random.random() < 0.5:
            self.moment()
            self.machine.limit_processes(None)
        self.machine.finish(call)
        self.machine.limit_processes(None)
        self.note(str(more))
        self.expect(call)

    def misbehave(self):
        action = self.pick(("freeze", "thaw", "thaw"))
        faults = ("fail", "hang", "slow", "die") + (("brief",) if action == "freeze" else ("gone",))
        name, fault = self.pick(APPLICATIONS), self.pick(faults)
        self.machine.misbehave(name, action, fault)
        self.note(f"{name} {action} {fault}")

    def behave(self):
        for name in APPLICATIONS:
            for action in ("freeze", "thaw"):
                self.machine.misbehave(name, action, None)
            if not os.path.lexists(f"{PLACE}/sh-{name}"):
                os.symlink("/bin/sh", f"{PLACE}/sh-{name}")

    def give_up(self):
        if self.machine.gives_up:
            self.expect(self.machine.call("thaw", "--give-up"), (0, 1, 75))

    def configure(self):
        settings = {
            "hold_limit": self.pick(("0", "30ms", "100ms", "300ms", "3s")),
            "on_failure": self.pick(("continue", "abort")),
            "thaw_order": self.pick(("reverse", "forward")),
            "thaw_failure": self.pick(("ignore", "report")),
            "thaw_timeout": self.pick(("500ms", "2s")),
            "freeze_timeout": self.pick(("300ms", "2s")),
        }
        self.machine.configure(**settings)
        self.note(" ".join(settings.values()))

    def break_configuration(self):
        """With a broken file the defaults are in force, whose limits are those of minutes."""
        self.behave()
        self.go_on()
        self.machine.configure(no_such_key="1")
        call = self.machine.call(*self.pick((["freeze"], ["thaw"], ["recover"])))
        self.machine.configure()
        self.expect(call)

    def lose_log(self):
        place = self.pick(("/var/log", "/var/lib"))
        self.machine.set_writable(place, False)
        self.note(place)

    def find_log(self):
        for place in ("/var/log", "/var/lib"):
            self.machine.set_writable(place, True)

    def turn_agent(self):
        if os.path.exists(AGENT_STATE):
            os.unlink(AGENT_STATE)
        else:
            try:
                open(AGENT_STATE, "wb").close()
            except OSError:
                pass

    # The end

    def settle(self):
        """After a thaw nothing is left, every verdict is true, and the next cycle works."""
        self.events.append("settle")
        self.machine.mend()
        # A thaw must not wait for ever for what stands still.
        if self.stopped and self.random.random() < 0.5:
            self.expect(self.machine.call("thaw"), (0, 1))
        self.go_on()
        self.expect(self.machine.call("thaw"), (0,))
        if self.is_cut or self.is_starved:
            # The list of what is frozen was cut, or a hook is no more on it: without a record every hook is thawed.
            self.expect(self.machine.call("thaw"), (0,))
        self.machine.expect_quiet(LOST_LIMIT if self.is_lost else QUIET_LIMIT)
        self.machine.expect_true_verdicts()
        self.machine.expect_cycle()
        self.machine.expect_true_verdicts()
        self.machine.forget()
        if everything():
            raise Violation(f"left: {everything()}")


STEPS = {
    Series.freeze: 10, Series.thaw: 6, Series.recover: 1, Series.rehearse: 2, Series.status: 1, Series.wait: 2,
    Series.together: 4, Series.kill_runner: 4, Series.terminate_runner: 2, Series.stop_runner: 3, Series.hit_beside: 4,
    Series.hit_at_rest: 5, Series.hit_all: 1, Series.cont: 2, Series.lose_record: 2, Series.lose_run_directory: 1,
    Series.fill_run: 1, Series.empty_run: 1, Series.starve: 3, Series.misbehave: 3, Series.behave: 2, Series.give_up: 1,
    Series.configure: 3, Series.break_configuration: 1, Series.lose_log: 1, Series.find_log: 1, Series.turn_agent: 2,
}
