"""Record an animation of an import: from the file to the mended row."""

from PIL import Image
from playwright.sync_api import Page

from screenshots.pages import choose_file
from screenshots.shop import WRONG, Shop, catalogue
from screenshots.views import FOLDER, LOOKS, picture, visitor

SIZE = (960, 600)
# How long a picture is shown, in milliseconds.
SHORT, LONG = 120, 1_800


def record(shop: Shop) -> None:
    """Write docs/screenshots/import.webp."""
    with visitor(shop, LOOKS[0]) as page:
        frames = _Frames(page)
        page.goto("/imports")
        page.get_by_test_id("import-file").wait_for()
        frames.add(LONG)
        choose_file(page, "winter-2026.csv", catalogue(150_000, 5_000_000) + WRONG[0] + "\n")
        frames.add(LONG)
        page.get_by_test_id("import-start").click()
        ended = page.get_by_test_id("import-result")
        while not ended.is_visible():
            frames.add(SHORT)
        page.get_by_role("grid").first.wait_for()
        frames.add(2 * LONG)
        frames.write()


class _Frames:
    def __init__(self, page: Page):
        self._page = page
        self._pictures: list[Image.Image] = []
        self._durations: list[int] = []

    def add(self, milliseconds: int) -> None:
        self._pictures.append(picture(self._page).resize(SIZE, Image.Resampling.LANCZOS))
        self._durations.append(milliseconds)

    def write(self) -> None:
        FOLDER.mkdir(exist_ok=True)
        self._pictures[0].save(
            FOLDER / "import.webp",
            save_all=True,
            append_images=self._pictures[1:],
            duration=self._durations,
            loop=0,
            lossless=True,
            method=6,
        )
