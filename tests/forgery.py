"""What an attacker sends to forge lines of a log and to find secrets in it, and what no log may then hold."""

FORGED_LINE = "2026-01-01 00:00:00,000 CRITICAL product_importer: FORGED"
# Every way to begin a line, to take one back, or to turn one round.
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
    """Fail where a log has a forged line, a control character, or a secret."""
    # Not splitlines(): what would begin a line is looked for as such.
    assert [line for line in log.split("\n") if line.lstrip("\r").startswith(FORGED_LINE)] == []
    assert {character for character in log if character != "\n" and not is_harmless(character)} == set()
    for secret in (SECRET, TAB):
        assert secret not in log, log[max(0, log.index(secret) - 300) :][:400]


def is_harmless(character: str) -> bool:
    """Whether a character is shown as itself, on its line and in its direction."""
    return character.isprintable()
