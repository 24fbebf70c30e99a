"""Why a sign-in through a provider is refused."""

from enum import StrEnum
from uuid import UUID

from product_importer.core.errors import DomainError


class Refusal(StrEnum):
    """A reason. The record of who did what stores these values."""

    UNKNOWN = "unknown_or_used"
    DENIED = "denied_by_provider"
    PROVIDER_ERROR = "provider_error"
    CODE = "code_not_accepted"
    UNREACHABLE = "provider_unreachable"
    ANSWER = "provider_answer_invalid"
    ID_TOKEN = "id_token_invalid"  # noqa: S105 - a reason, no token
    NO_ROLE = "no_role"
    DISABLED = "account_disabled"


TEXTS: dict[Refusal, str] = {
    Refusal.UNKNOWN: "This sign-in is not open in this browser: it took longer than ten minutes, was used already, "
    "or began in another browser. Begin again.",
    Refusal.DENIED: "The sign-in was cancelled at the provider, or the provider did not allow it.",
    Refusal.PROVIDER_ERROR: "The provider could not sign you in. Begin again; if it stays so, tell an administrator.",
    Refusal.CODE: "The provider did not confirm this sign-in. Begin again.",
    Refusal.UNREACHABLE: "The provider does not answer. Try again in a moment.",
    Refusal.ANSWER: "The provider's answer is not what OpenID Connect asks for. Tell an administrator.",
    Refusal.ID_TOKEN: "What the provider says about you could not be verified. Begin again; if it stays so, tell an "
    "administrator.",
    Refusal.NO_ROLE: "The provider knows you, but nothing that it says about you gives you a role here. Ask an "
    "administrator for one.",
    Refusal.DISABLED: "Your account here is disabled. Ask an administrator.",
}

# None is 5xx: the fault is not in this application. 424 says that something it depends on failed.
STATUSES: dict[Refusal, int] = {
    Refusal.DENIED: 403,
    Refusal.NO_ROLE: 403,
    Refusal.DISABLED: 403,
    Refusal.UNREACHABLE: 424,
    Refusal.ANSWER: 424,
}


class Refused(DomainError):
    """A sign-in that is refused; `detail` is what the person reads.

    `why` is for administrators, in the log and in the record: it holds neither tokens nor codes. `person` and
    `account_id` say whom it concerns, where that is known.
    """

    title = "Not signed in"

    def __init__(self, refusal: Refusal, why: str = "", *, person: str | None = None, account_id: UUID | None = None):
        super().__init__(TEXTS[refusal])
        self.status = STATUSES.get(refusal, 400)
        self.refusal = refusal
        self.why = why
        self.person = person
        self.account_id = account_id
