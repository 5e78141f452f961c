"""One child process that renders, from its parent's side."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

import orjson

from worker.templates.child import HARD
from worker.templates.rendering import Rendered
from worker.templates.wire import (
    HEAD,
    Failure,
    RenderJob,
    job_frame,
    read_answer,
    template_frame,
)

MOST_VERSIONS = 500
_CHUNK = 1 << 16
_START = 20.0
"""Seconds that a child may take to start, on a busy machine."""
_GRACE = 2.0
"""Seconds beyond those after which a child ends itself."""
_LARGEST_ANSWER = 64_000_000
_TOO_SLOW = frozenset((-signal.SIGALRM, -signal.SIGVTALRM))
_OWN_FAULT = frozenset(
    -one for one in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)
)


class ChildGone(Exception):
    """The child has ended, or had to be. `guilty`: by what it was rendering."""

    def __init__(self, reason: str, *, guilty: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.guilty = guilty


class ChildProcess:
    """Renders jobs one after the other. For one thread at a time."""

    def __init__(self, *, seconds: float, memory: int, hold: float) -> None:
        limits = (str(seconds), str(memory), str(hold))
        command = [sys.executable, "-P", "-m", "worker.templates.child", *limits]
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._to, self._from = (
            pipe.fileno() for pipe in (self._process.stdin, self._process.stdout) if pipe
        )
        for descriptor in (self._to, self._from):
            os.set_blocking(descriptor, False)
        self._patience = seconds * HARD + 1 + _GRACE
        self._known: set[str] = set()
        self._buffer = bytearray()
        self._started = False
        self.usable = True

    @property
    def worn(self) -> bool:
        """Whether it has seen so many versions that another should take its place."""
        return len(self._known) > MOST_VERSIONS

    def send(self, jobs: Iterable[RenderJob]) -> None:
        """Hand over jobs, each of which has an answer to be received. ChildGone."""
        frames = bytearray()
        for job in jobs:
            if job.snapshot.version not in self._known:
                self._known.add(job.snapshot.version)
                frames += template_frame(job.snapshot)
            frames += job_frame(job)
            if len(frames) > _CHUNK:
                self._write(frames)
                frames = bytearray()
        self._write(frames)

    def receive(self) -> Rendered | Failure:
        """The next job's answer. ChildGone if it has ended, or takes longer than it may."""
        deadline = time.monotonic() + self._patience + (0 if self._started else _START)
        size = int.from_bytes(self._read(HEAD, deadline), "big")
        if size > _LARGEST_ANSWER:
            raise ChildGone("answers too much", guilty=True)
        answer = read_answer(orjson.loads(self._read(size, deadline)))
        self._started = True
        return answer

    def end(self) -> None:
        """End it now, wherever it is."""
        if not self.usable:
            return
        self.usable = False
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _write(self, data: bytearray) -> None:
        """Answers are read meanwhile: a child that can't write them would not read on either."""
        deadline = time.monotonic() + self._patience + _START
        rest = memoryview(data)
        while rest:
            if self._to not in self._ready(deadline, self._to, self._from):
                self._take()
                continue
            try:
                rest = rest[os.write(self._to, rest[:_CHUNK]) :]
            except BrokenPipeError:
                raise self._gone() from None

    def _read(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._ready(deadline, self._from)
            self._take()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _take(self) -> None:
        data = os.read(self._from, _CHUNK)
        if not data:
            raise self._gone()
        self._buffer += data

    def _ready(self, deadline: float, *descriptors: int) -> set[int]:
        poll = select.poll()
        for one in descriptors:
            poll.register(one, select.POLLOUT if one == self._to else select.POLLIN)
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not ready:
            raise ChildGone("takes too long", guilty=True)
        return {descriptor for descriptor, _ in ready}

    def _gone(self) -> ChildGone:
        """Why there is nothing at the pipe's other end."""
        try:
            code = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return ChildGone("stopped answering", guilty=True)
        if code in _TOO_SLOW:
            return ChildGone("takes too long", guilty=True)
        if code in _OWN_FAULT:
            name = signal.Signals(-code).name
            return ChildGone(f"ends its process ({name}); is it nested too deeply?", guilty=True)
        return ChildGone(f"the process ended ({code})", guilty=False)
