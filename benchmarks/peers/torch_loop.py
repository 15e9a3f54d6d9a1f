"""PyTorch: `tutorial` as its beginners' pages do it, `float32`, `best` and `compiled` as an expert would on a CPU."""

import itertools

import _clock
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

_HIDDEN = ((784, 1024), (1024, 512), (512, 256))
_BODIES = {
    "softmax": lambda: [nn.Flatten(), nn.Linear(784, 10)],
    "published": lambda: [nn.Flatten(), *(nn.Linear(a, b) for a, b in (*_HIDDEN, (256, 10)))],
    "corrected": lambda: [
        nn.Flatten(),
        *itertools.chain(*((nn.Linear(a, b), nn.ReLU()) for a, b in _HIDDEN)),
        nn.Dropout(0.5),
        nn.Linear(256, 10),
    ],
    "convolutional": lambda: [
        nn.Conv2d(1, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1600, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 10),
    ],
}


def main() -> None:
    task = _clock.read_task()
    torch.manual_seed(0)
    is_tuned = task.variant in ("best", "compiled")
    is_bfloat16 = is_tuned and task.network != "softmax"  # one small product gains nothing from it
    model = nn.Sequential(*_BODIES[task.network]())
    if task.network == "convolutional" and is_tuned:
        model = model.to(memory_format=torch.channels_last)
    if task.network == "softmax":
        optimizer = torch.optim.SGD(model.parameters(), task.learning_rate)
    else:
        optimizer = torch.optim.Adam(model.parameters(), task.learning_rate, fused=is_tuned or None)
    run = torch.compile(model) if task.variant == "compiled" else model
    loss_of = nn.CrossEntropyLoss()
    images = torch.tensor(task.images[:, None])  # uint8 (n, 1, 28, 28)
    labels = torch.tensor(task.labels.astype(np.int64))

    def step(batch: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bfloat16):
            loss = loss_of(run(batch), wanted)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def from_loader():
        loader = DataLoader(TensorDataset(images.float() / 255, labels), batch_size=task.batch_size, shuffle=True)
        while True:
            yield from loader

    def from_memory():
        while True:
            order = torch.randperm(len(images))
            for start in range(0, len(order) - task.batch_size + 1, task.batch_size):
                rows = order[start : start + task.batch_size]
                batch = images[rows].float().mul_(1 / 255)
                yield batch.contiguous(memory_format=torch.channels_last) if is_tuned else batch, labels[rows]

    batches = from_loader() if task.variant == "tutorial" else from_memory()

    def advance(steps: int) -> float:
        total = torch.zeros(())
        for batch, wanted in itertools.islice(batches, steps):
            total += step(batch, wanted).float()
        return float(total / steps)

    _clock.report(
        task, advance, versions={"torch": torch.__version__}, precision="bfloat16" if is_bfloat16 else "float32"
    )


if __name__ == "__main__":
    main()
