"""What all commands share: they read the settings first, and say in one line what stopped them."""

import os
from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from pydantic import BaseModel

from product_importer.core.logging import logs

INTERRUPTED = 130

Function = TypeVar("Function", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose function returns the exit code, or None for 0."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            SystemExit: a setting is invalid or something outside does not work; the message is one line.
        """
        logs.configure()
        self.prepare()
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            return INTERRUPTED
        except Exception as error:
            reason = _reason(error)
            if reason is None:
                raise
            raise SystemExit(f"product-importer: {reason}") from None

    def prepare(self) -> None:
        """Read the settings."""
        # Imported after the arguments are parsed: `--help` needs neither this nor valid settings.
        from product_importer.core.settings import settings

        # Absolute: processes that a command starts may run in another folder.
        os.environ.update(DATA_DIR=str(settings().data_dir))

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - the list of commands wraps long lines
        """Return the first line of the help, whole."""
        return (self.help or "").partition("\n")[0]


class RemoteCommand(Command):
    """A command that can use another machine's server. The settings of this one's servers are then not needed."""

    def prepare(self) -> None:
        from product_importer.core.settings.remote import remote_settings

        if remote_settings().product_importer_url is None:
            super().prepare()


class Group(click.Group):
    """The commands in the order of their definition."""

    command_class = Command
    # Groups within it are of this class, too.
    group_class = type

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - as for a command
        """Return the first line of the help, whole."""
        return (self.help or "").partition("\n")[0]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)


def model_options(model: type[BaseModel]) -> Callable[[Function], Function]:
    """Return a decorator that gives a command one option for each field of a model.

    The help of an option is the field's description, with the default of a choice. The command gets text, True or
    False for a flag, None where the option is absent; the model validates it.
    """

    def add(function: Function) -> Function:
        for name, field in reversed(model.model_fields.items()):
            words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
            function = click.option(
                f"--{name.replace('_', '-')}",
                is_flag=field.annotation is bool,
                metavar="|".join(words) or None,
                help=f"{field.description} Default: {field.default}." if words else field.description,
            )(function)
        return function

    return add


def _reason(error: Exception) -> str | None:
    """Return in one line what stopped a command, or None for an error that nobody expects."""
    # Imported only now: a command that succeeds may need none of them.
    from redis.exceptions import RedisError
    from sqlalchemy.exc import OperationalError

    from product_importer.commands.import_source import SourceError
    from product_importer.commands.output import OutputError
    from product_importer.core import outages
    from product_importer.core.embedded.servers import ServiceError
    from product_importer.core.errors import DomainError, first_line
    from product_importer.core.storage import StorageError
    from product_importer.web.ports import PortError

    match error:
        case ServiceError() | StorageError():
            return logs.safe(str(error))
        case OperationalError():
            title = outages.title(error)
            advice = ", start it or change DATABASE_URL" if title == outages.SILENT else ", try again"
            return logs.safe(f"{title}{advice}: {outages.summary(error.orig or error)}")
        case RedisError():
            return logs.safe(f"Redis does not answer, start it or change REDIS_URL: {first_line(error)}")
        case DomainError():
            return logs.escaped(error.detail)
        case SourceError() | OutputError() | PortError():
            return logs.escaped(str(error))
        case _:
            return None
