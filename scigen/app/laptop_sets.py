"""The laptop's sets: problems -> images -> checks -> train set, each stage going on where it was stopped."""

from __future__ import annotations

from functools import partial

from scigen.app.contamination import read_verdicts
from scigen.app.settings import Settings, TinyPolicy, build
from scigen.app.stages import CONSOLE, Sets, Stages
from scigen.app.warm_up_rows import divide
from scigen.errors import ScigenError
from scigen.generators import Generator
from scigen.problems.sources import Source, collect
from scigen.records import GeneratedImage, Problem, Verdict
from scigen.store import read_set
from scigen.training.filter import Filter


def parts(settings: Settings) -> tuple[Source, Generator, Filter]:
    """Source, generator and filter as the configuration describes them; a wrong argument is a ScigenError."""
    return (
        build(settings.problems, "problems"),
        build(settings.generator, "generator"),
        build(settings.filter, "filter"),
    )


def make_sets(settings: Settings, stages: Stages) -> Sets:
    """Problems, images, checks and the train set, below `paths.sets`."""
    from scigen.app.progress import RecordBar
    from scigen.evaluation import Glassbox, evaluate, items_of
    from scigen.generators import LocalEngine, Studio, generate
    from scigen.training.trainset import build as build_trainset

    sets = settings.paths.sets
    source, generator, keep = parts(settings)
    with stages.stage("problems"):
        manifest, _ = collect(source, sets / "problems")
        CONSOLE.print(f"{manifest.count} problems in {sets / 'problems'}")
    problems = read_set(sets / "problems", Problem)
    with stages.stage("images"):
        engine = LocalEngine(lambda: Studio(settings.paths.output / "responses"))
        with RecordBar(CONSOLE, f"images {generator.name}", len(problems), sets / "images") as bar:
            manifest = generate(problems, generator, sets / "images", engine, watch=bar)
        CONSOLE.print(f"{manifest.count} images {manifest.by_status} in {sets / 'images'}")
    images = read_set(sets / "images", GeneratedImage)
    with stages.stage("checks"):
        items = items_of(sets / "problems", sets / "images")
        manifest = evaluate(items, Glassbox(), sets / "checks", lambda: Studio(settings.paths.output / "responses"))
        CONSOLE.print(f"{manifest.count} verdicts {manifest.by_status} in {sets / 'checks'}")
    checks = read_set(sets / "checks", Verdict)
    folder = sets / f"trainset{settings.trainset.label or '-real'}"
    apart = settings.policy.warm_start_rows if isinstance(settings.policy, TinyPolicy) else 0
    division = divide(problems, images, source, needs_sharp_eyes, apart, settings.seed)
    rows_of = partial(
        build_trainset,
        problems=problems,
        image_folder=sets / "images",
        checks=checks,
        keep=keep,
        split_of=source.split_of,
        trainable=needs_sharp_eyes,
        clean=build(settings.contamination, "contamination"),
        compared=read_verdicts(sets),
        shown=settings.trainset.shown,
        prompt=settings.trainset.prompt,
        seed=settings.seed,
        asked=settings.trainset.asked,
    )
    with stages.stage("train set"):
        info = rows_of(folder, images=division.others, selection=settings.trainset.selection)
        CONSOLE.print(f"rows {info.rows} in {folder}")
    if not info.rows["held_out"]:
        raise ScigenError(
            f"{folder}: no held-out row is left to test on ({info.decisions}). Set problems.held_out higher."
        )
    warm_up = folder
    if division.warm_up:
        warm_up = sets / f"warm-up-{settings.trainset.shown}"
        with stages.stage("warm-up rows"):
            info = rows_of(warm_up, images=division.warm_up)
            CONSOLE.print(f"rows {info.rows} in {warm_up}")
    return Sets(problems, images, checks, folder, warm_up)


def needs_sharp_eyes(problem: Problem) -> str | None:
    """Why the tiny policy cannot be trained on it: it reads no small print, so only glance problems are for it."""
    glance = problem.procedure is not None and problem.procedure.view == "glance"
    return None if glance else "not for this policy: needs more than 96 px"
