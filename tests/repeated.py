"""Let pytest find the tests of a module once more in another one, whose fixtures change what they run on."""

import inspect
from collections.abc import Collection
from types import ModuleType
from typing import Any


def repeat(module: ModuleType, namespace: dict[str, Any], fixtures: set[str], without: Collection[str]) -> None:
    """Add the tests of a module that use one of the fixtures to `namespace`, but for those of these names."""
    for name, test in inspect.getmembers(module, inspect.isfunction):
        asked_for = set(inspect.signature(test).parameters)
        if name.startswith("test_") and name not in without and fixtures & asked_for:
            namespace[f"{name}_{module.__name__.rpartition('.')[2]}"] = test
