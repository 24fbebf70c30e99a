"""Other names for the product fields, and the words for active and inactive."""

from product_importer.core.edges import trim

# Other programs' names for the product fields, without case and punctuation, the most likely first. They come from
# the exports of Shopify, WooCommerce, Magento, Akeneo, Medusa, BigCommerce, and of German, French, Spanish, Italian
# and Dutch shops. Shopify's `Handle` serves as the SKU where there is no other.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "sku": (
        "sku", "variant sku", "product sku", "item sku", "product code sku", "product code", "item code",
        "item number", "item no", "item", "article number", "article no", "article code", "part number", "part no",
        "stock code", "stock keeping unit", "product number", "artikelnummer", "artikelnr", "artikel nr",
        "bestellnummer", "référence", "reference", "referencia", "código", "codice", "codice articolo",
        "artikelcode", "model", "mpn", "identifier", "code", "handle", "product handle", "variant id", "product id",
        "id", "ean", "gtin",
    ),
    "name": (
        "name", "product name", "title", "product title", "item name", "article name", "post title", "display name",
        "label", "produktname", "artikelname", "bezeichnung", "artikelbezeichnung", "titel", "nom", "désignation",
        "nombre", "título", "nome", "titolo", "naam",
    ),
    "description": (
        "description", "product description", "item description", "body html", "body", "long description",
        "full description", "description html", "post content", "content", "short description", "details", "text",
        "beschreibung", "produktbeschreibung", "artikelbeschreibung", "descripción", "descrizione", "omschrijving",
    ),
    "active": (
        "active", "is active", "published", "is published", "enabled", "is enabled", "product visible", "visible",
        "is visible", "product status", "product online", "status", "aktiv", "actif", "activo", "attivo", "actief",
    ),
}  # fmt: skip

WORDS_FOR_ACTIVE = ("true", "t", "yes", "y", "1", "on", "active")
WORDS_FOR_INACTIVE = ("false", "f", "no", "n", "0", "off", "inactive")
ACTIVE_WORDS = {"": "t", **dict.fromkeys(WORDS_FOR_ACTIVE, "t"), **dict.fromkeys(WORDS_FOR_INACTIVE, "f")}


def is_active_word(word: str) -> bool:
    """Whether a cell is a word for active or inactive; a blank cell is one."""
    return trim(word).lower() in ACTIVE_WORDS


def active_flag(word: str) -> str:
    """Return PostgreSQL's `t` or `f` for an active word; a blank one means active."""
    return ACTIVE_WORDS[trim(word).lower()]
