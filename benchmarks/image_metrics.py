"""Image metrics on the 210 real SeePhys pictures: against themselves, a blank page, shifted, blurred, re-encoded; and
the speed of PSNR, SSIM and KID on 1,000 pairs against a plain loop over scikit-image.

    python benchmarks/image_metrics.py table FOLDER [--limit N] [--json FILE]
    python benchmarks/image_metrics.py speed FOLDER [--pairs 1000] [--json FILE]

FOLDER holds the pictures as PNG files. It says nothing of the metrics' worth for pictures of real generators.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from scigen.evaluation import evaluate, items_of
from scigen.evaluation.evidence import Evidence
from scigen.evaluation.image_metrics import ImageMetrics, make_controls
from scigen.evaluation.image_metrics.controls import CONTROLS
from scigen.evaluation.image_metrics.distances import fid_by_size, kid, kid_estimate
from scigen.evaluation.image_metrics.sets import common_features, set_figures
from scigen.evaluation.spectrum import Spectrum, against_reference
from scigen.generators import Studio
from scigen.records import Problem, Verdict
from scigen.statistics import estimate
from scigen.store import SetWriter, read_set

KINDS = ("control_shifted_12px", "control_blurred_2px", "control_jpeg_50", "control_quarter_size", "control_blank")


def problem_set(folder: Path, into: Path, limit: int | None) -> Path:
    """A set with a problem for each picture."""
    with SetWriter(into, Problem, "benchmark") as writer:
        for path in sorted(folder.glob("*.png"))[:limit]:
            sha = writer.put_image(path.read_bytes())
            writer.append(
                Problem(id=path.stem, source="scigenbench/seephys", question="?", answer="1", image=sha,
                        multimodal_question="?")
            )  # fmt: skip
        writer.finish()
    return into


def table(folder: Path, limit: int | None, spectra: bool) -> dict[str, object]:
    """A row a control; all through the evaluators that generators go through."""
    rows: dict[str, object] = {}
    with TemporaryDirectory() as temporary:
        sets = Path(temporary)
        problems = problem_set(folder, sets / "problems", limit)
        verdicts: list[Verdict] = []
        for name in make_controls(problems, sets):
            evaluators = (ImageMetrics(), Spectrum()) if spectra else (ImageMetrics(),)
            for evaluator in evaluators:
                place = sets / "verdicts" / name / evaluator.name
                evaluate(items_of(problems, sets / name), evaluator, place, lambda: Studio(sets / "responses"))
                verdicts += read_set(place, Verdict)
        evidence = Evidence.of(read_set(problems, Problem), verdicts=verdicts)
        for name in CONTROLS:
            found = evidence.verdicts_of(name, "image_metrics")
            row = {m: estimate({v.problem_id: [v.measures[m]] for v in found}) for m in ("psnr", "ssim", "ms_ssim")}
            row |= set_figures(evidence, name)
            high = against_reference(evidence, name)
            rows[name] = row | ({} if high is None else {"high_frequency_ratio": high})
            print(f"{name:22}", *(f"{m} {e.value:.4g} [{e.low:.4g}, {e.high:.4g}]" for m, e in rows[name].items()))
        pair = common_features(evidence, "control_jpeg_50")
        assert pair is not None
        bias = fid_by_size(*pair)
        if bias is not None:
            print("FID of control_jpeg_50 by size:", *(f"{s.n}: {s.mean:.3f} (sd {s.sd:.3f})" for s in bias.sizes))
    return rows


def pairs_of(folder: Path, count: int) -> list[tuple[bytes, bytes]]:
    """(spoilt, real) pictures as PNG, the kinds of spoiling in turn."""
    from io import BytesIO

    from PIL import Image

    paths = sorted(folder.glob("*.png"))
    found = []
    for n in range(count):
        path = paths[n % len(paths)]
        out = BytesIO()
        with Image.open(path) as opened:
            CONTROLS[KINDS[n // len(paths) % len(KINDS)]](opened.convert("RGB")).save(out, "PNG")
        found.append((out.getvalue(), path.read_bytes()))
    return found


def plain(pairs: list[tuple[bytes, bytes]]) -> tuple[list[float], list[float], float]:
    """PSNR and SSIM by scikit-image, features and KID image by image."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    from scigen.evaluation.image_metrics.canvas import on_canvas
    from scigen.evaluation.image_metrics.evaluator import feature_vectors

    psnr, ssim, real, made = [], [], [], []
    for picture, reference in pairs:
        a, b = on_canvas(picture), on_canvas(reference)
        x, y = a / 255.0, b / 255.0
        with np.errstate(divide="ignore"):
            psnr.append(float(peak_signal_noise_ratio(y, x, data_range=1)))
        ssim.append(
            structural_similarity(
                y, x, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
            )
        )
        made += feature_vectors([a], "efficientnet")
        real += feature_vectors([b], "efficientnet")
    return psnr, ssim, kid(np.stack(real), np.stack(made))


