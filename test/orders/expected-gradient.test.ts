// The expectation over batches of what a step is made of, on a real model: mnist-cnn after some training on digits.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { batchContext } from "../../src/orders/context.js";
import { findOrder } from "../../src/orders/index.js";
import { batchBy } from "../../src/orders/ordered.js";
import { packageRoot } from "../../src/package-root.js";
import { holm, normalBeyond } from "../../src/quality/tails.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { coldPython } from "../warm-python/python.js";
import { ledgerWith } from "./rules/run-order.js";

const DIRECTIONS = 8;
const BATCH = 16;

interface Gradients {
  readonly losses: readonly number[];
  /** [direction][sample]: products of the samples' gradients with unit vectors; the last one is where bias is expected. */
  readonly along: readonly Float64Array[];
}

/** As the backend computes them: digits_gradients.py. */
function readGradients(): Gradients {
  const path = join(temporaryDirectory(), "gradients.f64");
  execFileSync(coldPython, [join(packageRoot, "test", "orders", "digits_gradients.py"), path]);
  const table = new Float64Array(new Uint8Array(readFileSync(path)).buffer);
  const columns = 1 + DIRECTIONS;
  const column = (at: number) =>
    Float64Array.from({ length: table.length / columns }, (_, row) => table[row * columns + at]);
  return {
    losses: [...column(0)],
    along: Array.from({ length: DIRECTIONS }, (_, direction) => column(1 + direction)),
  };
}

interface Estimate {
  /** Mean over the draws, less the mean over all samples. */
  readonly bias: number;
  readonly standardError: number;
}

/** Of the mean over a batch of weight × gradient, in each direction; each draw is that of another step. */
function estimates({ losses, along }: Gradients, given: Readonly<Record<string, unknown>>, draws: number): Estimate[] {
  const definition = findOrder("weighted");
  const options = definition.options.parse({ per: "batch", ...given });
  const n = losses.length;
  const inputs = {
    ...{ seed: 18, epoch: 0, epochs: 1, labels: new Uint32Array(n), classCount: 1, size: BATCH },
    ...{ ledger: ledgerWith(losses), options, memory: {} },
  };
  const drawn = { indices: new Uint32Array(0), times: new Uint32Array(n), pending: new Uint32Array(0) };
  const [sums, squares] = [new Float64Array(DIRECTIONS), new Float64Array(DIRECTIONS)];
  for (let step = 0; step < draws; step++) {
    const place = { batch: 0, step, count: BATCH, share: 0, drawn, pool: undefined };
    const ordered = batchBy(definition, batchContext(inputs, place));
    if ("fault" in ordered) throw new Error(ordered.fault.seen);
    const { indices, weights } = ordered.result;
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      let mean = 0;
      for (let i = 0; i < BATCH; i++) mean += ((weights?.[i] ?? 1) * along[direction][indices[i]]) / BATCH;
      sums[direction] += mean;
      squares[direction] += mean * mean;
    }
  }
  return along.map((products, direction) => {
    const mean = sums[direction] / draws;
    return {
      bias: mean - products.reduce((sum, product) => sum + product, 0) / n,
      standardError: Math.sqrt((squares[direction] / draws - mean * mean) / (draws - 1)),
    };
  });
}

const zOf = ({ bias, standardError }: Estimate) => bias / standardError;
/** That the mean is so far from the truth by chance, in any of the directions. */
const corrected = (found: readonly Estimate[]) => holm(found.map((estimate) => normalBeyond(zOf(estimate))));

test("a weighted draw for each batch has the full gradient in expectation with its weights, and not without", () => {
  const gradients = readGradients();
  const unbiased = estimates(gradients, { unbiased: true }, 20_000);
  const plain = estimates(gradients, { unbiased: false }, 5000);
  const capped = estimates(gradients, { unbiased: true, cap: 1 }, 5000);

  for (const [direction, p] of corrected(unbiased).entries()) {
    expect(p, `direction ${direction}: z ${zOf(unbiased[direction])}`).toBeGreaterThan(0.01);
  }
  const off = DIRECTIONS - 1;
  expect(zOf(plain[off])).toBeGreaterThan(50);
  // So many draws with weights would have shown a hundredth of that bias.
  expect(plain[off].bias / 100).toBeGreaterThan(4 * unbiased[off].standardError);
  expect(corrected(plain).every((p) => p < 1e-6)).toBe(true);
  expect(corrected(capped)[off], "weights that a cap cuts make up for a part of it").toBeLessThan(1e-6);
});
