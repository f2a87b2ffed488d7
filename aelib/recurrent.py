"""Recurrent encoders and decoders: a plain RNN, a GRU or an LSTM. They know no model.

The recurrences are written out rather than taken from ``torch.nn``, whose kernels can neither be compiled nor be checked without
a GPU at hand; the weights have torch's layout and the numbers are torch's.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from aelib import checks
from aelib.sequences import Steps, valid_steps

State = tuple[Tensor, ...]
"""(h,) for a plain RNN and a GRU, (h, c) for an LSTM; each of shape (B, hidden_dim)."""


def _rnn(from_input: Tensor, from_state: Tensor, state: State) -> State:
    return (torch.tanh(from_input + from_state),)


def _gru(from_input: Tensor, from_state: Tensor, state: State) -> State:
    """Cho et al. (2014), in the form of torch.nn.GRU: the reset gate acts after the matrix product."""
    r_in, u_in, n_in = from_input.chunk(3, dim=1)
    r_state, u_state, n_state = from_state.chunk(3, dim=1)
    reset, update = torch.sigmoid(r_in + r_state), torch.sigmoid(u_in + u_state)
    return (torch.lerp(torch.tanh(n_in + reset * n_state), state[0], update),)


def _lstm(from_input: Tensor, from_state: Tensor, state: State) -> State:
    """Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000)."""
    write, forget, new, read = (from_input + from_state).chunk(4, dim=1)
    c = torch.sigmoid(forget) * state[1] + torch.sigmoid(write) * torch.tanh(new)
    return torch.sigmoid(read) * torch.tanh(c), c


CELLS: dict[str, tuple[int, int, Callable[[Tensor, Tensor, State], State]]] = {
    "rnn": (1, 1, _rnn),
    "gru": (3, 1, _gru),
    "lstm": (4, 2, _lstm),
}
"""name -> how many blocks of hidden_dim rows its matrices have, how many tensors its state has, and its step."""


class Recurrence(nn.Module):
    """h_t = cell(v_t, h_(t-1)) with h_0 = 0.

    Args:
        in_dim: the size of v_t.
        hidden_dim: the size of h_t.
        cell: "rnn", "gru" or "lstm".

    Raises:
        ValueError: for a size below one or another cell.
    """

    def __init__(self, in_dim: int, hidden_dim: int, cell: str) -> None:
        super().__init__()
        checks.choice("cell", cell, CELLS)
        checks.at_least("in_dim", in_dim, 1)
        checks.at_least("hidden_dim", hidden_dim, 1)
        blocks, self.state_size, self._cell = CELLS[cell]
        self.hidden_dim = hidden_dim
        self.inputs = nn.Linear(in_dim, blocks * hidden_dim)
        self.states = nn.Linear(hidden_dim, blocks * hidden_dim)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden_dim**-0.5), hidden_dim**-0.5)

    def start(self, rows: Shaped[Tensor, "B ..."]) -> State:
        """The state before the first step, zeros, for each row."""
        like = self.states.weight
        return tuple(
            torch.zeros(len(rows), self.hidden_dim, device=like.device, dtype=like.dtype)
            for _ in range(self.state_size)
        )

    def step(self, v: Float[Tensor, "B in_dim"], state: State) -> State:
        """One step; h is the first part of the state."""
        return self._cell(self.inputs(v), self.states(state[0]), state)

    def forward(self, v: Float[Tensor, "B T in_dim"]) -> Float[Tensor, "B T hidden_dim"]:
        """All steps: h_1 to h_T."""
        state, h = self.start(v), []
        # The inputs' products do not wait for one another: one large product instead of T small ones.
        for from_input in self.inputs(v).unbind(1):
            state = self._cell(from_input, self.states(state[0]), state)
            h.append(state[0])
        return torch.stack(h, dim=1)


class RecurrentEncoder(nn.Module):
    """Reads a sequence step by step; an affine map of the last h is what comes out.

    "Last" is the last valid step of each sequence. What runs on through the padding is not looked at, so this equals a run over
    packed sequences, without sorting and without shapes that depend on the data.

    Args:
        steps: what the sequences hold.
        hidden_dim: the size of h.
        out_dim: the number of values that come out.
        cell: "rnn", "gru" or "lstm".

    Raises:
        ValueError: for a size below one or another cell.
    """

    def __init__(self, steps: Steps, hidden_dim: int, out_dim: int, *, cell: str = "gru") -> None:
        super().__init__()
        checks.at_least("out_dim", out_dim, 1)
        self.steps = steps
        self.recurrence = Recurrence(steps.size, hidden_dim, cell)
        self.to_out = nn.Linear(hidden_dim, out_dim)

    def forward(self, x: Shaped[Tensor, "B *event"], *, lengths: Tensor | None = None) -> Float[Tensor, "B out_dim"]:
        """Map sequences, of which ``lengths`` steps are valid, to (B, out_dim).

        Raises:
            TypeError: if ``lengths`` does not hold integers.
            ValueError: if ``x`` or ``lengths`` does not fit.
        """
        v, mask = self.steps.read(x, lengths, self.to_out.weight)
        h = self.recurrence(v)
        last = (mask.sum(1) - 1).reshape(-1, 1, 1).expand(-1, 1, h.shape[2])
        out: Tensor = self.to_out(h.gather(1, last).squeeze(1))
        return out


class RecurrentDecoder(nn.Module):
    """Unrolls a sequence from z, which is the input of every step; an affine map of each h_t is what comes out.

    No step sees what earlier steps gave out, so all it knows of the sequence is in z.

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
        self.recurrence = Recurrence(in_dim, hidden_dim, cell)
        self.to_out = nn.Linear(hidden_dim, steps.size)

    def forward(self, z: Float[Tensor, "B in_dim"], *, lengths: Tensor | None = None) -> Float[Tensor, "B ..."]:
        """Map (B, in_dim) to the likelihood's parameters, with zeros after the first ``lengths`` steps.

        Raises:
            TypeError: if ``lengths`` does not hold integers.
            ValueError: if ``z`` or ``lengths`` does not fit.
        """
        checks.batch("z", z, (self.in_dim,))
        h = self.recurrence(z.unsqueeze(1).expand(-1, self.steps.num_steps, -1))
        return self.steps.write(self.to_out(h), mask=valid_steps(z, self.steps.num_steps, lengths))
