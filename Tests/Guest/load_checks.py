# SPDX-License-Identifier: Apache-2.0
"""The images of databases under load: without a hook, with the stock script, with the program."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from textwrap import shorten

from checks import CONSISTENT, CRASH, check_nothing_left, verdict
from databases import NAMES, RECIPES, TABLES, Load, image_under_load, inspect
from guest import Guest

# The steps of QEMU's sample for MySQL.
FLUSH = """\
#!/bin/sh
BENCH_SOCKET=/run/mysqld/mysqld.sock BENCH_FIFO=/run/flush.fifo exec /usr/local/sbin/mysql-flush-hook "$1"
"""


def no_hook(guest):
    guest.use_hook(None)


def stock(guest):
    guest.use_hook("/usr/local/sbin/stock-hook")
    guest.hook("10-mysql-flush", FLUSH)


# An emulated processor is some twenty times slower than a real one, for which the defaults are made.
LIMITS = {"freeze_timeout": "4min", "hold_limit": "2min", "thaw_timeout": "4min"}


def ours(guest, **settings):
    guest.configure(**(LIMITS | settings), hooks={name: {"timeout": "2min"} for name in RECIPES.split()})
    status, words = guest.shell.run("fsfreeze-hook setup --apply", timeout=60)
    if status != 0 or words.count("/usr/libexec/fsfreeze-hook/recipes/") != len(RECIPES.split()):
        raise RuntimeError(words)


VARIANTS = {"no hook": no_hook, "stock script": stock, "fsfreeze-hook": ours}


def load(lab, results):
    """Seven writers, a freeze in the middle: the content of the image, and the pauses of the writers."""
    columns = {}
    for title, prepare in VARIANTS.items():
        with lab.ready("databases") as machine:
            guest = Guest(machine)
            prepare(guest)
            writers = Load(guest)
            writers.start()
            time.sleep(random.uniform(2, 4))
            code, words = guest.shell.run("fsfreeze-hook check", timeout=60)
            expected = "misses nothing" if prepare is ours else "says that the databases are not held"
            results.check(f"{title}: check {expected}", (
                words.count("is not held") == (0 if prepare is ours else len(RECIPES.split()))) and (
                ("error" in words) != (prepare is ours)), f"{code} {words}")
            moment = image_under_load(lab, guest)
            going = writers.goes_on()
            notes = writers.acknowledged()
            here = guest.status()[1].get("last", {})
        found = inspect(lab, moment.disk)
        lost = found.lost(moment.acknowledged(notes))
        damage = found.damage()
        pauses = moment.pauses(notes)
        image = found.status.get("image", {})
        column = {
            "freeze answered after": f"{moment.freeze_seconds:.2f} s",
            "thaw answered after": f"{moment.thaw_seconds:.2f} s",
            "ext4 has to be recovered": "yes" if found.needs_recovery else "no",
            "InnoDB has to be recovered": "yes" if found.mariadb_recovered else "no",
            "PostgreSQL replays": f"{found.redo / 1024:.0f} KiB",
            "services that do not start": found.failed.replace("\n", " ") or "none",
            "status on the image": f"{image.get('verdict', 'no image of a cycle')} ({found.code})",
        }
        for name in NAMES:
            seen = moment.acknowledged(notes)[name]
            gone = "unreadable" if lost[name] is None else lost[name]
            column[f"{name}: acknowledged, of these lost"] = f"{seen}, {gone}"
        for name in TABLES:
            column[f"{name}: CHECK TABLE"] = shorten(damage.get(name, "OK"), 40)
        for name in NAMES:
            column[f"{name}: longest pause"] = f"{pauses[name]:.1f} s"
        columns[title] = column
        results.check(f"{title}: the writers go on after the thaw", going)
        if prepare is ours:
            check_good_image(results, title, found, moment.acknowledged(notes), here)
        else:
            results.check(f"{title}: status on the image does not call it {CONSISTENT}", found.code != 0 and (
                CONSISTENT not in str(found.status)), f"{found.code} {found.status}")
    results.table(columns)


def check_good_image(results, title, found, acknowledged, cycle):
    """Nothing is lost, nothing is damaged, and the status on the image says so."""
    lost = {name: count for name, count in found.lost(acknowledged).items() if count != 0}
    results.check(f"{title}: nothing that was acknowledged is lost", not lost and min(acknowledged.values()) > 0,
                  f"lost: {lost}; acknowledged: {acknowledged}")
    results.check(f"{title}: nothing is damaged or missing in between", not found.damage(), found.damage())
    results.check(f"{title}: every server starts", not found.failed, found.failed)
    results.check(f"{title}: its filesystem needs no recovery", not found.needs_recovery)
    results.check(f"{title}: the cycle's verdict is {CONSISTENT}", cycle.get("verdict") == CONSISTENT, cycle)
    image = found.status.get("image", {})
    results.check(f"{title}: status on the image says so, and names the cycle", found.code == 0 and (
        image.get("verdict") == CONSISTENT and image.get("cycle") == cycle.get("id")), found.status)


def cycles(lab, results):
    """Cycles in a row at random moments under load: every image, every verdict, nothing left behind."""
    seed = lab.options.seed if lab.options.seed is not None else random.randrange(10**6)
    choice = random.Random(seed)
    results.note(f"seed {seed}, {lab.options.cycles} cycles")
    rounds = []
    with lab.ready("databases") as machine:
        guest = Guest(machine)
        ours(guest)
        writers = Load(guest)
        writers.start()
        for number in range(1, lab.options.cycles + 1):
            time.sleep(choice.uniform(0, 3))
            moment = image_under_load(lab, guest, hold=choice.uniform(0, 2))
            rounds.append((number, moment, guest.status()[1].get("last", {})))
        results.check("the writers go on after the last thaw", writers.goes_on())
        notes = writers.acknowledged()
        check_nothing_left(guest, results)
        check_words(guest, results, [last.get("id") for _, _, last in rounds])
    times = ", ".join(f"{moment.freeze_seconds:.1f}" for _, moment, _ in rounds)
    results.note(f"freezes answered after {times} s")
    # Two guests at a time: a booting guest has work for one processor.
    with ThreadPoolExecutor(2) as pool:
        images = pool.map(lambda disk: inspect(lab, disk), [moment.disk for _, moment, _ in rounds])
        for (number, moment, last), found in zip(rounds, images):
            check_good_image(results, f"cycle {number}", found, moment.acknowledged(notes), last)


def check_words(guest, results, cycles):
    """Lock, log, journal and history after some cycles."""
    # A run locks the directory itself.
    code, words = guest.shell.run("flock -n /run/fsfreeze-hook true")
    results.check("nobody has the lock", code == 0, words)
    log = guest.log()
    results.check("the log is text without a broken line", all(
        line[:2] == "20" and line.isprintable() for line in log.splitlines()), log)
    ends = [line for line in log.splitlines() if ": thawed: " in line]
    results.check("its last lines of the cycles are good, in their order", len(ends) == len(cycles) and all(
        cycle in line and line.endswith(CONSISTENT) for cycle, line in zip(cycles, ends)), ends)
    known = guest.shell.text("fsfreeze-hook history --json")
    places = [known.find(cycle) for cycle in cycles]
    results.check("the history has them in their order", -1 not in places and places == sorted(places), places)
    code, words = guest.shell.run("journalctl --sync && journalctl --verify 2>&1", timeout=180)
    results.check("the journal is sound", code == 0 and "FAIL" not in words, words)
    entries = guest.journal("-o cat FSFREEZE_VERDICT=" + CONSISTENT)
    results.check("and has each verdict", len(entries.splitlines()) == len(cycles), entries)


def databases_freed(lab, results):
    """A window over databases that ends otherwise: they are let go, writers go on, nothing is left."""
    for case, settings in (("no thaw", {"hold_limit": "5s"}), (
            "no thaw, thaw-filesystems", {"hold_limit": "5s", "thaw_filesystems": "yes"})):
        with lab.ready("databases") as machine:
            guest = Guest(machine)
            ours(guest, **settings)
            writers = Load(guest)
            writers.start()
            guest.freeze()
            ended = guest.until(lambda: guest.record() and not guest.processes(), 120)
            results.check(f"{case}: the guard comes to its end", ended is not None, f"{ended} {guest.processes()}")
            results.note(guest.shell.text("cat /run/fsfreeze-hook/deferred"))
            if "thaw_filesystems" in settings:
                results.check(f"{case}: the writers go on without a thaw", writers.goes_on())
            results.note(f"a late thaw: {guest.thaw()}")
            check_freed(guest, results, case, writers)
    with lab.ready("databases") as machine:
        guest = Guest(machine)
        ours(guest)
        writers = Load(guest)
        writers.start()
        guest.agent.send("guest-fsfreeze-freeze")
        begun = guest.until(lambda: "54-redis freeze" in guest.log(), 120)
        results.check("the runner is killed when MariaDB is held and Redis is about to be", begun is not None and (
            guest.shell.run("kill -9 $(pgrep -f '^/usr/sbin/fsfreeze-hook freeze')")[0] == 0), guest.log())
        ended = guest.until(lambda: ": thawed: " in guest.log(), 120)
        results.check("runner killed: the guard thaws", ended is not None, ended)
        guest.agent.sync(60)
        check_freed(guest, results, "runner killed", writers)


def check_freed(guest, results, case, writers):
    results.check(f"{case}: the writers go on", writers.goes_on(), writers.counts())
    last = guest.status()[1].get("last", {})
    results.check(f"{case}: the verdict is {CRASH}", last.get("verdict") == CRASH, last.get("reasons"))
    failed = guest.shell.text("systemctl list-units --failed --plain --no-legend")
    results.check(f"{case}: no writer and no server has failed", not failed, failed)
    check_nothing_left(guest, results)
    results.check(f"{case}: the next cycle is good", (guest.freeze(), guest.thaw()) == (1, 1) and (
        verdict(guest) == CONSISTENT), guest.status())


ALL = {"load": load, "databases-freed": databases_freed, "cycles": cycles}
