"""Stands between an MCP client and a server on standard input and output, and ends what goes wrong.

    python -m lamina.tools.mcp_servers.guard COMMAND ARGUMENT…

It passes lines on both ways. A server that writes a message without end, or floods without being asked, is
killed; whatever ends it, no process of it is left (PR_SET_CHILD_SUBREAPER), and one line on standard error says
why. The end of standard input ends the server.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections import deque

from lamina.tools.execution import processes

MOST_LINE_BYTES = 4 << 20
MOST_BYTES = 16 << 20
"""Since the client last wrote."""
MOST_MESSAGES = 1_000
"""Since the client last wrote."""
GRACE_SECONDS = 0.5
TAIL_BYTES = 600


class _Server:
    def __init__(self, command: list[str]):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.tail: deque[int] = deque(maxlen=TAIL_BYTES)
        self.bytes = self.messages = 0
        self.ending = threading.Lock()
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def end(self, why: str) -> None:
        """Once: the first reason is the one that counts."""
        self.ending.acquire()
        self.process.kill()
        processes.kill_until_none_left()
        tail = bytes(self.tail).decode(errors="replace")
        if len(self.tail) == TAIL_BYTES:  # its first word may be half of one, and half a key would not be known as one
            tail = "".join(re.split(r"(\s)", tail, maxsplit=1)[1:])
        lines = tail.strip().splitlines()[-1:]
        said = [" ".join(line.split()) for line in lines]
        with contextlib.suppress(OSError):
            os.write(2, f"\n{why}{'; it said: ' + said[0] if said else ''}\n".encode())
        os._exit(0)

    def forward_requests(self) -> None:
        assert self.process.stdin is not None
        while True:
            part = os.read(0, 1 << 16)
            if not part:
                break
            self.bytes = self.messages = 0
            try:
                _write(self.process.stdin.fileno(), part)
            except OSError:  # it no longer reads: its output will end, or the client will
                continue
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if (status := self.process.poll()) is not None:
            self.end(f"it ended with status {status}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_SECONDS)
        self.end("it was asked to end")

    def keep_tail(self) -> None:
        assert self.process.stderr is not None
        with contextlib.suppress(OSError):
            while part := os.read(self.process.stderr.fileno(), 1 << 16):
                self.tail.extend(part[-TAIL_BYTES:])

    def count_answers(self) -> None:
        """Read ahead of the client, so that a flood is seen however slowly it reads; whole lines alone go on."""
        assert self.process.stdout is not None
        line = bytearray()
        with contextlib.suppress(OSError):
            while part := os.read(self.process.stdout.fileno(), 1 << 16):
                *whole, rest = part.split(b"\n")
                if whole:
                    self.lines.put(bytes(line + b"\n".join(whole) + b"\n"))
                    line.clear()
                line += rest
                self.bytes += len(part)
                self.messages += len(whole)
                if len(line) > MOST_LINE_BYTES:
                    self.end(f"it wrote a message of more than {MOST_LINE_BYTES >> 20} MB")
                if self.bytes > MOST_BYTES or self.messages > MOST_MESSAGES:
                    self.end("it flooded: it wrote without end and without being asked")
        self.lines.put(b"")

    def forward_answers(self) -> None:
        with contextlib.suppress(OSError):
            while lines := self.lines.get():
                _write(1, lines)
        status = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self.process.wait(GRACE_SECONDS)
        time.sleep(0.02)  # for what it last said on standard error
        self.end("it closed its output" if status is None else f"it ended with status {status}")


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def main() -> None:
    processes.prctl(processes.PR_SET_CHILD_SUBREAPER, 1)
    try:
        server = _Server(sys.argv[1:])
    except OSError as error:
        os.write(2, f"\nit cannot be started ({error.strerror}: {sys.argv[1][:200]})\n".encode())
        os._exit(1)
    threading.Thread(target=server.forward_requests, daemon=True).start()
    threading.Thread(target=server.keep_tail, daemon=True).start()
    threading.Thread(target=server.count_answers, daemon=True).start()
    server.forward_answers()


if __name__ == "__main__":
    main()
