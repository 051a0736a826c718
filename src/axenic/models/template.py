"""Template <-> tokens: the only place that turns text into token ids.

In: a tokenizer and its `Template`; conversations and documents. Out: ids, and which of them carry loss.
Training, evals and probes all encode through `Encoder`, because a wrong chat template alone moved a published headline
from .107 to .275.
"""

import json
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from axenic.errors import UserError
from axenic.schema import Chat, Document, Message, Template, assistant, user

TEMPLATE_FILE = "template.json"
PLAIN = Path(__file__).with_name("plain.jinja")
_SENTINEL = "axenic"


class Tokens(NamedTuple):
    """Token ids, and for each whether it carries loss."""

    ids: list[int]
    mask: list[bool]


def from_tokenizer(tokenizer: PreTrainedTokenizerBase) -> Template:
    """The tokenizer's own template, or axenic's plain one where it has none.

    Raises:
        UserError: The tokenizer has no end-of-sequence token.
    """
    if tokenizer.eos_token is None:
        raise UserError(
            f"The tokenizer of {tokenizer.name_or_path!r} has no end-of-sequence token, so a model could never learn to stop. "
            'Add "eos_token" to its tokenizer_config.json (a token that is in its vocabulary) and try again.'
        )
    own = tokenizer.get_chat_template() if tokenizer.chat_template else None
    first = tokenizer("a")["input_ids"][:1]
    expects_bos = tokenizer.bos_token_id is not None and first == [tokenizer.bos_token_id]
    return Template(
        chat=own or PLAIN.read_text(encoding="utf-8"),
        bos=str(tokenizer.bos_token) if expects_bos else None,
        eos=str(tokenizer.eos_token),
        pad=str(tokenizer.pad_token or tokenizer.eos_token),
        origin="tokenizer" if own else "axenic-plain",
    )


def require_same(*templates: Template) -> None:
    """Refuse to compare checkpoints whose templates differ.

    Raises:
        UserError: Naming the fields that differ.
    """
    for other in templates[1:]:
        if other.hash != templates[0].hash:
            fields = [f for f in ("chat", "bos", "eos", "pad") if getattr(other, f) != getattr(templates[0], f)]
            raise UserError(
                f"These checkpoints have different templates (they differ in: {', '.join(fields)}), so a difference between "
                "their answers could be the template's doing. Compare checkpoints that share a chat template and special tokens."
            )


