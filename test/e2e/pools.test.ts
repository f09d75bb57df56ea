// Orders that have candidates scored, on real digits through the real backend.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ibatch, Scratch, smallConfig, startIbatch } from "./ibatch.js";
import { recordedBytes } from "./recorded-bytes.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** Each with how many candidates it has scored an epoch. */
const ARMS = {
  pool: ["{ name: pool, factor: 2, lag: 1 }", 315],
  placebo: ["{ name: pool, factor: 3, by: el2n, placebo: true, lag: 0 }", 315],
  backprop: ["{ name: selective-backprop, factor: 2, history: 128 }", 315],
  importance: ["{ name: importance, factor: 3, when: always }", 3 * 315],
} as const;
const NAMES = Object.keys(ARMS);

/** Long enough to be killed in the middle of each arm. */
const config = scratch.write(
  "pools.yaml",
  `${smallConfig.slice(0, smallConfig.indexOf("arms:")).replace("epochs: 2", "epochs: 6")}
checkpoint: { everyBatches: 1, leastSeconds: 0 }
arms:
${Object.entries(ARMS)
  .map(([arm, [order]]) => `  ${arm}: { order: ${order} }`)
  .join("\n")}
`,
);

/** Kills it once it has a checkpoint of this arm, in its first epochs. */
async function killedIn(arm: string, out: string): Promise<void> {
  const { child, ended } = startIbatch(["run", config, "--out", out]);
  const checkpoints = join(out, arm, "seed-0/checkpoint");
  const whole = () =>
    existsSync(checkpoints)
      ? readdirSync(checkpoints).filter((step) => existsSync(join(checkpoints, step, "manifest.json"))).length
      : 0;
  await expect.poll(whole, { interval: 10 }).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await ended;
}

test("killed in each arm, the same command goes on to the bit", async () => {
  const [whole, cut] = [scratch.path("whole"), scratch.path("cut")];
  expect(await ibatch(["run", config, "--out", whole])).toMatchObject({ code: 0 });
  for (const arm of NAMES) await killedIn(arm, cut);
  expect(await ibatch(["run", config, "--out", cut])).toMatchObject({ code: 0 });
  const resumed = [...readFileSync(join(cut, "log.txt"), "utf8").matchAll(/\] (\w+), seed 0 +goes on from step \d+/g)];
  expect(resumed.map(([, arm]) => arm)).toEqual(NAMES);
  expect(recordedBytes(cut)).toEqual(recordedBytes(whole));
  for (const [arm, [, scored]] of Object.entries(ARMS)) {
    const [metrics] = readFileSync(join(whole, arm, "seed-0/metrics.jsonl"), "utf8").split("\n");
    expect(JSON.parse(metrics), arm).toMatchObject({ scored });
  }
});

test.each(NAMES)("plain PyTorch trains on the same: %s", async (arm) => {
  const validated = await ibatch(["validate", config, "--arm", arm, "--batches", "4"], {}, scratch.directory);
  expect(validated).toMatchObject({ code: 0, stdout: expect.stringContaining("all checks passed") });
});
