"""What all pages share: theme, layout, widgets, state mixins. It imports no slice."""