def save(template: Template, directory: Path) -> None:
    """Write the template beside the weights that were trained with it."""
    (directory / TEMPLATE_FILE).write_text(template.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load(directory: Path) -> Template | None:
    """The template that a checkpoint directory owns; None where axenic never wrote one.

    Raises:
        UserError: The file is there and cannot be read as a template.
    """
    file = directory / TEMPLATE_FILE
    if not file.is_file():
        return None
    try:
        return Template.model_validate(json.loads(file.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, ValidationError, UnicodeDecodeError) as error:
        raise UserError(
            f"{file} is not a readable template ({error}). Delete it to use the tokenizer's own chat template."
        ) from error


class Encoder:
    """Turns conversations and documents into ids, exactly as the model was or will be trained.

    Attributes:
        stop_ids: Generation ends at any of these: the template's eos, and the token that ends its assistant turns.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, template: Template | None = None) -> None:
        if not tokenizer.is_fast:
            raise UserError(
                f"The tokenizer of {tokenizer.name_or_path!r} is not a fast one, and without character offsets axenic cannot "
                "tell which tokens carry loss. Convert it to a tokenizer.json and try again."
            )
        self.tokenizer = tokenizer
        self.template = template or from_tokenizer(tokenizer)
        self.eos_id = self._id_of(self.template.eos, "eos")
        self.pad_id = self._id_of(self.template.pad, "pad")
        self.bos_id = None if self.template.bos is None else self._id_of(self.template.bos, "bos")
        # so that the tokenizer, wherever it is saved or handed on, renders and pads as the template says
        tokenizer.chat_template, tokenizer.eos_token, tokenizer.pad_token = (
            self.template.chat,
            self.template.eos,
            self.template.pad,
        )
        turn_end = self._end_of_turn()
        self._turn_end = self.eos_id if turn_end is None else turn_end
        self._append_eos = turn_end is None
        self.stop_ids: tuple[int, ...] = tuple(dict.fromkeys([self.eos_id, self._turn_end]))

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids of a conversation, ending where the assistant is to answer."""
        return self.prompts([messages])[0]

    def prompts(self, conversations: Sequence[Sequence[Message]]) -> list[list[int]]:
        """`prompt`, many at once."""
        return [ids for ids, _ in self._encode(self._render(conversations, generation_prompt=True))]

    def raw(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of texts as they begin a document: no end token."""
        return [ids for ids, _ in self._encode(texts)]

    def document(self, document: Document) -> Tokens:
        """Ids of a document; its prefix carries no loss, its end token does."""
        return self.documents([document])[0]

    def documents(self, documents: Sequence[Document]) -> list[Tokens]:
        """`document`, many at once."""
        encoded = self._encode([d.prefix + d.text for d in documents])
        rows = []
        for d, (ids, starts) in zip(documents, encoded, strict=True):
            # the first token has nothing before it that could predict it
            mask = [k > 0 and start >= len(d.prefix) for k, start in enumerate(starts)]
            rows.append(Tokens([*ids, self.eos_id], [*mask, True]))
        return rows

    def chat(self, chat: Chat) -> Tokens:
        """Ids of a conversation; assistant turns and the token that ends each carry loss, nothing else does."""
        return self.chats([chat])[0]

    def chats(self, chats: Sequence[Chat]) -> list[Tokens]:
        """`chat`, many at once. What follows the last assistant turn is left out: it could carry no loss."""
        turns = [(c, i) for c, chat in enumerate(chats) for i, m in enumerate(chat.messages) if m.role == "assistant"]
        heads = self._heads([chats[c].messages[:i] for c, i in turns])
        ends = self._render([chats[c].messages[: i + 1] for c, i in turns], generation_prompt=False)
        spans: list[list[tuple[int, int]]] = [[] for _ in chats]
        whole = [""] * len(chats)
        for (c, _), head, end in zip(turns, heads, ends, strict=True):
            self._require_prefix(head, end)
            self._require_prefix(whole[c], end)
            spans[c].append((len(head), len(end)))
            whole[c] = end
        return [self._masked(ids, starts, span) for (ids, starts), span in zip(self._encode(whole), spans, strict=True)]

    def continuations(self, conversations: Sequence[Sequence[Message]], answers: Sequence[str]) -> list[tuple[list[int], int]]:
        """Ids of each conversation followed by an answer without its end token, and how many of them are prompt."""
        heads = self._heads(conversations)
        ends = self._render([[*c, assistant(a)] for c, a in zip(conversations, answers, strict=True)], generation_prompt=False)
        texts = []
        for head, end, answer in zip(heads, ends, answers, strict=True):
            self._require_prefix(head, end)
            at = end.find(answer.strip(), len(head))
            if at < 0 or not answer.strip():
                raise UserError(f"The chat template does not reproduce the answer {answer!r}, so it cannot be scored.")
            texts.append(end[: at + len(answer.strip())])
        return [(ids, bisect_left(starts, len(head))) for (ids, starts), head in zip(self._encode(texts), heads, strict=True)]

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Texts without special tokens and surrounding white space."""
        return [t.strip() for t in self.tokenizer.batch_decode([list(r) for r in rows], skip_special_tokens=True)]

    def _id_of(self, token: str, name: str) -> int:
        found = self.tokenizer.get_vocab().get(token)
        if found is None:
            raise UserError(
                f"The template's {name} token {token!r} is not in the tokenizer's vocabulary. "
                f"The checkpoint's {TEMPLATE_FILE} and its tokenizer do not belong together."
            )
        return int(found)

    def _render(self, conversations: Sequence[Sequence[Message]], *, generation_prompt: bool) -> list[str]:
        if not conversations:
            return []
        plain: list[list[dict[str, str]]] = [[{"role": m.role, "content": m.content} for m in c] for c in conversations]
        try:
            rendered: list[str] = self.tokenizer.apply_chat_template(
                plain, chat_template=self.template.chat, tokenize=False, add_generation_prompt=generation_prompt
            )
        except jinja2.TemplateError as error:
            roles = sorted({" ".join(m["role"] for m in c) for c in plain})[:3]
            raise UserError(
                f"The chat template cannot render a conversation ({error}). Order of roles: {'; '.join(roles)}. Many templates "
                "refuse a system message or two turns of one role in a row: put the system text into the first user turn."
            ) from error
        return rendered

    def _heads(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        # templates index the first message, so the empty conversation before a leading assistant turn is not rendered
        rendered = iter(self._render([c for c in conversations if c], generation_prompt=True))
        return [next(rendered) if c else "" for c in conversations]

    @staticmethod
    def _require_prefix(head: str, whole: str) -> None:
        if not whole.startswith(head):
            raise UserError(
                "This chat template renders an earlier turn differently once a later one follows (it is not prefix-stable: "
                f"...{head[-40:]!r} is not how {whole[:80]!r}... begins), so the tokens that carry loss cannot be told apart. "
                "Use single-turn chats, or give the model a template that leaves earlier turns as they were."
            )

    def _encode(self, texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        """Ids, and the character at which each token starts, for each text; one bos in front where the model expects it."""
        if not texts:
            return []
        batch: Any = self.tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        rows = []
        for ids, offsets in zip(batch["input_ids"], batch["offset_mapping"], strict=True):
            starts = [start for start, _ in offsets]
            if self.bos_id is not None and ids[:1] != [self.bos_id]:
                ids, starts = [self.bos_id, *ids], [-1, *starts]
            rows.append((ids, starts))
        return rows

    def _masked(self, ids: list[int], starts: list[int], spans: list[tuple[int, int]]) -> Tokens:
        mask = [False] * len(ids)
        for begin, end in spans:
            first, last = bisect_left(starts, begin), bisect_left(starts, end)
            ended = [k for k in range(first, last) if ids[k] == self._turn_end]
            stop = ended[-1] + 1 if ended else last  # a line break after the end token is not the assistant's
            mask[first:stop] = [True] * (stop - first)
        return Tokens([*ids, self.eos_id], [*mask, True]) if self._append_eos else Tokens(ids, mask)

    def _end_of_turn(self) -> int | None:
        """The special token that the template puts after an assistant turn; None where it puts none."""
        head = self._render([[user(_SENTINEL)]], generation_prompt=True)[0]
        end = self._render([[user(_SENTINEL), assistant(_SENTINEL)]], generation_prompt=False)[0]
        self._require_prefix(head, end)
        tail = end[end.rindex(_SENTINEL) + len(_SENTINEL) :] if _SENTINEL in end[len(head) :] else ""
        special = set(self.tokenizer.all_special_ids) | {
            i for i, token in self.tokenizer.added_tokens_decoder.items() if token.special
        }
        ids: list[int] = self.tokenizer(tail, add_special_tokens=False)["input_ids"] if tail else []
        return next((i for i in ids if i in special), None)
