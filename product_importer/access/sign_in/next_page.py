"""Decide where a person goes after the sign-in: only to a page of this application."""

from posixpath import normpath
from urllib.parse import unquote, urlsplit

HOME = "/"
# They would lead back to where the person is, or out again.
OWN_FORMS = ("/sign-in", "/sign-out", "/setup")
MAX_LENGTH = 2000


def own_page(wanted: str | None) -> str:
    """Return the path that was wanted if it can only be one of this application, else `/`.

    Browsers read a backslash as a slash, ignore line breaks and tabs, and take `//host` for another host.
    """
    if not wanted or len(wanted) > MAX_LENGTH or not wanted.isprintable() or "\\" in wanted:
        return HOME
    if not wanted.startswith("/") or wanted.startswith("//"):
        return HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return HOME
    # As browsers and servers read it: `/./sign-out` and `/%73ign-out` are forms, too.
    path = normpath(unquote(parts.path))
    is_form = any(path == form or path.startswith(f"{form}/") for form in OWN_FORMS)
    return HOME if parts.scheme or parts.netloc or is_form else wanted
