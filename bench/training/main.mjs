// How fast training is on one thread of a CPU: ours beside loops in Python, what control costs, and how long commands start.
//   npm run bench -- training [--data DIR] [--rounds 5] [--only NAME,…] [--write]
// --write makes docs/results/speed.md of a run of all. bars.mjs has the cases and their bars.
import { writeFileSync } from "node:fs";
import os from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { wrongArguments } from "../../scripts/setup/sentences.mjs";
import { orExit } from "../../scripts/setup.mjs";
import { toldInALine } from "../told.mjs";
import { CONTROL, LOOPS, NAMES, STARTS } from "./bars.mjs";
import { controlRow, loopRow, pageOf, startRow, tableOf } from "./report.mjs";
import { startMilliseconds } from "./starts.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CONTROL_ROUNDS = 3;

export const main = (python, args) => toldInALine(() => measureAll(python, args));

async function measureAll(python, args) {
  const options = await orExit(() => readOptions(args));
  const [load, started] = [os.loadavg()[0], performance.now()];
  const rows = [];
  const add = (row) => {
    rows.push(row);
    console.log(`${row.join("  ")}\n`);
  };
  const isAsked = ({ name }) => options.only.includes(name);
  const stop = stopAtCtrlC();
  let torch;
  const measure = async (one) => {
    const { cases, machine } = await measured(one, { ...options, python, signal: stop.signal });
    torch = machine.versions.torch;
    return cases[0];
  };
  for (const one of LOOPS.filter(isAsked)) add(loopRow(one, await measure(one)));
  if (isAsked(CONTROL)) add(controlRow(CONTROL, await measure({ ...CONTROL, rounds: CONTROL_ROUNDS })));
  const starts = STARTS.filter(isAsked);
  for (const [at, milliseconds] of startMilliseconds(
    ROOT,
    starts.map((one) => one.args),
  ).entries()) {
    add(startRow(starts[at], milliseconds));
  }
  console.log(tableOf(rows));
  if (!options.write) return;
  const { rounds, data } = options;
  const seconds = (performance.now() - started) / 1000;
  const command = `npm run bench -- training${data === undefined ? "" : " --data DIR"} --write`;
  const page = pageOf(rows, { root: ROOT, command, seconds, load, rounds, torch, isRealData: data !== undefined });
  writeFileSync(join(ROOT, "docs", "results", "speed.md"), page);
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: "string" },
      rounds: { type: "string", default: "5" },
      only: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",") ?? NAMES;
  const unknown = only.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw wrongArguments(`--only ${unknown}`, NAMES.join(", "));
  if (values.write && values.only !== undefined)
    throw wrongArguments("--write with --only", "one of them: the page is of all cases");
  const data = values.data && resolve(values.data);
  return { data, rounds: Number(values.rounds), only, write: values.write };
}

/** As `ibatch bench` measures it. */
async function measured(
  { model, batchSize, samples, peer, workers = 0, rounds },
  { data, python, signal, ...options },
) {
  const { bench } = await import("../../dist/bench/bench.js");
  return await bench({
    ...{ models: [model], batchSizes: [batchSize], samples, against: peer === undefined ? [] : [peer], workers },
    ...{ device: "cpu", threads: 1, precision: "float32", augments: false, equalBits: false, data, python, signal },
    rounds: rounds ?? options.rounds,
    command: "npm run bench -- training",
    note: (line) => console.log(line),
    measured: () => {},
  });
}

/** What was started ends with it. */
function stopAtCtrlC() {
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  return stopping;
}
