# SPDX-License-Identifier: Apache-2.0
"""The time that a hold adds to that of the client itself."""

from harness import Report, Target, added_milliseconds, milliseconds

NAME = "hold"
ABOUT = "what hold and release add to the time of the client that they hold"

LIMIT_MS = 4.0


def measure(bench):
    client = bench.compile("hold-client.c")
    rows, targets = [], []
    for what, settings in (("started by the guard", ""), ("no cycle", None)):
        place = bench.workplace("hold-" + what.replace(" ", "-"), settings or "")
        own = bench.this_program(place)
        taken = {"hold": [], "release": []}

        def session(own=own, taken=taken):
            taken["hold"].append(bench.once([own.freeze[0], "hold", "bench", "--ready", "^ready$", "--", client]))
            taken["release"].append(bench.once([own.freeze[0], "release", "bench"]))

        rounds = bench.rounds(40)
        alone = []
        for _ in range(rounds + 1):
            if settings is None:
                session()
            else:
                bench.freeze(own, while_frozen=session)
            alone.append(bench.once([client]))
        hold, release, alone = taken["hold"][1:], taken["release"][1:], alone[1:]
        added = added_milliseconds(hold, alone)
        rows.append([what, rounds, milliseconds(alone), milliseconds(hold), f"{added:.2f}", milliseconds(release)])
        targets.append(Target(f"hold, {what}, added to the client", added, LIMIT_MS, " ms"))
    return [
        Report(
            "A held session (milliseconds, medians)",
            ["holder", "rounds", "client alone", "hold", "added", "release"],
            rows,
            ["The client is a static C program that prints one line and reads until the end of its input."],
            targets,
        )
    ]
