# SPDX-License-Identifier: Apache-2.0
"""The time for which a recipe lets writers stand still, on a real server under load."""

import time
from pathlib import Path

import databases
from harness import Report, Runner, median, reap, tool

NAME = "recipes"
ABOUT = "for how long each recipe lets writers stand still, beside the steps of QEMU's MySQL sample"

RECIPES = Path(__file__).resolve().parent.parent.parent / "hooks" / "recipes"
SAMPLE = Path(__file__).resolve().parent.parent / "mysql-flush-hook"


def measure(bench):
    rows = []
    for make in (databases.MariaDB, databases.PostgreSQL, databases.Redis):
        database = make(bench)
        try:
            for runner, environment in runners(bench, database):
                rows.append(row(bench, database, runner, environment))
        finally:
            database.stop()
    return [
        Report(
            "Recipes (milliseconds, medians; thawed as soon as it is frozen)",
            ["server and hook", "rounds", "freeze", "thaw", "writer stands still"],
            rows,
            ["One client writes without a rest;"
             " what it stands still without any hook is in the last row of each server."],
        )
    ]


def runners(bench, database):
    """The runners: the recipe, the hook to compare with it, and none."""
    place = bench.workplace(f"recipe-{database.name}", "")
    # Recipes find the program in PATH.
    environment = {**bench.environment, "PATH": f"{place}:{bench.environment['PATH']}"}
    (place / "fsfreeze-hook.d" / f"50-{database.name}").symlink_to(RECIPES / database.name)
    yield bench.this_program(place), environment
    if database.name == "mariadb":
        place = bench.workplace("sample-mariadb", "")
        (place / "fsfreeze-hook.d" / "50-mysql-flush").symlink_to(SAMPLE)
        stock = str(place / "stock-fsfreeze-hook")
        environment = {**bench.environment, "BENCH_SOCKET": str(database.socket), "BENCH_FIFO": str(place / "fifo")}
        yield Runner("stock script, QEMU's sample", [stock, "freeze"], [stock, "thaw"]), environment
    nothing = [tool("true", "coreutils")]
    yield Runner("nobody", nothing, nothing), bench.environment


def row(bench, database, runner, environment):
    rounds = bench.rounds(20)
    freezes, thaws, pauses = [], [], []
    writer = database.writer()
    try:
        for _ in range(rounds + 1):
            time.sleep(0.05)
            begin = time.monotonic()
            freezes.append(bench.once(runner.freeze, environment).seconds)
            thaws.append(bench.once(runner.thaw, environment).seconds)
            pauses.append(writer.longest_pause(begin))
            reap()
    finally:
        writer.stop()
    shown = [f"{median(values[1:]) * 1000:.1f}" for values in (freezes, thaws, pauses)]
    return [f"{database.name}: {runner.name}", rounds, *shown]
