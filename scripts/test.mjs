// `npm test`: sets up, then runs the tests of both languages. Its last line is `N passed, N failed`.
//   npm test [-- [ts | python] [arguments for that runner]] [--python PATH]
import { spawn } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { countPytest, countVitest, judge, summary } from "./reports.mjs";
import { wrongArguments } from "./setup/sentences.mjs";
import { ROOT } from "./setup/site.mjs";
import { readStamp } from "./setup/stamps.mjs";
import { orExit, setUp, takePython } from "./setup.mjs";

const RUNNERS = {
  ts: {
    report: ".setup/vitest.json",
    count: countVitest,
    command: (_python, report) => [
      process.execPath,
      ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    ],
  },
  python: {
    report: ".setup/pytest.xml",
    count: countPytest,
    command: (python, report) => [python, ["-m", "pytest", `--junitxml=${report}`]],
  },
};

const NOTHING_RAN = [{ passed: 0, failed: 1, skipped: 0 }];

const { python, languages, rest } = await orExit(prepare, () => console.log(summary(NOTHING_RAN)));
// Side by side, for each keeps one core busy; what the second one says is shown when both are done.
const results = await Promise.all(
  languages.map((language, at) => runTests(RUNNERS[language], { python, rest, shownAtOnce: at === 0 })),
);
for (const { output } of results) process.stdout.write(output);
console.log(summary(results));
process.exitCode = results.some(({ failed }) => failed > 0) ? 1 : 0;

async function prepare() {
  const { python: given, rest } = takePython(process.argv.slice(2));
  const [language, ...more] = rest;
  if (language && !RUNNERS[language])
    throw wrongArguments(`no tests are called ${language}`, Object.keys(RUNNERS).join(" or "));
  const { python } = await setUp({ python: given, dev: true });
  return { python, languages: language ? [language] : Object.keys(RUNNERS), rest: more };
}

async function runTests({ report, count, command }, { python, rest, shownAtOnce }) {
  const path = join(ROOT, report);
  fs.rmSync(path, { force: true }); // an old report must not speak for a runner that crashed
  const [program, args] = command(python, report);
  const env = { ...process.env, IBATCH_PYTHON: python, OMP_NUM_THREADS: "1" };
  const { exitCode, output } = await run(program, [...args, ...rest], { env, shownAtOnce });
  return { ...judge(count(readStamp(path)), exitCode), output };
}

function run(command, args, { env, shownAtOnce }) {
  return new Promise((resolve) => {
    const to = shownAtOnce ? "inherit" : "pipe";
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ["inherit", to, to] });
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
