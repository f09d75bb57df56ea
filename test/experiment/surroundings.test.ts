import { describe, expect, it } from "vitest";
import { bitsSha256, type MadeIn, otherBeside, type Surroundings } from "../../src/experiment/surroundings.js";

const EARLIER = {
  memoryFormat: "channels_last",
  precision: "float32",
  deterministic: true,
  dropout: [],
  batchNormLayers: 0,
};
const PLAIN = { ...EARLIER, fusedUpdates: false, recordedSteps: false };
const FUSED = { ...EARLIER, fusedUpdates: true, recordedSteps: false };
const RECORDED = { ...EARLIER, fusedUpdates: true, recordedSteps: true };

const surroundings = (settings: Surroundings["settings"]): Surroundings => ({
  device: "cuda:0",
  deviceName: "a card",
  threads: 1,
  versions: { torch: "2.13", python: "3.11", node: "20" },
  platform: "linux",
  dataset: { name: "digits", options: {} },
  dataSha256: "a".repeat(64),
  testCount: 1,
  initialWeightsSha256: "b".repeat(64),
  parameterCount: 1,
  settings,
});

const made = (settings: Surroundings["settings"]): MadeIn => ({
  arm: "shuffled",
  directory: "runs/x",
  goesOn: true,
  seed: 1,
  modelHash: "c",
  isOwnModel: false,
  surroundings: surroundings(settings),
});

describe("a run beside one with other settings of the same arm", () => {
  it.each([
    ["recorded steps, then none", RECORDED, PLAIN, "fusedUpdates true, now false"],
    ["none, then recorded steps", PLAIN, RECORDED, "fusedUpdates false, now true"],
    ["recorded steps, then eager ones", RECORDED, FUSED, "recordedSteps true, now false"],
    ["an earlier version's, then recorded steps", EARLIER, RECORDED, "fusedUpdates false, now true"],
  ])("%s: other bits, and it is said which", (_, then, now, difference) => {
    expect(otherBeside(made(now), [made(then)])?.what).toContain(difference);
    expect(bitsSha256(surroundings(then))).not.toBe(bitsSha256(surroundings(now)));
  });

  it.each([
    ["an earlier version's, then neither", EARLIER, PLAIN],
    ["the same", RECORDED, RECORDED],
  ])("%s: the same bits", (_, then, now) => {
    expect(otherBeside(made(now), [made(then)])).toBeUndefined();
    expect(bitsSha256(surroundings(then))).toBe(bitsSha256(surroundings(now)));
  });
});
