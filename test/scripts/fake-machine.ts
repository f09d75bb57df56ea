// A clone in a temporary folder and the tools of a machine, all fake: no test here needs a network or takes long.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { SetupError } from "../../scripts/setup/failures.mjs";
import { runTool } from "../../scripts/setup/tools.mjs";
import { setUp } from "../../scripts/setup.mjs";

type SetupOptions = NonNullable<Parameters<typeof setUp>[0]>;

export interface FakeMachine {
  root: string;
  env: Record<string, string>;
  /** What set-up said, and the command lines of the tools it started. */
  said: string[];
  started: string[];
  setUp: (options?: SetupOptions) => Promise<{ python: string }>;
  write: (path: string, text: string, mode?: number) => string;
  addTool: (name: string, script: string) => string;
}

export interface FakePython {
  version?: string;
  hasVenv?: boolean;
  venv?: string;
  pip?: string;
  pipVersion?: string;
  ensurepip?: string;
  look?: Record<string, { version?: string; fault?: string }>;
  folders?: string[];
}

/** The folder's name has spaces, so that every test is also one of quoting. */
export function fakeMachine(): FakeMachine {
  const base = mkdtempSync(join(tmpdir(), "ibatch set-up "));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const root = join(base, "a clone");
  const tools = join(base, "tools");
  const env: Record<string, string> = { PATH: tools, HOME: base };
  const said: string[] = [];
  const started: string[] = [];
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
    return join(root, path);
  };
  const addTool = (name: string, script: string) => {
    mkdirSync(join(tools, name, ".."), { recursive: true });
    writeFileSync(join(tools, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`, { mode: 0o755 });
    return join(tools, name);
  };
  const count: typeof runTool = (command, args, options) => {
    started.push([command, ...args].join(" "));
    return runTool(command, args, options);
  };
  const say = (text: string) => void said.push(text);
  writeClone(write);
  return {
    ...{ root, env, said, started, write, addTool },
    setUp: (options) => setUp({ root, env, say, run: count, ...options }),
  };
}

/** With an npm and a Python that do what is asked of them. */
export function goodMachine(): FakeMachine {
  const machine = fakeMachine();
  machine.addTool("npm", fakeNpm());
  machine.addTool("python3", fakePython());
  return machine;
}

/** The line with which set-up refused. */
export async function failure(work: Promise<unknown>, exitCode = 4): Promise<string> {
  const error = await work.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(SetupError);
  expect(error.exitCode).toBe(exitCode);
  return error.message;
}

/** The real scripts in the fake clone, for those that are started and not imported. */
export function copyScripts(machine: FakeMachine): void {
  cpSync(join(import.meta.dirname, "..", "..", "scripts"), join(machine.root, "scripts"), { recursive: true });
}

function writeClone(write: FakeMachine["write"]): void {
  write("package.json", "{}");
  write("package-lock.json", "{}");
  write("tsconfig.json", "{}");
  write("tsconfig.build.json", "{}");
  write("requirements-backend.txt", "torch\n");
  write("requirements.txt", "-r requirements-backend.txt\nscipy\n");
  write("requirements-dev.txt", "-r requirements.txt\npytest\n");
  write("src/cli/main.ts", "process.exitCode = 0;\n");
  write("assembly/index.ts", "");
}

/** `ci` puts a tsc in place that copies, an asc that writes an empty file, and a vitest that writes the report it finds in the environment. */
export function fakeNpm(): string {
  return `
rm -rf node_modules
mkdir -p node_modules/typescript/bin node_modules/assemblyscript/bin node_modules/vitest
cat > node_modules/typescript/bin/tsc <<'END'
${FAKE_TSC}
END
cat > node_modules/assemblyscript/bin/asc.js <<'END'
${FAKE_ASC}
END
cat > node_modules/vitest/vitest.mjs <<'END'
${FAKE_VITEST}
END`;
}

const FAKE_TSC = `
const fs = require("node:fs");
const path = require("node:path");
for (const name of fs.readdirSync("src", { recursive: true })) {
  if (!name.endsWith(".ts")) continue;
  const source = fs.readFileSync(path.join("src", name), "utf8");
  if (source.includes("not typescript")) {
    console.log("src/" + name + "(1,1): error TS1434: Unexpected keyword or identifier.");
    process.exit(2);
  }
  const target = path.join("dist", name.replace(/ts$/, "js"));
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, source);
}`;

const FAKE_ASC = `require("node:fs").writeFileSync(process.argv.at(-1), "");`;

const FAKE_VITEST = `
import fs from "node:fs";
const report = process.argv.find((arg) => arg.startsWith("--outputFile.json=")).split("=")[1];
if (process.env.FAKE_VITEST) fs.writeFileSync(report, process.env.FAKE_VITEST);
process.exitCode = Number(process.env.FAKE_VITEST_CODE ?? 0);`;

/** A shell script that answers as a Python would to what set-up and the test script ask of one. */
export function fakePython(python: FakePython = {}): string {
  const { version = "3.11.7", hasVenv = true, look = {}, folders = [] } = python;
  const report = JSON.stringify({ version, modules: look, folders });
  return `
case "$*" in
  *ibatch-look*) echo 'ibatch-look ${report}' ;;
  *"-m venv "*) ${python.venv ?? FAKE_VENV} ;;
  *"-m pip --version"*) ${python.pipVersion ?? "true"} ;;
  *"-m pip install"*) ${python.pip ?? "true"} ;;
  *"-m ensurepip"*) ${python.ensurepip ?? "false"} ;;
  *"-m pytest"*)
    report="\${*##*--junitxml=}"
    [ -n "$FAKE_PYTEST" ] && printf %s "$FAKE_PYTEST" > "\${report%% *}"; exit "\${FAKE_PYTEST_CODE:-0}" ;;
  *"-c "*) echo "python ${version} ${hasVenv ? "True" : "False"}" ;;
  *) echo "not expected: $*"; exit 9 ;;
esac`;
}

const FAKE_VENV = `mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo "version = 3.11.7" > "$3/pyvenv.cfg"`;

/** A tool that prints this and fails. */
export function fails(output: string, code = 1): string {
  return `cat <<'END'\n${output}\nEND\nexit ${code}`;
}
