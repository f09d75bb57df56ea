import { expect, test } from "vitest";
import { caseText, headText, legendText } from "../../src/bench/bench-text.js";
import type { BenchCase, BenchHead } from "../../src/record/bench-document.js";

const head: BenchHead = {
  date: "2026-11-30T09:00:00.000Z",
  command: "ibatch bench",
  ibatchVersion: "0.1.0",
  commit: "0123456789abcdef0123456789abcdef01234567+changes",
  machine: {
    device: "cuda:0",
    deviceName: "NVIDIA H100 80GB HBM3",
    processor: "Xeon",
    cores: 16,
    platform: "Linux",
    node: "20.19.0",
    versions: { python: "3.11.7", torch: "2.13.0", numpy: "2.4.0", cuda: "13.0", cudnn: "91900", driver: "580.65.06" },
  },
  threads: 16,
  rounds: 5,
  precision: "bfloat16",
  augments: true,
  equalBits: false,
  workers: 2,
  isRealData: false,
};

const oursIs = { median: 1, least: 1, most: 1 };
const resnet: BenchCase = {
  model: "resnet18",
  batchSize: 128,
  samples: 25_600,
  parameters: 11_173_962,
  ...{ memoryFormat: "channels_last", recordedSteps: true, fusedUpdates: true },
  loops: [
    { name: "ours", seconds: [1], samplesPerSecond: 25_600, oursIs, peakBytes: 3 * 2 ** 30 },
    {
      name: "eager",
      seconds: [2.5],
      samplesPerSecond: 10_240,
      oursIs: { median: 2.5, least: 2.4, most: 2.6 },
      peakBytes: 2 ** 31,
    },
    {
      name: "bare",
      seconds: [1.05],
      samplesPerSecond: 24_381,
      oursIs: { median: 1.05, least: 1, most: 1.1 },
      peakBytes: 2 ** 31,
    },
    {
      name: "bare-kept",
      seconds: [0.9],
      samplesPerSecond: 28_444,
      oursIs: { median: 0.9, least: 0.85, most: 0.95 },
      peakBytes: 2 ** 31,
    },
    {
      name: "textbook",
      seconds: [12],
      samplesPerSecond: 2133,
      oursIs: { median: 12, least: 11, most: 13 },
      peakBytes: 2 ** 30,
    },
  ],
  control: { seconds: [0.0123], milliseconds: 12.3, shareOfEpoch: 0.0123 },
  product: { operationsOfSample: 3.3e9, rates: [6e14, 7e14, 8e14], share: 0.1207 },
  twice: { batches: 5, equal: true, weightsSha256: ["a", "a"], lossesSha256: ["b", "b"] },
};

const whole = `${headText(head)}${caseText(resnet)}${legendText()}`;

test("a case reads as one table, with what else was seen below it", () => {
  expect(whole).toMatchInlineSnapshot(`
    "NVIDIA H100 80GB HBM3 (cuda:0), 16 CPU threads
    torch 2.13.0, cuda 13.0, cudnn 91900, driver 580.65.06
    Python 3.11.7, Node 20.19.0, ibatch 0.1.0, commit 0123456 with changes
    bfloat16, 5 rounds, images made up, augmented, textbook with 2 workers

    resnet18, batches of 128, 25,600 samples a round, channels_last

      loop        samples/s   ours is    least … most   peak memory
      ours           25,600                               3,072 MiB
      eager          10,240    2.50 ×     2.40 … 2.60     2,048 MiB
      bare           24,381    1.05 ×     1.00 … 1.10     2,048 MiB
      bare-kept      28,444    0.90 ×     0.85 … 0.95     2,048 MiB
      textbook        2,133   12.00 ×   11.00 … 13.00     1,024 MiB

      steps of ours: recorded, with weights updated by one kernel
      control: 12.3 ms an epoch outside of the backend, 1.23 % of it
      device: a large matrix product runs at 700,000 GFLOP/s, ours at 12.1 % of that
      the same 5 batches twice: equal bits

    ours      as \`ibatch run\` trains: this controller, and a backend of its own
    eager     the same with \`backend.fast: false\`, one operation at a time
    bare      a loop in Python, images on the device, each sample's loss kept
    textbook  a loop in Python with Dataset, DataLoader and a mean loss
    …-kept    the same, told to keep freed memory (glibc's mallopt), as ours is
    ours is   so many times as quick, a median over rounds, and from least to most

    No script keeps freed memory by itself; rows that end in -kept show how much of
    a ratio that alone is. On a CPU ours also pools before
    the activations of fashion-mnist-cnn: the same values, a quarter of their work.
    "
  `);
});

test("the head says where ours is to have equal bits", () => {
  expect(headText({ ...head, equalBits: true })).toContain(", equal bits, textbook");
});

test("all of it fits into 80 columns", () => {
  expect(whole.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("other bits stand out, and ours alone has no ratios and no device", () => {
  const [ours] = resnet.loops;
  const alone = caseText({
    ...resnet,
    loops: [ours],
    product: null,
    twice: { ...resnet.twice, batches: 1, equal: false },
  });
  expect(alone).toContain("the same batch twice: OTHER bits");
  expect(alone).not.toMatch(/device:|\d ×/);
});
