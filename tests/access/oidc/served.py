"""The sign-in and the REST API without the other pages: `granian tests.access.oidc.served:application`."""

from product_importer.access.gate.layer import AccessLayer
from product_importer.access.sign_in.app import PATHS, create_app
from product_importer.api import api
from product_importer.core.settings import settings

application = AccessLayer(api, settings(), set(), sign_in=create_app(settings()), sign_in_paths=PATHS)
