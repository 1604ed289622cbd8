# SPDX-License-Identifier: Apache-2.0
"""A freeze over trivial hooks: this program, the stock script, run-parts and a C loop side by side."""

from harness import Report, Target, milliseconds, paired_ratio

NAME = "hooks"
ABOUT = "a freeze over 0, 1, 10, 100 and 1,000 trivial hooks, four runners side by side"

# Hooks in the directory, and the default number of rounds.
COUNTS = [(0, 100), (1, 100), (10, 60), (100, 25), (1000, 5)]
# Hooks, the other runner, the largest ratio.
TARGETS = [(1, "stock script", 0.90), (100, "C loop", 1.10), (100, "stock script", 0.35)]


def measure(bench):
    rows, targets = [], []
    header = []
    for count, default in COUNTS:
        if bench.quick and count > 100:
            continue
        place = bench.workplace(f"hooks-{count}")
        bench.fill(place, count)
        header, row, ratios = compare(bench, place, count, bench.rounds(default))
        rows.append(row)
        for hooks, other, limit in TARGETS:
            if hooks == count:
                what = f"freeze, {hooks} hook{'s' if hooks != 1 else ''}, x {other}"
                targets.append(Target(what, ratios[other], limit))
    return [
        Report(
            "A freeze over trivial hooks (milliseconds, medians)",
            header,
            rows,
            [
                "Each hook is a hard link to one static C program. Only fsfreeze-hook and the stock script log.",
                "fsfreeze-hook without its guard (hold-limit = 0).",
            ],
            targets,
        )
    ]


def compare(bench, place, count, rounds):
    """The four runners over the hooks of a place: the header, a row, and the ratios to the other three by name."""
    runners = bench.four_runners(place)
    for runner in runners:
        bench.verify(runner, count)
    samples = bench.interleave(rounds, [(r.name, lambda r=r: bench.freeze(r)) for r in runners])
    own, *others = (runner.name for runner in runners)
    ratios = {other: paired_ratio(samples[own], samples[other]) for other in others}
    header = ["hooks", "rounds", own, *others, *(f"x {other}" for other in others)]
    times = [milliseconds(samples[r.name]) for r in runners]
    row = [f"{count:,}", rounds, *times, *(f"{ratio:.2f}" for ratio in ratios.values())]
    return header, row, ratios
