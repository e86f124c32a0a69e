import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hierfit.errors import ToolchainError
from hierfit.stan.programs import StanProgram
from hierfit.stan.seals import fault, sealed
from hierfit.stan.shipping import platform_tag, tag_from, write_shipment
from hierfit.stan.toolchain import Toolchain

OLD = ["Name: GLIBC_2.14  Flags: none", "Name: GLIBC_2.2.5", "Name: GLIBCXX_3.4.19", "Name: CXXABI_1.3"]


def said(*lines: str) -> str:
    return "\n".join(f"  0x0010:   {line}" for line in lines)


@pytest.mark.parametrize(
    ("more", "tag"),
    [
        ([], "manylinux_2_17_x86_64"),
        (["Name: GLIBC_2.28"], "manylinux_2_31_x86_64"),  # 2.28 lies between two levels: the later one has it
        (["Name: GLIBC_2.34", "Name: GLIBCXX_3.4.29"], "manylinux_2_34_x86_64"),
        (["Name: GLIBC_2.34", "Name: GLIBCXX_3.4.30"], "manylinux_2_35_x86_64"),  # the C++ library decides
        (["Name: CXXABI_1.3.13"], "manylinux_2_34_x86_64"),
        (["Name: GLIBC_2.99"], "linux_x86_64"),
        (["(NEEDED)  Shared library: [libm.so.6]"], "manylinux_2_17_x86_64"),
        (["(NEEDED)  Shared library: [libblas.so.3]"], "linux_x86_64"),
    ],
)
def test_the_tag_follows_from_what_the_files_need(more: list[str], tag: str) -> None:
    assert tag_from(said(*OLD, *more), "x86_64") == tag


def test_only_x86_64_is_promised() -> None:
    assert tag_from(said(*OLD), "aarch64") == "linux_aarch64"


@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs binutils")
def test_the_tag_of_a_real_program() -> None:
    assert platform_tag([Path(sys.executable).resolve()]).startswith(("manylinux_2_", "linux_"))


def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("")
    with pytest.raises(ToolchainError):
        platform_tag([tmp_path / "text", tmp_path / "missing"])


def test_a_shipment_has_every_program_its_library_and_two_versions(
    fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two = [StanProgram(name, "model {}") for name in ("gaussian", "poisson")]
    monkeypatch.setattr("hierfit.stan.executable.all_programs", lambda: iter(two))
    strip = Path(fake_toolchain.root).parent / "bin" / "strip"
    strip.write_text('#!/bin/sh\ncp "$4" "$3"\n')
    strip.chmod(0o755)
    files = write_shipment(tmp_path / "built", fake_toolchain)
    names = [file.name for file in files]
    digests = [program.digest[:16] for program in two]
    assert names == [
        "compiler_version",
        f"gaussian-{digests[0]}",
        f"gaussian-{digests[0]}.sha256",
        "libtbb.so.2",
        f"poisson-{digests[1]}",
        f"poisson-{digests[1]}.sha256",
        "stan_version",
    ]
    for file in (files[1], files[4]):
        assert fault(file.parent, file.name) is None
        assert set(sealed(file.parent, file.name)) == {file.name, "libtbb.so.2"}
    assert (tmp_path / "built" / "compiler_version").read_text() == "fake 1.0\n"
    assert subprocess.run([files[1], "info"], capture_output=True).returncode == 0
