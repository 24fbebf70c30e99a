"""Run the command line: `python -m product_importer COMMAND`, the same as `product-importer COMMAND`."""

import sys

from product_importer.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
