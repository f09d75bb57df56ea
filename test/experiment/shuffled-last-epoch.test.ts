import { describe, expect, test } from "vitest";
import { armHash } from "../../src/config/config.js";
import { LOSSES, recorded, stoppedBefore, undisturbed } from "./one-run.js";
import { CONFIG, resolved, Scene } from "./scene.js";

const EPOCHS = ["0000", "0001", "0002"];
const ordersOf = (scene: Scene, arm: string) =>
  EPOCHS.map((epoch) => [`${epoch}.u32`, `${epoch}.json`].map((file) => scene.bytes(`${arm}/seed-0/orders/${file}`)));

describe.each([
  ["whole epochs by loss", "{ name: loss-global }"],
  ["a part of the samples", "{ name: weighted, fraction: 0.5, unbiased: true }"],
  ["a decision each batch", "{ name: weighted, per: batch, fraction: 0.5 }"],
  ["candidates that are scored", "{ name: selective-backprop, factor: 2 }"],
  ["batches of its own", "{ name: heterogeneous }"],
  ["permuted losses", "{ name: weighted, fraction: 0.5, placebo: true }"],
])("%s", (_, order) => {
  const shuffledAtEnd = order.replace(" }", ", shuffledLastEpoch: true }");

  test("ends on what shuffled makes of its last epoch, and begins as without", async () => {
    const scene = new Scene();
    const arms = `arms={plain: {order: ${order}}, ended: {order: ${shuffledAtEnd}}, shuffled: {order: shuffled}}`;
    await scene.run({ settings: [arms, "seeds=1"], pretence: LOSSES });
    const [plain, ended, shuffled] = ["plain", "ended", "shuffled"].map((arm) => ordersOf(scene, arm));
    expect(ended[2]).toEqual(shuffled[2]);
    expect(ended.slice(0, 2)).toEqual(plain.slice(0, 2));
    expect(plain[2]).not.toEqual(shuffled[2]);
  });

  test.each([4, 7, 8])("goes on from step %i to the same bits", async (step) => {
    const settings = [
      `arms={a: {order: ${shuffledAtEnd}}}`,
      "seeds=[4]",
      "checkpoint={everyBatches: 2, leastSeconds: 0}",
    ];
    const whole = await undisturbed({ settings });
    const scene = await stoppedBefore(step, settings);
    const { client } = await scene.run({ settings, pretence: LOSSES });
    expect(client.sentOf("load")).toHaveLength(1);
    expect(recorded(scene)).toEqual(whole.recorded);
  });
});

test("nothing is scored for it", async () => {
  const scene = new Scene();
  const order = "{ name: weighted, signal: rescore, shuffledLastEpoch: true }";
  const { client } = await scene.run({ settings: [`arms={a: {order: ${order}}}`, "seeds=1"], pretence: LOSSES });
  expect(client.sentOf("score")).toHaveLength(1);
});

test("false is as left out, and a run of one epoch is refused", async () => {
  const hashed = async (order: string, epochs = 3) => {
    const config = await resolved(CONFIG.replace("{ order: frozen }", `{ order: ${order}, epochs: ${epochs} }`));
    return armHash(config.arms.frozen, config.evaluation);
  };
  expect(await hashed("{ name: frozen, shuffledLastEpoch: false }")).toBe(await hashed("frozen"));
  expect(await hashed("{ name: frozen, shuffledLastEpoch: true }")).not.toBe(await hashed("frozen"));
  const one = await hashed("{ name: frozen, shuffledLastEpoch: true }", 1).catch((error: unknown) => error);
  expect(`${one}`).toContain("order.shuffledLastEpoch: expected at least 2 epochs: the last one is a shuffle");
});
