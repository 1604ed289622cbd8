# SPDX-License-Identifier: Apache-2.0
"""The time that the journal adds to a freeze: the same hooks with journal = yes and journal = no."""

from harness import WITHOUT_GUARD, BenchError, Report, added_milliseconds, milliseconds, paired_ratio

NAME = "journal"
ABOUT = "what the entries in the journal add to a freeze of 0, 1, 10 and 100 hooks"


def measure(bench):
    rows = []
    for count, default in ((0, 60), (1, 60), (10, 40), (100, 10)):
        runners = {}
        for setting in ("yes", "no"):
            place = bench.workplace(f"journal-{count}-{setting}", f"{WITHOUT_GUARD}journal = {setting}\n")
            bench.fill(place, count)
            runners[setting] = bench.this_program(place)
        before = bench.entries()
        rounds = bench.rounds(default)
        samples = bench.interleave(rounds, [(s, lambda r=r: bench.freeze(r)) for s, r in runners.items()])
        entries = bench.entries() - before
        if entries == 0:
            raise BenchError("no entry reached the journal's socket: nothing to compare")
        rows.append(
            [
                f"{count:,}",
                rounds,
                milliseconds(samples["yes"]),
                milliseconds(samples["no"]),
                f"{added_milliseconds(samples['yes'], samples['no']):.2f}",
                f"{paired_ratio(samples['yes'], samples['no']):.2f}",
                f"{entries / (rounds + 1):.0f}",
            ]
        )
    header = ["hooks", "rounds", "journal = yes", "journal = no", "added", "yes x no", "entries of a cycle"]
    return [Report("The journal's part of a freeze (milliseconds, medians)", header, rows)]
