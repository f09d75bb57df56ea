// `npm run cuda`, and ./check-gpu of a packed archive: what a first look at a GPU must answer. `--help` has its options.
import fs from "node:fs";
import { join } from "node:path";
import { help, readOptions } from "./cuda/options.mjs";
import { barRows, pageText, verdictOf } from "./cuda/page.mjs";
import { partsOf, runsOf } from "./cuda/parts.mjs";
import { SetupError } from "./setup/failures.mjs";
import { ROOT } from "./setup/site.mjs";
import { runTool } from "./setup/tools.mjs";
import { orExit, setUp } from "./setup.mjs";

const PACKED = join(ROOT, "packed.json");
const packed = fs.existsSync(PACKED) ? JSON.parse(fs.readFileSync(PACKED, "utf8")) : undefined;

await orExit(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(help(packed ? "./check-gpu" : "npm run cuda --"));
  else process.exitCode = await check(options);
});

async function check(options) {
  for (const path of [options.out, runsOf(options.out)]) refuseExisting(path);
  const programs = await findPrograms(options);
  for (const path of [options.out, runsOf(options.out)]) fs.mkdirSync(path, { recursive: true });
  const parts = [];
  for (const part of partsOf(options, programs, ROOT)) parts.push(await runPart(part, options.out));
  const [float32, bfloat16, equalBits] = ["float32", "bfloat16", "equal-bits"].map((name) => readBench(options, name));
  const benches = { float32, bfloat16, equalBits };
  const isGpu = options.device !== "cpu";
  const page = join(options.out, "page.md");
  fs.writeFileSync(page, `${pageText({ parts, benches, isGpu, ...(await surroundings()) })}\n`);
  for (const { what, measured, expected, verdict } of barRows(benches, isGpu)) {
    say(`${verdict.padEnd(11)} ${what}: ${measured} (${expected})`);
  }
  say(page);
  say(
    ["passed", "failed", "out of time", "not run"].map((verdict) => `${count(parts, verdict)} ${verdict}`).join(", "),
  );
  return parts.every(({ verdict }) => verdict === "passed" || verdict === "not run") ? 0 : 1;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function count(parts, verdict) {
  return parts.filter((part) => part.verdict === verdict).length;
}

function refuseExisting(path) {
  if (fs.existsSync(path)) throw new SetupError(`${path} is there. Expected: a new folder. Name one with --out.`, 2);
}

/** Words that start the command, and Python with what it needs: in a clone from set-up, in an archive its own. */
async function findPrograms({ python }) {
  if (packed) return { ibatch: [join(ROOT, "ibatch")], python: [join(ROOT, "python")] };
  const made = await setUp({ python, dev: true });
  process.env.IBATCH_PYTHON = made.python;
  return { ibatch: [process.execPath, join(ROOT, "dist", "cli", "main.js")], python: [made.python] };
}

/** All that it says goes into a file; a line on standard output says how it ended. */
async function runPart(part, out) {
  const start = performance.now();
  const [program, ...args] = part.command;
  const result = part.skipped
    ? { output: "" }
    : await runTool(program, args, { cwd: part.cwd, timeout: part.limit * 1000 });
  const seconds = (performance.now() - start) / 1000;
  const { verdict, why } = verdictOf({ ...part, result });
  if (!part.skipped) fs.writeFileSync(join(out, `${part.name}.txt`), `$ ${part.command.join(" ")}\n${result.output}`);
  say(`${verdict.padEnd(11)} ${part.name}, ${seconds.toFixed(0)} s${why && `: ${why}`}`);
  return { name: part.name, verdict, why, seconds, output: result.output };
}

function readBench({ out }, name) {
  try {
    return JSON.parse(fs.readFileSync(join(out, `bench-${name}.json`), "utf8"));
  } catch {
    return undefined;
  }
}

async function surroundings() {
  const command = [packed ? "./check-gpu" : "npm run cuda --", ...process.argv.slice(2)].join(" ");
  const date = new Date().toISOString().slice(0, 10);
  if (packed) return { command, date, commit: packed.commit };
  const { code, output } = await runTool("git", ["-C", ROOT, "rev-parse", "HEAD"]);
  return { command, date, commit: code === 0 ? output.trim() : undefined };
}
