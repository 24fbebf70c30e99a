"""Leaving a page by mistake: the browser asks first, while it is still sending a file."""

import reflex as rx
from reflex.event import EventSpec


def asking_before_leaving(upload_id: str) -> EventSpec:
    """Let the browser ask while an upload of this id runs: no other page could go on with it."""
    # Reflex keeps it for as long as the upload runs; `cancel_upload` aborts by the same name.
    sending = rx.Var(f"__upload_controllers_{upload_id}")._as_ref()
    return rx.run_script(f"window.onbeforeunload = (event) => {{ if ({sending}) event.preventDefault(); }}")
