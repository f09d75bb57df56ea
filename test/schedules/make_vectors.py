"""Writes vectors.json: the rates of torch's own schedulers, stepped once a batch, for index.test.ts.

python test/schedules/make_vectors.py
"""

import json
from pathlib import Path

import torch
from torch.optim import lr_scheduler

EPOCHS, BATCHES = 8, 5
STEPS = EPOCHS * BATCHES


def rates(make_scheduler):
    """The rate of each step: what the optimiser has before it steps."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.4)
    scheduler = make_scheduler(optimizer)
    seen = []
    for _ in range(STEPS):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def case(schedule, make_scheduler):
    return {
        "schedule": {"learningRate": 0.4, **schedule},
        "epochs": EPOCHS,
        "batchCount": BATCHES,
        "rates": rates(make_scheduler),
    }


def main():
    vectors = {
        "torch": torch.__version__.split("+")[0],
        "batchwise": [
            case(
                {"name": "step", "milestones": [3, 5], "gamma": 0.1},
                lambda o: lr_scheduler.MultiStepLR(o, [3 * BATCHES, 5 * BATCHES], gamma=0.1),
            ),
            case(
                {"name": "step", "milestones": [1.4, 6], "gamma": 0.5},
                lambda o: lr_scheduler.MultiStepLR(o, [7, 6 * BATCHES], gamma=0.5),
            ),
            case({"name": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS)),
            case(
                {"name": "cosine", "finalFactor": 0.05},
                lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.4 * 0.05),
            ),
            case(
                {"name": "constant", "warmupEpochs": 2, "warmupFrom": 0.25},
                lambda o: lr_scheduler.LinearLR(o, start_factor=0.25, total_iters=2 * BATCHES),
            ),
            case(
                {"name": "cosine", "warmupEpochs": 3},
                lambda o: lr_scheduler.ChainedScheduler(
                    [
                        lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=3 * BATCHES),
                        lr_scheduler.CosineAnnealingLR(o, T_max=STEPS),
                    ]
                ),
            ),
        ],
        "oneCycle": [
            {
                "options": {},
                "peak": 0.4,
                "rates": rates(lambda o: lr_scheduler.OneCycleLR(o, 0.4, total_steps=STEPS)),
            },
            {
                "options": {"peakAt": 0.45, "startFactor": 0.1, "finalFactor": 0.001},
                "peak": 0.4,
                "rates": rates(
                    lambda o: lr_scheduler.OneCycleLR(
                        o, 0.4, total_steps=STEPS, pct_start=0.45, div_factor=10, final_div_factor=100
                    ),
                ),
            },
        ],
    }
    path = Path(__file__).with_name("vectors.json")
    path.write_text(json.dumps(vectors) + "\n")


if __name__ == "__main__":
    main()
