// What checkpoints cost: runs of mnist-cnn with the default and without any, in turn; then single saves of mnist-cnn and of
// ResNet-18, with what they hold up.
//   npm run bench -- checkpoint [--rounds 5] [--epochs 20] [--threads 1] [--out FILE]
// A full run writes docs/results/checkpoint.md.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mnistCnn, resnet18 } from "./experiments.mjs";
import { reportOf, tableOfRuns, tableOfSaves } from "./report.mjs";
import { startTrace } from "./trace.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function main(python, args) {
  const options = readOptions(args);
  const folder = mkdtempSync(join(tmpdir(), "ibb-"));
  const [load, started] = [os.loadavg()[0], performance.now()];
  const trace = await startTrace();
  try {
    const bench = { python, folder, trace, options };
    const runs = await compareRuns(bench);
    console.log(`${tableOfRuns(runs)}\n`);
    const saves = [];
    for (const [name, batchesAnEpoch, experiment] of [
      ["mnist-cnn", 45, mnistCnn({ epochs: 4, threads: options.threads, everyBatches: 10, chunkBatches: 5 })],
      ["resnet18", 40, resnet18({ epochs: 2, threads: options.threads, everyBatches: 4, chunkBatches: 2 })],
    ]) {
      const { events } = await run(bench, `saves-${name}`, experiment);
      saves.push({ name, ...measuresOf(events, batchesAnEpoch) });
    }
    console.log(`${tableOfSaves(saves)}\n`);
    if (options.out !== undefined) {
      const seconds = (performance.now() - started) / 1000;
      writeFileSync(options.out, reportOf({ runs, saves }, { root: ROOT, seconds, load, options }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      epochs: { type: "string" },
      threads: { type: "string", default: "1" },
      out: { type: "string" },
    },
  });
  const isFull = values.rounds === undefined && values.epochs === undefined;
  return {
    rounds: Number(values.rounds ?? 5),
    epochs: Number(values.epochs ?? 20),
    threads: Number(values.threads),
    out: values.out ?? (isFull ? join(ROOT, "docs", "results", "checkpoint.md") : undefined),
  };
}

/** Seconds of each run, with the default and without: one after another in turn, after one of each that is thrown away. */
async function compareRuns(bench) {
  const { rounds, epochs, threads } = bench.options;
  const runs = [];
  for (let round = 0; round <= rounds; round++) {
    const ways = round % 2 === 0 ? ["default", "none"] : ["none", "default"];
    const seconds = {};
    for (const way of ways) {
      const short = round === 0 ? 2 : epochs;
      const experiment = mnistCnn({ epochs: short, threads, ...(way === "none" && { checkpoint: null }) });
      const result = await run(bench, `run-${round}-${way}`, experiment);
      seconds[way] = result.seconds;
      if (way === "default") Object.assign(seconds, spentOn(result.events));
    }
    if (round > 0) {
      console.log(
        `round ${round}: ${seconds.default.toFixed(2)} s with ${seconds.saves} checkpoints, ${seconds.none.toFixed(2)} s without`,
      );
      runs.push(seconds);
    }
  }
  return runs;
}

/**
 * How many checkpoints, and milliseconds in which any of one was under way: from where the backend was asked for it until
 * it was on the disk, and while older ones were removed. Whatever they hold up lies within.
 */
function spentOn(events) {
  const of = (type) => events.filter((event) => event.type === type);
  const [asked, written] = [of("save").filter(({ part }) => part === 0), of("written")];
  if (asked.length !== written.length) throw new Error(`${asked.length} saves, ${written.length} written`);
  const taking = asked.map(({ at }, save) => written[save].answeredAt - at);
  const clearing = of("cleared").map(({ at, answeredAt }) => answeredAt - at);
  return { saves: asked.length, milliseconds: [...taking, ...clearing].reduce((sum, one) => sum + one, 0) };
}

/** Seconds from where its session is open to its end, and what happened between controller and backend meanwhile. */
async function run({ python, folder, trace }, name, experiment) {
  const { runExperiment } = await import("../../dist/index.js");
  let [from, to] = [0, 0];
  trace.clear();
  const out = join(folder, name);
  const { summary } = await runExperiment(experiment, {
    ...{ python, out },
    pythonPath: [join(ROOT, "bench", "checkpoint")],
    allowImport: experiment.dataset.reference === undefined ? [] : ["pictures"],
    observe: () => ({
      runStarted: () => {
        from = performance.now();
      },
      runEnded: () => {
        to = performance.now();
      },
    }),
  });
  if (summary.arms.some(({ failed }) => failed > 0)) throw new Error(`${name} failed: ${out}`);
  rmSync(out, { recursive: true });
  return { seconds: (to - from) / 1000, events: trace.events.filter(({ at }) => at >= from && at <= to) };
}

/** Of each save: bytes, and milliseconds of its parts; of each chunk, between two answers, with a save between and without. */
function measuresOf(events, batchesAnEpoch) {
  const of = (type) => events.filter((event) => event.type === type);
  const saves = of("save").filter(({ part }) => part === 0);
  const trains = of("train");
  const after = (save) => trains.find(({ at }) => at > save.at);
  const followed = saves.filter((save) => after(save) !== undefined && save.step % batchesAnEpoch !== 0);
  const gaps = trains.slice(1).map((train, at) => ({
    milliseconds: train.answeredAt - trains[at].answeredAt,
    // Asked for while the one before was under way: nothing else came between.
    isBehind: train.at < trains[at].answeredAt,
    hasSave: saves.some((save) => save.at > trains[at].at && save.at < train.at),
  }));
  const behind = gaps.filter(({ isBehind }) => isBehind);
  return {
    count: saves.length,
    bytes: saves[0].bytes,
    saveMilliseconds: saves.map((save) => save.answeredAt - save.at),
    writeMilliseconds: of("written").map((write) => write.answeredAt - write.at),
    enqueuedBefore: followed.filter((save) => after(save).at < save.answeredAt).length,
    followed: followed.length,
    toNextMilliseconds: followed.map((save) => after(save).at - save.at),
    withSave: behind.filter(({ hasSave }) => hasSave).map(({ milliseconds }) => milliseconds),
    withoutSave: behind.filter(({ hasSave }) => !hasSave).map(({ milliseconds }) => milliseconds),
  };
}
