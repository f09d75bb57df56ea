// The npm packages that `ibatch` needs where it runs, from node_modules as set-up installed it: no network is asked.
import fs from "node:fs";
import { join } from "node:path";
import { SetupError } from "../setup/failures.mjs";
import { filesUnder } from "../setup/stamps.mjs";

/** Files of node_modules, as `{ at, from | text }`, for Linux on this processor. */
export function filesOfModules(root, arch) {
  const lock = JSON.parse(fs.readFileSync(join(root, "package-lock.json"), "utf8"));
  const isThere = (path) => fs.existsSync(join(root, path));
  const files = productionPackages(lock, arch, isThere).flatMap((path) => ownFiles(root, path));
  const addon = addonFor(files, arch, (path) => glibcNeededBy(join(root, path)));
  const manifest = fs.readFileSync(join(root, MANIFEST), "utf8");
  return [
    ...files.filter((path) => isRun(path) && !isOfZeroMqsBuild(path)).map((at) => ({ at, from: join(root, at) })),
    { at: addon, from: join(root, addon) },
    { at: MANIFEST, text: manifestOf(JSON.parse(manifest), addon) },
  ];
}

/** Paths of the packages that are no development's, for Linux on this processor. An optional one may be missing. */
export function productionPackages({ packages }, arch, isThere = () => true) {
  const fits = (list, name) => list === undefined || list.includes(name);
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== "" && !dev && !devOptional)
    .filter(([_, { os, cpu }]) => fits(os, "linux") && fits(cpu, arch))
    .filter(([path, { optional }]) => {
      if (isThere(path)) return true;
      if (optional) return false;
      throw new SetupError(`${path} is not there. Expected: what package-lock.json lists. Run npm run setup first.`);
    })
    .map(([path]) => path);
}

/** Without those of packages in it, which have their own place in the lock. */
function ownFiles(root, path) {
  const from = join(root, path);
  return filesUnder(from)
    .map((file) => file.slice(from.length + 1))
    .filter((file) => !file.startsWith("node_modules/"))
    .map((file) => `${path}/${file}`);
}

/** What Node reads when it runs: no types, no maps, nothing that a compiler reads. */
export function isRun(path) {
  if (/\.(map|md|markdown|ts|mts|cts|tsx|flow|cc|cpp|h|hpp|gyp|cmake|tsbuildinfo)$/.test(path)) {
    return /licen[cs]e|copying|notice/i.test(path);
  }
  return !/\/zeromq\/(src|script|vendor)\//.test(path);
}

const BUILD = "node_modules/zeromq/build/";
const MANIFEST = `${BUILD}manifest.json`;
const isOfZeroMqsBuild = (path) => path.startsWith(BUILD);

/**
 * ZeroMQ's own code for Linux with glibc on this processor: the one that the oldest systems have a glibc for. Which Node
 * it was built with is of no matter, since it keeps to Node-API; some are built on newer systems than others.
 */
export function addonFor(paths, arch, glibcNeeded) {
  const ours = paths.filter((path) => path.startsWith(`${BUILD}linux/${arch}/node/glibc-`) && path.endsWith(".node"));
  if (ours.length === 0) throw new SetupError(`zeromq has no build for Linux on ${arch}. Expected: one, for ${arch}.`);
  return ours.toSorted((a, b) => compareVersions(glibcNeeded(a), glibcNeeded(b)))[0];
}

/** With this addon alone: its loader would go through all, and say of each that it is not there. */
export function manifestOf(manifest, addon) {
  const entries = Object.entries(manifest).filter(([_, path]) => `${BUILD}${path.replaceAll("\\", "/")}` === addon);
  return JSON.stringify(Object.fromEntries(entries));
}

/** The newest glibc of which a program or library wants something, like "2.28". */
export function glibcNeededBy(path) {
  const names = fs.readFileSync(path, "latin1").match(/GLIBC_2\.\d+/g) ?? [];
  return newest(names.map((name) => name.slice("GLIBC_".length)));
}

export const newest = (versions) => versions.toSorted(compareVersions).at(-1) ?? "2.0";

function compareVersions(a, b) {
  const minor = (version) => Number(version.split(".")[1]);
  return minor(a) - minor(b);
}
