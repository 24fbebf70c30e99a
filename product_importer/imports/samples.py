"""A sample catalogue to try an import with: 20 products, one of them without a name."""

from uuid import UUID

from product_importer.core.csv_text import to_csv
from product_importer.imports.drafts.receiving import IncomingDraft

FILENAME = "sample-products.csv"
# One row is wrong, so that a newcomer sees how it is mended.
ROWS = (
    ("sku", "name", "description", "active", "category", "brand", "colour", "price"),
    ("MUG-RED", "Enamel mug, red", "0.3 l, dishwasher safe.", "yes", "Kitchen", "Nordkap", "red", "12.90"),
    ("MUG-BLUE", "Enamel mug, blue", "0.3 l, dishwasher safe.", "yes", "Kitchen", "Nordkap", "blue", "12.90"),
    ("KETTLE-17", "Stovetop kettle 1.7 l", "Whistles when it boils.", "yes", "Kitchen", "Nordkap", "steel", "49.00"),
    ("PAN-26", "Cast-iron pan 26 cm", "Seasoned twice; 2.4 kg.", "yes", "Kitchen", "Halden", "black", "64.50"),
    ("BOARD-OAK", "Cutting board, oak", "40 × 25 cm, with a groove.", "yes", "Kitchen", "Halden", "oak", "38.00"),
    ("TOWEL-LINEN", "Linen tea towel", "50 × 70 cm, from Porto.", "yes", "Textiles", "Casa Lume", "grey", "14.00"),
    ("THROW-WOOL", "Wool throw", "130 × 180 cm, lambswool.", "yes", "Textiles", "Casa Lume", "mustard", "89.00"),
    ("CUSHION-45", "Velvet cushion", "45 cm, with a zip.", "yes", "Textiles", "Casa Lume", "green", "29.90"),
    ("SHEET-140", "", "Fitted sheet of washed cotton.", "yes", "Textiles", "Casa Lume", "white", "45.00"),
    ("LAMP-DESK", "Desk lamp “Crane”", "LED 6 W, dimmable.", "yes", "Lighting", "Lumo", "black", "79.00"),
    ("LAMP-PAPER", "Paper lantern 50 cm", "Folds flat; without bulb.", "yes", "Lighting", "Lumo", "white", "19.50"),
    ("CANDLES-6", "Beeswax candles", "6 pieces of about 7 hours.", "yes", "Lighting", "Sommer", "amber", "22.00"),
    ("NOTEBOOK-A5", "Notebook A5, dotted", "192 pages, opens flat.", "yes", "Stationery", "Papiro", "navy", "16.80"),
    ("PEN-M", "Fountain pen, medium", "Brass, with a converter.", "yes", "Stationery", "Papiro", "brass", "58.00"),
    ("INK-50", "Ink 50 ml", "Waterproof.", "yes", "Stationery", "Papiro", "black", "9.40"),
    ("PACK-15", "Canvas backpack 15 l", "Fits a 14-inch laptop.", "yes", "Outdoor", "Fjellrev", "olive", "119.00"),
    ("FLASK-05", "Vacuum flask 0.5 l", "Keeps tea hot for 12 hours.", "yes", "Outdoor", "Fjellrev", "steel", "27.50"),
    ("HAMMOCK-2", "Hammock for two", "Cotton; carries 200 kg.", "no", "Outdoor", "Fjellrev", "striped", "72.00"),
    ("MONSTERA-21", "Monstera, 21 cm pot", "Likes bright shade.", "yes", "Plants", "Grünwerk", "green", "34.00"),
    ("POT-21", "Terracotta pot 21 cm", "Frost-proof.", "yes", "Plants", "Grünwerk", "terracotta", "11.90"),
)  # fmt: skip


def start_sample() -> UUID:
    """Make a draft of the sample catalogue, and return its id. It blocks: call it in a thread.

    Raises:
        TooMany: there are too many drafts.
        StorageFull: nothing can be stored.
    """
    content = sample_file()
    draft = IncomingDraft(FILENAME, len(content))
    try:
        draft.write(content)
        draft.finish()
    except BaseException:
        draft.abort()
        raise
    return draft.id


def sample_file() -> bytes:
    """Return the catalogue as CSV in UTF-8."""
    return to_csv(ROWS).encode()
