#!/usr/bin/env python3
"""Finds out which functions an ordinary visit runs, and writes them to assets/link-order.txt for build.rs.

The linker then puts them side by side: the rest of the program (TLS, PostgreSQL, mail, backtraces, shell completions ...)
is neither read from the disk nor kept in memory until somebody needs it. Run it before a release, on x86_64 Linux:

    apt-get install valgrind && python3 tests/link_order.py

It builds the release with its symbols into target/link-order (some ten minutes), opens the demo under valgrind, walks
through the panes and stays for two rounds of looks. Names that no longer exist do no harm: a later build only carries a little more.
"""

import collections
import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target" / "link-order"
ORDER = ROOT / "assets" / "link-order.txt"
KEYS = ["2", "j", "k", "3", "4", "5", "6", "7", "8", "1", "j", "j", "k"]
STAYS = 75
# A prefix stands for all that begins with it where at least so much of that, by size, is run.
RUN = 0.95


def build():
    names = {"CARGO_PROFILE_RELEASE_STRIP": "none", "CARGO_TARGET_DIR": str(TARGET), "WHEELHOUSE_LINK_ORDER": "none"}
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, env={**os.environ, **names}, check=True)
    return TARGET / "release" / "wheelhouse"


def visit(program, counts):
    child, terminal = pty.fork()
    if child == 0:
        tool = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={counts}", f"--log-file={counts}.log"]
        os.execvp("valgrind", [*tool, str(program), "demo"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def drain():
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:
            pass

    threading.Thread(target=drain, daemon=True).start()
    time.sleep(25)
    for key in KEYS:
        os.write(terminal, key.encode())
        time.sleep(1)
    time.sleep(STAYS)
    os.write(terminal, b"q")
    os.waitpid(child, 0)


def symbols(program):
    """Every function with its size."""
    found = subprocess.run(["nm", "-S", str(program)], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 3) for line in found.splitlines()]
    return [(line[3], int(line[1], 16)) for line in lines if len(line) == 4 and line[2] in "tTwW"]


def stem(name):
    """With a star for what differs from one compiler, or build, to the next."""
    return re.sub(r"17h[0-9a-f]{16}E.*", "", re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name) if name.startswith("_R") else name)


def prefixes(sizes, run):
    """The shortest prefixes that cover what is run, and next to nothing else."""
    names = sorted(sizes)

    def walk(low, high, depth):
        hot = sum(run[name] for name in names[low:high])
        if hot == 0:
            return
        if high - low == 1:
            yield names[low][: depth + 4]
            return
        first, last = names[low], names[high - 1]
        shared = depth
        while shared < min(len(first), len(last)) and first[shared] == last[shared]:
            shared += 1
        if shared >= 8 and hot >= RUN * sum(sizes[name] for name in names[low:high]):
            yield first[:shared]
            return
        if shared == len(first):
            if run[first]:
                yield first
            low += 1
        while low < high:
            end = low
            while end < high and names[end][shared] == names[low][shared]:
                end += 1
            yield from walk(low, end, shared + 1)
            low = end

    return sorted(set(walk(0, len(names), 0)))


def main():
    sys.setrecursionlimit(10_000)
    program = build()
    with tempfile.TemporaryDirectory() as directory:
        counts = f"{directory}/counts"
        visit(program, counts)
        with open(counts, errors="replace") as lines:
            called = (re.match(r"c?fn=\(\d+\) (.+)", line) for line in lines)
            executed = {re.sub(r"'\d+$", "", match[1].strip()) for match in called if match}
    sizes, run = collections.Counter(), collections.Counter()
    for name, size in symbols(program):
        sizes[stem(name)] += size
        if name in executed:
            run[stem(name)] += size
    found = prefixes(sizes, run)
    ORDER.write_text("".join(f"{prefix}\n" for prefix in found))
    print(f"{len(found)} prefixes for {sum(run.values())} of {sum(sizes.values())} bytes of code: {ORDER}")


if __name__ == "__main__":
    main()
