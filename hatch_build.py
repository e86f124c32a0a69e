"""What hatchling asks while it builds a wheel: which packages hierfit needs, and whether it carries its programs.

A plain wheel and an editable installation compile Stan programs on the user's machine, so they depend on httpstan.
With HIERFIT_WHEEL_PROGRAMS=1 (`make wheel`) the wheel carries every program compiled. httpstan, 50 MB and its web
server, is then needed to build the wheel and not to use it: an environment marker cannot say that, and an extra would
leave the plain installation without Stan. So the dependencies are dynamic; they stand in pyproject.toml as ever.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

# What hierfit.stan imports to render and compile.
BUILDING = ("filelock", "jinja2", "numpy", "platformdirs")


def carries_programs() -> bool:
    """Return whether the wheel is to carry compiled programs."""
    return os.environ.get("HIERFIT_WHEEL_PROGRAMS", "0") not in ("", "0")


class Dependencies(MetadataHookInterface):
    """Runtime dependencies: `dependencies` of the hook's table, and `stan` where programs have to be compiled."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        metadata["dependencies"] = [*self.config["dependencies"], *([] if carries_programs() else self.config["stan"])]


class Programs(BuildHookInterface):
    """Compiles every Stan program into a platform wheel, on request."""

    def dependencies(self) -> list[str]:
        """Return what building needs beside hatchling."""
        if not carries_programs():
            return []
        table = self.build_config.builder.metadata.hatch.metadata.hook_config["custom"]
        needed = [text for text in table["dependencies"] if re.split(r"\W", text)[0] in BUILDING]
        return [*needed, *table["stan"]]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling what to put where and how to name the wheel."""
        if version == "editable" or not carries_programs():
            return
        sys.path.insert(0, self.root)
        from hierfit.engines.latent.building import ship_libraries
        from hierfit.stan.shipping import platform_tag, write_shipment
        from hierfit.stan.toolchain import httpstan_toolchain

        self._place = Path(tempfile.mkdtemp(prefix="hierfit-wheel-"))
        built = self._place / "built"
        files = [*write_shipment(built, httpstan_toolchain(), self.app.display_info), *ship_libraries(built)]
        for file in files:
            build_data["force_include"][str(file)] = f"hierfit/stan/built/{file.name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag([file for file in files if os.access(file, os.X_OK)])}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the compiled programs: the wheel has them."""
        if hasattr(self, "_place"):
            shutil.rmtree(self._place, ignore_errors=True)
