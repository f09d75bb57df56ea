// What a run directory holds that nothing may change, and what differs between two of them.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Tells of time, or of attempts. */
const OF_THE_ATTEMPT = /(^|\/)(timings\.jsonl|SHA256SUMS|log\.txt|report\.html|summary\.json|experiment\.json)$/;

/** Path → a hash of what must be equal of that file. */
export function recordedIn(out) {
  const paths = filesBelow(out).filter((path) => !OF_THE_ATTEMPT.test(path));
  return new Map(paths.sort().map((path) => [path, sha256(lasting(path, readFileSync(join(out, path))))]));
}

/** Lines that say what is not as in the other one. */
export function differencesFrom(expected, out) {
  const seen = recordedIn(out);
  const missing = [...expected.keys()].filter((path) => !seen.has(path));
  const more = [...seen.keys()].filter((path) => !expected.has(path));
  const changed = [...expected].filter(([path, hash]) => seen.has(path) && seen.get(path) !== hash);
  return [
    ...missing.map((path) => `${path} is missing`),
    ...more.map((path) => `${path} is not in the undisturbed run`),
    ...changed.map(([path]) => `${path} differs`),
    ...filesBelow(out)
      .filter((path) => basename(path) === "SHA256SUMS")
      .flatMap((path) => wrongChecksums(out, path)),
  ];
}

/** The parts of a document that are not of an attempt; other files as they are. Git may not answer one on a full disk. */
function lasting(path, bytes) {
  if (basename(path) === "run.json") {
    const {
      startedAt: _startedAt,
      resumed: _resumed,
      sideBySide: _beside,
      commit: _commit,
      ...rest
    } = JSON.parse(bytes.toString());
    return JSON.stringify(rest);
  }
  if (basename(path) === "manifest.json") {
    const { arm, seed, step, state, files, records } = JSON.parse(bytes.toString());
    return JSON.stringify({ arm, seed, step, state, files, metrics: records["metrics.jsonl"] });
  }
  return bytes;
}

/**
 * Lines that say which runs have on record that they went on elsewhere than was `said`: arm → steps. Not `isWhole`: a
 * controller may have been killed between the two, or went on before; of each run that is done the last one is known yet.
 */
export function wronglyResumed(out, said, isWhole) {
  const known = (steps) => (isWhole ? steps : steps.slice(-1));
  return [...said].flatMap(([arm, steps]) => {
    const recorded = resumedIn(out, arm);
    if (`${known(recorded)}` === `${known(steps)}`) return [];
    return [`${arm} went on from steps [${steps}], and [${recorded}] are on record`];
  });
}

/** The steps that a run has gone on from, as it is recorded. */
export function resumedIn(out, arm) {
  const { resumed = [] } = JSON.parse(readFileSync(join(out, arm, "seed-0", "run.json"), "utf8"));
  return resumed.map(({ step }) => step);
}

/** A run's own list of its files holds. */
function wrongChecksums(out, path) {
  const run = dirname(join(out, path));
  const lines = readFileSync(join(out, path), "utf8").split("\n");
  const listed = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return listed.flatMap((line) => {
    const [expected, name] = line.split("  ");
    const isRight = existsSync(join(run, name)) && sha256(readFileSync(join(run, name))) === expected;
    return isRight ? [] : [`${path}: ${name} is not as listed`];
  });
}

export const filesBelow = (directory) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
