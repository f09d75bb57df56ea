// An environment that a team already has: looked at, never changed.
import fs from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { interpreterIn, isFitting } from "./interpreter.mjs";
import { brokenEnvironment, noEnvironment, unfitEnvironment, wrongEnvironment } from "./sentences.mjs";
import { step } from "./site.mjs";
import { modified, readStamp, writeStamp } from "./stamps.mjs";

const LEAST_TORCH = "2.8";

// Module → what pip calls it.
const RUN_MODULES = {
  torch: `torch>=${LEAST_TORCH}`,
  numpy: "numpy",
  zmq: "pyzmq",
  msgspec: "msgspec",
  safetensors: "safetensors",
  sklearn: "scikit-learn",
  scipy: "scipy>=1.15",
};
const DEV_MODULES = { pytest: "pytest", hypothesis: "hypothesis", msgpack: "msgpack" };

/** Checks the environment that `source` (--python or IBATCH_PYTHON) names, and gives back its interpreter. */
export async function checkEnvironment(site, { source, path }, dev) {
  const python = findInterpreter(site, path);
  if (!python) throw noEnvironment(source, path);
  const modules = dev ? { ...RUN_MODULES, ...DEV_MODULES } : RUN_MODULES;
  const stamp = join(site.root, ".setup", "environment.json");
  const key = { python, modules, pythonPath: site.env.PYTHONPATH ?? "" };
  await step(
    site,
    `checking ${python}`,
    () => isUnchanged(readStamp(stamp), key),
    async () => {
      const report = await look(site, python, Object.keys(modules));
      judge(python, report, modules);
      writeStamp(stamp, JSON.stringify({ key, times: timesOf([python, ...report.folders]) }));
    },
  );
  return python;
}

/** From a file, an environment's folder, or a command on the PATH. Links stay: an environment's Python is one. */
function findInterpreter(site, path) {
  const isCommand = !/[\\/]/.test(path) && !fs.existsSync(path);
  const places = isCommand
    ? (site.env.PATH ?? "").split(delimiter).map((folder) => join(folder, path))
    : [resolve(path)];
  return places.flatMap((place) => [place, interpreterIn(place), join(place, "python.exe")]).find(isFile) ?? null;
}

function isFile(path) {
  return fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** What the environment's own Python says: its version, and for each module its version or why it does not import. */
async function look(site, python, modules) {
  const result = await site.run(python, ["-c", LOOK, ...modules]);
  const answer = result.code === 0 && result.output.match(/^ibatch-look (.*)$/m);
  if (!answer) throw brokenEnvironment(python, result);
  return JSON.parse(answer[1]);
}

const LOOK = `
from __future__ import print_function
import importlib, json, os, sys
report = {"version": "%d.%d.%d" % tuple(sys.version_info[:3]), "modules": {}, "folders": []}
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
    except Exception as error:
        missing = getattr(error, "name", None) == name
        report["modules"][name] = {"fault": "missing" if missing else "does not import: %s" % error}
    else:
        report["modules"][name] = {"version": str(getattr(module, "__version__", ""))}
        report["folders"].append(os.path.dirname(os.path.dirname(os.path.abspath(module.__file__))))
print("\\nibatch-look " + json.dumps(report))
`;

function judge(python, { version, modules }, names) {
  if (!isFitting(version)) throw wrongEnvironment(python, version);
  const unfit = Object.keys(names).filter((name) => faultOf(name, modules[name]));
  if (unfit.length === 0) return;
  const faults = unfit.map((name) => `${name} ${faultOf(name, modules[name])}`);
  throw unfitEnvironment(
    python,
    version,
    faults,
    unfit.map((name) => names[name]),
  );
}

function faultOf(name, { fault, version }) {
  if (fault) return fault.split("\n")[0];
  return name === "torch" && isOlder(version, LEAST_TORCH)
    ? `${version} is too old (${LEAST_TORCH} or newer expected)`
    : null;
}

function isOlder(version, least) {
  const [major, minor] = version.split(".").map(Number.parseFloat);
  const [leastMajor, leastMinor] = least.split(".").map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}

/** An installation into the environment changes the time of the folder that it goes into. */
function isUnchanged(stamp, key) {
  if (!stamp) return false;
  const seen = JSON.parse(stamp);
  const same = JSON.stringify(seen.key) === JSON.stringify(key);
  return same && Object.entries(seen.times).every(([path, time]) => modified(path) === time);
}

function timesOf(paths) {
  return Object.fromEntries(paths.map((path) => [path, modified(path)]));
}
