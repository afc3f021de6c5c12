"""Evaluators that ask models, run as Inspect tasks: `inspect view` shows each question with its image and answer.

Inspect runs the samples and writes the log; the calls go through `scigen.models`, so that the journal, the budget, the
retries and the statuses are those of every other command. A verdict is given as soon as its sample is done and does not
wait for the log; a run that was killed leaves an unfinished log and no less than all verdicts that had arrived.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scigen.errors import ScigenError
from scigen.evaluation.base import Ask, Evaluator, Item
from scigen.generators import Studio
from scigen.models import Estimate, Model, ModelSettings, Reply, ReplyStatus, Request
from scigen.records import Verdict, VerdictStatus

if TYPE_CHECKING:
    from inspect_ai.model import ModelOutput
    from inspect_ai.solver import Generate, Solver, TaskState

FOLDER = "transcripts"
"""Beside the journal's folder."""
CHUNK = 1000
"""Samples of one log, so that memory stays bounded."""
PROVIDER = "scigen"
MOST_AT_ONCE = 1024
"""Questions that Inspect lets through; `scigen.models` has the limits that count."""

STATUS = {
    ReplyStatus.OK: VerdictStatus.SCORED,
    ReplyStatus.UNPARSED: VerdictStatus.UNPARSED,
    ReplyStatus.REFUSED: VerdictStatus.REFUSED,
    ReplyStatus.API_ERROR: VerdictStatus.API_ERROR,
    ReplyStatus.TIMEOUT: VerdictStatus.TIMEOUT,
}
"""What a reply's status makes of a verdict's."""


class ModelEvaluator(Evaluator):
    """Asks one or several models about each image."""

    @abstractmethod
    async def judge(self, item: Item, ask: Ask) -> Verdict:
        """The verdict on one item. Failures are statuses; what `ask` raises must pass."""

    @abstractmethod
    def requests(self, item: Item) -> Iterable[tuple[ModelSettings, Request]]:
        """All that `judge` would ask about an item, for estimates. Empty where there is nothing to ask."""

    async def verdicts(self, items: Iterable[Item], studio: Studio) -> AsyncGenerator[Verdict]:
        """See Evaluator. Each chunk of items is one Inspect task with one log."""
        waiting = iter(items)
        while chunk := list(islice(waiting, CHUNK)):
            async with aclosing(self._of_chunk(chunk, studio)) as found:
                async for verdict in found:
                    yield verdict

    async def _of_chunk(self, items: Sequence[Item], studio: Studio) -> AsyncGenerator[Verdict]:
        given: asyncio.Queue[Verdict | None] = asyncio.Queue()
        run = asyncio.create_task(_eval(self, items, studio, given))
        run.add_done_callback(lambda _: given.put_nowait(None))
        try:
            while (verdict := await given.get()) is not None:
                yield verdict
            await run
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)

    def estimate(self, items: Sequence[Item], journal: Path) -> Estimate:
        """Calls, tokens, dollars and time of what the journal does not hold; no network."""
        models: dict[str, Model] = {}
        total = Estimate()
        for item in items:
            for settings, request in self.requests(item):
                name = settings.model_dump_json()
                if name not in models:
                    models[name] = Model(settings, journal)
                total += models[name].estimate([request])
        return total


async def _eval(
    evaluator: ModelEvaluator, items: Sequence[Item], studio: Studio, given: asyncio.Queue[Verdict | None]
) -> None:
    """One Inspect task over the items. Raises what stopped it: ours as it was, Inspect's as a ScigenError."""
    from inspect_ai import Task, eval_async
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.util._display import init_display_type

    init_display_type("none")  # the command shows its own progress
    by_key = {item.key: item for item in items}
    run = _Run(evaluator, by_key, studio, given)
    task = Task(
        dataset=MemoryDataset(
            [Sample(id=key, input=item.problem.multimodal_question) for key, item in by_key.items()],
            name=items[0].image.generator,
        ),
        solver=run.solver(),
        scorer=run.scorer(),
        name=evaluator.name,
    )
    logs = await eval_async(
        task,
        model=_inspect_model(evaluator.name),
        log_dir=str(studio.folder.with_name(FOLDER)),
        log_level="error",
        log_realtime=False,
        log_model_api=False,
        log_images=True,
        fail_on_error=True,
        max_samples=evaluator.at_once,
        score_display=False,
        ctl_server=False,
        acp_server=False,
        metadata={"generator": items[0].image.generator, "settings": evaluator.settings()},
    )
    if run.stop is not None:
        raise run.stop
    log = logs[0]
    if log.status != "success":
        said = log.error.message if log.error else log.status
        raise ScigenError(f"{evaluator.name}: Inspect's task ended early ({said}). Its log: {log.location}")


