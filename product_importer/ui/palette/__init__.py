"""Work by keyboard: shortcuts, and a palette that finds commands, products and imports."""
