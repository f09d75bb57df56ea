// Whether what is fast trains as well: configs/precision.yaml, on a GPU with and without `backend.fast`, and two one-sided t tests.
//   npm run bench -- equivalence --data DIR [--device cuda:0] [--out DIR] [--set a.b=c]… [--write]
// What is complete in --out (runs/equivalence) is kept: the same command goes on. --write makes docs/results/equivalence.md.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { toldInALine } from "../told.mjs";
import { pageOf, pairingsOf, tableOf, trainingsOf } from "./report.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TF32 = ["arms.tf32={ order: shuffled, precision: tf32 }", "comparisons=[bfloat16, tf32]"];

export const main = (python, args) => toldInALine(() => compareAll(python, args));

async function compareAll(python, args) {
  const options = readOptions(args);
  const started = performance.now();
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  const running = { ...options, python, signal: stopping.signal };
  const isGpu = options.device !== "cpu";
  const trained = [];
  let config;
  for (const fast of isGpu ? [true, false] : [true]) {
    const made = await train(fast, running);
    config = made.config;
    trained.push(...trainingsOf(made.summary, fast));
  }
  const margin = config.equivalenceMargin;
  const { computeStatistics } = await import("../../dist/results/statistics.js");
  const request = { samples: [], comparisons: pairingsOf(trained, margin) };
  const { comparisons } = await computeStatistics(request, running);
  console.log(`\n${tableOf(comparisons, margin)}`);
  if (!options.write) return;
  const found = { trained, comparisons, margin };
  const page = pageOf(found, {
    root: ROOT,
    ...saidOf(options),
    ...(await machineOf(running)),
    seconds: secondsSince(started),
  });
  writeFileSync(join(ROOT, "docs", "results", "equivalence.md"), page);
}

const secondsSince = (started) => (performance.now() - started) / 1000;

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: "string" },
      device: { type: "string", default: "cpu" },
      out: { type: "string", default: join(ROOT, "runs", "equivalence") },
      set: { type: "string", multiple: true, default: [] },
      write: { type: "boolean", default: false },
    },
  });
  return { ...values, data: values.data && resolve(values.data), out: resolve(values.out) };
}

const saidOf = ({ device, set }) => ({
  command: [
    "npm run bench -- equivalence --data DIR",
    `--device ${device}`,
    ...set.map((one) => `--set '${one}'`),
    "--write",
  ].join(" "),
});

/** As `ibatch run` does it, or goes on with it. */
async function train(fast, { device, set, out, data, python, signal }) {
  const { ConfigSource } = await import("../../dist/config/config-source.js");
  const { launch } = await import("../../dist/launch/launch.js");
  const said = device === "cpu" ? set : [...TF32, `backend.fast=${fast}`, ...set];
  const settings = [`backend.device=${device}`, ...said].map((assignment) => ({ said: assignment, assignment }));
  const source = ConfigSource.read(join(ROOT, "configs", "precision.yaml"), settings);
  const directory = join(out, fast ? "fast" : "plain");
  let config;
  const { summary, stoppedBy } = await launch(source, {
    ...{ data, python, signal, out: directory, command: "npm run bench -- equivalence" },
    onChecked: (checked) => {
      config = checked;
    },
    onWarning: (line) => console.log(line),
    observe: () => ({
      runEnded: ({ arm, seed }, { state }) =>
        console.log(`${fast ? "" : "fast: false, "}${arm}, seed ${seed}: ${state}`),
    }),
  });
  if (stoppedBy !== undefined) throw stoppedBy;
  return { summary, config };
}

/** Of the backend, as it says of itself. */
async function machineOf({ python, device, signal }) {
  const { openChosenBackend } = await import("../../dist/launch/chosen-backend.js");
  const backend = await openChosenBackend({ python, device }, { signal });
  try {
    const { deviceName, versions } = backend.client.introduction;
    return { device: backend.client.introduction.device, deviceName, torch: versions.torch };
  } finally {
    await backend.stop();
  }
}
