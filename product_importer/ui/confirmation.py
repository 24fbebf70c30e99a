"""The state of a dialog that asks before it does something."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import reflex as rx

from product_importer.core.errors import DomainError

Result = TypeVar("Result")


class ConfirmationState(rx.State, mixin=True):
    """A mixin: whether the dialog is open, whether its action runs, and why it failed."""

    is_open: bool = False
    is_busy: bool = False
    error: str = ""

    @rx.event
    def close(self) -> None:
        """Close the dialog."""
        self.is_open = False

    def _open(self) -> None:
        self.is_open, self.is_busy, self.error = True, False, ""

    async def _confirm(self, action: Callable[[], Awaitable[Result]]) -> Result | None:
        """Run `action`, then close the dialog and return the result. A background event must call it.

        None means that nothing was done: the action runs already, or it failed and the dialog says why.
        """
        async with self:
            if self.is_busy:
                return None
            self.is_busy, self.error = True, ""
        try:
            result = await action()
        except DomainError as error:
            async with self:
                self.is_busy, self.error = False, error.detail
            return None
        async with self:
            self.is_open = self.is_busy = False
        return result
