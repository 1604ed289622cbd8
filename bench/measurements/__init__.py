# SPDX-License-Identifier: Apache-2.0
"""The measurements, in the order in which they are shown.

A measurement is a module with NAME (for --only), ABOUT (for --list) and
measure(bench) -> [Report]. A new one is a new file and a line here.
"""

from . import before, guard, hold, hooks, journal, memory, output, portable, recipes, scripts, start

ALL = [before, hooks, scripts, start, portable, memory, output, journal, guard, hold, recipes]
