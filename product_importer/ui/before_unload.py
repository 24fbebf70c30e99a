"""Ask before the user leaves a page that is still uploading a file."""

import reflex as rx
from reflex.event import EventSpec


def confirm_leaving(upload_id: str) -> EventSpec:
    """Let the browser ask while the upload of this id runs, because leaving the page aborts it."""
    # Reflex keeps this variable while the upload runs; `cancel_upload` uses it, too.
    controller = rx.Var(f"__upload_controllers_{upload_id}")._as_ref()
    return rx.run_script(f"window.onbeforeunload = (event) => {{ if ({controller}) event.preventDefault(); }}")
