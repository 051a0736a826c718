"""axenic's items as Inspect's samples, and back.

In: `Eval`s. Out: `Sample`s whose metadata keep eval, item id, stem, category and condition; from the state of an answered sample
the `Item` and the `Response` that a judge reads. A sample of somebody else's task works too: it has fewer metadata.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.solver import TaskState

from axenic.evals.base import Eval
from axenic.schema import Item, Message, Response

BY_LOGPROB = "log-probability"
BY_GENERATION = "generation"
_ROLES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def samples(evals: Sequence[Eval]) -> list[Sample]:
    """One sample per item. Its id is the item's, with the eval's name in front where two evals share an id."""
    counts = Counter(item.id for e in evals for item in e.items)
    return [_sample(e, item, item.id if counts[item.id] == 1 else f"{e.name}/{item.id}") for e in evals for item in e.items]


def _sample(e: Eval, item: Item, id: str) -> Sample:
    metadata = {
        "eval": e.name,
        "measure": e.measure,
        "item_id": item.id,
        "stem": item.stem,
        "category": item.category,
        "condition": item.condition,
        "followups": list(item.followups),
        "targets": {label: list(answers) for label, answers in item.targets.items()},
    }
    target = list(item.targets.get(e.positive, (e.positive,)))
    return Sample(id=id, input=chat(item.messages), choices=list(item.options) or None, target=target, metadata=metadata)


def chat(messages: Sequence[Message]) -> list[ChatMessage]:
    """Our messages as Inspect's."""
    return [_ROLES[m.role](content=m.content) for m in messages]


def messages(chat: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """Inspect's messages as ours.

    Raises:
        ValueError: A message that is neither system, user nor assistant: models without tools cannot read one.
    """
    return tuple(Message(role=m.role, content=m.text) for m in chat)  # type: ignore[arg-type]


def item(state: TaskState) -> Item:
    """The item of a sample."""
    known: dict[str, Any] = state.metadata
    asked = [ChatMessageUser(content=state.input)] if isinstance(state.input, str) else state.input
    return Item(
        id=str(known.get("item_id", state.sample_id)),
        messages=messages(asked),
        category=str(known.get("category", "")),
        condition=str(known.get("condition", "")),
        options=tuple(choice.value for choice in state.choices),
        followups=tuple(known.get("followups", ())),
        targets=known.get("targets", {}),
    )


def response(state: TaskState) -> Response:
    """What the model answered, as judges read it. A choice that was generated is the one option that the answer names."""
    output = state.output
    if output.error is not None or not output.choices:
        return Response(text="", n_tokens=0, finish_reason="error")
    text, options = output.completion, [choice.value for choice in state.choices]
    if state.metadata.get("answered_by") == BY_LOGPROB:
        return Response(text=text, n_tokens=0, finish_reason="choice")
    cut = output.stop_reason in ("max_tokens", "model_length")
    n_tokens = output.usage.output_tokens if output.usage else 0
    return Response(text=named(text, options) if options else text, n_tokens=n_tokens, finish_reason="length" if cut else "stop")


def named(text: str, options: Sequence[str]) -> str:
    """The one option that a text names as whole words; "" if it names none or several (then nothing was chosen)."""
    found = [o for o in options if re.search(rf"(?<!\w){re.escape(o.strip())}(?!\w)", text, re.IGNORECASE)]
    longest = [o for o in found if not any(o != other and o.casefold() in other.casefold() for other in found)]
    return longest[0] if len(longest) == 1 else ""
