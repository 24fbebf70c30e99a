"""The addresses of the pages."""

OVERVIEW = "/"
PRODUCTS = "/products"
PRODUCT = "/products/[product_id]"
IMPORTS = "/imports"
IMPORT = "/imports/[import_id]"
WEBHOOKS = "/webhooks"
WEBHOOK = "/webhooks/[webhook_id]"
ACCOUNT = "/account"
TOKENS = "/tokens"
AUDIT = "/audit"
# Plain HTML, outside of Reflex.
SIGN_OUT = "/sign-out"

NAVIGATION = (("Overview", OVERVIEW), ("Products", PRODUCTS), ("Imports", IMPORTS), ("Webhooks", WEBHOOKS))
# Pages that are built as a folder with an index file.
FOLDERS = frozenset({PRODUCTS, IMPORTS, WEBHOOKS, ACCOUNT, TOKENS, AUDIT})
