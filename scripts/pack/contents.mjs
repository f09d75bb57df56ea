// All that goes into the archive, in parts, each file as `{ at, from | text, program }`.
import fs from "node:fs";
import { basename, join } from "node:path";
import { SetupError } from "../setup/failures.mjs";
import { filesUnder } from "../setup/stamps.mjs";
import { filesOfModules, glibcNeededBy, newest } from "./modules.mjs";
import { filesOfWheels, GLIBC, NEEDED_MODULES } from "./wheels.mjs";

/** Beside what package.json says is installed: what is read, and what `./check-gpu` needs. */
const BESIDES = [
  ...["README.md", "CHANGELOG.md", "LICENSE", "package.json", "pyproject.toml", "docs/CONFIG.md", "examples"],
  ...["scripts/cuda.mjs", "scripts/cuda", "scripts/setup.mjs", "scripts/setup"],
  ...["test/conftest.py", "test/cuda", "test/python/test_no_waiting.py", "test/e2e/own_model/breaking_net.py"],
];
const PROGRAMS = ["ibatch", "python", "check-gpu"];
const NOT_TAKEN = /(^|\/)(node_modules|__pycache__|runs|build)\/|\.(map|d\.ts|pyc)$|\.ibatch-stamp$|(^|\/)\.git/;

export function contents({ root, node, wheels, folders, digits, folder, about }) {
  const own = ownFiles(root);
  const modules = filesOfModules(root, node.arch);
  const addons = modules.filter(({ at }) => at.endsWith(".node"));
  const glibc = newest([GLIBC, ...[node.program, ...addons.map(({ from }) => from)].map(glibcNeededBy)]);
  const parts = [
    { name: "Node", files: [{ at: "bin/node", from: node.program, program: true }, ...licenceOfNode(node)] },
    { name: "npm packages", files: modules },
    { name: "ibatch", files: [...own, ...launchers(root), packedNote({ node, glibc, wheels, ...about }), ...digits] },
    ...wheelParts(folder, wheels),
  ];
  const taken = new Set(parts.flatMap(({ files }) => files).map(({ at }) => at.split("/")[0]));
  return [...parts, ...folders.map((path) => addedFolder(path, taken))];
}

function ownFiles(root) {
  const { files } = JSON.parse(fs.readFileSync(join(root, "package.json"), "utf8"));
  return [...new Set([...files, ...BESIDES])]
    .flatMap((name) => filesUnder(join(root, name)))
    .map((from) => ({ at: from.slice(root.length + 1), from }))
    .filter(({ at }) => !NOT_TAKEN.test(at));
}

function launchers(root) {
  const from = join(root, "scripts", "pack", "unpacked");
  return fs.readdirSync(from).map((name) => {
    const isProgram = PROGRAMS.includes(name);
    return { at: isProgram ? name : `packed/${name}`, from: join(from, name), program: isProgram };
  });
}

/** What `ibatch` and packed/wheels.py find out where it is unpacked. */
function packedNote({ node, glibc, wheels, commit, version, pythonVersions }) {
  const note = {
    version,
    commit,
    machine: node.machine,
    glibc,
    pythons: pythonVersions,
    needs: NEEDED_MODULES,
    wheels,
  };
  return { at: "packed.json", text: `${JSON.stringify(note, null, 2)}\n` };
}

/** The large ones each by its name; those that tests alone need are the last. */
function wheelParts(folder, wheels) {
  return ["numpy", "scipy", "pyzmq, msgspec, safetensors", "pytest"]
    .map((name) => ({ name, wheels: wheels.filter((wheel) => groupOf(wheel) === name) }))
    .filter(({ wheels: grouped }) => grouped.length > 0)
    .map(({ name, wheels: grouped }) => ({ name, files: filesOfWheels(folder, grouped) }));
}

function groupOf({ name, needed }) {
  if (["numpy", "scipy"].includes(name)) return name;
  return needed ? "pyzmq, msgspec, safetensors" : "pytest";
}

function addedFolder(path, taken) {
  const name = basename(path);
  if (!fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SetupError(`--with ${path} is no folder. Expected: one that is to go along.`, 2);
  }
  if (taken.has(name)) {
    throw new SetupError(
      `--with ${path}: the archive has a ${name} of its own. Expected: a folder of another name.`,
      2,
    );
  }
  return {
    name: `--with ${name}`,
    files: filesUnder(path).map((from) => ({ at: `${name}${from.slice(path.length)}`, from })),
  };
}

/**
 * The images of digits, the one thing that is taken of scikit-learn, and its licence: py_backend/datasets/digits.py looks
 * for them there.
 */
export async function digitsFiles(python, run) {
  const { output } = await run(python, ["-c", ASK_FOR_DIGITS]);
  const [images = "", licence = ""] = [...output.matchAll(/^at (.*)$/gm)].map(([, path]) => path);
  if (fs.existsSync(images) && fs.existsSync(licence)) {
    return [
      { at: "py_backend/datasets/digits.csv.gz", from: images },
      { at: "packed/licences/scikit-learn.txt", from: licence },
    ];
  }
  throw new SetupError(`${python} has no scikit-learn with its digits. Expected: it. Install scikit-learn there.`);
}

const ASK_FOR_DIGITS = `
import importlib.metadata
found = importlib.metadata.distribution("scikit-learn")
for end in ("sklearn/datasets/data/digits.csv.gz", "COPYING"):
    print("at", found.locate_file(next(file for file in found.files if str(file).endswith(end))))
`;

/** Node's licence, from where nodejs.org's archives and packages of systems have it; none where it is elsewhere. */
export function licenceOfNode({ path }) {
  const places = ["LICENSE", "share/doc/nodejs/LICENSE", "share/doc/node/LICENSE"];
  const from = places.map((place) => join(path, "..", "..", place)).find((place) => fs.existsSync(place));
  return from === undefined ? [] : [{ at: "packed/licences/node.txt", from }];
}
