"""What every slice builds on; knows no slice."""
