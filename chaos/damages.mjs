// Ways to damage a checkpoint.
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["model.safetensors", "run.safetensors", "manifest.json"];

/** Of a file. `other`: the same file of another run. */
const OF_A_FILE = {
  "cut off": (path, random) => truncateSync(path, random.below(readFileSync(path).length - 1)),
  "a byte changed": (path, random) => {
    const bytes = readFileSync(path);
    bytes[random.below(bytes.length)] ^= 1 + random.below(255);
    writeFileSync(path, bytes);
  },
  missing: (path) => rmSync(path),
  "from another run": (path, _random, other) => cpSync(other, path),
};

/** All ways: a name, and what it does to the checkpoint in a directory, where `other` is another run's, if there is one. */
export const DAMAGES = [
  ...FILES.flatMap((file) =>
    Object.entries(OF_A_FILE).map(([how, act]) => ({
      name: `${file} ${how}`,
      act: (path, random, other) => act(join(path, file), random, other && join(other, file)),
      /** As if it had never been finished: nothing is said of it. */
      isUnfinished: file === "manifest.json" && how === "missing",
    })),
  ),
  {
    name: "all of it from another run",
    act: (path, _random, other) => {
      rmSync(path, { recursive: true });
      cpSync(other, path, { recursive: true });
    },
    isUnfinished: false,
  },
];
