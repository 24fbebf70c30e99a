"""Read what a form of these pages sends."""

from collections import Counter
from urllib.parse import parse_qsl

from starlette.requests import Request

from product_importer.core.errors import Invalid, UnsupportedMedia, invalid_fields, repeated_field

FORM_MEDIA = "application/x-www-form-urlencoded"
MAX_FIELDS = 20


async def read_form(request: Request, *needed: str) -> dict[str, str]:
    """Return the fields of a form; `needed` are there, but may be empty.

    Raises:
        UnsupportedMedia: the body is no form.
        Invalid: the form is damaged.
        Unprocessable: a field is missing, or was sent more than once.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_MEDIA:
        raise UnsupportedMedia(f"This page takes a form: Content-Type: {FORM_MEDIA}.")
    try:
        pairs = parse_qsl(
            (await request.body()).decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise Invalid(f"The form is no UTF-8 text, or has more than {MAX_FIELDS} fields.") from None
    counts = Counter(name for name, _ in pairs)
    errors = [repeated_field(name) for name, count in counts.items() if count > 1]
    errors += [{"field": name, "message": "It is missing."} for name in needed if name not in counts]
    if errors:
        raise invalid_fields(errors)
    return dict(pairs)
