// What `npm run cuda` and `./check-gpu` can be told.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { wrongArguments } from "../setup/sentences.mjs";

const OPTIONS = {
  device: { type: "string", default: "cuda:0" },
  data: { type: "string" },
  out: { type: "string" },
  small: { type: "boolean", default: false },
  python: { type: "string" },
  help: { type: "boolean", default: false },
};

export const help = (called) => `${called} [options]

What a first look at a GPU must answer, in at most ten minutes: whether the machine can run it, how fast training is beside
loops in Python, whether the tests of test/cuda pass, and whether ResNet-18 trains with five orders. Each part has a limit,
and goes on when another one fails. A page with all of it is written, for docs/results/gpu.md.

  --device D   cuda:N or cpu (default: cuda:0)
  --data DIR   the folder that holds CIFAR-10 (default: IBATCH_DATA, else data)
  --out DIR    a new folder for page, figures and logs (default: gpu-check-TIME, here); the runs go to DIR-runs
  --small      as little of each part as shows that it runs, for a machine without GPU
  --python P   Python with torch (default: IBATCH_PYTHON, else .venv)
  --help       this
`;

/** Refuses what it does not know, as one line. */
export function readOptions(args, { env = process.env, now = new Date() } = {}) {
  const values = parse(args);
  if (!/^(cpu|cuda(:\d+)?)$/.test(values.device)) throw wrongArguments(`--device ${values.device}`, "cpu or cuda:N");
  const time = now.toISOString().slice(0, 16).replaceAll(/[-:]/g, "");
  return {
    ...values,
    data: resolve(values.data ?? env.IBATCH_DATA ?? "data"),
    out: resolve(values.out ?? `gpu-check-${time}`),
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw wrongArguments(error.message.split(". ")[0], "what --help lists");
  }
}
