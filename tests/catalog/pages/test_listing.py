"""What the list of products shows, whatever a browser sends."""

from dataclasses import replace

import pytest

from product_importer.catalog.pages.listing import ProductListing


@pytest.mark.parametrize(
    "given",
    [
        {"active": "maybe"},
        {"active": "True"},
        {"sort": "; DROP TABLE product"},
        {"sort": ""},
        {"q": "\0"},
        {"name": "\ud800"},
        {"attributes": (("colour", "\udfff"),)},
    ],
    ids=repr,
)
def test_what_the_page_cannot_have_sent_is_not_sound(given: dict):
    assert not replace(ProductListing(), **given).is_sound()


def test_what_people_type_is_sound_also_if_it_is_too_long():
    listing = ProductListing(q="\u202e<script>", sku="x" * 5_000, active="false", sort="-name", page=10**9)
    assert listing.is_sound()
    assert listing.words() and listing.address() and listing.export_address()
