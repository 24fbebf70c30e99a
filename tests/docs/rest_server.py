"""The REST API alone, without pages: `granian tests.docs.rest_server:application`."""

from product_importer.access.gate.layer import AccessLayer
from product_importer.api import api
from product_importer.core.settings import settings

application = AccessLayer(api, settings(), set())
