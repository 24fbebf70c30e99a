"""The addresses of the pages."""

PRODUCTS = "/"
IMPORTS = "/imports"
IMPORT = "/imports/[import_id]"
WEBHOOKS = "/webhooks"

NAVIGATION = (("Products", PRODUCTS), ("Imports", IMPORTS), ("Webhooks", WEBHOOKS))
