"""The addresses of the pages."""

PRODUCTS = "/"
IMPORTS = "/imports"
IMPORT = "/imports/[import_id]"
WEBHOOKS = "/webhooks"
WEBHOOK = "/webhooks/[webhook_id]"
TOKENS = "/tokens"
AUDIT = "/audit"

NAVIGATION = (("Products", PRODUCTS), ("Imports", IMPORTS), ("Webhooks", WEBHOOKS), ("Record", AUDIT))
# Pages that are built as a folder with an index file.
FOLDERS = frozenset({IMPORTS, WEBHOOKS, TOKENS, AUDIT})
