"""Data with a known truth: a formula with true values, drawn and written.

`hierfit.simulate(...)` draws such data: the package is callable, as it has the name of what the Python API offers.
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *args: Any, **keywords: Any) -> Any:
        from importlib import import_module

        return import_module("hierfit.api.simulating").simulate(*args, **keywords)


sys.modules[__name__].__class__ = _Callable
