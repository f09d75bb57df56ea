// The table of a run, and the page with it: docs/results/speed.md.
import { commitOf, machine, table } from "../report.mjs";

const PERCENT = 100;
const SHOWN = "–";

const metText = (met) => (met === undefined ? SHOWN : met ? "met" : "**not met**");

/** Of `measured` as bench() gives it, with one loop in Python. */
export function loopRow({ model, batchSize, peer, workers, bar }, { loops: [ours, theirs] }) {
  const name = peer.startsWith("bare") ? "bare" : `usual, num_workers=${workers}`;
  const kept = peer.endsWith("-kept") ? ", freed memory kept" : "";
  const { median, least, most } = theirs.oursIs;
  return [
    `${model}, ${batchSize}, × ${name}${kept}`,
    `${Math.round(ours.samplesPerSecond)} samples/s`,
    `${Math.round(theirs.samplesPerSecond)} samples/s`,
    `${median.toFixed(2)} × (${least.toFixed(2)} … ${most.toFixed(2)})`,
    bar === null ? SHOWN : `≥ ${bar} ×`,
    metText(bar === null ? undefined : median >= bar),
  ];
}

export function controlRow({ model, batchSize, samples, bar }, { control }) {
  return [
    `control of an epoch of ${samples}, ${model}, ${batchSize}`,
    `${control.milliseconds.toFixed(1)} ms`,
    SHOWN,
    `${(PERCENT * control.shareOfEpoch).toFixed(2)} % of it`,
    `≤ ${PERCENT * bar} %`,
    metText(control.shareOfEpoch <= bar),
  ];
}

export function startRow({ args, bar }, { median, least, most }) {
  return [
    `start of \`ibatch ${args.join(" ")}\``,
    `${Math.round(median)} ms`,
    SHOWN,
    `${Math.round(least)} … ${Math.round(most)} ms`,
    `≤ ${bar} ms`,
    metText(median <= bar),
  ];
}

export const tableOf = (rows) => table(["case", "ours", "peer", "ratio", "bar", ""], rows);

export function pageOf(rows, { root, command, seconds, load, rounds, isRealData, torch }) {
  return `# How fast training is on a CPU

Made by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commitOf(root, "src", "py_backend", "py_bench", "bench")}, in ${Math.round(seconds)} s.
Load average at its start: ${load.toFixed(1)}. ${machine()}; torch ${torch} with 1 thread.

${tableOf(rows)}

- *Ours* is what \`ibatch run\` does: a controller that shuffles, a backend behind ZeroMQ, each sample's loss returned and recorded. All loops in turn, round by
  round, ${rounds} rounds after one to warm up, each in a process of its own; evaluations and starts are not counted. \`ibatch bench\` does the same on any machine.
- *Usual* is [py_bench/textbook.py](../../py_bench/textbook.py): Dataset, DataLoader, a mean loss and \`.item()\`. Processes that load (num_workers) are beside the one thread.
- *Bare* is [py_bench/bare.py](../../py_bench/bare.py): images in memory, channels last, each sample's loss kept, no loader.
- Figures are medians; ratios are medians of ratios within rounds, with the least and the most. Images are ${isRealData ? "those of MNIST, Fashion-MNIST and CIFAR-10" : "made up, of the shape of MNIST's, Fashion-MNIST's and CIFAR-10's"}.
- Our backend has glibc keep memory that was freed (mallopt, M_MMAP_MAX and M_TRIM_THRESHOLD), which no script does by itself. Bars are held against loops as
  users write them; the rows *freed memory kept* give theirs the same setting, so what they show is ours, and the rest of the row above glibc's: the more, the
  larger the batch.
- Ours pools before the activations of fashion-mnist-cnn on a CPU, with the same values: a quarter of PReLU's work. The loops in Python pool behind them.
- *Control* is what an epoch took by the clock beyond what the backend says that it trained: the plan of the next epoch and all records are in it. A start is the whole command, a median of 15.
`;
}
