"""What a layer can do without. Every rule was proven by importing and running what is used.

`layers/smoke.py` is that proof: it runs inside each finished layer of the local target.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Headers, type stubs, sources of extensions, static libraries.
SUFFIXES = {
    ".a",
    ".c",
    ".cc",
    ".cmake",
    ".cpp",
    ".cu",
    ".f",
    ".f90",
    ".h",
    ".hpp",
    ".pc",
    ".pxd",
    ".pxi",
    ".pyc",
    ".pyi",
    ".pyx",
}
TEST_FOLDERS = {"tests", "__pycache__"}
# Below a layer's `python/`, as globs; each is a part that nothing of ours reaches.
UNUSED = (
    "bin",
    "share",
    "*.dist-info/RECORD",
    "*.dist-info/sboms",
    # The runtime links the library into its Python module; this copy is for C programs.
    "onnxruntime/capi/libonnxruntime.so.*",
    "onnxruntime/capi/libonnxruntime.*.dylib",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "onnx/backend/test",
    "onnx/examples",
    "pyarrow/_flight*",
    "pyarrow/_pyarrow_cpp_tests*",
    "pyarrow/include",
    "pyarrow/libarrow_flight*",
    "pyarrow/libarrow_python_flight*",
    # Wheels hold a library once for each of its names; what is linked is `.so.<major>`.
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.*.*",
    "pyarrow/src",
    # Reached by none of: fitting, searching, calibrating, judging (layers/smoke.py runs them).
    "scipy/cluster",
    "scipy/datasets",
    "scipy/differentiate",
    "scipy/fftpack",
    "scipy/io",
    "scipy/misc",
    "scipy/odr",
    "scipy/signal",
    "sklearn/cluster",
    "sklearn/cross_decomposition",
    "sklearn/datasets",
    "sklearn/feature_extraction",
    "sklearn/gaussian_process",
    "sklearn/manifold",
    "sklearn/mixture",
    "sklearn/neural_network",
    "sklearn/semi_supervised",
    "xgboost/spark",
    "xgboost/dask",
    "matplotlib/mpl-data/sample_data",
    "matplotlib/backends/web_backend",
    "adbc_driver_duckdb",
    "duckdb/experimental",
    "numpy/_core/*_tests.*",
    "numpy/_core/lib",
    "numpy/distutils",
    "pyarrow/_azurefs.*",
    "pyarrow/_dataset_parquet_encryption.*",
    "pyarrow/_gcsfs.*",
    "pyarrow/_hdfs.*",
    "pyarrow/_parquet_encryption.*",
    "pyarrow/libarrow_python_parquet_encryption*",
    "numpy/f2py/src",
    "fontTools/ttLib/tables/*.html",
)


def prune(folder: Path) -> None:
    """Remove from `folder` (a layer's `python/`) what is never used at run time."""
    for pattern in UNUSED:
        for path in sorted(folder.glob(pattern)):
            remove(path)
    for path in sorted(folder.rglob("*"), reverse=True):
        if (path.is_dir() and path.name in TEST_FOLDERS) or (
            path.suffix in SUFFIXES and path.is_file()
        ):
            remove(path)


def remove(path: Path) -> None:
    """A file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def strip_symbols(folder: Path) -> str:
    """Strip debug symbols of every shared library. Returns the tool that did, empty when there is none.

    Only a multi-architecture tool can strip for another processor, so `llvm-strip` it is. It
    misplaces the segments of some libraries that were patched before: those are left as they were.
    """
    tool = shutil.which("llvm-strip")
    if tool is None:
        return ""
    for library in shared_libraries(folder):
        stripped = library.with_name(f"{library.name}.stripped")
        command = [tool, "--strip-debug", "-o", str(stripped), str(library)]
        done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603
        if done.returncode == 0 and loadable(stripped):
            stripped.replace(library)
        stripped.unlink(missing_ok=True)
    return tool


def loadable(library: Path) -> bool:
    """Whether every PT_LOAD segment of a 64-bit ELF file lies where its alignment says."""
    data = library.read_bytes()
    table, size, count = (
        struct.unpack_from("<Q", data, 0x20)[0],
        *struct.unpack_from("<HH", data, 0x36),
    )
    for at in range(table, table + size * count, size):
        kind, _, offset, address, _, _, _, align = struct.unpack_from("<IIQQQQQQ", data, at)
        if kind == 1 and align > 1 and offset % align != address % align:
            return False
    return True


def shared_libraries(folder: Path) -> Iterator[Path]:
    """Every regular ELF shared library below `folder`, in order."""
    for path in sorted(folder.rglob("*.so*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path
