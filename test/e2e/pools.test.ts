// Orders that have candidates scored, on real digits through the real backend.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ibatch, Scratch, smallConfig, startIbatch } from "./ibatch.js";

const scratch = new Scratch();
afterAll(() => scratch.remove());

const configOf = (order: string) =>
  scratch.write(
    "pools.yaml",
    `${smallConfig.slice(0, smallConfig.indexOf("arms:"))}
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

/** Kills it once this many samples of its first epoch are decided. */
async function killed(config: string, out: string, samples: number): Promise<void> {
  const { child, ended } = startIbatch(["run", config, "--out", out]);
  const order = join(out, "pooled/seed-0/orders/0000.u32");
  const decided = () => (existsSync(order) ? statSync(order).size / 4 : 0);
  await expect.poll(decided, { interval: 10 }).toBeGreaterThanOrEqual(samples);
  child.kill("SIGKILL");
  await ended;
}

test.each([
  ["{ name: pool, factor: 2, lag: 1 }", 60],
  ["{ name: pool, factor: 3, by: el2n, placebo: true, lag: 0 }", 40],
])("%s: killed, it goes on to the bit; plain PyTorch trains on the same", async (order, samples) => {
  const config = configOf(order);
  const [whole, cut] = [scratch.path(`whole-${samples}`), scratch.path(`cut-${samples}`)];
  expect(await ibatch(["run", config, "--out", whole])).toMatchObject({ code: 0 });
  await killed(config, cut, samples);
  expect(await ibatch(["run", config, "--out", cut])).toMatchObject({ code: 0 });
  expect(readFileSync(join(cut, "log.txt"), "utf8")).toMatch(/goes on from step \d+, in epoch 1\/2/);
  expect(recorded(cut)).toEqual(recorded(whole));
  const [metrics] = readFileSync(join(whole, "pooled/seed-0/metrics.jsonl"), "utf8").split("\n");
  expect(JSON.parse(metrics)).toMatchObject({ scored: 315, order: { mostDrawn: 1 } });
  const validated = await ibatch(["validate", config, "--batches", "4"], {}, scratch.directory);
  expect(validated).toMatchObject({ code: 0, stdout: expect.stringContaining("all checks passed") });
});
