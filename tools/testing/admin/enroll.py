#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: enroll.py QMP-SOCKET CONSOLE PASSWORD

Sit at the machine's keyboard while shim asks whether to enroll the key that mokutil
was given: wait for each of its questions on the console, and say yes.
"""

import json
import socket
import sys
import time

# What is asked, and the keys that say yes
QUESTIONS = [
    ("Press any key to perform MOK management", ["spc"]),
    ("Enroll MOK", ["down", "ret"]),
    ("View key 0", ["down", "ret"]),
    ("Enroll the key(s)?", ["down", "ret"]),
    ("Password", None),
    ("Reboot", ["ret"]),
]


def connect(path):
    """The socket, once it is there."""
    for _ in range(600):
        try:
            qmp = socket.socket(socket.AF_UNIX)
            qmp.connect(path)
            return qmp.makefile("rw")
        except OSError:
            time.sleep(0.1)
    sys.exit("enroll: no machine")


def execute(qmp, command, **arguments):
    """A command of QMP, and the end of it."""
    json.dump({"execute": command, "arguments": arguments}, qmp)
    qmp.write("\n")
    qmp.flush()
    while True:
        answer = json.loads(qmp.readline())
        if "error" in answer:
            sys.exit(f"enroll: {answer['error']['desc']}")
        if "return" in answer:
            return


def press(qmp, keys):
    """One key after the other, as slowly as firmware wants it."""
    for key in keys:
        execute(qmp, "send-key", keys=[{"type": "qcode", "data": key}])
        time.sleep(0.5)


def wait_for(path, text, start):
    """Where @text ends on the console, from @start on."""
    for _ in range(1200):
        try:
            with open(path, "rb") as console:
                found = console.read().find(text.encode(), start)
        except OSError:
            found = -1
        if found >= 0:
            return found + len(text)
        time.sleep(0.1)
    sys.exit(f"enroll: the console does not say: {text}")


def main():
    socket_path, console, password = sys.argv[1:]
    qmp = connect(socket_path)
    qmp.readline()
    execute(qmp, "qmp_capabilities")
    at = 0
    for question, keys in QUESTIONS:
        at = wait_for(console, question, at)
        # It is being drawn
        time.sleep(1)
        press(qmp, list(password) + ["ret"] if keys is None else keys)


main()
