"""A small training run as a program, for tests that kill it or start it twice: ``train_run.py MODEL OUT [CHECKPOINT]``.

Process 1 of two writes its own model, to OUT1.
"""

import sys

import torch
import torch.distributed as dist

from aelib.history import TrainConfig
from aelib.models import build
from aelib.saving import save
from aelib.training import fit


def main(name, out, checkpoint=None):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build(name, (5,), 2).double()  # so that rounding does not grow into a difference
    # 29 examples in batches of 7: the last batch has one, so that a second process gets none of it.
    x = torch.rand(29, 5, generator=torch.Generator().manual_seed(0)).double()
    config = TrainConfig(epochs=30, batch_size=7, lr=1e-2, patience=10)

    def report(epoch, model):
        sys.stdout.write(f"{epoch}\n")
        sys.stdout.flush()

    fit(model, x, config, x_val=x, device="cpu", checkpoint=checkpoint, progress=False, on_epoch=report)
    rank = dist.get_rank() if dist.is_initialized() else 0
    save(model, f"{out}{rank or ''}")
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
