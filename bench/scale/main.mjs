// Where the controller becomes the limit: 16, 64, 256 and 1,000 backends that answer at once.
//   npm run bench -- scale [--backends 16,64] [--samples 10000] [--out FILE]
// A full run writes docs/results/scale.md.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { commitOf, machine, table } from "../report.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Runs for each backend. */
const RUNS_EACH = 2;
const EPOCHS = 2;
const BATCH_SIZE = 128;
/** Samples of the run whose bytes on the wire are counted. */
const WIRE_SAMPLES = 10_000_000;
/** Backends that one process hosts. */
const HOSTED = 250;

export async function main(_python, args) {
  const options = readOptions(args);
  const load = os.loadavg()[0];
  const rows = [];
  for (const backends of options.backends) {
    const measured = await measure(backends, options);
    rows.push({ backends, ...measured });
    console.log(rowOf(rows.at(-1)).join("  "));
  }
  const made = [table(HEAD, rows.map(rowOf))];
  if (options.wire !== undefined) made.push(wireTable(await measure(1, { ...options, samples: options.wire })));
  console.log(`\n${made.join("\n\n")}`);
  if (options.out !== undefined) writeFileSync(options.out, pageOf(made, { load, options }));
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      backends: { type: "string" },
      samples: { type: "string" },
      order: { type: "string", default: "loss-global" },
      wire: { type: "string" },
      out: { type: "string" },
    },
  });
  const isFull = values.backends === undefined && values.samples === undefined && values.order === "loss-global";
  return {
    backends: (values.backends ?? "16,64,256,1000").split(",").filter(Boolean).map(Number),
    samples: Number(values.samples ?? 10_000),
    order: values.order,
    wire: values.wire === undefined ? (isFull ? WIRE_SAMPLES : undefined) : Number(values.wire),
    out: values.out ?? (isFull ? join(ROOT, "docs", "results", "scale.md") : undefined),
  };
}

const configOf = (backends, { order }) => ({
  name: "scale",
  dataset: "mnist",
  model: "mnist-cnn",
  optimizer: { name: "sgd", momentum: 0.9 },
  schedule: { name: "constant", learningRate: 0.1 },
  batching: { name: "constant", size: BATCH_SIZE },
  epochs: EPOCHS,
  seeds: (backends * RUNS_EACH) / 2,
  baseline: "shuffled",
  arms: { shuffled: { order: "shuffled" }, ranked: { order } },
});

/** The controller's own costs, in a process of its own. */
async function measure(backends, options) {
  const config = configOf(backends, options);
  const folder = mkdtempSync(join(tmpdir(), "ibs-"));
  const hosts = [];
  try {
    for (let first = 0; first < backends; first += HOSTED) {
      hosts.push(await startHost(folder, first, Math.min(HOSTED, backends - first), options.samples));
    }
    const urls = Array.from({ length: backends }, (_, number) => `ipc://${join(folder, `${number}`)}`);
    const asked = JSON.stringify({ urls, config, out: join(folder, "out") });
    const { status, stdout, stderr } = spawnSync(process.execPath, ["bench/scale/controller.mjs", asked], {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    if (status !== 0) throw new Error(`the controller ended with ${status}: ${stderr.slice(-2000)}`);
    const bytes = [];
    for (const host of hosts.splice(0)) bytes.push(await host.stop());
    return { ...JSON.parse(stdout), bytes };
  } finally {
    for (const host of hosts) await host.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startHost(folder, first, count, samples) {
  const child = spawn(process.execPath, ["bench/scale/backends.mjs", folder, ...[first, count, samples].map(String)], {
    cwd: ROOT,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { done } = await lines.next();
  if (done) throw new Error("the pretended backends ended before they listened: what they said is above");
  return {
    /** Ends it. Returns what went over the wire, by the type of what was asked. */
    async stop() {
      child.stdin.end();
      const { value } = await lines.next();
      await ended;
      return JSON.parse(value);
    },
  };
}

const HEAD = [
  "backends",
  "runs",
  "runs a second",
  "CPU a run, ms",
  "of it orders, ms",
  "directories flushed, ms",
  "files, ms",
  "longest pause, ms",
  "start, CPU s",
  "results, CPU s",
  "peak memory, MB",
];

const ms = (seconds, runs) => ((1000 * seconds) / runs).toFixed(1);

function rowOf(row) {
  const { backends, runs } = row;
  return [
    `${backends}`,
    `${runs}`,
    (runs / row.runsSeconds).toFixed(1),
    ms(row.runsCpuSeconds, runs),
    ms(row.orderingSeconds, runs),
    ms(row.fsyncSeconds, runs),
    ms(row.otherDiskSeconds, runs),
    (1000 * row.longestPauseSeconds).toFixed(0),
    row.startCpuSeconds.toFixed(2),
    row.resultsCpuSeconds.toFixed(2),
    (row.peakBytes / 1e6).toFixed(0),
  ];
}

/** Bytes of an epoch on the wire, of one backend that did `RUNS_EACH` runs. */
function wireTable({ bytes: [bytes], peakBytes, runsCpuSeconds }) {
  const epochs = RUNS_EACH * EPOCHS;
  const rows = Object.entries(bytes)
    .filter(([, { came, went }]) => came + went >= 100_000)
    .map(([type, { messages, came, went }]) => [
      `\`${type}\``,
      ...[messages, came, went].map((sum) => Math.round(sum / epochs).toLocaleString("en")),
    ]);
  const made = table(["an epoch's", "messages", "bytes to the backend", "bytes from it"], rows);
  const cost = `CPU of the controller an epoch: ${(runsCpuSeconds / epochs).toFixed(2)} s; its peak memory: ${(peakBytes / 1e6).toFixed(0)} MB.`;
  return `${made}\n\n${cost}`;
}

function pageOf([ofBackends, ofWire], { load, options }) {
  return `# Many backends, one controller

Made by \`npm run bench -- scale\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commitOf(ROOT, "src", "bench")}. ${machine()}. Load average at its start: ${load.toFixed(1)}.

Backends that answer at once, over ipc: nothing is trained, so all time is the controller's and the wire's. Each does ${RUNS_EACH} runs of ${EPOCHS} epochs of ${options.samples} samples, in batches of ${BATCH_SIZE}; one arm is shuffled, the other is ranked by the losses (\`${options.order}\`). The backends take turns on the same cores, so runs a second are a lower bound; CPU is the controller's alone. Times of the disk are waited for on its event loop: directories that are flushed, and files that are written, flushed, read or removed. Results are summary, table and page, made once at the end.

${ofBackends}

## Bytes on the wire

One backend, ${RUNS_EACH} runs of ${EPOCHS} epochs of ${WIRE_SAMPLES.toLocaleString("en")} samples in batches of ${BATCH_SIZE}, counted at the backend.

${ofWire}
`;
}
