"""Write the export of an invented shop, in the format of a large shop platform.

It has 50 columns, none of them called `sku`: `Variant SKU` is empty in every row. Descriptions are HTML with commas,
quotes and line breaks. Most cells are blank. A product with variants or more pictures continues in further rows,
which hold its handle and only the values that differ.
"""

import csv
import io

COLUMNS = [
    "Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published",
    "Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value",
    "Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy",
    "Variant Fulfillment Service", "Variant Price", "Variant Compare At Price", "Variant Requires Shipping",
    "Variant Taxable", "Variant Barcode", "Image Src", "Image Position", "Image Alt Text", "Gift Card", "SEO Title",
    "SEO Description", "Google Shopping / Google Product Category", "Google Shopping / Gender",
    "Google Shopping / Age Group", "Google Shopping / MPN", "Google Shopping / Condition",
    "Google Shopping / Custom Product", "Google Shopping / Custom Label 0", "Google Shopping / Custom Label 1",
    "Google Shopping / Custom Label 2", "Google Shopping / Custom Label 3", "Google Shopping / Custom Label 4",
    "Variant Image", "Variant Weight Unit", "Variant Tax Code", "Cost per item", "Included / Home", "Price / Home",
    "Compare At Price / Home", "Status",
]  # fmt: skip

# Handle, title, description, price, published.
PRODUCTS = [
    ("harbour-mug", "Harbour Mug", "<p>Stoneware, glazed by hand, 350 ml.</p>", "18.50", "true"),
    (
        "tide-jumper",
        "Tide Jumper",
        '<p class="lead">Wool, knitted "twice".</p>\n<ul>\n<li>Sleeves: long, ribbed</li>\n<li>30°</li>\n</ul>',
        "96",
        "true",
    ),
    ("lamp-oil", "Lamp Oil, 1 l", "", "7", "true"),
    ("net-bag", "Net Bag", 'Holds 12" records,\r\n\r\nand "more",\r\n"much more"', "22", "true"),
    ("kelp-soap", "Kelp Soap", "Contains:\nsoap-base,Soap,oil\nsalt,Salt,sea", "6.20", "true"),
    ("salt-apron", 'The "Salt" Apron', "<p>Linen</p>", "41", "true"),
    ("isle-print", "Île d’été", "<p>Größe 50 × 70 cm — «été», 漢字</p>", "30", "false"),
]
# Further rows of a product, below its first.
FURTHER = {
    "tide-jumper": [
        {"Option1 Value": "Medium", "Variant Price": "96", "Variant Inventory Qty": "3"},
        {"Option1 Value": "Large", "Variant Price": "99", "Variant Inventory Qty": "0"},
    ],
    "salt-apron": [{"Image Src": "https://shop.example/salt-apron-2.jpg", "Image Position": "2"}],
}
# The physical lines of the further rows, and those on which their products begin.
FURTHER_LINES = {8: 3, 9: 3, 19: 18}


def shop_export() -> bytes:
    """Return the export, as UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for handle, title, body, price, published in PRODUCTS:
        writer.writerow(
            {
                "Handle": handle, "Title": title, "Body (HTML)": body, "Vendor": "Salt & Sons, Ltd.",
                "Tags": "sea, home", "Published": published, "Option1 Name": "Size", "Option1 Value": "Small",
                "Variant Inventory Qty": "1", "Variant Inventory Policy": "deny", "Variant Price": price,
                "Variant Requires Shipping": "true", "Image Src": f"https://shop.example/{handle}.jpg",
                "Image Position": "1", "Gift Card": "false", "Variant Weight Unit": "kg", "Status": "active",
            }
        )  # fmt: skip
        for row in FURTHER.get(handle, []):
            writer.writerow({"Handle": handle, **row})
    return text.getvalue().encode()
