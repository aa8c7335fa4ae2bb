#!/usr/bin/env python3
"""Verifies what `wheelhouse journal export` wrote, with nothing of wheelhouse in it.

    wheelhouse journal export > journal.jsonl
    python3 verify_journal.py journal.jsonl [more.jsonl ...]
    python3 verify_journal.py --head ~/.local/state/wheelhouse/shop.db.head journal.jsonl

Each line is an event. Its hash is the SHA-256 of the compact JSON array of its sequence, the hash before it, and its fields
in this order: at, who, word, said, severity, payload. With --head, the file that the cockpit keeps beside its record
(the last line: sequence and hash), a tail that was cut is found as well. Exit status: 0 every chain holds, 2 one does not.
"""

import argparse
import hashlib
import json
import sys

FIELDS = ["at", "who", "word", "said", "severity", "payload"]


def digest(event):
    fields = [event["sequence"], event["previous"], *(event[field] for field in FIELDS)]
    compact = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(compact.encode()).hexdigest()


def verify(lines, head):
    """The number of events, or the first one that does not hold and why."""
    previous, sequence = "0" * 64, 0
    for sequence, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
            found, expected = event["hash"], digest(event)
        except (ValueError, KeyError, TypeError, UnicodeEncodeError) as error:
            return sequence, f"it cannot be read: {error!r}"
        if event["sequence"] != sequence:
            return sequence, f"it is missing; the next one is {event['sequence']}"
        if event["previous"] != previous:
            return sequence, "it does not follow the event before it"
        if found != expected:
            return sequence, "its words and its hash do not agree"
        if head and head[0] == sequence and head[1] != found:
            return sequence, "its hash is not the one kept outside"
        previous = found
    if head and head[0] > sequence:
        return sequence + 1, f"the tail is cut: the head kept outside stands at {head[0]}"
    return sequence, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--head", help="the file kept beside the record, PACK.db.head")
    parser.add_argument("exports", nargs="+", metavar="EXPORT")
    arguments = parser.parse_args()
    head = None
    if arguments.head:
        with open(arguments.head, encoding="utf-8") as file:
            sequence, _, found = file.read().strip().splitlines()[-1].partition(" ")
            head = (int(sequence), found)
    broken = False
    for name in arguments.exports:
        with open(name, encoding="utf-8", errors="surrogateescape") as file:
            sequence, why = verify(file, head)
        broken |= why is not None
        print(f"{name}: {sequence} events, the chain holds" if why is None else f"{name}: event {sequence}: {why}")
    sys.exit(2 if broken else 0)


if __name__ == "__main__":
    main()
