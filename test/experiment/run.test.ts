import { describe, expect, test } from "vitest";
import { BackendError } from "../../src/backend/errors.js";
import { random } from "../../src/kernels/random.js";
import { shuffled } from "../../src/kernels/shuffle.js";
import { SETTINGS, type Sent, sha256, weightsAtStart } from "./fake-backend.js";
import { Scene } from "./scene.js";

const ONE_RUN = ["arms={shuffled: {order: shuffled}}", "seeds=1"];

const isTrain = (message: Sent) => message.type === "train";

describe("a run that comes to its end", () => {
  test("asks for exactly: open, then each epoch's chunks and evaluations, then close", async () => {
    const { client, results } = await new Scene().run({ settings: [...ONE_RUN, "dataset.validation=3"] });
    const asked = client.sent.map((message) =>
      message.type === "train"
        ? `train ${message.fields.firstStep}+${message.arrays.learningRates.length}`
        : message.type === "evaluate"
          ? `evaluate ${message.fields.part} ${message.arrays.indices.length}`
          : message.type,
    );
    const epoch = (step: number) => [
      `train ${step}+2`,
      `train ${step + 2}+2`,
      `train ${step + 4}+1`,
      "evaluate train 4",
      "evaluate train 3",
      "evaluate test 6",
    ];
    expect(asked).toEqual(["open", ...epoch(0), ...epoch(5), ...epoch(10), "images", "close"]);
    expect(results).toMatchObject([{ arm: "shuffled", seed: 0, state: "done" }]);
  });

  test("opens what the config says, with the run's seed", async () => {
    const { client } = await new Scene().run({
      settings: [...ONE_RUN, "seeds=[7]", "model.padding=same", "augmentation.crop=2", "precision=bfloat16"],
    });
    expect(client.sentOf("open").map(({ fields }) => fields)).toEqual([
      {
        dataset: { origin: "catalogue", name: "digits", options: {} },
        dataDir: null,
        model: { origin: "catalogue", name: "mnist-cnn", options: { padding: "same", dropout: 0.5 } },
        loss: null,
        optimizer: { name: "sgd", options: { momentum: 0, weightDecay: 0, nesterov: false } },
        augmentation: { crop: 2, flip: false },
        precision: "bfloat16",
        channelsLast: "auto",
        equalBits: false,
        fast: true,
        seed: 7,
        modelSeed: null,
        owner: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  test("trains on what the order says of (seed, epoch): each sample once an epoch, another sequence each time", async () => {
    const { client } = await new Scene().run({ settings: [...ONE_RUN, "seeds=[4]", "backend.chunkBatches=100"] });
    const all = Uint32Array.from({ length: 24 }, (_, index) => index);
    expect(client.sentOf("train").map(({ arrays }) => [...arrays.indices])).toEqual(
      [0, 1, 2].map((epoch) => [...shuffled(all, random(4, "order", epoch))]),
    );
  });

  test("a plan is on disk before its first chunk goes out", async () => {
    const scene = new Scene();
    const seen: boolean[] = [];
    await scene.run({
      settings: ONE_RUN,
      pretence: {
        before(message) {
          if (!isTrain(message)) return;
          const epoch = `shuffled/seed-0/orders/000${Math.floor(message.fields.firstStep / 5)}`;
          const indices = scene.bytes(`${epoch}.u32`);
          const { orderSha256 } = JSON.parse(scene.text(`${epoch}.json`));
          const { firstStep } = message.fields;
          const start = 4 * 5 * (firstStep % 5);
          const sent = Buffer.from(Uint32Array.from(message.arrays.indices).buffer);
          seen.push(indices.subarray(start, start + sent.length).equals(sent), orderSha256.length === 64);
        },
      },
    });
    expect(seen).toEqual(new Array(18).fill(true));
  });

  test("a line of metrics is a function of config and seed: step, sizes, rates, means, hashes", async () => {
    const scene = new Scene();
    await scene.run({ settings: [...ONE_RUN, "seeds=[4]", "schedule.warmupEpochs=1"] });
    const [first, second] = scene.metrics("shuffled", 4);
    const indices = shuffled(
      Uint32Array.from({ length: 24 }, (_, index) => index),
      random(4, "order", 0),
    );
    const losses = [...indices].map((index, at) => Math.fround(1 / (1 + index + Math.floor(at / 5))));
    expect(first).toEqual({
      epoch: 0,
      step: 5,
      batches: 5,
      samples: 24,
      scored: 0,
      batchSize: { smallest: 4, largest: 5 },
      learningRate: { first: 0.1 * 0.1, last: 0.1 * (0.1 + (0.9 * (20 / 24)) / 1) },
      train: { loss: losses.reduce((sum, loss) => sum + loss, 0) / 24, accuracy: 0.5, count: 24 },
      trainSample: expect.objectContaining({ count: 4 }),
      test: {
        loss: [0, 1, 2, 3, 4, 5].reduce((sum, index) => sum + Math.fround(1 / (1 + index + 5)), 0) / 6,
        accuracy: 0.5,
        count: 6,
      },
      order: expect.objectContaining({ distinct: 24, mostDrawn: 1, effectiveDataSize: 24 }),
      orderSha256: sha256(indices),
      planSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(second).toMatchObject({ epoch: 1, step: 10, learningRate: { first: 0.1, last: 0.1 } });
  });

  test("each epoch's losses are recorded in index order, NaN where a sample was not trained on", async () => {
    const scene = new Scene();
    const { client } = await scene.run({ settings: [...ONE_RUN, "dataset.subset=20", "backend.chunkBatches=100"] });
    const [, second] = client.sentOf("train");
    const bytes = scene.bytes("shuffled/seed-0/signals/loss/0001.f32");
    const expected = new Array<number>(24).fill(Number.NaN);
    for (const [at, index] of second.arrays.indices.entries()) {
      expected[index] = Math.fround(1 / (1 + index + 4 + Math.floor(at / 5)));
    }
    expect(Array.from({ length: 24 }, (_, index) => bytes.readFloatLE(4 * index))).toEqual(expected);
    expect(bytes).toHaveLength(4 * 24);
  });

  test("each epoch's predictions likewise, 2^32-1 where a sample was not trained on; and the test set's last ones", async () => {
    const scene = new Scene();
    const { client } = await scene.run({
      settings: [...ONE_RUN, "dataset.subset=20"],
      pretence: { prediction: (index, step) => index * 100 + step },
    });
    const trained = client.sentOf("train").filter(({ fields }) => fields.firstStep < 4);
    const expected = new Array<number>(24).fill(2 ** 32 - 1);
    for (const { fields, arrays } of trained) {
      for (const [at, index] of arrays.indices.entries())
        expected[index] = index * 100 + fields.firstStep + Math.floor(at / 5);
    }
    expect(expected.filter((prediction) => prediction === 2 ** 32 - 1)).toHaveLength(4);
    expect(scene.words("shuffled/seed-0/signals/prediction/0000.u32")).toEqual(expected);
    const afterTwelveSteps = [0, 1, 2, 3, 4, 5].map((index) => index * 100 + 12);
    expect(scene.words("shuffled/seed-0/test-predictions.u32")).toEqual(afterTwelveSteps);
  });

  test("what it trained on is recorded once for all runs: class names and labels", async () => {
    const scene = new Scene();
    await scene.run();
    expect(JSON.parse(scene.text("datasets/dddddddd/dataset.json"))).toEqual({
      name: "digits",
      dataSha256: "d".repeat(64),
      labelsSha256: sha256(Uint32Array.from(scene.words("datasets/dddddddd/labels.u32"))),
      testLabelsSha256: sha256(Uint32Array.from(scene.words("datasets/dddddddd/test-labels.u32"))),
      documentSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      classNames: ["class 0", "class 1", "class 2"],
      inputShape: [1, 28, 28],
    });
    const classes = (count: number) => Array.from({ length: count }, (_, index) => index % 3);
    expect(scene.words("datasets/dddddddd/labels.u32")).toEqual(classes(24));
    expect(scene.words("datasets/dddddddd/test-labels.u32")).toEqual(classes(6));
  });

  test("timings have a line an epoch, and none is negative but by rounding", async () => {
    const scene = new Scene();
    await scene.run({ settings: ONE_RUN });
    const lines = scene.text("shuffled/seed-0/timings.jsonl").trimEnd().split("\n");
    const timings = lines.map((line): Record<string, number> => JSON.parse(line));
    expect(timings.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    for (const { epoch: _, ...seconds } of timings) {
      for (const value of Object.values(seconds)) expect(value).toBeGreaterThan(-1e-9);
    }
  });

  test("its document says what the bits depend on beside config and seed", async () => {
    const scene = new Scene();
    await scene.run({ settings: ONE_RUN });
    expect(scene.document("shuffled", 0)).toEqual({
      arm: "shuffled",
      seed: 0,
      seeds: { model: 0, order: 0, noise: 0 },
      configHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      config: {
        dataset: { name: "digits", options: {}, subset: null, validation: 0 },
        model: { name: "mnist-cnn", options: { padding: "none", dropout: 0.5 } },
        optimizer: { name: "sgd", options: { momentum: 0, weightDecay: 0, nesterov: false } },
        schedule: { name: "constant", options: expect.objectContaining({ learningRate: 0.1 }) },
        batching: { name: "constant", options: { size: 5, learningRate: "none", baseSize: null } },
        order: { name: "shuffled", options: {}, changesObjective: false },
        augmentation: { crop: 0, flip: false },
        precision: "float32",
        microBatch: null,
        epochs: 3,
        evaluation: { every: 1, batchSize: 500, trainSample: 4, batchNorm: "running", batchNormSample: 1000 },
      },
      ibatchVersion: "0",
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      state: "done",
      surroundings: {
        device: "cpu",
        deviceName: "pretence",
        threads: 1,
        versions: { python: "3", torch: "2", node: process.versions.node },
        platform: "none",
        dataset: { name: "digits", options: {} },
        dataSha256: "d".repeat(64),
        testCount: 6,
        initialWeightsSha256: weightsAtStart(0),
        parameterCount: 10,
        settings: SETTINGS,
      },
      checksums: "SHA256SUMS",
    });
  });
});

describe("equal runs, equal bytes", () => {
  const bytesOf = async (settings: readonly string[]) => {
    const scene = new Scene();
    await scene.run({ settings: [...ONE_RUN, ...settings] });
    const functions = scene.files("shuffled/seed-0").filter((file) => !/timings|run\.json|SHA256SUMS/.test(file));
    return functions.map((file) => [file, scene.bytes(file).toString("hex")]);
  };

  test.each([
    ["the same again", []],
    ["the epoch as one message", ["backend.chunkBatches=5"]],
    ["a batch at a time", ["backend.chunkBatches=1"]],
    ["another device", ["backend.device=cuda:1"]],
  ])("%s", async (_, settings) => {
    const first = await bytesOf([]);
    expect(first.map(([file]) => file)).toContain("shuffled/seed-0/metrics.jsonl");
    expect(await bytesOf(settings)).toEqual(first);
  });
});

describe("evaluation", () => {
  const tested = async (settings: readonly string[]) => {
    const scene = new Scene();
    const { client } = await scene.run({ settings: [...ONE_RUN, ...settings] });
    return { client, epochs: scene.metrics("shuffled", 0).map((metrics) => metrics.test !== undefined) };
  };

  test("every: 2 evaluates after the second epoch, the fourth, …, and always after the last", async () => {
    expect((await tested(["evaluation.every=2", "epochs=5"])).epochs).toEqual([false, true, false, true, true]);
    expect((await tested(["evaluation.every=100"])).epochs).toEqual([false, false, true]);
    expect((await tested([])).epochs).toEqual([true, true, true]);
  });

  test("validation samples are evaluated, and never trained on", async () => {
    const { client } = await tested(["dataset.validation=6"]);
    const trained = new Set(client.sentOf("train").flatMap(({ arrays }) => [...arrays.indices]));
    const [, validation] = client.sentOf("evaluate");
    expect(validation.fields.part).toBe("train");
    expect(validation.arrays.indices).toHaveLength(6);
    expect([...validation.arrays.indices].filter((index) => trained.has(index))).toEqual([]);
    expect(trained.size).toBe(18);
  });

  test("the training sample is the same in every epoch, arm and seed, and of the size that was asked for", async () => {
    const { client } = await new Scene().run();
    const samples = client
      .sentOf("evaluate")
      .filter(({ fields }) => fields.part === "train")
      .map(({ arrays }) => arrays.indices.join());
    expect(samples).toHaveLength(12);
    expect(new Set(samples).size).toBe(1);
    expect(samples[0].split(",")).toHaveLength(4);
  });

  test("a sample of 0 and no test set ask for nothing", async () => {
    const scene = new Scene();
    const { client } = await scene.run({
      settings: [...ONE_RUN, "evaluation.trainSample=0"],
      pretence: { testCount: 0 },
    });
    expect(client.sentOf("evaluate")).toEqual([]);
    expect(Object.keys(scene.metrics("shuffled", 0)[0])).not.toContain("test");
  });

  test("asks with the config's batch size", async () => {
    const { client } = await tested(["evaluation.batchSize=3"]);
    expect(new Set(client.sentOf("evaluate").map(({ fields }) => fields.batchSize))).toEqual(new Set([3]));
  });
});

describe("a model that normalises by batches", () => {
  const normalising = { opened: { settings: { ...SETTINGS, batchNormLayers: 2 } } };
  const evaluations = async (settings: readonly string[]) => {
    const scene = new Scene();
    const { client } = await scene.run({ settings: [...ONE_RUN, ...settings], pretence: normalising });
    return { scene, sent: client.sentOf("evaluate") };
  };

  test("after its last epoch the same samples are looked at under each kind of statistics", async () => {
    const { scene, sent } = await evaluations([]);
    const compared = sent.slice(-5).map(({ fields, arrays }) => ({
      part: fields.part,
      norm: fields.norm,
      batchSize: fields.batchSize,
      calibration: arrays.calibration?.length,
      count: arrays.indices.length,
    }));
    expect(compared).toEqual([
      { part: "test", norm: "running", batchSize: 500, calibration: undefined, count: 6 },
      { part: "test", norm: "batch", batchSize: 500, calibration: undefined, count: 6 },
      { part: "test", norm: "reestimated", batchSize: 500, calibration: 24, count: 6 },
      { part: "train", norm: "running", batchSize: 5, calibration: undefined, count: 20 },
      { part: "train", norm: "batch", batchSize: 5, calibration: undefined, count: 20 },
    ]);
    const lastOrder = scene.words("shuffled/seed-0/orders/0002.u32");
    expect([...sent.slice(-1)[0].arrays.indices], "whole batches of its own").toEqual(lastOrder.slice(0, 20));
    const [first, , last] = scene.metrics("shuffled", 0);
    expect(first).not.toHaveProperty("batchNorm");
    const measured = { loss: expect.any(Number), accuracy: 0.5, count: 6 };
    expect(last.batchNorm).toEqual({
      test: { running: measured, batch: measured, reestimated: measured },
      ownBatches: {
        running: expect.objectContaining({ count: 20 }),
        batch: expect.objectContaining({ count: 20 }),
      },
    });
  });

  test("evaluation.batchNormSample says on how many samples of either kind; 0: on none", async () => {
    const few = (await evaluations(["evaluation.batchNormSample=4", "batching.size=2"])).sent.slice(-5);
    expect(few.map(({ arrays }) => arrays.indices.length)).toEqual([4, 4, 4, 4, 4]);
    const { scene, sent } = await evaluations(["evaluation.batchNormSample=0"]);
    expect(new Set(sent.map(({ fields }) => fields.norm))).toEqual(new Set(["running"]));
    expect(scene.metrics("shuffled", 0).at(-1)).not.toHaveProperty("batchNorm");
  });

  test("the shuffled test samples are the same for every seed and arm", async () => {
    const { client } = await new Scene().run({ pretence: normalising });
    const looked = client.sentOf("evaluate").filter(({ fields }) => fields.norm !== "running");
    const onTest = looked.filter(({ fields }) => fields.part === "test").map(({ arrays }) => arrays.indices.join());
    expect(onTest).toHaveLength(8);
    expect(new Set(onTest).size).toBe(1);
    expect(onTest[0].split(",").map(Number)).not.toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("evaluation.batchNorm=reestimated: all that is measured, with the same calibration on what is trained on", async () => {
    const { sent } = await evaluations(["evaluation.batchNorm=reestimated", "dataset.validation=4"]);
    const usual = sent.slice(0, -5);
    expect(new Set(usual.map(({ fields }) => fields.norm))).toEqual(new Set(["reestimated"]));
    expect(usual).toHaveLength(9);
    const calibrations = new Set(usual.map(({ arrays }) => arrays.calibration?.join()));
    expect(calibrations.size).toBe(1);
    const [calibration] = usual.map(({ arrays }) => [...(arrays.calibration ?? [])]);
    expect(calibration).toHaveLength(20);
    const validation = [...usual[1].arrays.indices];
    expect(calibration.filter((index) => validation.includes(index))).toEqual([]);
  });

  test("a test set of one sample and batches of one have no statistics to compare", async () => {
    const scene = new Scene();
    await scene.run({ settings: [...ONE_RUN, "batching.size=1"], pretence: { ...normalising, testCount: 1 } });
    expect(scene.metrics("shuffled", 0).at(-1)?.batchNorm).toEqual({});
  });
});

test("without BatchNorm, running statistics are what is asked for, whatever the config says", async () => {
  const scene = new Scene();
  const { client } = await scene.run({ settings: [...ONE_RUN, "evaluation.batchNorm=reestimated"] });
  expect(new Set(client.sentOf("evaluate").map(({ fields }) => fields.norm))).toEqual(new Set(["running"]));
  expect(scene.metrics("shuffled", 0).at(-1)).not.toHaveProperty("batchNorm");
});

describe("pictures for the report", () => {
  test("of each class the samples with the highest mean loss, and the most misjudged", async () => {
    const scene = new Scene();
    // Sample i of class i % 3 has a loss that rises with i; only samples 4 and 5 are ever misjudged.
    const { client } = await scene.run({
      settings: [...ONE_RUN, "record.images=2"],
      pretence: { loss: (index) => index, prediction: (index) => ([4, 5].includes(index) ? 0 : index % 3) },
    });
    const [asked] = client.sentOf("images");
    expect(asked.fields.part).toBe("train");
    expect([...asked.arrays.indices]).toEqual([4, 5, 18, 19, 20, 21, 22, 23]);
    expect(JSON.parse(scene.text("shuffled/seed-0/images.json"))).toEqual({
      indices: [4, 5, 18, 19, 20, 21, 22, 23],
      shape: [28, 28, 1],
    });
    expect(scene.bytes("shuffled/seed-0/images.u8")).toHaveLength(8 * 28 * 28);
  });

  test("a backend that refuses them costs a line of the log, and no run", async () => {
    const scene = new Scene();
    const { results } = await scene.run({
      settings: ONE_RUN,
      pretence: {
        before({ type }) {
          if (type === "images") throw new BackendError("too_large", "too many pixels");
        },
      },
    });
    expect(results).toMatchObject([{ state: "done" }]);
    expect(scene.text("log.txt")).toContain("shuffled, seed 0: no images for the report: too many pixels");
    expect(scene.has("shuffled/seed-0/images.json")).toBe(false);
  });

  test("a run that diverged asks for none", async () => {
    const { client } = await new Scene().run({
      settings: ONE_RUN,
      pretence: { loss: (_, step) => (step === 6 ? Number.NaN : 1) },
    });
    expect(client.sentOf("images")).toEqual([]);
  });
});

describe("what is recorded", () => {
  const files = async (settings: readonly string[]) => {
    const scene = new Scene();
    await scene.run({ settings: [...ONE_RUN, ...settings] });
    return scene.files("shuffled/seed-0").map((file) => file.slice("shuffled/seed-0/".length));
  };
  const orders = (ending: string) => [0, 1, 2].map((epoch) => `orders/000${epoch}.${ending}`);
  const rest = ["metrics.jsonl", "timings.jsonl", "run.json", "SHA256SUMS", "test-predictions.u32"];
  const PICTURES = ["images.json", "images.u8"];

  test("all, unless told otherwise, and nothing half-written is left", async () => {
    const losses = [0, 1, 2].map((epoch) => `signals/loss/000${epoch}.f32`);
    const predictions = [0, 1, 2].map((epoch) => `signals/prediction/000${epoch}.u32`);
    const all = [...rest, ...orders("u32"), ...orders("json"), ...losses, ...predictions, ...PICTURES];
    expect(await files([])).toEqual(all.sort());
  });

  test("record.orders=hash: no indices, but offsets, rates and hashes", async () => {
    const kept = await files(["record.orders=hash"]);
    expect(kept.filter((file) => file.startsWith("orders"))).toEqual(orders("json"));
  });

  test("record.signals=last: the last epoch's losses and predictions alone", async () => {
    const kept = await files(["record.signals=last"]);
    expect(kept.filter((file) => file.startsWith("signals"))).toEqual([
      "signals/loss/0002.f32",
      "signals/prediction/0002.u32",
    ]);
  });

  test("record.images=0: no pictures, and none are asked for", async () => {
    expect(await files(["record.images=0"])).not.toEqual(expect.arrayContaining(PICTURES));
  });
});

describe("a loss that is not finite", () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "%d ends the run as diverged at exactly that step",
    async (value) => {
      const scene = new Scene();
      // Epoch 1 is steps 5 … 9; its second chunk is steps 7 and 8. The order is the file's: step 8 trains on 15 … 19.
      const { client, results } = await scene.run({
        settings: ["arms={frozen: {order: frozen}}", "seeds=1"],
        pretence: { loss: (index, step) => (step === 8 && index === 17 ? value : 1) },
      });
      expect(results).toMatchObject([{ arm: "frozen", seed: 0, state: "diverged", divergedAtStep: 8 }]);
      expect(
        results[0].metrics.map(({ epoch }) => epoch),
        "the epochs before it",
      ).toEqual([0]);
      expect(scene.document("frozen", 0)).toMatchObject({ state: "diverged", divergedAtStep: 8 });
      expect(client.cancels, "the chunk behind it is not trained on").toEqual(["s1"]);
      expect(client.sentOf("train").at(-1)?.fields.firstStep).toBeLessThan(10);
      expect(client.sentOf("close")).toHaveLength(1);
    },
  );

  test.each([
    ["the test set", "test", []],
    ["the validation part", "train", ["dataset.validation=3"]],
    ["the train sample", "train", []],
  ])("in an evaluation of %s ends the run at the step reached; the epoch's line is still written", async (...row) => {
    const [, part, settings] = row;
    const scene = new Scene();
    let evaluating: string | undefined;
    const { results, client } = await scene.run({
      settings: [...ONE_RUN, ...settings],
      pretence: {
        before(message) {
          evaluating = message.type === "evaluate" ? message.fields.part : undefined;
        },
        loss: (_, step) => (step === 10 && evaluating === part ? Number.POSITIVE_INFINITY : 1),
      },
    });
    expect(results).toMatchObject([{ state: "diverged", divergedAtStep: 10 }]);
    expect(scene.document("shuffled", 0)).toMatchObject({ state: "diverged", divergedAtStep: 10 });
    expect(scene.metrics("shuffled", 0)).toHaveLength(2);
    expect(scene.text("shuffled/seed-0/metrics.jsonl")).toContain('"loss":"Infinity"');
    expect(client.sentOf("train").at(-1)?.fields.firstStep).toBe(9);
  });

  test("even in the last one: such a run is no result for the means", async () => {
    const { results } = await new Scene().run({
      settings: [...ONE_RUN, "epochs=1"],
      pretence: { loss: (_, step) => (step === 5 ? Number.NaN : 1) }, // no batch is step 5: only what is evaluated then
    });
    expect(results).toMatchObject([{ state: "diverged", divergedAtStep: 5, metrics: [{ test: { loss: "NaN" } }] }]);
  });

  test("what is recorded of it does not depend on the batches a message holds", async () => {
    const recorded = async (chunkBatches: number) => {
      const scene = new Scene();
      await scene.run({
        settings: [...ONE_RUN, `backend.chunkBatches=${chunkBatches}`],
        pretence: { loss: (index, step) => (step === 6 ? Number.NaN : 1 / (1 + index + step)) },
      });
      const files = scene.files("shuffled/seed-0").filter((file) => !/timings|run\.json|SHA256SUMS/.test(file));
      return files.map((file) => [file, scene.bytes(file).toString("hex")]);
    };
    const whole = await recorded(5);
    expect(whole.map(([file]) => file)).toContain("shuffled/seed-0/signals/loss/0001.f32");
    expect(await recorded(1)).toEqual(whole);
    expect(await recorded(3)).toEqual(whole);
  });
});
