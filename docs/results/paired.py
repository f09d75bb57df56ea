"""The paired differences of a recorded summary, as the results pages show them.

    python docs/results/paired.py docs/results/mnist-importance.json hardest-first:shuffled per-class:shuffled

Each pair names an arm and what it is compared with. Differences of last-epoch test accuracy by seed, in points; a
summary with runs that diverged or failed is refused. 95 % t interval of the mean; p of the paired t test and of the
exact Wilcoxon test, each also after Holm's correction over all pairs given.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(summary: Path, pairs: list[str]) -> None:
    arms = json.loads(summary.read_text())["arms"]
    if left := [(arm["arm"], run["seed"]) for arm in arms for run in arm["runs"] if run["state"] != "done"]:
        sys.exit(f"runs that are not done, of which this table would say nothing: {left}")
    accuracies = {arm["arm"]: {run["seed"]: 100 * run["test"]["accuracy"] for run in arm["runs"]} for arm in arms}
    names = [pair.split(":") for pair in pairs]
    comparisons = [
        {"name": f"{a} − {b}", "arm": accuracies[a], "baseline": accuracies[b], "family": "planned"} for a, b in names
    ]
    print("| difference | seeds | mean | 95 % interval | t, p | after Holm | Wilcoxon, p | after Holm |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for found in statistics({"samples": [], "comparisons": comparisons})["comparisons"]:
        low, high = found["interval"]["low"], found["interval"]["high"]
        p_values = (found["claim"]["p"], found["claim"]["holm"], found["wilcoxon"]["p"], found["wilcoxonHolm"])
        shown = " | ".join(f"{p:.2g}" for p in p_values)
        print(f"| {found['name']} | {found['n']} | {found['mean']:+.2f} | {low:+.2f} … {high:+.2f} | {shown} |")


def statistics(request: dict[str, Any]) -> Any:
    """What `python -m py_report.statistics` says."""
    command = [sys.executable, "-m", "py_report.statistics"]
    root = Path(__file__).parents[2]
    said = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, cwd=root, check=True)
    return json.loads(said.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
