// Node's own program, looked at before it goes to another machine.
import fs from "node:fs";
import { join } from "node:path";
import { SetupError } from "../setup/failures.mjs";

/** Of an ELF header: what uname, Node and pip call the processor. */
const MACHINES = { 62: { machine: "x86_64", arch: "x64" }, 183: { machine: "aarch64", arch: "arm64" } };
const FROM_NODEJS = "Name one of nodejs.org for Linux with --node PATH";

/** `{ path, machine, arch, runsHere }` of a Node that needs nothing else on another machine, as far as it can be asked here. */
export async function lookAtNode(path, run) {
  const seen = MACHINES[elfMachine(path)];
  if (!seen) throw new SetupError(`${path} is no program for Linux on x64 or arm64. Expected: a Node. ${FROM_NODEJS}.`);
  if (process.platform !== "linux" || process.arch !== seen.arch) return { path, ...seen, runsHere: false };
  const { code, output } = await run(path, ["-p", ASK]);
  const said = code === 0 && output.match(/^\[.*\]$/m);
  if (!said) throw new SetupError(`${path} does not run as a Node. Expected: one. ${FROM_NODEJS}.`);
  const shared = JSON.parse(said[0]);
  if (shared.length > 0) throw new SetupError(needsLibraries(path, shared));
  return { path, ...seen, runsHere: true };
}

const ASK =
  "JSON.stringify(Object.entries(process.config.variables)" +
  ".filter(([name, value]) => /^node_shared/.test(name) && (value === true || value === 'true')).map(([name]) => name))";

const needsLibraries = (path, shared) =>
  `${path} needs libraries of this machine (${shared.join(", ")}), as a distribution's own Node does. ` +
  `Expected: one that brings them. ${FROM_NODEJS}.`;

function elfMachine(path) {
  const header = Buffer.alloc(20);
  let file;
  try {
    file = fs.openSync(path);
    fs.readSync(file, header);
  } catch (error) {
    throw new SetupError(`${path} cannot be read (${error.code}). Expected: a Node. ${FROM_NODEJS}.`);
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
  return header.toString("latin1", 0, 4) === "\x7fELF" ? header.readUInt16LE(18) : undefined;
}

/** A copy without what only a debugger reads, an eighth of it, where there is a `strip` for it; else the file itself. */
export async function stripped({ path, runsHere }, folder, run) {
  const copy = join(folder, "node");
  if (!runsHere) return path;
  const { code } = await run("strip", ["-o", copy, path]);
  if (code !== 0) return path;
  return (await run(copy, ["-p", "1"])).code === 0 ? copy : path;
}
