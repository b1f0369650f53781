"""Runs a program in a pseudo-terminal of a given size and plays a script to it.

Arguments: COLUMNS ROWS STEPS COMMAND...; STEPS is JSON, a list of {"expect": text, then "send": text | "resize":
[columns, rows] | "signal": number}. Prints JSON: the exit code (128+n for a signal), all output, and whether the
terminal's settings were the same before and after.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

LIMIT = 20.0
QUIET = 0.05


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def main():
    columns, rows = int(sys.argv[1]), int(sys.argv[2])
    steps, command = json.loads(sys.argv[3]), sys.argv[4:]
    leader, follower = pty.openpty()
    resize(leader, columns, rows)
    before = termios.tcgetattr(follower)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(follower, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(follower, fd)
        os.closerange(3, 64)
        os.execvp(command[0], command)
    output, seen, status = b"", 0, None
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        ready, _, _ = select.select([leader], [], [], QUIET)
        if ready:
            try:
                output += os.read(leader, 65536)
            except OSError:
                break
        while steps and steps[0]["expect"].encode() in output[seen:]:
            step = steps.pop(0)
            seen = len(output)
            if "send" in step:
                os.write(leader, step["send"].encode())
            if "resize" in step:
                resize(leader, *step["resize"])
            if "signal" in step:
                os.kill(pid, step["signal"])
        if status is None:
            ended, status_now = os.waitpid(pid, os.WNOHANG)
            status = status_now if ended else None
        if status is not None and not ready:
            break
    if status is None:
        os.kill(pid, 9)
        status = os.waitpid(pid, 0)[1]
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    after = termios.tcgetattr(follower)
    print(json.dumps({
        "code": code,
        "output": output.decode("utf-8", "replace"),
        "restored": before == after,
        "unplayed": len(steps),
    }))


main()
