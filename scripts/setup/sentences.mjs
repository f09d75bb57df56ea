// Every way set-up can fail, as one line each: what was seen, what was expected, what to do.
import fs from "node:fs";
import os from "node:os";
import { classifyFailure, nothingCameThrough, SetupError } from "./failures.mjs";

const RANGE = "Python 3.10 to 3.13";
const OWN = "name your own with --python PATH or IBATCH_PYTHON";

// A Node that is too old.
export function oldNode(version) {
  return new SetupError(`Node ${version} is too old. Expected: Node 20.19 or newer. Install it and run this again.`);
}

// No candidate on the PATH runs.
export function noPython(candidates) {
  return new SetupError(`no Python found (looked for ${candidates}). Expected: ${RANGE}. Install one, or ${OWN}.`);
}

// Pythons run, none of them in the range. `seen` is like "3.9.18 (python3)".
export function noFittingPython(seen) {
  return new SetupError(`found only Python ${seen.join(", ")}. Expected: ${RANGE}. Install one, or ${OWN}.`);
}

// A fitting Python lacks venv or ensurepip, as Debian's does without its package.
export function noVenv({ command, version }) {
  const [major, minor] = version.split(".");
  return new SetupError(
    `Python ${version} (${command}) has no venv module, or one without ensurepip. Expected: both. ` +
      `Install them (Debian, Ubuntu: apt install python${major}.${minor}-venv) and run this again, or ${OWN}.`,
  );
}

// .venv is there and works, but with a Python outside the range. Not deleted: somebody may have put work into it.
export function wrongVenv(folder, version) {
  return new SetupError(
    `${folder} has Python ${version}. Expected: ${RANGE}. Delete that folder and run this again, or ${OWN}.`,
  );
}

// --python or IBATCH_PYTHON names nothing.
export function noEnvironment(source, path) {
  return new SetupError(
    `${source} names ${path}, which is not there. Expected: a Python, or the folder of an environment.`,
  );
}

// It is there and does not answer.
export function brokenEnvironment(path, result) {
  const why = result.errno ?? result.signal ?? `exit code ${result.code}`;
  const { evidence } = classifyFailure(result.output);
  return new SetupError(
    `${path} does not run as a Python (${why}: ${evidence}). Expected: ${RANGE}. Name another with --python PATH.`,
  );
}

// It runs and is not fit: a list of what is wrong, and the command that would mend it.
export function unfitEnvironment(path, version, faults, requirements) {
  const mend = requirements.map((name) => (/[<>=]/.test(name) ? `"${name}"` : name)).join(" ");
  return new SetupError(
    `${path} (Python ${version}): ${faults.join("; ")}. Nothing was installed into it. ` +
      `To mend it, run: ${quote(path)} -m pip install ${mend}`,
  );
}

// It runs, and its Python is outside the range.
export function wrongEnvironment(path, version) {
  return new SetupError(`${path} is Python ${version}. Expected: ${RANGE}. Name another with --python PATH.`);
}

// Our own sources do not compile.
export function compileFailure(output, log) {
  const errors = output.split(/\r?\n/).filter((line) => /error TS\d+/.test(line));
  const first = errors[0] ?? output.trim().split("\n")[0];
  return new SetupError(`tsc found ${errors.length || "some"} error(s), the first: ${first} All of them: ${log}`, 1);
}

// Another set-up holds the lock for too long.
export function locked(path, holder) {
  return new SetupError(
    `process ${holder} has been setting up for an hour. Expected: it ends. If it is none of ours, delete ${path}.`,
  );
}

// Arguments nobody knows.
export function wrongArguments(seen, expected) {
  return new SetupError(`${seen}. Expected: ${expected}.`, 2);
}

/** A tool ran and failed. `result` is what runTool gave; `log` is where all its output is. */
export function toolFailure(tool, result, { root, log }) {
  const { kind, evidence } = classifyFailure(result.output);
  const sentence = TOOL_SENTENCES[endedEarly(result) ?? kind];
  const where = fs.existsSync(log) ? ` All that ${tool} said: ${log}` : "";
  return new SetupError(`${sentence({ tool, evidence, root, result })}${where}`);
}

function endedEarly({ errno, signal, output }) {
  if (errno) return "absent";
  return signal && !nothingCameThrough(output) ? "killed" : null;
}

const TOOL_SENTENCES = {
  absent: ({ tool, result }) =>
    `${tool} could not be started (${result.errno}). Expected: ${tool} on the PATH. Install it and run this again.`,
  killed: ({ tool, result }) =>
    `${tool} was ended by ${result.signal}, as systems do when memory runs out. Expected: it ends by itself. Free some memory and run this again.`,
  disk: ({ tool, evidence, root }) =>
    `the disk is full for ${tool} (${evidence}): ${free(root)} free in ${root}, ${free(os.tmpdir())} in ${os.tmpdir()}. ` +
    "Expected: 2 GB for a CPU build of PyTorch, 8 GB for a CUDA build. Free some (or point TMPDIR at a larger disk) and run this again.",
  certificate: ({ tool, evidence }) =>
    `${tool} does not trust the certificate of its package registry (${evidence}). Expected: one it knows. ` +
    `Behind a company's proxy, tell ${tool} that proxy's certificate and run this again.`,
  network: ({ tool, evidence }) =>
    `no network for ${tool}: it could not reach its package registry (${evidence}). Expected: a connection, or the ` +
    `proxy or mirror of this network in ${tool}'s settings. Check it and run this again.`,
  lock: () =>
    "package-lock.json does not fit package.json. Expected: both from one npm install. " +
    "Check out both files again, or run npm install and keep what it writes.",
  version: ({ tool, evidence }) =>
    `${tool} finds no build of a package for this machine, ${process.platform} ${process.arch} (${evidence}). ` +
    `Expected: the versions in the requirements. Try another Python of 3.10 to 3.13, or ${OWN}.`,
  permission: ({ tool, evidence, root }) =>
    `${tool} may not write where it must (${evidence}). Expected: a folder of your own at ${root}. Get the right to write there and run this again.`,
  venv: ({ evidence }) =>
    `this Python cannot make an environment (${evidence}). Expected: the modules venv and ensurepip. ` +
    `Install them (Debian, Ubuntu: apt install python3-venv) and run this again, or ${OWN}.`,
  other: ({ tool, evidence, result }) =>
    `${tool} failed${result.code === null ? "" : ` with exit code ${result.code}`} (${evidence}). Expected: no error. ` +
    "Mend what it names and run this again.",
};

function free(folder) {
  try {
    const { bavail, bsize } = fs.statfsSync(folder);
    return `${((bavail * bsize) / 1e9).toFixed(1)} GB`;
  } catch {
    return "an unknown amount";
  }
}

function quote(path) {
  return /\s/.test(path) ? `"${path}"` : path;
}
