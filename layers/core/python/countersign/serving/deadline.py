"""Run a call with a deadline, on a thread that is given up when it does not come back."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

Job = tuple[Callable[[], Any], SimpleQueue[Any]]


class DeadlineExceededError(Exception):
    """The call did not come back in time; `finished` says whether it has since."""

    def __init__(self, finished: Callable[[], bool]) -> None:
        super().__init__("deadline exceeded")
        self.finished = finished


class Runner:
    """One daemon thread, replaced after a call that hung: a native call cannot be interrupted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._jobs: SimpleQueue[Job | None] | None = None

    def call(self, function: Callable[[], Any], *, seconds: float) -> Any:
        """The result of `function`, or its exception, or DeadlineExceededError after `seconds`."""
        with self._lock:
            jobs = self._jobs or self._start()
            answer: SimpleQueue[Any] = SimpleQueue()
            jobs.put((function, answer))
            try:
                result, error = answer.get(timeout=max(seconds, 0.0))
            except Empty:
                jobs.put(None)
                self._jobs = None
                raise DeadlineExceededError(lambda: not answer.empty()) from None
        if error is not None:
            raise error
        return result

    def _start(self) -> SimpleQueue[Job | None]:
        self._jobs = SimpleQueue()
        Thread(target=_work, args=(self._jobs,), name="model-call", daemon=True).start()
        return self._jobs


def _work(jobs: SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        function, answer = job
        try:
            answer.put((function(), None))
        except Exception as error:
            answer.put((None, error))
