"""Workers are counted by one clock, whatever those of their machines say."""

import time
from contextlib import ExitStack

from product_importer.core import queue, redis
from tests import clocks
from tests.waiting import wait_for

PRESENCE = queue.PRESENCE.format(queue="imports")
SECONDS = 30
WORKER = """
from product_importer.core import queue
queue.report_presence(["imports"])
for _ in sys.stdin:
    print(queue.live_workers("imports"), flush=True)
"""


def test_workers_count_each_other_however_wrong_their_clocks_are(database):
    redis.client().zadd(PRESENCE, {"killed:7": redis.now() - queue.PRESENT_SECONDS - 1})
    with ExitStack() as stack:
        workers = [stack.enter_context(clocks.process(hours * clocks.HOUR, WORKER)) for hours in (-1, 0, 1)]
        wait_for(lambda: queue.live_workers("imports") == 3, SECONDS, "all workers are counted")
        # Until each has reported again, and forgotten others.
        time.sleep(1.5 * queue.REPORT_SECONDS)
        assert [clocks.answer(worker) for worker in workers] == ["3"] * 3
        assert (queue.live_workers("imports"), redis.client().zcard(PRESENCE)) == (3, 3)


def test_a_worker_that_ends_is_counted_no_more(database):
    with clocks.process(clocks.HOUR, WORKER) as worker:
        assert clocks.answer(worker)
        wait_for(lambda: queue.live_workers("imports") == 1, SECONDS, "the worker is counted")
        worker.communicate(timeout=SECONDS)
        assert queue.live_workers("imports") == 0
