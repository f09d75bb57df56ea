// `npm test`: sets up, then runs the tests of both languages. Its last line is `N passed, N failed`.
//   npm test [-- [ts | python | fast] [arguments for that runner]] [--python PATH]
import { spawn } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { giveWay } from "./give-way.mjs";
import { makeMemoryDirectory } from "./memory-directory.mjs";
import {
  allFailures,
  countPytest,
  countVitest,
  failuresOfPytest,
  failuresOfVitest,
  judge,
  retold,
  summary,
} from "./reports.mjs";
import { wrongArguments } from "./setup/sentences.mjs";
import { ROOT } from "./setup/site.mjs";
import { readStamp } from "./setup/stamps.mjs";
import { orExit, setUp, takePython } from "./setup.mjs";
import { shareOut } from "./shares.mjs";

const PYTHON_TESTS = ["test/python", "test/cuda"];
/** Of pytest side by side: its tests compute with one thread each. */
const PYTHON_PROCESSES = 2;
/** About how long files of Python tests take, side by side. */
const SECONDS = {
  "test_server.py": 80,
  "test_codec.py": 50,
  "test_references.py": 50,
  "test_evaluation.py": 45,
  "test_main.py": 45,
  "test_batch_norm.py": 40,
  "test_statistics.py": 30,
  "test_own_code.py": 25,
  "test_no_waiting.py": 25,
  "test_loops.py": 20,
  "test_parity.py": 20,
  "test_tensorboard_export.py": 20,
  "test_training.py": 20,
};
const SECONDS_OF_OTHERS = 4;

const VITEST = {
  count: countVitest,
  failures: failuresOfVitest,
  command: (_python, report) => [
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  ],
};
const RUNNERS = {
  ts: { ...VITEST, parts: vitestParts },
  python: {
    count: countPytest,
    failures: failuresOfPytest,
    parts: (rest) => pythonParts(rest).map((args, part) => ({ report: `.setup/pytest-${part}.xml`, args })),
    command: (python, report) => [python, ["-m", "pytest", `--junitxml=${report}`]],
  },
  /** Of `ts` what starts no backend. It needs no Python: what asks one for statistics is skipped where there is none. */
  fast: { ...VITEST, parts: (rest) => [{ report: ".setup/vitest.json", args: [...FAST, ...rest] }] },
};
const FAST = ["--project", "fast", "--project", "mocking"];
const ALL = ["ts", "python"];

/** They end the runners; this process goes on until those have ended, and leaves nothing. Ctrl-C reaches them by itself. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

const NOTHING_RAN = [{ passed: 0, failed: 1, skipped: 0 }];

const { python, languages, rest } = await orExit(prepare, () => console.log(summary(NOTHING_RAN)));
// Side by side, to leave no core idle; what others than the first say is shown when all are done.
const parts = languages.flatMap((language) =>
  RUNNERS[language].parts(rest).map((part) => ({ ...RUNNERS[language], ...part })),
);
const memory = makeMemoryDirectory();
const children = [];
for (const signal of SIGNALS) {
  process.on(signal, () => {
    if (signal !== "SIGINT") for (const child of children) child.kill(signal);
  });
}
const results = await Promise.all(parts.map((part, at) => runTests(part, { python, isFirst: at === 0 })));
for (const { output } of results) process.stdout.write(output);
// A log that is cut short keeps its end.
process.stdout.write(retold(results.flatMap(({ failures }) => failures)));
console.log(summary(results));
process.exitCode = results.some(({ failed }) => failed > 0) ? 1 : 0;

async function prepare() {
  const { python: given, rest } = takePython(process.argv.slice(2));
  const [language, ...more] = rest;
  if (language && !RUNNERS[language])
    throw wrongArguments(`no tests are called ${language}`, Object.keys(RUNNERS).join(" or "));
  const { python } = await setUp({ python: given, dev: true, needsPython: language !== "fast" });
  return { python, languages: language ? [language] : ALL, rest: more };
}

/** What starts processes, and all else beside it; or what was asked for. */
function vitestParts(rest) {
  if (rest.length > 0) return [{ report: ".setup/vitest.json", args: rest }];
  return [
    { report: ".setup/vitest-processes.json", args: ["--project", "processes"] },
    { report: ".setup/vitest.json", args: ["--project", "!processes"] },
  ];
}

/** Arguments of each process: its files, or what was asked for, which one process runs. */
function pythonParts(rest) {
  const files = PYTHON_TESTS.filter((folder) => fs.existsSync(join(ROOT, folder))).flatMap((folder) =>
    fs.readdirSync(join(ROOT, folder), { recursive: true }).map((path) => join(folder, path)),
  );
  const weighed = files
    .filter((path) => /^test_.*\.py$/.test(basename(path)))
    .map((path) => [path, SECONDS[basename(path)] ?? SECONDS_OF_OTHERS]);
  return rest.length > 0 || weighed.length === 0 ? [rest] : shareOut(weighed, PYTHON_PROCESSES);
}

async function runTests({ report, args: asked, count, failures, command }, { python, isFirst }) {
  const path = join(ROOT, report);
  fs.rmSync(path, { force: true }); // an old report must not speak for a runner that crashed
  const [program, args] = command(python, report);
  const env = { ...process.env, IBATCH_PYTHON: python, OMP_NUM_THREADS: "1", TMPDIR: memory ?? tmpdir() };
  const { exitCode, output } = await run(program, [...args, ...asked], { env, isFirst });
  const said = readStamp(path);
  const judged = judge(count(said), exitCode);
  return { ...judged, failures: allFailures(failures(said), { judged, exitCode, runner: args.join(" ") }), output };
}

function run(command, args, { env, isFirst }) {
  return new Promise((resolve) => {
    const to = isFirst ? "inherit" : "pipe";
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ["inherit", to, to] });
    // What runs one file after another, and so the longest, keeps a core to itself; the others share what is left.
    if (!isFirst && child.pid !== undefined) giveWay(child.pid);
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("error", () => resolve({ exitCode: null, output }));
    child.on("close", (exitCode) => resolve({ exitCode, output }));
  });
}
