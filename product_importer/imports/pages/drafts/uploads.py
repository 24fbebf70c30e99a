"""The uploads of one browser tab, as assets/uploads.js knows them: they go on while other pages are shown."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.utils.format import format_event_handler
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData
from reflex_base.vars.function import FunctionStringVar
from reflex_components_core.core.upload import Upload as ReflexUpload  # type: ignore[import-untyped]
from reflex_components_core.el.elements.forms import Input  # type: ignore[import-untyped]

from product_importer.imports.pages.drafts.receive_state import ReceiveState

LIBRARY = "$/public/uploads.js"
# The event that takes a file.
RECEIVER = format_event_handler(ReceiveState.receive)
# Reflex serves the address that takes files only if its own component is used.
ReflexUpload.is_used = True


@dataclass(frozen=True)
class Upload:
    """A chosen file. `state` is "waiting", "sending", "sent", "broken", "changed" or "refused".

    `draft` is the id of its draft, empty until it is known. `reason` says why it was refused.
    """

    key: str = ""
    name: str = ""
    state: str = ""
    percent: int = 0
    speed: str = ""
    left: str = ""
    draft: str = ""
    reason: str = ""


def all_uploads() -> rx.Var[list[Upload]]:
    """Return the browser's list of uploads; what shows it needs no answer of the server."""
    data = VarData(imports={LIBRARY: [ImportVar("useUploads")]}, hooks={"const uploads = useUploads();": None})
    return rx.Var("uploads", _var_type=list[Upload], _var_data=data).guess_type()


def uploads_elsewhere() -> rx.Var[list[Upload]]:
    """Return the uploads without the one of the draft whose page is shown, which shows it itself."""
    place = VarData(
        imports={"react-router": [ImportVar("useLocation")]}, hooks={"const place = useLocation();": None}
    )
    others = "uploads.filter((one) => !(one.draft && place.pathname.includes(one.draft)))"
    data = VarData.merge(all_uploads()._get_all_var_data(), place)
    return rx.Var(others, _var_type=list[Upload], _var_data=data).guess_type()


def upload_of(draft_id: rx.Var[str]) -> rx.Var[Upload]:
    """Return the upload of a draft's file; its state is empty where this tab does not have the file."""
    found = f'(uploads.find((one) => one.draft !== "" && one.draft === {draft_id!s}) ?? {{state: "", percent: 0}})'
    data = VarData.merge(all_uploads()._get_all_var_data(), draft_id._get_all_var_data())
    return rx.Var(found, _var_type=Upload, _var_data=data).guess_type()


def add_files(draft_id: rx.Var[str] | None = None) -> FunctionStringVar[Any]:
    """Return what puts files into the queue; with a draft's id, its file is sent again."""
    draft = '""' if draft_id is None else str(draft_id)
    return _function("addFiles", f'((files) => addFiles(files, "{RECEIVER}", {draft}))', draft_id)


def send_again(key: rx.Var[str]) -> FunctionStringVar[Any]:
    """Return what sends a file again from its start."""
    return _function("sendAgain", f"(() => sendAgain({key!s}))", key)


def remove_upload(key: rx.Var[str]) -> FunctionStringVar[Any]:
    """Return what takes a file out of the queue."""
    return _function("removeUpload", f"(() => removeUpload({key!s}))", key)


def _function(name: str, script: str, about: rx.Var[str] | None) -> FunctionStringVar[Any]:
    data = VarData(imports={LIBRARY: [ImportVar(name)]})
    given = about._get_all_var_data() if about is not None else None
    return FunctionStringVar.create(script, _var_data=VarData.merge(data, given))


def _chosen(event: rx.Var[Any]) -> tuple[rx.Var[Any]]:
    """Hand over the files, and empty the input: the same file can be chosen again."""
    take = '((input) => { const files = Array.from(input.files); input.value = ""; return files; })'
    return (rx.Var(f"{take}({event!s}.target)"),)


class DropOverlay(rx.Component):
    """Takes files that are dropped anywhere in the window; its children are seen while they are dragged.

    It also takes note of what has become of the uploads, and goes to the page of a draft that has just begun.
    """

    library = LIBRARY
    tag = "DropOverlay"

    receiver: rx.Var[str]
    # Whether the server knows the tab: nothing is sent before.
    known: rx.Var[bool]
    disabled: rx.Var[bool]
    begun: rx.Var[dict[str, str]]
    refused: rx.Var[dict[str, str]]


class FileInput(Input):
    """A file input whose event gets the chosen files."""

    on_change: rx.EventHandler[_chosen]  # type: ignore[type-arg,valid-type]


def file_input(draft_id: rx.Var[str] | None = None, **props: Any) -> rx.Component:
    """Return a file input whose files are sent at once."""
    return FileInput.create(type="file", on_change=add_files(draft_id), **props)
