"""Print the link to the first account, where people must sign in and nobody can yet."""

from product_importer.access import setup_links
from product_importer.core import db
from product_importer.core.settings import settings


def announce() -> None:
    """Print a link that makes the first account, if sign-in is on and there is none."""
    if not settings().signs_in:
        return
    if link := db.run(setup_links.make_first):
        print(f"  Create the first account here, within an hour:\n\n  {link}\n", flush=True)
