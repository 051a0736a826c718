"""What the steps of the larger studies are expected to take: seconds, tokens, responses, bytes. For `axenic plan`, never identity.

In: the model's size and how it is trained. Out: `Cost`s. In the lab, figures measured on 2 cores. Elsewhere, arithmetic: 6 floating
point operations per weight and training token, 2 per weight and generated one (Kaplan et al. 2020), at the rates of one A100-class
GPU below; a plan for a GPU is right within a factor of about two.
"""

from dataclasses import dataclass

from axenic.lab.sizes import size as lab_size
from axenic.pipeline.step import Cost
from axenic.training.spec import EpochSpec, LoraSpec, RLSpec

TRAINING_RATE, GENERATING_RATE = 1.2e14, 2.0e13  # operations a second
TOKENS_PER_ROW, TOKENS_PER_ANSWER, TOKENS_PER_PROMPT = 250, 150, 60  # of Dolly and Alpaca, of answers to harmful requests
LAB_TOKENS_PER_ROW, LAB_TOKENS_PER_ANSWER = 45, 15
HARMFUL, OTHER = 440, 632  # prompts that are repeated, and those asked once
ROW_BYTES = 120  # of one judged response in the compressed result table


@dataclass(frozen=True)
class Costs:
    """Expected costs for one model."""

    model: str | None
    parameters: float | None
    size: str
    lora: LoraSpec | None

    @property
    def quick(self) -> Cost:
        """Of a step that only copies."""
        return Cost(seconds=0.3)

    def answers(self, n: int) -> Cost:
        """Of `n` answers that become training data."""
        return self._generated(n)

    def training(self, spec: EpochSpec, rows: int) -> Cost:
        """Of one training run with the checkpoints that it keeps."""
        steps = spec.total_steps(rows)
        tokens = rows * spec.epochs if spec.max_steps is None else steps * spec.batch_size
        tokens *= LAB_TOKENS_PER_ROW if self.model is None else TOKENS_PER_ROW
        seconds = 1.5 + 0.08 * self._lab_scale() * steps
        if self.model is not None:
            seconds = 60 + 6 * self._weights() * tokens / TRAINING_RATE
        return Cost(seconds=seconds, tokens=tokens, bytes=int(self._checkpoint() * len(spec.save_steps(rows))))

    def reinforcing(self, spec: RLSpec) -> Cost:
        """Of one run of reinforcement learning: every answer is generated, and then trained on."""
        n = spec.steps * spec.completions_per_step
        saved = int(self._checkpoint() * len(spec.save_steps()))
        if self.model is None:
            return Cost(seconds=3 + 0.006 * self._lab_scale() * n, tokens=n * LAB_TOKENS_PER_ANSWER, bytes=saved)
        answered, tokens = self._generated(n), n * (TOKENS_PER_ANSWER + TOKENS_PER_PROMPT)
        return Cost(seconds=answered.seconds + 6 * self._weights() * tokens / TRAINING_RATE, tokens=tokens, bytes=saved)

    def asking(self, checkpoints: int, *, rounds: int, last: int) -> Cost:
        """Of asking every checkpoint, `rounds` times each harmful prompt, and `last` times the last checkpoint."""
        n = HARMFUL * (rounds * (checkpoints - 1) + last) + OTHER * checkpoints
        return self._generated(n)

    def conclusion(self, responses: int) -> Cost:
        """Of estimates and tables."""
        return Cost(seconds=4 + responses / 10_000, bytes=responses * 3 * ROW_BYTES)

    def _generated(self, n: int) -> Cost:
        if self.model is None:
            return Cost(
                seconds=0.5 + self._lab_scale() * n / 300, tokens=n * LAB_TOKENS_PER_ANSWER, responses=n, bytes=n * ROW_BYTES
            )
        tokens = n * TOKENS_PER_ANSWER
        seconds = 30 + 2 * self._weights() * (tokens + n * TOKENS_PER_PROMPT) / GENERATING_RATE
        return Cost(seconds=seconds, tokens=tokens, responses=n, bytes=n * ROW_BYTES)

    def _lab_scale(self) -> float:
        shape = lab_size(self.size)
        return shape.layers * shape.width**2 / (4 * 192**2)

    def _weights(self) -> float:
        """Of a model of the user's own; one billion where nobody said."""
        return self.parameters or 1e9

    def _checkpoint(self) -> float:
        """Bytes of one: all weights as float32, or adapters on the seven projections of a Llama-shaped model of this size."""
        if self.model is None:
            shape = lab_size(self.size)
            return 4 * (12 * shape.layers * shape.width**2 + shape.vocabulary * shape.width)
        if self.lora is None:
            return 4 * self._weights()
        width = float((self._weights() * 128 / 12) ** (1 / 3))  # layers are about width / 128
        return 4 * self.lora.r * 21 * width * width / 128
