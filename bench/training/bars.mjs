// What is measured, and the bar that each figure is held against; null: shown only.
// "usual" is py_bench/textbook.py, with so many processes that load; "bare" is py_bench/bare.py. Bars are held against loops as
// users write them; those with "-kept" keep freed memory, as our backend does, and show what is left of ours without that.

/** Ours as a multiple of a loop in Python, on one thread. */
export const LOOPS = [
  { name: "fashion-mnist-cnn-64", model: "fashion-mnist-cnn", batchSize: 64, peer: "textbook", workers: 2, bar: 2.2 },
  {
    name: "fashion-mnist-cnn-64-alone",
    model: "fashion-mnist-cnn",
    batchSize: 64,
    peer: "textbook",
    workers: 0,
    bar: null,
  },
  {
    name: "fashion-mnist-cnn-64-kept",
    model: "fashion-mnist-cnn",
    batchSize: 64,
    peer: "textbook-kept",
    workers: 2,
    bar: null,
  },
  { name: "mnist-cnn-64", model: "mnist-cnn", batchSize: 64, peer: "textbook", workers: 2, bar: 4 },
  { name: "mnist-cnn-64-alone", model: "mnist-cnn", batchSize: 64, peer: "textbook", workers: 0, bar: null },
  { name: "mnist-cnn-64-kept", model: "mnist-cnn", batchSize: 64, peer: "textbook-kept", workers: 2, bar: null },
  { name: "mnist-cnn-512", model: "mnist-cnn", batchSize: 512, peer: "textbook", workers: 2, bar: 3.5 },
  { name: "mnist-cnn-512-kept", model: "mnist-cnn", batchSize: 512, peer: "textbook-kept", workers: 2, bar: null },
  { name: "mnist-cnn-512-bare-kept", model: "mnist-cnn", batchSize: 512, peer: "bare-kept", workers: 0, bar: null },
  { name: "resnet18-128", model: "resnet18", batchSize: 128, peer: "bare", workers: 0, bar: 1 },
  { name: "resnet18-128-kept", model: "resnet18", batchSize: 128, peer: "bare-kept", workers: 0, bar: null },
];

/** Control outside of the backend, as a share of an epoch: at most. */
export const CONTROL = { name: "control", model: "mnist-cnn", batchSize: 64, samples: 60_000, bar: 0.005 };

/** Milliseconds of commands that need no backend to start: at most. */
export const STARTS = [
  { name: "help", args: ["--help"], bar: 120 },
  { name: "list", args: ["list", "orders"], bar: 200 },
];

export const NAMES = [...LOOPS, CONTROL, ...STARTS].map(({ name }) => name);
