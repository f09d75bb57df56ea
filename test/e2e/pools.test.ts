// Orders that have candidates scored, on real digits through the real backend.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ibatch, Scratch, smallConfig, startIbatch } from "./ibatch.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** Each in a folder of its own; long enough to be killed in the middle. */
const configOf = (order: string) =>
  scratch.write(
    `${order.replace(/\W+/g, "-")}/pools.yaml`,
    `${smallConfig.slice(0, smallConfig.indexOf("arms:")).replace("epochs: 2", "epochs: 6")}
checkpoint: { everyBatches: 1, leastSeconds: 0 }
arms: { pooled: { order: ${order} } }
`,
  );

const recorded = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(u32|f32)$|metrics\.jsonl$|orders\/.*json$/.test(file))
      .map((file) => [file, readFileSync(join(directory, file), "hex")]),
  );

/** Kills it once it has a checkpoint, in its first epochs. */
async function killed(config: string, out: string): Promise<void> {
  const { child, ended } = startIbatch(["run", config, "--out", out]);
  const checkpoints = join(out, "pooled/seed-0/checkpoint");
  const whole = () =>
    existsSync(checkpoints)
      ? readdirSync(checkpoints).filter((step) => existsSync(join(checkpoints, step, "manifest.json"))).length
      : 0;
  await expect.poll(whole, { interval: 10 }).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await ended;
}

test.each([
  ["{ name: pool, factor: 2, lag: 1 }", 315],
  ["{ name: pool, factor: 3, by: el2n, placebo: true, lag: 0 }", 315],
  ["{ name: selective-backprop, factor: 2, history: 128 }", 315],
  ["{ name: importance, factor: 3, when: always }", 3 * 315],
])("%s: killed, it goes on to the bit; plain PyTorch trains on the same", async (order, scored) => {
  const config = configOf(order);
  const [whole, cut] = [join(dirname(config), "whole"), join(dirname(config), "cut")];
  expect(await ibatch(["run", config, "--out", whole])).toMatchObject({ code: 0 });
  await killed(config, cut);
  expect(await ibatch(["run", config, "--out", cut])).toMatchObject({ code: 0 });
  expect(readFileSync(join(cut, "log.txt"), "utf8")).toMatch(/goes on from step \d+/);
  expect(recorded(cut)).toEqual(recorded(whole));
  const [metrics] = readFileSync(join(whole, "pooled/seed-0/metrics.jsonl"), "utf8").split("\n");
  expect(JSON.parse(metrics)).toMatchObject({ scored });
  const validated = await ibatch(["validate", config, "--batches", "4"], {}, scratch.directory);
  expect(validated).toMatchObject({ code: 0, stdout: expect.stringContaining("all checks passed") });
});