class _Run:
    """What the samples of one task share."""

    def __init__(
        self,
        evaluator: ModelEvaluator,
        items: dict[str, Item],
        studio: Studio,
        given: asyncio.Queue[Verdict | None],
    ) -> None:
        self._evaluator, self._items, self._studio, self._given = evaluator, items, studio, given
        self._verdicts: dict[str, Verdict] = {}
        self.stop: Exception | None = None

    def solver(self) -> Solver:
        from inspect_ai.solver import solver

        @solver(name=self._evaluator.name)
        def look() -> Solver:
            async def solve(state: TaskState, generate: Generate) -> TaskState:
                await self._look(str(state.sample_id))
                return state

            return solve

        return look()

    async def _look(self, key: str) -> None:
        if self.stop is not None:
            raise self.stop
        try:
            verdict = await self._evaluator.judge(self._items[key], self._ask)
        except Exception as e:
            self.stop = self.stop or e
            raise
        self._verdicts[key] = verdict
        self._given.put_nowait(verdict)

    async def _ask(self, settings: ModelSettings, request: Request) -> Reply:
        """Through Inspect's model, which writes the transcript, to ours, which makes the call."""
        from inspect_ai.model import get_model

        call = _Call(await self._studio.model(settings), request)
        token = _CALL.set(call)
        try:
            from scigen.models.provider import chat_messages

            await get_model().generate(chat_messages(request))
        finally:
            _CALL.reset(token)
        if call.error is not None:
            raise call.error
        assert call.reply is not None, "Inspect did not come to the provider"
        return call.reply

    def scorer(self) -> Any:
        from inspect_ai.scorer import Score, Target, accuracy, scorer

        @scorer(metrics=[accuracy()], name="passed")
        def passed() -> Any:
            async def score(state: TaskState, target: Target) -> Score:
                verdict = self._verdicts[str(state.sample_id)]
                said = verdict.model_dump(mode="json", exclude_defaults=True)
                return Score(value=verdict.passed, explanation=verdict.status.value, metadata=said)

            return score

        return passed()


@dataclass
class _Call:
    """One question on its way through Inspect."""

    model: Model
    request: Request
    reply: Reply | None = None
    error: Exception | None = None


_CALL: ContextVar[_Call] = ContextVar("call")
_STOPS: dict[ReplyStatus, Literal["stop", "content_filter", "unknown"]] = {
    ReplyStatus.OK: "stop",
    ReplyStatus.UNPARSED: "stop",
    ReplyStatus.REFUSED: "content_filter",
}


def _inspect_model(name: str) -> Any:
    """Inspect's model whose provider hands each question to `scigen.models`; `name` is what the log calls it."""
    from inspect_ai.model import get_model

    _register_provider()
    logging.getLogger("inspect_ai").setLevel(logging.ERROR)
    return get_model(f"{PROVIDER}/{name}", memoize=False)


@cache
def _register_provider() -> None:
    from inspect_ai.model import ModelAPI, ModelOutput, modelapi

    class Journalled(ModelAPI):
        async def generate(self, input: Any, tools: Any, tool_choice: Any, config: Any) -> ModelOutput:
            call = _CALL.get()
            try:
                call.reply = await call.model.ask(call.request)
            except Exception as e:
                call.error = e
                return ModelOutput.from_content(self.model_name, "", error=str(e))
            return _output(call.model.settings.name, call.reply)

        def max_connections(self) -> int:
            return MOST_AT_ONCE

    modelapi(name=PROVIDER)(Journalled)


def _output(name: str, reply: Reply) -> ModelOutput:
    from inspect_ai.model import ModelOutput, ModelUsage

    output = ModelOutput.from_content(
        reply.model or name, reply.text, _STOPS.get(reply.status, "unknown"), error=reply.error or None
    )
    tokens = reply.input_tokens + reply.output_tokens
    output.usage = ModelUsage(input_tokens=reply.input_tokens, output_tokens=reply.output_tokens, total_tokens=tokens)
    output.metadata = {"status": reply.status.value, "answers": reply.answers, "cached": reply.cached, "usd": reply.usd}
    return output


def log_files(folder: Path) -> Iterator[Path]:
    """Inspect's logs of a run's folder, oldest first."""
    return iter(sorted((folder / FOLDER).glob("*.eval")))
