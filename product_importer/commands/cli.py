"""Define the command line: every command with its options. `product-importer --help` lists them.

The functions import what they need when they run, so that help and short commands start quickly.
"""

import os
from collections.abc import Sequence

import click

from product_importer import __version__
from product_importer.access.schemas import Role
from product_importer.commands.base import Group, RemoteCommand, model_options
from product_importer.imports.options import ImportOptions

ROLES = [role.value for role in Role]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 for a wrong command line.

    Raises:
        SystemExit: the command was stopped; the message is one line, and the exit code 1.
    """
    # For the processes that a command starts: what they print must appear at once.
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    try:
        return cli.main(arguments, "product-importer", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code


@click.group(cls=Group)
@click.version_option(__version__)
def cli() -> None:
    """Import product catalogues into PostgreSQL, and manage them by page and REST."""


@cli.command()
def up() -> int:
    """Start everything: embedded servers where none are configured, the page, the workers."""
    from product_importer.commands import start

    return start.up()


@cli.command()
def web() -> None:
    """Serve the web UI, the REST API and event streams on one port."""
    from product_importer.commands.process_manager import exit_with_parent

    is_part = exit_with_parent()
    from product_importer.commands import start

    start.web(is_part=is_part)


@cli.command()
@click.option("--queue", metavar="imports|webhooks", help="The queue to work on; without it, imports.")
def worker(queue: str | None) -> None:
    """Run one worker for imports, or with `--queue webhooks` one for webhooks."""
    from product_importer.commands.process_manager import exit_with_parent

    exit_with_parent()
    from product_importer import worker as rq_worker

    rq_worker.run([queue] if queue else [])


@cli.command()
def dev() -> int:
    """Serve with hot reload, and run one worker of each kind."""
    from product_importer.commands import start

    return start.dev()


@cli.command()
def migrate() -> None:
    """Bring the database schema up to date."""
    from product_importer import migrations

    migrations.migrate()
    print("The schema is up to date.")


@cli.command("import", cls=RemoteCommand)
@click.argument("file")
@model_options(ImportOptions)
@click.option("--rejects", metavar="FILE", help="Write the rejected rows to this file; - for standard output.")
def import_(file: str, rejects: str | None, **options: object) -> int:
    """Import a file, a URL, or standard input for `-`, and show the progress."""
    from product_importer.commands import import_file

    return import_file.run(file, options, rejects)


@cli.command(cls=RemoteCommand)
@click.argument("file")
@click.option("--format", metavar="csv|xlsx|jsonl|parquet", help="The format. Default: that of the file's ending.")
@click.option(
    "--columns",
    metavar="NAME",
    multiple=True,
    help="A column of the file: sku, name, description, active or an attribute. Repeat it for more. Default: all.",
)
@click.option("--sku", help="Only products whose SKU contains this text.")
@click.option("--name", help="Only products whose name contains this text.")
@click.option("--description", help="Only products whose description contains this text.")
@click.option("--q", help="Only products with this text in SKU, name or description.")
@click.option("--active", metavar="true|false", help="Only active products, or only inactive ones.")
@click.option("--import", "import", metavar="ID", help="Only products that the import with this id created.")
@click.option("--product-id", metavar="ID", multiple=True, help="Only this product. Repeat it for more.")
def export(file: str, **query: str | tuple[str, ...] | None) -> int:
    """Export products to a file, or to standard output for `-`. A file of that name is replaced in the end."""
    from product_importer.commands import export_file

    return export_file.run(file, query)


@cli.command()
@click.argument("file")
def backup(file: str) -> None:
    """Write a backup: the database and the uploaded files, as they are at one moment. The application may run."""
    from product_importer.commands import backup

    backup.back_up(file)


@cli.command()
@click.argument("file")
def restore(file: str) -> None:
    """Restore a backup into an empty database. The application must not run yet."""
    from product_importer.commands import backup

    backup.restore(file)


@cli.command()
@click.option("--to", metavar="URL", required=True, help="The new, empty database, as DATABASE_URL names it.")
def move(to: str) -> None:
    """Copy everything to the database of another server, to go on there. The application must not run."""
    from product_importer.commands import backup

    backup.move(to)


@cli.command()
def distribute() -> None:
    """Distribute the products over the nodes of Citus, for good. The application must not run."""
    from product_importer.commands import distribute

    distribute.run()


@cli.group()
def user() -> None:
    """Say who may sign in, and as what."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the person may do.")
def add_user(email: str, role: str) -> None:
    """Create an account, and print the link by which its owner chooses a password."""
    from product_importer.commands import user

    user.add(email, role)


@user.command("list")
def list_users() -> None:
    """List all accounts with their roles."""
    from product_importer.commands import user

    user.list_all()


@user.command("disable")
@click.argument("email")
def disable_user(email: str) -> None:
    """Keep a person out: sessions end, tokens stop working."""
    from product_importer.commands import user

    user.disable(email)


@user.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Let a person in again who was disabled."""
    from product_importer.commands import user

    user.enable(email)


@user.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
def set_role(email: str, role: str) -> None:
    """Give a person another role."""
    from product_importer.commands import user

    user.set_role(email, role)


@user.command("link")
@click.argument("email")
def make_link(email: str) -> None:
    """Print a new link by which a person chooses a password; older ones end."""
    from product_importer.commands import user

    user.make_link(email)


@cli.command()
def doctor() -> int:
    """Report what is configured and reachable, and how to fix what is not."""
    from product_importer.commands import doctor

    return doctor.run()
