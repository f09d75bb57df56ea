// Makes a clone ready to run: npm packages, dist/, a Python with PyTorch. Quick, and silent, where it is ready already.
//   node scripts/setup.mjs [--python PATH] [--dev] [--quiet]
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { buildDist } from "./setup/build.mjs";
import { checkEnvironment } from "./setup/environment.mjs";
import { SetupError } from "./setup/failures.mjs";
import { installNpmPackages } from "./setup/npm.mjs";
import { oldNode, toolFailure, wrongArguments } from "./setup/sentences.mjs";
import { createSite } from "./setup/site.mjs";
import { makeVenv } from "./setup/venv.mjs";

/**
 * Gives back `{ python }`, the absolute path of the interpreter to use. `python` names an environment that a team has
 * already (as IBATCH_PYTHON does): it is checked, and nothing is installed into it. `dev` adds what tests and checks need. Without `needsPython`,
 * one that is named alone is checked, and none is made.
 */
export async function setUp({ python, dev = false, build = true, needsPython = true, ...surroundings } = {}) {
  const site = createSite(surroundings);
  try {
    checkNode(process.versions.node);
    await installNpmPackages(site);
    if (build) await buildDist(site);
    const given = givenPython(python, site.env);
    if (!given && !needsPython) return { python: undefined };
    return { python: given ? await checkEnvironment(site, given, dev) : await makeVenv(site, dev) };
  } catch (error) {
    throw isOfTheSystem(error) ? toolFailure("set-up", { code: null, output: error.message }, site) : error;
  }
}

/** For scripts: a failure of `work` is said in one line and ends the process, after `beforeExit`. */
export async function orExit(work, beforeExit = () => {}) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`set-up: ${error.message}`);
    beforeExit();
    process.exit(error.exitCode);
  }
}

export function checkNode(version) {
  const [major, minor] = version.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw oldNode(version);
}

/** Takes `--python PATH` or `--python=PATH` from anywhere in the arguments: `{ python, rest }`. */
export function takePython(args) {
  const at = args.findIndex((arg) => arg === "--python" || arg.startsWith("--python="));
  if (at < 0) return { python: undefined, rest: args };
  const joined = args[at].startsWith("--python=");
  const python = joined ? args[at].slice("--python=".length) : args[at + 1];
  if (!python) throw wrongArguments("--python names nothing", "--python PATH");
  return { python, rest: args.filter((_, i) => i < at || i > (joined ? at : at + 1)) };
}

/** Whether this file was started, and not imported. */
export function isMain(url) {
  return fs.existsSync(process.argv[1] ?? "") && fs.realpathSync(process.argv[1]) === fileURLToPath(url);
}

function givenPython(python, env) {
  if (python) return { source: "--python", path: python };
  return env.IBATCH_PYTHON ? { source: "IBATCH_PYTHON", path: env.IBATCH_PYTHON } : null;
}

/** What Node's own file functions throw: a full disk, a folder that may not be written. */
function isOfTheSystem(error) {
  return !(error instanceof SetupError) && error.code !== undefined && error.syscall !== undefined;
}

function readArguments(args) {
  const { python, rest } = takePython(args);
  const unknown = rest.find((arg) => arg !== "--dev" && arg !== "--quiet");
  if (unknown) throw wrongArguments(`unknown argument ${unknown}`, "[--python PATH] [--dev] [--quiet]");
  return { python, dev: rest.includes("--dev"), quiet: rest.includes("--quiet") };
}

if (isMain(import.meta.url)) await orExit(() => setUp(readArguments(process.argv.slice(2))));
