"""Write docs/screenshots: every page, light and dark, wide and narrow, and an animation of an import."""

import sys

from screenshots.animation import record
from screenshots.pages import PAGES
from screenshots.shop import open_shop
from screenshots.views import LOOKS, visitor, write


def main() -> int:
    """Write the pages named on the command line, or all of them and the animation; return 0."""
    wanted = sys.argv[1:] or [*PAGES, "animation"]
    if unknown := set(wanted) - {*PAGES, "animation"}:
        print(f"There is no page {', '.join(sorted(unknown))}. There are: animation, {', '.join(PAGES)}.")
        return 2
    with open_shop() as shop:
        for name in wanted:
            if name == "animation":
                record(shop)
                continue
            for look in LOOKS:
                with visitor(shop, look, is_person=name != "sign-in") as page:
                    PAGES[name](page, shop)
                    write(page, name, look)
            print(name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
