// Which Pythons are there, and whether one of them will do.
import { join } from "node:path";
import { noFittingPython, noPython, noVenv } from "./sentences.mjs";

const LEAST = 10;
const MOST = 13;

/** Is it a version like "3.11.7" within what torch and this project run on? */
export function isFitting(version) {
  const [major, minor] = version.split(".").map(Number);
  return major === 3 && minor >= LEAST && minor <= MOST;
}

/** Where an environment's folder has its interpreter. */
export function interpreterIn(folder) {
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

/** The first Python on the PATH that fits and can make environments, as `[command, ...args]`. */
export async function findPython(site) {
  const seen = [];
  for (const candidate of candidates()) {
    const found = await probe(site, candidate);
    if (found?.makesVenv && isFitting(found.version)) return candidate;
    if (found) seen.push({ ...found, command: candidate.join(" ") });
  }
  const fitting = seen.find(({ version }) => isFitting(version));
  if (fitting) throw noVenv(fitting);
  if (seen.length > 0) throw noFittingPython(seen.map(({ version, command }) => `${version} (${command})`));
  throw noPython(
    candidates()
      .map((candidate) => candidate.join(" "))
      .join(", "),
  );
}

/** `{ version, makesVenv }`, or null where the command does not run as a Python. */
export async function probe(site, [command, ...args]) {
  const { code, output } = await site.run(command, [...args, "-c", PROBE], { timeout: 30_000 });
  const found = code === 0 && output.match(/^python (\d+\.\d+\.\d+) (True|False)/m);
  return found ? { version: found[1], makesVenv: found[2] === "True" } : null;
}

// Must run on any Python that a machine may have, Python 2 too.
const PROBE = `
import sys
try:
    import ensurepip, venv
    makes_venv = True
except ImportError:
    makes_venv = False
sys.stdout.write("\\npython %d.%d.%d %s\\n" % (tuple(sys.version_info[:3]) + (makes_venv,)))
`;

function candidates() {
  const minors = Array.from({ length: MOST - LEAST + 1 }, (_, i) => `3.${MOST - i}`);
  if (process.platform === "win32") return [...minors.map((minor) => ["py", `-${minor}`]), ["python"]];
  return [...minors.map((minor) => [`python${minor}`]), ["python3"], ["python"]];
}
