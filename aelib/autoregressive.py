"""A recurrent decoder whose steps see the steps before them. It knows no model."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from aelib import checks
from aelib.recurrent import Recurrence
from aelib.sequences import Steps, valid_steps


class AutoregressiveDecoder(nn.Module):
    """p(x | z) = prod_t p(x_t | x_1 ... x_(t-1), z): the input of each step is z and the step before.

    In training the step before is the true one, from ``targets``: "teacher forcing", Williams and Zipser (1989). Without targets
    it is what came out: the mean of real values, or the most likely token. A decoder that sees the truth needs z less, and may
    learn to do without it, as Bowman et al. (2016) found.

    Args:
        in_dim: the number of values that go in.
        hidden_dim: the size of h.
        steps: what the sequences hold.
        cell: "rnn", "gru" or "lstm".

    Raises:
        ValueError: for a size below one or another cell.
    """

    def __init__(self, in_dim: int, hidden_dim: int, steps: Steps, *, cell: str = "gru") -> None:
        super().__init__()
        self.in_dim = in_dim
        self.steps = steps
        self.before_first = nn.Parameter(torch.zeros(steps.size))
        self.recurrence = Recurrence(in_dim + steps.size, hidden_dim, cell)
        self.to_out = nn.Linear(hidden_dim, steps.size)

    def forward(
        self,
        z: Float[Tensor, "B in_dim"],
        *,
        lengths: Tensor | None = None,
        targets: Shaped[Tensor, "B *event"] | None = None,
    ) -> Float[Tensor, "B ..."]:
        """Map (B, in_dim) to the likelihood's parameters, with zeros after the first ``lengths`` steps.

        Raises:
            TypeError: if ``lengths`` does not hold integers.
            ValueError: if ``z``, ``lengths`` or ``targets`` does not fit.
        """
        checks.batch("z", z, (self.in_dim,))
        if targets is None:
            return self.steps.write(self._generate(z), valid_steps(z, self.steps.num_steps, lengths))
        v, mask = self.steps.read(targets, lengths, z)
        before = torch.cat([self.before_first.expand(len(z), 1, -1), v.narrow(1, 0, self.steps.num_steps - 1)], dim=1)
        z_each_step = z.unsqueeze(1).expand(-1, self.steps.num_steps, -1)
        return self.steps.write(self.to_out(self.recurrence(torch.cat([z_each_step, before], dim=2))), mask)

    def _generate(self, z: Tensor) -> Tensor:
        state, before, outs = self.recurrence.start(z), self.before_first.expand(len(z), -1), []
        for _ in range(self.steps.num_steps):
            state = self.recurrence.step(torch.cat([z, before], dim=1), state)
            outs.append(self.to_out(state[0]))
            before = outs[-1] if self.steps.num_classes is None else self._most_likely(outs[-1])
        return torch.stack(outs, dim=1)

    def _most_likely(self, logits: Tensor) -> Tensor:
        return torch.zeros_like(logits).scatter(1, logits.argmax(1, keepdim=True), 1.0)
