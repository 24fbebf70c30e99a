"""Fork RQ's work horse before its job arrives, so that a job begins in a process that is ready to run it.

RQ forks when it has taken a job. The new process then opens its connections and copies every page of memory that it
touches, which takes longer than a small import. Here the process is forked while the worker is idle, does this
beforehand, and waits. As with RQ, each job has a process of its own, which is watched and killed in the same way.

A waiting horse belongs to the process group of its worker, and gets its own group together with its job. It ends when
its worker ends, however that ends.
"""

import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.worker import Worker

log = logging.getLogger(__name__)

# What a waiting process does in advance, for a worker of these queues.
WarmUp = Callable[[Sequence[str]], None]

# A job's id, its execution's id and its queue's name are written at once, and are far shorter.
MESSAGE_BYTES = 4096

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_dequeue = Worker.dequeue_job_and_maintain_ttl


class WaitingHorse:
    """A child process that waits for the one job that it will run."""

    def __init__(self, worker: Worker, warm_up: WarmUp):
        message, self._message = os.pipe()
        with _held_back(STOP_SIGNALS):
            self.pid = os.fork()
            if self.pid == 0:
                # Otherwise it would not notice the end of its worker.
                os.close(self._message)
                _wait_and_run(worker, message, warm_up)
        os.close(message)

    def hand_over(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Let the process run a job; return False if it has ended."""
        try:
            os.setpgid(self.pid, self.pid)
            os.write(self._message, f"{job.id} {execution.id} {queue.name}".encode())
        except OSError as error:
            log.warning("the process that waited for a job has ended, a new one is started: %s", error)
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            return False
        finally:
            os.close(self._message)
        return True


@contextmanager
def _held_back(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """Hold signals back until the end of the block.

    RQ's handlers raise an exception that ends the worker. Python drops it in what it does around a fork. To block the
    signals in this thread is not enough: another thread may take them, and the handler still runs in this one.
    """
    taken: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: taken.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for held in taken:
            os.kill(os.getpid(), held)


def patch_rq(warm_up: WarmUp) -> None:
    """Let the workers of this process fork in advance; `warm_up` is called in each waiting process."""

    def dequeue_with_horse(self: Any, *arguments: Any, **options: Any) -> Any:
        if getattr(self, "waiting_horse", None) is None:
            self.waiting_horse = WaitingHorse(self, warm_up)
        return _dequeue(self, *arguments, **options)

    def fork_work_horse(self: Any, job: Job, queue: Queue) -> None:
        horse, self.waiting_horse = self.waiting_horse, None
        while not horse.hand_over(job, queue, self.execution):
            horse = WaitingHorse(self, warm_up)
        self._horse_pid = horse.pid

    worker: Any = Worker
    worker.dequeue_job_and_maintain_ttl, worker.fork_work_horse = dequeue_with_horse, fork_work_horse


def _wait_and_run(worker: Any, message: int, warm_up: WarmUp) -> None:
    """In the child: warm up, wait for a job, and run it; never return."""
    try:
        worker.setup_work_horse_signals()
        warm_up(worker.queue_names())
        if received := os.read(message, MESSAGE_BYTES):
            _run(worker, *received.decode().split(" ", 2))
        os._exit(0)
    except BaseException:
        log.exception("a process that waited for a job has failed")
    finally:
        os._exit(1)


def _run(worker: Any, job_id: str, execution_id: str, queue_name: str) -> None:
    os.environ |= {"RQ_WORKER_ID": worker.name, "RQ_JOB_ID": job_id}
    job = worker.job_class.fetch(job_id, connection=worker.connection, serializer=worker.serializer)
    worker.execution = Execution.fetch(execution_id, job_id, connection=worker.connection)
    queue = next(queue for queue in worker.queues if queue.name == queue_name)
    worker.main_work_horse(job, queue)
