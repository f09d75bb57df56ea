// What `npm run pack` can be told.
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { wrongArguments } from "../setup/sentences.mjs";

const OPTIONS = {
  "python-version": { type: "string", multiple: true },
  node: { type: "string" },
  without: { type: "string", multiple: true },
  with: { type: "string", multiple: true },
  output: { type: "string" },
  most: { type: "string" },
  python: { type: "string" },
  help: { type: "boolean" },
};

/** MiB of an archive, but for what --with adds. */
const MOST = 60;

export const HELP = `npm run pack -- [options]

Makes one archive for a Linux machine that has a Python with torch, and neither Node nor a network.
Unpack it there, and run ./ibatch. It needs a network here, for the wheels.

  --python-version V  Python of that machine, 3.10 to 3.13; several with commas (default: that of the Python here)
  --node PATH         Node to pack, one of nodejs.org for Linux; it says for which processor (default: the one that runs this)
  --without NAMES     packages that the Python there has, with commas: numpy, scipy. Without scipy runs are trained
                      and recorded; their tables are made elsewhere, by ibatch report
  --with DIR          a folder that goes along; one called data is where ./ibatch looks for data; may be repeated
  --output FILE       the archive (default: ibatch-VERSION-linux-ARCH-pyVERSION.tar.xz, here)
  --most MIB          refuse an archive of more, but for --with (default: ${MOST})
  --python PATH       Python to pack with (default: IBATCH_PYTHON, else .venv)
  --help              this
`;

/** Refuses what it does not know, as one line. */
export function readOptions(args) {
  const values = parse(args);
  const list = (name) => (values[name] ?? []).flatMap((value) => value.split(",")).filter(Boolean);
  return {
    help: values.help ?? false,
    pythonVersions: list("python-version").map(pythonVersion),
    node: values.node,
    without: list("without").map(leftOut),
    folders: (values.with ?? []).map((path) => resolve(path)),
    output: values.output,
    mostMiB: values.most === undefined ? MOST : size(values.most),
    python: values.python,
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw wrongArguments(error.message.split(". ")[0], "what npm run pack -- --help lists");
  }
}

function pythonVersion(text) {
  const found = /^3\.(1[0-3])(\.\d+)?$/.exec(text);
  if (!found) throw wrongArguments(`--python-version ${text}`, "3.10 to 3.13, as the machine's python3 --version says");
  return `3.${found[1]}`;
}

/** What every experiment needs, and some environments have. */
const MAY_BE_LEFT_OUT = ["numpy", "scipy"];

function leftOut(name) {
  if (!MAY_BE_LEFT_OUT.includes(name)) throw wrongArguments(`--without ${name}`, MAY_BE_LEFT_OUT.join(" or "));
  return name;
}

function size(text) {
  const number = Number(text);
  if (!(number > 0)) throw wrongArguments(`--most ${text}`, "MiB, a number above 0");
  return number;
}

/** `ibatch-0.1.0-linux-x64-py3.12`: the archive's name, and that of the folder in it. */
export function archiveName({ version, arch, pythonVersions }) {
  return `ibatch-${version}-linux-${arch}-py${pythonVersions.join("-")}`;
}

/** The folder in the archive: the file's name without its endings. */
export const folderName = (output) => basename(output).replace(/\.tar\.xz$/, "");
