"""The look of the pages: theme, layout, widgets; knows no slice."""
