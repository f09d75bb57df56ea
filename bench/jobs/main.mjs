// How much sooner an experiment ends with two jobs on two cores: the real command with one job and with two, in turn.
//   npm run bench -- jobs [--rounds 3] [--config configs/digits.yaml] [--jobs 2] [--out FILE]
// A full run writes docs/results/jobs.md.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { commitOf, machine, median, table } from "../report.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function main(python, args) {
  const options = readOptions(args);
  const load = os.loadavg()[0];
  const rounds = [];
  for (let round = 0; round < options.rounds; round++) rounds.push(measureRound(python, round, options));
  const made = tableOf(rounds, options);
  console.log(`\n${made}`);
  if (options.out !== undefined) writeFileSync(options.out, pageOf(made, { load, options }));
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      config: { type: "string" },
      jobs: { type: "string", default: "2" },
      out: { type: "string" },
    },
  });
  const isFull = values.rounds === undefined && values.config === undefined && values.jobs === "2";
  return {
    rounds: Number(values.rounds ?? 3),
    config: values.config ?? "configs/digits.yaml",
    jobs: Number(values.jobs),
    out: values.out ?? (isFull ? join(ROOT, "docs", "results", "jobs.md") : undefined),
  };
}

/** Seconds with one job and with several, which comes first in turn. */
function measureRound(python, round, { config, jobs }) {
  const ways = round % 2 === 0 ? [1, jobs] : [jobs, 1];
  const seconds = new Map(ways.map((way) => [way, secondsOf(python, config, way)]));
  const measured = { alone: seconds.get(1), together: seconds.get(jobs) };
  console.log(
    `round ${round + 1}: ${measured.alone.toFixed(1)} s with 1 job, ${measured.together.toFixed(1)} s with ${jobs}`,
  );
  return measured;
}

/** Of the whole command, its start and its report among it. One thread a backend: as many cores are used as there are jobs. */
function secondsOf(python, config, jobs) {
  const folder = mkdtempSync(join(tmpdir(), "ibb-"));
  try {
    const command = [
      "dist/cli/main.js",
      "run",
      config,
      "--out",
      join(folder, "out"),
      "--quiet",
      "--jobs",
      String(jobs),
    ];
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [...command, "--set", "backend.threads=1"], {
      cwd: ROOT,
      env: { ...process.env, IBATCH_PYTHON: python },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`ibatch run ended with ${status}: ${stderr}`);
    return (performance.now() - started) / 1000;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tableOf(rounds, { jobs }) {
  const row = (name, { alone, together }) => [
    name,
    alone.toFixed(1),
    together.toFixed(1),
    (together / alone).toFixed(2),
  ];
  const medians = {
    alone: median(rounds.map((one) => one.alone)),
    together: median(rounds.map((one) => one.together)),
  };
  const ratio = median(rounds.map(({ alone, together }) => together / alone)).toFixed(2);
  return table(
    ["round", "1 job, s", `${jobs} jobs, s`, "ratio"],
    [...rounds.map((one, at) => row(`${at + 1}`, one)), [...row("median", medians).slice(0, 3), ratio]],
  );
}

function pageOf(made, { load, options }) {
  const { config, jobs, rounds } = options;
  return `# Jobs side by side

Made by \`npm run bench -- jobs\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commitOf(ROOT, "src", "py_backend", "bench")}. ${machine()}. Load average at its start: ${load.toFixed(1)}.

Seconds of \`ibatch run ${config} --set backend.threads=1\`, start, report and all, with \`--jobs 1\` and \`--jobs ${jobs}\`: ${rounds} rounds, which of the two comes first in turn.

${made}
`;
}
