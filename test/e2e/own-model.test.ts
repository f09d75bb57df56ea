/** A user's network, loss and dataset, from the command line through the real backend. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { coldPython } from "../warm-python/python.js";
import { ibatch, Scratch } from "./ibatch.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

const CODE = join(packageRoot, "test/e2e/own_model");
const OWN = ["--python-path", CODE, "--allow-import", "own_net"];

const config = scratch.write(
  "own.yaml",
  `name: own
dataset: { reference: "own_net:stripes", args: { train: 63, test: 30 }, load: fetch, workers: 1 }
model: { reference: "own_net:net", args: { num_classes: 3 } }
optimizer: { name: sgd, momentum: 0.9 }
schedule: { name: constant, learningRate: 0.05 }
batching: { name: constant, size: 16 }
epochs: 3
seeds: 1
evaluation: { trainSample: 30 }
backend: { threads: 1, device: cpu }
arms:
  plain: { order: shuffled }
  smooth: { order: loss-global, loss: { reference: "own_net:smooth", args: { epsilon: 0.2 } } }
  bytes: { order: shuffled, dataset: { reference: "own_net:noise", args: { train: 63, test: 30 } } }
`,
);

const line = (text: string) => text.trimEnd().split("\n").at(-1);

it("trains what the user brings, fetched by a worker, and records where it came from", async () => {
  const out = scratch.path("own");
  const { code, stderr, stdout } = await ibatch(["run", config, "--out", out, ...OWN], { IBATCH_PYTHON: coldPython });
  expect(stderr).toContain(`imports own_net:net from ${join(CODE, "own_net.py")} (sha256 `);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("| smooth ");
  const run = JSON.parse(readFileSync(join(out, "smooth/seed-0/run.json"), "utf8"));
  const sha256 = createHash("sha256")
    .update(readFileSync(join(CODE, "own_net.py")))
    .digest("hex");
  expect(run.surroundings.imports).toEqual(
    ["own_net:stripes", "own_net:net", "own_net:smooth"].map((reference) => ({
      reference,
      file: join(CODE, "own_net.py"),
      version: null,
      sha256,
    })),
  );
  const metrics = readFileSync(join(out, "plain/seed-0/metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
  expect(metrics.at(-1).test.accuracy).toBe(1); // stripes of three widths
  expect(existsSync(join(out, "report.html"))).toBe(true);
  const again = await ibatch(["run", config, "--out", out, ...OWN, "--quiet"], { IBATCH_PYTHON: coldPython });
  expect(again.code).toBe(0);
});

const PLAIN = "arms={plain: { order: shuffled }}";

/** ResNet-18 on images of 8 × 8 ends at a map of one pixel. */
const OF_OURS = [
  ...["--set", "model=resnet18", "--set", "epochs=1", "--set", "evaluation.batchNormSample=0"],
  ...["--set", "dataset.reference=own_net:small", "--set", "dataset.load=auto", "--set", PLAIN],
];

it("trains a model of ours on images that leave it one pixel", async () => {
  const out = scratch.path("one-pixel");
  const args = [...OWN, ...OF_OURS, "--set", "batching.size=21", "--set", "microBatch=7"];
  const { code, stderr } = await ibatch(["run", config, "--out", out, "--quiet", ...args]);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  const [metrics] = readFileSync(join(out, "plain/seed-0/metrics.jsonl"), "utf8").split("\n");
  expect(JSON.parse(metrics)).toMatchObject({ batches: 3, samples: 63 });
});

it("records and reports 40,000 classes, of which the names do not fit into a header", async () => {
  const out = scratch.path("many");
  const many = ["dataset.reference=own_net:many", "dataset.load=auto", "dataset.args.classes=40000", PLAIN];
  const sets = [...many, "model.args.num_classes=40000", "epochs=1"].flatMap((assignment) => ["--set", assignment]);
  const args = [...OWN, ...sets];
  const { code, stderr } = await ibatch(["run", config, "--out", out, "--quiet", ...args]);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  const [hash] = readdirSync(join(out, "datasets"));
  const { classNames } = JSON.parse(readFileSync(join(out, "datasets", hash, "dataset.json"), "utf8"));
  expect([classNames.length, classNames[39_999]]).toEqual([40_000, "breed 39999"]);
  const page = readFileSync(join(out, "report.html"), "utf8");
  expect(page).toContain("A row 200 classes, one beside the other by number");
  expect(page).toMatch(/breed \d+ taken for breed \d+: \d+ times/);
});

it.each([
  [
    "without permission",
    [],
    2,
    /own\.yaml:2: dataset: own_net:stripes, .* run code of yours: allow it with --allow-import own_net$/,
  ],
  [
    "without its folder",
    ["--allow-import", "own_net"],
    4,
    /arm plain: own_net:stripes: .* finds no module `own_net`: name its folder/,
  ],
  [
    "in a folder that is not there",
    [...OWN, "--python-path", "nowhere"],
    2,
    /--python-path nowhere: there is no such directory/,
  ],
  [
    "at a backend that runs already",
    [...OWN, "--backend", "tcp://127.0.0.1:9"],
    2,
    /--allow-import own_net: --backend .* start that backend with/,
  ],
  [
    "with classes that do not fit",
    [...OWN, "--set", "model.args.num_classes=4"],
    2,
    /arm plain: own_net:net: returned \[2, 4\]; expected logits \[2, 3\]/,
  ],
  ["with a misspelt name", [...OWN, "--set", "model.reference=own_net:nett"], 2, /did you mean `net`\?/],
  [
    "with a batch of one",
    [...OWN, "--set", "batching.size=31"],
    2,
    /batch 2 has 1 sample; the model's BatchNorm needs 2/,
  ],
  [
    "with a last batch of one that a model of ours does not take",
    [...OWN, ...OF_OURS, "--set", "batching.size=31"],
    2,
    /batch 2 has 1 sample; the model's BatchNorm needs 2/,
  ],
  [
    "with a part of one that a model of ours does not take",
    [...OWN, ...OF_OURS, "--set", "batching.size=21", "--set", "microBatch=10"],
    2,
    /batch 0 has 1 sample, of whose 21 samples microBatch 10 leaves 1 over; the model's BatchNorm needs 2/,
  ],
])("is refused %s", async (what, args, expected, says) => {
  const out = scratch.path(what);
  const { code, stderr, stdout } = await ibatch(["run", config, "--out", out, "--quiet", ...args]);
  expect(line(stderr)).toMatch(says);
  expect({ code, stdout, made: existsSync(out) }).toEqual({ code: expected, stdout: "", made: false });
});
