"""The account that runs PostgreSQL, made by several processes at once."""

import json
import os
import shutil
import subprocess
import sys

import pytest

# A folder /etc of our own, which only these processes see, and in it several that need the account at the same time.
OWN_ETC = """
set -eu
mount -t tmpfs own-etc /mnt && cp -a /etc/. /mnt && mount --move /mnt /etc
exec "$0" -c "$1"
"""
# Without care, one round of three goes wrong.
ROUNDS = 12
SEVERAL = f"""
import json, multiprocessing, pwd, subprocess
from product_importer.core.embedded import postgres_account

def make(_):
    barrier.wait()
    return postgres_account._service_account().uid

barrier = multiprocessing.Barrier(4)
rounds = []
with multiprocessing.Pool(4) as pool:
    for _ in range({ROUNDS}):
        subprocess.run(["userdel", "--force", postgres_account.ACCOUNT], stderr=subprocess.DEVNULL)
        made = pool.map(make, range(4), chunksize=1)
        rounds.append([made, pwd.getpwnam(postgres_account.ACCOUNT).pw_uid])
print(json.dumps(rounds))
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "useradd", "userdel"))),
    reason="needs root, unshare, useradd and userdel",
)
def test_processes_that_start_at_once_have_one_account() -> None:
    words = ["unshare", "--mount", "sh", "-c", OWN_ETC, sys.executable, SEVERAL]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    rounds = json.loads(said.stdout)
    assert len(rounds) == ROUNDS
    assert all(set(made) == {lasting} for made, lasting in rounds), rounds
