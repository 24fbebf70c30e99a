"""`make soak`: an hour of steady load and random kills. `SOAK_MINUTES` is its length, `SOAK_SEED` repeats a run."""

import os
import signal
import sys
import time
from contextlib import ExitStack, suppress

from soak import report
from soak.client import Client
from soak.kills import Killer
from soak.ledger import Ledger
from soak.load import Load
from soak.receivers import Receivers
from soak.samples import Sampler
from soak.subject import Subject, processes
from tests.application import catalogue
from tests.faults.leftovers import Leftovers
from tests.waiting import wait_for

MINUTES = 60.0
# In less time pools, caches and logs are still being filled: then the table is only printed.
LEAST_MINUTES = 20
# Products that nobody changes.
STOCK = 50_000
DIGEST = """
SELECT count(*), sum(hashtext(sku || name || description)), max(version) FROM product WHERE sku_key LIKE 'sku-%%'
"""
# Each import that has ended as it should has told it once.
UNTOLD = """
SELECT import_job.id, count(event.id) FROM import_job LEFT JOIN event
    ON event_type = 'import_completed' AND payload ->> 'job_id' = import_job.id::text
WHERE status = 'completed' AND action ->> 'kind' IS DISTINCT FROM 'delete'
GROUP BY import_job.id HAVING count(event.id) <> 1
"""
UNFINISHED = "SELECT id, status FROM import_job WHERE status NOT IN ('completed', 'previewed', 'cancelled')"
QUIET_SECONDS = 120
OUTPUT_SHOWN = 20_000


def main() -> int:
    """Run it, print what was found, and return 0 if nothing has grown and every count is exact."""
    minutes = float(os.environ.get("SOAK_MINUTES") or MINUTES)
    seed = os.environ.get("SOAK_SEED") or str(time.time_ns() % 10**9)
    # As Ctrl-C does: everything is stopped and removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    print(f"SOAK_MINUTES={minutes:g} SOAK_SEED={seed}", flush=True)
    ledger = Ledger()
    return conclude(ledger, run(ledger, seed, minutes * 60), minutes)


def conclude(ledger: Ledger, samples: list, minutes: float) -> int:
    """Judge and print everything; return the exit code."""
    verdicts = report.judge(samples) if samples else []
    print(report.table(verdicts))
    for one in verdicts if minutes >= LEAST_MINUTES else []:
        ledger.check(not one.growth, f"{one.name} {one.growth}")
    ledger.check(verdicts and ledger.done and ledger.kills, "nothing was done, killed or measured")
    print(f"done: {dict(ledger.done)}\nkilled: {dict(ledger.kills)}\nwrong: {len(ledger.wrong)}")
    return 1 if ledger.wrong else 0


def run(ledger: Ledger, seed: str, seconds: float) -> list:
    """Start everything, let it work, check it, and remove it; return the samples."""
    subject, sampler = Subject(), None
    with ExitStack() as after:
        after.callback(subject.remove)
        with ledger.blaming("the run"):
            subject.start()
            receivers = Receivers(subject, ledger)
            after.callback(receivers.close)
            load, before = prepare(subject, ledger, seed, receivers)
            sampler = Sampler(subject, ledger, max(2.0, min(15.0, seconds / 60)))
            killer = Killer(subject, ledger, seed, (10.0, 20.0) if seconds < 600 else (20.0, 70.0))
            with sampler.running(), load.running(), killer.running():
                time.sleep(seconds)
            check(subject, ledger, load, receivers, before)
        with ledger.blaming("the end"):
            ledger.check(subject.stop() == 0, "`up` has not ended with 0")
        if ledger.wrong:
            print(subject.application.output.read_text()[-OUTPUT_SHOWN:])
    return sampler.samples if sampler else []


def prepare(subject: Subject, ledger: Ledger, seed: str, receivers: Receivers) -> tuple[Load, list]:
    """Create the webhooks, and import the stock; return the load and the stock's checksum."""
    receivers.subscribe(Client(subject.urls))
    job = subject.application.finished(subject.application.upload(catalogue(STOCK)), 300)
    assert job["created"] == STOCK, job
    ledger.expect("import_completed")
    return Load(subject, ledger, seed), subject.postgres.ask(DIGEST)


def check(subject: Subject, ledger: Ledger, load: Load, receivers: Receivers, before: list) -> None:
    """Check, when everything is quiet, products, imports, events and what is left behind."""
    wait_for(subject.is_ready, QUIET_SECONDS, "the application is ready")
    with ledger.blaming("the deliveries"):
        receivers.check()
    for shelf in load.shelves:
        shelf.check()
    ask = subject.postgres.ask
    ledger.check(ask(DIGEST) == before, "the products that nobody changes are not what they were")
    ledger.check(not (found := ask(UNFINISHED)), f"imports have not ended well: {found}")
    ledger.check(not (found := ask(UNTOLD)), f"imports have not told their end once: {found}")
    left = Leftovers(subject.application, subject.postgres)
    with ledger.blaming("what is left behind"):
        sweep(subject)
        wait_for(lambda: not left.all(), QUIET_SECONDS, f"nothing is left behind: {left.all()}")


def sweep(subject: Subject) -> None:
    """Date all uploads back by a day, and restart the web process, which then deletes those that nothing needs."""
    yesterday = time.time() - 24 * 3600
    for path in (subject.data / "uploads").iterdir():
        with suppress(FileNotFoundError):
            os.utime(path, (yesterday, yesterday))
    for process in processes(subject.data)["web"]:
        process.kill()


if __name__ == "__main__":
    sys.exit(main())
