"""The four looks of a page, and how a picture of one is taken and written."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from playwright.sync_api import Page

from screenshots.shop import Shop

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
# Of 0 to 100; texts stay sharp, and a picture takes 10 to 40 KB.
QUALITY = 70
SIZES = {1280: 800, 390: 844}
SETTLED_MS = 400


class Look(NamedTuple):
    """A width in pixels and a colour scheme."""

    width: int
    scheme: Literal["light", "dark"]


LOOKS = tuple(Look(width, scheme) for width in SIZES for scheme in ("light", "dark"))


@contextmanager
def visitor(shop: Shop, look: Look, *, is_person: bool = True) -> Iterator[Page]:
    """Open a page as a new visitor; as the administrator who has signed in if `is_person`."""
    context = shop.browser.new_context(
        base_url=shop.url,
        viewport={"width": look.width, "height": SIZES[look.width]},
        color_scheme=look.scheme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
        storage_state=shop.signed_in if is_person else None,
    )
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def write(page: Page, name: str, look: Look) -> None:
    """Write a picture of what a page shows now."""
    # Fonts, transitions and late answers.
    page.wait_for_timeout(SETTLED_MS)
    FOLDER.mkdir(exist_ok=True)
    picture(page).save(FOLDER / f"{name}-{look.width}-{look.scheme}.webp", quality=QUALITY, method=6)


def picture(page: Page) -> Image.Image:
    """Return what a page shows now."""
    return Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
