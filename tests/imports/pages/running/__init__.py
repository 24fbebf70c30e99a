"""Tests of the running view."""
