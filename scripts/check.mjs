// `npm run check`: sets up, then has every linter and type checker say a line, with its output where it failed.
import { join } from "node:path";
import { wrongArguments } from "./setup/sentences.mjs";
import { ROOT } from "./setup/site.mjs";
import { runTool } from "./setup/tools.mjs";
import { orExit, setUp, takePython } from "./setup.mjs";

const { python } = await orExit(prepare);

const node = (path, ...args) => [process.execPath, [join(ROOT, "node_modules", path), ...args]];
const PYTHON_SOURCES = [
  "py_backend",
  "py_bench",
  "py_ray",
  "py_report",
  "py_validate",
  "scripts/pack",
  "test/conftest.py",
  "test/cuda",
  "test/python",
  "test/references",
  "test/warm-python",
  "test/nightly",
  "examples",
];

const CHECKS = {
  biome: node("@biomejs/biome/bin/biome", "check", "--colors=off", "."),
  tsc: node("typescript/bin/tsc", "--noEmit", "-p", "tsconfig.json"),
  "ruff check": [python, ["-m", "ruff", "check", ...PYTHON_SOURCES]],
  "ruff format": [python, ["-m", "ruff", "format", "--check", ...PYTHON_SOURCES]],
  mypy: [python, ["-m", "mypy"]],
};

for (const [name, [command, args]] of Object.entries(CHECKS)) {
  const { code, errno, output } = await runTool(command, args, { cwd: ROOT });
  console.log(code === 0 ? `${name}: ok` : `${name}: failed (${errno ?? `exit code ${code}`})\n${output}`);
  if (code !== 0) process.exitCode = 1;
}

function prepare() {
  const { python, rest } = takePython(process.argv.slice(2));
  if (rest.length > 0) throw wrongArguments(`unknown argument ${rest[0]}`, "[--python PATH]");
  return setUp({ python, dev: true, build: false });
}
