// What is run, one part after another: `{ name, limit, command, cwd, skipped }`, limits in seconds.
import fs from "node:fs";
import { join } from "node:path";

/** Together ten minutes. */
const LIMITS = { doctor: 45, float32: 95, bfloat16: 95, "equal-bits": 45, tests: 170, resnet18: 150 };

const EQUAL_BITS = ["--equal-bits", "--against", "none", "--model", "mnist-cnn,fashion-mnist-cnn", "--rounds", "1"];
const TINY_BENCH = ["--model", "mnist-cnn", "--samples", "128", "--rounds", "1", "--workers", "0"];
const TINY_RUN = ["dataset.subset=64", "epochs=2", "evaluation.trainSample=0"].flatMap((set) => ["--set", set]);

/** `programs`: `ibatch`, the words that start the command, and `python`, those for Python with what it needs. */
export function partsOf({ device, data, out, small }, programs, root) {
  const ibatch = (...args) => [...programs.ibatch, ...args, "--device", device];
  const bench = (name, ...how) =>
    ibatch("bench", ...how, ...(small ? TINY_BENCH : []), "--json", join(out, `bench-${name}.json`));
  const config = join(root, "scripts", "cuda", "resnet18.yaml");
  const run = ["run", config, "--data", data, "--out", runsOf(out), ...(small ? [...TINY_RUN, "--seeds", "1"] : [])];
  return [
    { name: "doctor", command: ibatch("doctor", "--data", data) },
    { name: "float32", command: bench("float32", "--rounds", "3") },
    { name: "bfloat16", command: bench("bfloat16", "--precision", "bfloat16", "--rounds", "3") },
    { name: "equal-bits", command: bench("equal-bits", ...EQUAL_BITS) },
    // the page says why tests were skipped: -rs
    {
      name: "tests",
      command: [...programs.python, "-m", "pytest", "test/cuda", "-rs", "-p", "no:cacheprovider"],
      cwd: root,
    },
    { name: "resnet18", command: ibatch(...run), skipped: whyNoCifar(data) },
  ].map((part) => ({ ...part, limit: LIMITS[part.name] }));
}

export const runsOf = (out) => `${out}-runs`;

function whyNoCifar(data) {
  const isThere = ["cifar-10-batches-py", "cifar-10-batches-bin"].some((name) => fs.existsSync(join(data, name)));
  return isThere ? undefined : `no CIFAR-10 in ${data}; --data DIR names another folder`;
}
