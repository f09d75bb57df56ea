// What is run, one part after another: `{ name, limit, command, cwd, expected, skipped }`, limits in seconds.
import fs from "node:fs";
import { join } from "node:path";

/** Together ten minutes. A part starts up to nine processes, each of which imports torch. */
const LIMITS = {
  doctor: 30,
  float32: 80,
  bfloat16: 120,
  "equal-bits": 50,
  tests: 140,
  "broken-device": 40,
  resnet18: 140,
};

const FLOAT32 = ["--model", "resnet18", "--rounds", "2"];
const BFLOAT16 = ["--model", "mnist-cnn,resnet18", "--rounds", "2", "--precision", "bfloat16"];
const EQUAL_BITS = ["--equal-bits", "--against", "none", "--model", "mnist-cnn,fashion-mnist-cnn", "--rounds", "1"];
const TINY_BENCH = ["--model", "mnist-cnn", "--samples", "128", "--rounds", "1", "--workers", "0"];
const TINY_RUN = [
  ...["dataset.subset=64", "epochs=2", "evaluation.trainSample=0"].flatMap((set) => ["--set", set]),
  ...["--seeds", "1"],
];

/** `programs`: `ibatch`, the words that start the command, and `python`, those for Python with what it needs. */
export function partsOf({ device, data, out, small }, programs, root) {
  const ibatch = (...args) => [...programs.ibatch, ...args, "--device", device];
  const bench = (name, ...how) =>
    ibatch("bench", ...how, ...(small ? TINY_BENCH : []), "--json", join(out, `bench-${name}.json`));
  const run = (name, ...how) =>
    ibatch("run", join(root, "scripts", "cuda", `${name}.yaml`), "--out", join(runsOf(out), name), ...how);
  return [
    { name: "doctor", command: ibatch("doctor", "--data", data) },
    { name: "float32", command: bench("float32", ...FLOAT32) },
    { name: "bfloat16", command: bench("bfloat16", ...BFLOAT16) },
    { name: "equal-bits", command: bench("equal-bits", ...EQUAL_BITS) },
    // the page says why tests were skipped: -rs
    {
      name: "tests",
      command: [...programs.python, "-m", "pytest", "test/cuda", "-rs", "-p", "no:cacheprovider"],
      cwd: root,
    },
    {
      name: "broken-device",
      command: run("broken-device", ...breaking(root, join(runsOf(out), "broken"))),
      expected: "this backend ends: CUDA error: device-side assert",
    },
    {
      name: "resnet18",
      command: run("resnet18", "--data", data, ...(small ? TINY_RUN : [])),
      skipped: whyNoCifar(data),
    },
  ].map((part) => ({ ...part, limit: LIMITS[part.name] }));
}

export const runsOf = (out) => `${out}-runs`;

/** `once`: a file that says that the device was broken. */
function breaking(root, once) {
  const model = `model.args.once=${JSON.stringify(once)}`;
  return ["--set", model, "--python-path", join(root, "test", "e2e", "own_model"), "--allow-import", "breaking_net"];
}

function whyNoCifar(data) {
  const isThere = ["cifar-10-batches-py", "cifar-10-batches-bin"].some((name) => fs.existsSync(join(data, name)));
  return isThere ? undefined : `no CIFAR-10 in ${data}; --data DIR names another folder`;
}
