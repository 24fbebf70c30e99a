"""The folder for catalogues, environments of other tools, and figures. Git ignores it."""

from tests.application import ROOT

FOLDER = ROOT / ".bench"
