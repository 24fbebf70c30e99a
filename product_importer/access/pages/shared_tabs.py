"""What web processes that share the state of pages tell each other of tabs, through Redis.

The records and their form are Reflex's own. With one web process there is nobody to tell.
"""

import logging

from redis.exceptions import RedisError
from reflex.utils.token_manager import RedisTokenManager, SocketRecord, TokenManager

from product_importer.core.errors import first_line
from product_importer.ui.connection.state import has_number

log = logging.getLogger(__name__)

# An event that its tab sent into a lost connection comes again within this time, or never.
TAKEN_SECONDS = 3600
TAKEN = "page-event:{tab}:{number}"


async def take_over(tabs: TokenManager, token: str, sid: str) -> None:
    """Let a connection have its tab, though an earlier one is still listed.

    Its web process may have been killed, or does not know yet that the connection is dead. Only the loaded page that
    had it connects again: a copied tab is a page of its own, which loads first.
    """
    before = tabs.token_to_socket.get(token)
    if before is not None:
        tabs.sid_to_token.pop(before.sid, None)
    record = SocketRecord(instance_id=tabs.instance_id, sid=sid)
    tabs.token_to_socket[token] = record
    tabs.sid_to_token[sid] = token
    if isinstance(tabs, RedisTokenManager):
        tabs._ensure_socket_record_task()
        await tabs._store_socket_record(token, record)


async def is_new(tabs: TokenManager, tab: str, number: object) -> bool:
    """Return whether an event with this number has come to no web process; what has no number of ours is new."""
    if not isinstance(tabs, RedisTokenManager) or not has_number(number):
        return True
    try:
        return bool(await tabs.redis.set(TAKEN.format(tab=tab, number=number), b"", ex=TAKEN_SECONDS, nx=True))
    except RedisError as error:
        log.warning("whether an event of a page has come before is unknown: %s", first_line(error))
        return True
