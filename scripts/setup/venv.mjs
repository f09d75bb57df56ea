// The project's own environment, .venv, with what the requirements pin.
import fs from "node:fs";
import { join } from "node:path";
import { findPython, interpreterIn, isFitting, probe } from "./interpreter.mjs";
import { toolFailure, wrongVenv } from "./sentences.mjs";
import { step } from "./site.mjs";
import { hashContents, readStamp, writeStamp } from "./stamps.mjs";

/** Makes, repairs or completes .venv where needed, and gives back its interpreter. */
export async function makeVenv(site, dev) {
  const folder = join(site.root, ".venv");
  const python = interpreterIn(folder);
  const stamp = join(folder, ".ibatch-stamp");
  await step(
    site,
    "installing Python packages into .venv (PyTorch is large)",
    () => fs.existsSync(python) && stampLines(site.root, dev).every((line) => readStamp(stamp)?.includes(line)),
    async () => {
      if (!(await isWhole(site, folder))) await createVenv(site, folder);
      await installRequirements(site, python, dev);
      writeStamp(stamp, stampLines(site.root, dev).join("\n")); // the last thing: a .venv with a stamp is whole
    },
  );
  return python;
}

/** What .venv holds, a line for each requirements file; pyvenv.cfg names the version of Python. */
function stampLines(root, dev) {
  const files = ["requirements-backend.txt", "requirements.txt", ...(dev ? ["requirements-dev.txt"] : [])];
  return files.map((name) => `${name} ${hashContents([join(root, name), join(root, ".venv", "pyvenv.cfg")])}`);
}

/** Whether an earlier run, or somebody's own hands, left a .venv that runs and has pip. Lacking just pip, it gets it. */
async function isWhole(site, folder) {
  if (!fs.existsSync(join(folder, "pyvenv.cfg"))) return false;
  const python = interpreterIn(folder);
  const found = await probe(site, [python]);
  if (!found) return false;
  if (!isFitting(found.version)) throw wrongVenv(folder, found.version);
  return (await succeeds(site, python, ["-m", "pip", "--version"])) || succeeds(site, python, ["-m", "ensurepip"]);
}

async function createVenv(site, folder) {
  const [command, ...args] = await findPython(site);
  fs.rmSync(folder, { recursive: true, force: true });
  const result = await site.run(command, [...args, "-m", "venv", folder]);
  if (result.code !== 0) throw toolFailure(`${command} -m venv`, result, site);
}

async function installRequirements(site, python, dev) {
  const quietly = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  const file = dev ? "requirements-dev.txt" : "requirements.txt";
  const result = await site.run(python, ["-m", "pip", "install", ...quietly, "-r", file]);
  if (result.code !== 0) throw toolFailure("pip", result, site);
}

async function succeeds(site, command, args) {
  const { code } = await site.run(command, args);
  return code === 0;
}
