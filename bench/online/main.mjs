// Orders that decide each batch: steps a second of a run whose batches are chosen here, beside the same selection inside a
// Python training loop; and the round trip of a step's message. All ways in turn, round after round.
//   npm run bench -- online [--rounds 7] [--steps 150] [--sizes 64,128] [--threads 1] [--out FILE]
// A full run writes docs/results/online.md.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startPeer } from "../peer.mjs";
import { startBackend } from "./backend.mjs";
import { drawMilliseconds } from "./draw.mjs";
import { reportOf, tableOfRoundTrips, tableOfSteps } from "./report.mjs";
import { roundTrips } from "./wire.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HERE = join(ROOT, "bench", "online");
/** Samples of the noise that is trained on. */
const SAMPLES = 60_000;
const LOOPS = ["same", "plain"];

export async function main(python, args) {
  const options = readOptions(args);
  const [load, started] = [os.loadavg()[0], performance.now()];
  const folder = mkdtempSync(join(tmpdir(), "ibb-"));
  const backend = await startBackend(python, { root: ROOT, modules: HERE, threads: options.threads });
  const peer = startPeer(python, join(HERE, "peer.py"), [String(options.threads)], options.threads);
  try {
    const versions = await peer.ask({ do: "versions" });
    const steps = [];
    for (const size of options.sizes) {
      steps.push({ size, ...(await compare({ backend, peer, folder, options }, size)) });
      console.log(`${tableOfSteps(steps.slice(-1))}\n`);
    }
    const trips = await roundTrips(peer, folder);
    console.log(`${tableOfRoundTrips(trips)}\n`);
    const draws = await drawMilliseconds(SAMPLES, 128);
    if (options.out !== undefined) {
      const seconds = (performance.now() - started) / 1000;
      writeFileSync(options.out, reportOf({ steps, trips, draws }, { root: ROOT, seconds, load, options, versions }));
    }
  } finally {
    peer.stop();
    await backend.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      steps: { type: "string" },
      sizes: { type: "string" },
      threads: { type: "string", default: "1" },
      out: { type: "string" },
    },
  });
  const isFull = values.rounds === undefined && values.steps === undefined && values.sizes === undefined;
  return {
    rounds: Number(values.rounds ?? 7),
    steps: Number(values.steps ?? 150),
    sizes: (values.sizes ?? "64,128").split(",").map(Number),
    threads: Number(values.threads),
    out: values.out ?? (isFull ? join(ROOT, "docs", "results", "online.md") : undefined),
  };
}

/** Milliseconds a step of each way, round by round. */
async function compare({ backend, peer, folder, options }, size) {
  const { rounds, steps } = options;
  const ways = {
    "lag 1": () => ours({ backend, folder }, { size, steps, lag: 1 }),
    "lag 0": () => ours({ backend, folder }, { size, steps, lag: 0 }),
    ...Object.fromEntries(LOOPS.map((loop) => [loop, () => theirs(peer, { loop, size, steps })])),
  };
  const names = Object.keys(ways);
  const milliseconds = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < names.length; at++) {
      const name = names[(at + round) % names.length]; // none is always the first
      milliseconds[name].push(await ways[name]());
    }
  }
  return { milliseconds };
}

/** From one answer to the last one, in the second of two epochs: losses are known by then. */
async function ours({ backend, folder }, { size, steps, lag }) {
  const { runExperiment } = await import("../../dist/index.js");
  const out = mkdtempSync(join(folder, "run-"));
  const times = [];
  const order = { name: "weighted", per: "batch", unbiased: true, fraction: (steps * size) / SAMPLES, lag };
  const experiment = {
    name: "bench-online",
    ...{ epochs: 2, seeds: 1, checkpoint: null },
    dataset: { reference: "noise:mnist_like" },
    model: "mnist-cnn",
    optimizer: { name: "sgd", momentum: 0.9 },
    schedule: { name: "constant", learningRate: 0.01 },
    batching: { name: "constant", size },
    evaluation: { trainSample: 10, every: 1000 },
    record: { images: 0 },
    arms: { online: { order } },
  };
  const { summary } = await runExperiment(experiment, {
    ...{ backend: backend.endpoint, out: join(out, "run") },
    observe: () => ({
      trained: (_, { epoch }) => {
        if (epoch === 1) times.push(performance.now());
      },
    }),
  });
  if (summary.arms.some(({ failed }) => failed > 0)) throw new Error(`a run failed: ${out}`);
  rmSync(out, { recursive: true });
  return (times[times.length - 1] - times[0]) / (times.length - 1);
}

async function theirs(peer, { loop, size, steps }) {
  const { seconds } = await peer.ask({ do: "train", loop, count: size, steps, warm_up: steps >> 2 });
  return (1000 * seconds) / steps;
}
