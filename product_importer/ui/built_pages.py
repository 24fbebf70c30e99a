"""Read the HTML of the built pages."""

from reflex.utils.prerequisites import get_web_dir
from reflex_base import constants
from reflex_base.environment import environment


def read() -> list[str]:
    """Return the text of every built HTML file. In development there is none: Vite serves the pages."""
    if not environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.get():
        return []
    folder = get_web_dir() / constants.Dirs.STATIC
    return [path.read_text() for path in sorted(folder.rglob("*.html"))]
