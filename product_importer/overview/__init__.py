"""What the first page shows: numbers of all slices, and what needs attention."""