def ours(pairs: list[tuple[bytes, bytes]]) -> tuple[list[float], list[float], float]:
    """As the evaluator does it, MS-SSIM and KID's interval with it; batches of 16. A real picture's features are
    made once, as those of `control_reference` are."""
    from concurrent.futures import ThreadPoolExecutor

    from scigen.evaluation.image_metrics.canvas import on_canvas
    from scigen.evaluation.image_metrics.evaluator import feature_vectors
    from scigen.evaluation.image_metrics.pairs import pair_metrics

    psnr, ssim, made = [], [], []
    known: dict[bytes, np.ndarray] = {}
    with ThreadPoolExecutor(4) as loaders:
        for start in range(0, len(pairs), 16):
            part = pairs[start : start + 16]
            images = list(loaders.map(lambda p: on_canvas(p[0]), part))
            references = list(loaders.map(lambda p: on_canvas(p[1]), part))
            for found in pair_metrics(images, references):
                psnr.append(found["psnr"])
                ssim.append(found["ssim"])
            made += feature_vectors(images, "efficientnet")
            new = {data: page for (_, data), page in zip(part, references, strict=True) if data not in known}
            known |= dict(zip(new, feature_vectors(list(new.values()), "efficientnet"), strict=True))
    value = kid_estimate(np.stack([known[data] for _, data in pairs]), np.stack(made))
    return psnr, ssim, value.value if value else float("nan")


def _timed(name: str, pairs: list[tuple[bytes, bytes]]) -> tuple[float, float, tuple[list[float], list[float], float]]:
    """In a process of its own: (seconds, peak MB, values). The networks are loaded before the clock starts."""
    way: Callable[..., tuple[list[float], list[float], float]] = {"plain": plain, "ours": ours}[name]
    way(pairs[:8])
    start = time.perf_counter()
    values = way(pairs)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, values


def speed(folder: Path, count: int) -> dict[str, object]:
    """Both ways in the same run, each in a fresh process: seconds, peak memory, and how far their values differ."""
    pairs = pairs_of(folder, count)
    found: dict[str, tuple[float, float, tuple[list[float], list[float], float]]] = {}
    load = os.getloadavg()[0]
    for name in ("plain", "ours"):
        with get_context("spawn").Pool(1) as pool:
            found[name] = pool.apply(_timed, (name, pairs))
    (slow, slow_mb, (p0, s0, k0)), (quick, quick_mb, (p1, s1, k1)) = found["plain"], found["ours"]
    psnr = [abs(a - b) for a, b in zip(p0, p1, strict=True) if np.isfinite(a)]
    report = {
        "pairs": count, "load": load, "plain_s": slow, "ours_s": quick, "ratio": slow / quick,
        "plain_mb": slow_mb, "ours_mb": quick_mb, "psnr_differs_db": max(psnr),
        "ssim_differs": float(np.abs(np.subtract(s0, s1)).max()),
        "ssim_mean_differs": float(abs(np.mean(s0) - np.mean(s1))), "kid_plain": k0, "kid_ours": k1,
    }  # fmt: skip
    print(*(f"{k} {v:.6g}" for k, v in report.items()), sep="\n")
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("table", "speed"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--spectra", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.part == "table":
        found = {
            name: {m: e._asdict() if hasattr(e, "_asdict") else vars(e) for m, e in row.items()}  # type: ignore[attr-defined]
            for name, row in table(chosen.folder, chosen.limit, chosen.spectra).items()
        }
    else:
        found = speed(chosen.folder, chosen.pairs)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
