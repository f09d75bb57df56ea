import { describe, expect, test } from "vitest";
import { casesOn, refuseUnknown } from "../../src/bench/cases.js";

const named = (device: string) => casesOn(device, {}).map(({ model, batchSize }) => `${model} ${batchSize}`);

describe("what is measured", () => {
  test("where nothing is asked for: the small networks, and on a GPU ResNet-18, too", () => {
    expect(named("cpu")).toEqual(["mnist-cnn 64", "fashion-mnist-cnn 64"]);
    expect(named("cuda:1")).toEqual(["mnist-cnn 64", "fashion-mnist-cnn 64", "resnet18 128"]);
  });

  test("every model in batches of every size", () => {
    const cases = casesOn("cpu", { models: ["resnet18", "mnist-cnn"], batchSizes: [32, 64], samples: 640 });
    expect(cases.map(({ model, batchSize, samples }) => ({ model, batchSize, samples }))).toEqual([
      { model: "resnet18", batchSize: 32, samples: 640 },
      { model: "resnet18", batchSize: 64, samples: 640 },
      { model: "mnist-cnn", batchSize: 32, samples: 640 },
      { model: "mnist-cnn", batchSize: 64, samples: 640 },
    ]);
  });

  test("each once, however often it is named", () => {
    const cases = casesOn("cpu", { models: ["mnist-cnn", "mnist-cnn"], batchSizes: [64, 64] });
    expect(cases).toHaveLength(1);
  });

  test("a last batch of one sample, too: BatchNorm has the places of an image", () => {
    expect(casesOn("cpu", { models: ["resnet18"], batchSizes: [1, 64], samples: 129 })).toHaveLength(2);
  });

  test("rounds are longer on a GPU", () => {
    const samples = (device: string) => casesOn(device, { models: ["mnist-cnn"] })[0].samples;
    expect(samples("cuda:0")).toBeGreaterThan(4 * samples("cpu"));
  });
});

describe("what cannot be measured is refused, with what to do", () => {
  test("a model that no loop has", () => {
    expect(() => refuseUnknown({ models: ["mnist-cnn", "resnet"] })).toThrow(
      "--model resnet: did you mean `resnet18`?",
    );
    expect(() => refuseUnknown({ models: ["constructor"] })).toThrow("--model constructor: ");
    expect(() => refuseUnknown({ models: ["mnist-cnn"] })).not.toThrow();
  });

  test("fewer samples than a batch", () => {
    expect(() => casesOn("cpu", { models: ["mnist-cnn"], samples: 63 })).toThrow(
      "--samples 63: fewer than a batch of 64 (mnist-cnn); take as many at least",
    );
  });
});
