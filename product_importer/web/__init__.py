"""Build the page, and serve page, REST and events on one port."""
