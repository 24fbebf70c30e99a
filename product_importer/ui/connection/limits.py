"""How large what the page sends at once may be, in characters of JSON."""

from reflex.config import environment

# Reflex closes the connection on a longer message.
MAX_MESSAGE = environment.REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE.get()
# The rest is for what the websocket's library puts around an event.
MAX_EVENT = MAX_MESSAGE - 1_000
# The rest is for what Reflex puts around an argument: the address of the page, and the event's name.
MAX_ARGUMENT = MAX_MESSAGE * 9 // 10
