"""Data sets in the published formats, small and made up."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np

from mirgym.tasks import coarsening, devmap
from mirgym.tasks.published import PublishedFile

from ..programs.archives import sha256

KERNEL = """define spir_kernel void @A(float* %a, i32 %n) {{
entry:
  %id = call i64 @get_global_id(i32 0)
  %p = getelementptr float, float* %a, i64 %id
  %v0 = load float, float* %p
{body}
  store float %v{last}, float* %p
  ret void
}}
declare i64 @get_global_id(i32)
"""
PROGRAMS = 12


def kernel(length: int) -> str:
    lines = [f"  %v{i + 1} = fadd float %v{i}, 1.0" for i in range(length)]
    return KERNEL.format(body="\n".join(lines), last=length)


def zipped(files: dict[str, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def table(rows: list[dict[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def devmap_rows(seed: int) -> list[dict[str, object]]:
    """Long kernels with much to transfer are faster on the GPU, two suites of six programs."""
    rng = np.random.default_rng(seed)
    rows = []
    for program in range(PROGRAMS):
        for size in range(10):
            transfer = 2**size * int(rng.integers(900, 1100))
            gpu = transfer * (1 + program) > 60_000
            rows.append(
                {
                    "benchmark": f"suite{program % 2}-1.0-P{program}-kernel",
                    "dataset": "default" if program % 2 else "A",
                    "comp": 10 * program, "rational": 1, "mem": 3, "localmem": 0,
                    "coalesced": 1, "atomic": 0, "transfer": transfer, "wgsize": 64,
                    "oracle": "GPU" if gpu else "CPU",
                    "runtime_cpu": 3.0 if gpu else 1.0, "runtime_gpu": 1.0 if gpu else 2.0,
                    "src": "__kernel void A() {\n}", "seq": "1,2",
                }
            )  # fmt: skip
    return rows


def devmap_files(broken: str = "") -> dict[str, bytes]:
    """The three files of ``devmap``; LLVM cannot read the IR of the program ``broken``."""
    texts: dict[str, str | bytes] = {"__MACOSX/kernels_ir/._x.ll": b"\0", "kernels_cl/x.cl": ""}
    for program in range(PROGRAMS):
        name = f"suite{program % 2}-1.0-P{program}-kernel" + ("" if program % 2 else "_A")
        texts[f"kernels_ir/{name}.ll"] = "bad" if f"P{program}" == broken else kernel(program)
    return {
        "cgo17-amd.csv": table(devmap_rows(0)),
        "cgo17-nvidia.csv": table(devmap_rows(1)),
        "task_devmap.zip": zipped(texts),
    }


def coarsening_files() -> dict[str, bytes]:
    rows: list[dict[str, object]] = []
    for number in range(6):
        for factor in (1, 2, 4, 8, 16, 32)[: 6 - number % 2]:
            best = 4 if number > 2 else 1
            time = 100.0 * (1 + abs(np.log2(factor / best)))
            times = {f"runtime_{gpu}": time for gpu in coarsening.GPUS}
            rows.append({"kernel": f"k{number}", "cf": factor, **times, "src": "", "seq": ""})
    texts: dict[str, str | bytes] = {f"kernels_ir/k{n}.ll": kernel(1 + 5 * n) for n in range(6)}
    return {"pact-2014-runtimes.csv": table(rows), "task_threadcoarsening.zip": zipped(texts)}


def publish(monkeypatch, module, files: dict[str, bytes]) -> tuple[PublishedFile, ...]:
    """Make ``files`` the published ones of a task's module."""
    published = tuple(
        file._replace(size_bytes=len(files[file.name]), sha256=sha256(files[file.name]))
        for file in module.FILES
    )
    task = devmap.DeviceMapping if module is devmap else coarsening.Coarsening
    monkeypatch.setattr(task, "files", published)
    return published


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
