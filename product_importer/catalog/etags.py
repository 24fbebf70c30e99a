"""Entity tags, and the conditions of `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1)."""

import re

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType

# Also valid in JSON Schema: `*`, or one or more tags separated by commas.
TAG = r'(?:W/)?"[!#-~]*"'
TAGS_PATTERN = rf"^(\*|{TAG}([ \t]*,[ \t]*{TAG})*)$"


def etag(version: int) -> str:
    """Return the strong entity tag of a product's version."""
    return f'"{version}"'


def expected_versions(if_match: str | None) -> frozenset[int] | None:
    """Return the versions that `If-Match` accepts; None for any.

    The comparison is strong: weak tags match nothing, nor do tags that `etag` did not make.

    Raises:
        Invalid: the header is not a list of entity tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if not re.fullmatch(TAGS_PATTERN[1:-1], if_match.strip()):
        raise Invalid('If-Match must be * or entity tags in quotes, such as "3".', kind=ProblemType.BAD_HEADER)
    return frozenset(int(digits) for digits in re.findall(r'(?<!W/)"([1-9]\d{0,9})"', if_match, re.ASCII))


def is_known(if_none_match: str | None, version: int) -> bool:
    """Return whether `If-None-Match` names this version, by weak comparison: it need not be sent again."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag(version) in re.findall(r'"[^"]*"', if_none_match)
