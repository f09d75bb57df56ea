// Python packages for the other machine: which ones, fetched by pip, unpacked, so that nothing is installed there.
import fs from "node:fs";
import { join } from "node:path";
import { SetupError } from "../setup/failures.mjs";
import { toolFailure } from "../setup/sentences.mjs";
import { filesUnder } from "../setup/stamps.mjs";

/** Where the digits are, which ibatch takes from its file alone. torch is what the other machine has. */
const NOT_PACKED = ["torch", "scikit-learn", "tensorboard"];
const FOR_TESTS = "pytest";
/** What old Pythons lack: pip looks at the version of the Python that it runs on. */
const PYTEST_NEEDS_BEFORE_3_11 = ["exceptiongroup", "tomli"];
/** Without one of these no run is trained. */
const NEEDED = ["numpy", "pyzmq", "msgspec", "safetensors"];

const moduleOf = (name) => (name === "pyzmq" ? "zmq" : name.replaceAll("-", "_"));
export const NEEDED_MODULES = NEEDED.map(moduleOf);

/** glibc that wheels and Node may ask for. */
export const GLIBC = "2.28";
const OLDEST_GLIBC = 5;

/** Names with versions, as pinned for this Python: what backend and statistics need but for what is not packed, and pytest. */
export function requirements(texts, pythonVersion, without = []) {
  const pins = texts.flatMap((text) => text.split("\n")).flatMap((line) => pinFor(line, pythonVersion));
  const isPacked = ({ name }) => ![...NOT_PACKED, ...without].includes(name);
  const more = pythonVersion === "3.10" ? PYTEST_NEEDS_BEFORE_3_11 : [];
  return [...pins.filter(isPacked).map(({ name, version }) => `${name}==${version}`), ...more];
}

/** Of the lines of which the requirements files consist: `name==version`, for some Pythons only, comments, other files. */
function pinFor(line, pythonVersion) {
  if (/^\s*(#.*|-r [\w.-]+)?$/.test(line)) return [];
  const found = /^([\w-]+)==([^ ;]+)(?:\s*;\s*python_version\s*(>=|<)\s*"([\d.]+)")?\s*$/.exec(line);
  if (!found) throw new SetupError(`\`${line}\` in the requirements is not understood. ${EXPECTED_LINES}`, 1);
  const [, name, version, comparison, bound] = found;
  const isBefore = minor(pythonVersion) < minor(bound ?? "3.0");
  return comparison === undefined || isBefore === (comparison === "<") ? [{ name, version }] : [];
}

const EXPECTED_LINES =
  'Expected: name==version, or with ; python_version >= "3.11" or < behind it. Change scripts/pack/wheels.mjs.';

const minor = (version) => Number(version.split(".")[1]);

/** Only pytest of what the tests need: those that go along ask for no more. */
export const ofTests = (text) =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${FOR_TESTS}==`))
    .join("\n");

/** Unpacked into folders of `folder`, each as `{ name, module, needed, folder, python, abi }`. */
export async function fetchWheels({ python, root, machine, pythonVersions, without, folder, run }) {
  const read = (name) => fs.readFileSync(join(root, name), "utf8");
  const texts = [read("requirements-backend.txt"), read("requirements.txt"), ofTests(read("requirements-dev.txt"))];
  const downloads = join(folder, "downloads");
  for (const version of pythonVersions) {
    const wanted = requirements(texts, version, without);
    const result = await run(python, ["-m", "pip", ...download(machine, version, downloads), ...wanted]);
    if (result.code !== 0) throw toolFailure("pip", result, { root, log: join(root, ".setup", "log.txt") });
  }
  const wheels = fs
    .readdirSync(downloads)
    .sort()
    .map(readName)
    .filter(({ name }) => !without.includes(name));
  for (const wheel of wheels) {
    const target = join(folder, "wheels", wheel.folder);
    const { code, output } = await run(python, ["-m", "zipfile", "-e", join(downloads, wheel.file), target]);
    if (code !== 0) throw new SetupError(`${wheel.file} cannot be unpacked: ${output.trim().split("\n").at(-1)}`);
  }
  return wheels.map(({ file: _, ...wheel }) => wheel);
}

function download(machine, version, folder) {
  const [, newest] = GLIBC.split(".").map(Number);
  const tags = Array.from({ length: newest - OLDEST_GLIBC + 1 }, (_, at) => `manylinux_2_${newest - at}_${machine}`);
  const platforms = [...tags, `manylinux2014_${machine}`].flatMap((tag) => ["--platform", tag]);
  const quietly = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  return [
    ...["download", ...quietly, "--only-binary=:all:", "--implementation", "cp", "--python-version", version],
    ...[...platforms, "--dest", folder],
  ];
}

/** Of `name-version(-build)-python-abi-platform.whl`. */
export function readName(file) {
  const parts = file.replace(/\.whl$/, "").split("-");
  const [python, abi] = parts.slice(-3);
  const name = parts[0].replaceAll("_", "-").toLowerCase();
  return {
    file,
    name,
    module: moduleOf(name),
    needed: NEEDED.includes(name),
    folder: parts.slice(0, -1).join("-"),
    python,
    abi,
  };
}

/** What is read where a package is used, and not where it is built or tested. */
export function isUsed(path) {
  return !/(^|\/)tests\/|\.(pyi|pyx|pxd|pxi|h|hpp|c|cpp|a|lib|f|f90)$|(^|\/)__pycache__\//.test(path);
}

export function filesOfWheels(folder, wheels) {
  return wheels.flatMap((wheel) => {
    const from = join(folder, "wheels", wheel.folder);
    return filesUnder(from)
      .filter((path) => isUsed(path.slice(from.length + 1)))
      .map((path) => ({ at: `wheels/${wheel.folder}${path.slice(from.length)}`, from: path }));
  });
}
