"""Texts that try to forge log lines or leak secrets, and a check that a log has none."""

FORGED_LINE = "2026-01-01 00:00:00,000 CRITICAL product_importer: FORGED"
# Characters that begin a new line, erase a line or reverse its direction.
FORGERY = (
    f"a\n{FORGED_LINE} b\r{FORGED_LINE} c\x1b[2K\x1b[1A\x85\u2028\u2029{FORGED_LINE}\u202e\u2066\x9b31m\x08\x0b\x0c"
)
SECRET = "S3CRET"
TAB = f"{'5ec2e7'}00-2fa1-4d2a-883f-b9a761bde3fb"
HEADERS = {
    "Cookie": f"session={SECRET}",
    "Authorization": f"Bearer {SECRET}",
    "X-Api-Key": SECRET,
    "X-Whatever": SECRET,
    "Idempotency-Key": SECRET,
}


def assert_safe(log: str) -> None:
    """Fail if a log has a forged line, a control character or a secret."""
    # Not splitlines(): it would also split at the control characters that are checked next.
    assert [line for line in log.split("\n") if line.lstrip("\r").startswith(FORGED_LINE)] == []
    assert {character for character in log if character != "\n" and not is_harmless(character)} == set()
    for secret in (SECRET, TAB):
        assert secret not in log, log[max(0, log.index(secret) - 300) :][:400]


def is_harmless(character: str) -> bool:
    """Whether a character is printable."""
    return character.isprintable()
