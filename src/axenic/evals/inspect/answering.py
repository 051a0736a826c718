"""Solvers: how a sample gets its answer.

In: a sample of `samples.samples`. Out: the model's answer in the state. A choice is read from log-probabilities where the model is
a local checkpoint of ours, as `evals.run` reads it, and generated elsewhere; the sample's metadata say which (`answered_by`).
"""

from dataclasses import asdict
from typing import Any

from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, Model, ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from axenic.evals.base import Eval
from axenic.evals.inspect.problems import Refused
from axenic.evals.inspect.samples import BY_GENERATION, BY_LOGPROB, messages

READINGS = "readings"


@solver
def answer() -> Solver:
    """Ask the item, then its follow-up turns."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = get_model()
        if state.choices and is_ours(model):
            return await _choose(state, model)
        state.metadata["answered_by"] = BY_GENERATION
        state = await generate(state)
        for turn in state.metadata.get("followups", ()):
            if state.output.error is None:  # a failed one is not asked on, so that its failure stays visible
                state.messages.append(ChatMessageUser(content=turn))
                state = await generate(state)
        return state

    return solve


@solver
def look(e: Eval) -> Solver:
    """Read an eval that looks into the model: one sample holds all its readings."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = get_model()
        if not is_ours(model):
            raise Refused(
                f"The eval '{e.name}' reads log-probabilities or activations, which {model} does not give. "
                "Name a local checkpoint: --model axenic/DIR_OR_ID."
            )
        api: Any = model.api
        found = await api.look(e)
        state.metadata[READINGS] = [
            {**r.item.model_dump(include={"id", "category", "condition"}), **r.verdict.model_dump()} for r in found
        ]
        state.output = ModelOutput.from_content(str(model), f"{len(found)} readings")
        return state

    return solve


def is_ours(model: Model) -> bool:
    """Is it a model of the provider `axenic`?"""
    # asked by what it can do, because the provider's module would import torch
    return hasattr(model.api, "choose") and hasattr(model.api, "look")


async def _choose(state: TaskState, model: Model) -> TaskState:
    options = [choice.value for choice in state.choices]
    api: Any = model.api
    scores = await api.choose(messages(state.messages), options)
    best = max(range(len(options)), key=lambda k: scores[k].logprob)
    state.metadata |= {"answered_by": BY_LOGPROB, "logprobs": {o: asdict(s) for o, s in zip(options, scores, strict=True)}}
    state.output = ModelOutput.from_content(str(model), options[best])
    state.messages.append(ChatMessageAssistant(content=options[best], model=str(model)))
    return state
