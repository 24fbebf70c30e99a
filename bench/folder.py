"""Where the benchmark keeps what it makes: catalogues, other tools' environments, figures. Git ignores it."""

from tests.application import ROOT

FOLDER = ROOT / ".bench"
