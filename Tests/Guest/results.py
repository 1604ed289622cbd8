# SPDX-License-Identifier: Apache-2.0
"""The table of results."""

import textwrap
import traceback


class Results:
    """Collects and prints checks as they come."""

    def __init__(self):
        self.passed = self.failed = 0

    def section(self, title):
        print(f"\n{title}", flush=True)

    def check(self, what, good, seen=""):
        """Adds a line to the table, with the observed value."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
        print(f"  {'ok  ' if good else 'FAIL'}  {what}", flush=True)
        text = str(seen)
        if text:
            width = None if not good else 150
            shown = text if width is None else textwrap.shorten(" ".join(text.split()), width)
            print(textwrap.indent(shown, "          "), flush=True)

    def note(self, text):
        print(textwrap.indent(str(text), "        . "), flush=True)

    def table(self, columns):
        """A table with titles above and row names at the left."""
        rows = [["", *columns]]
        for name in next(iter(columns.values())):
            rows.append([name, *(str(column[name]) for column in columns.values())])
        widths = [max(map(len, column)) for column in zip(*rows)]
        print()
        for row in rows:
            print("    " + "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
        print(flush=True)

    def crashed(self, what):
        self.check(f"{what} came to its end", False, traceback.format_exc())

    def total(self):
        print(f"\n{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
