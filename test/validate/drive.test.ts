import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { runConfig } from "../../src/config/run-config.js";
import { RunRecord } from "../../src/record/run-record.js";
import { drive } from "../../src/validate/drive.js";
import { catalogue } from "../config/fake-catalogue.js";
import { FakeBackend, type Pretence } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";

/** Drives so many batches of two epochs of five. */
async function driven(batches: number, pretence: Pretence = {}, note: (line: string) => void = () => {}) {
  const text = CONFIG.replace("epochs: 3", "epochs: 2")
    .replace("name: constant, learningRate", "name: cosine, learningRate")
    .replace("chunkBatches: 2", "chunkBatches: 3");
  const config = resolveConfig(ConfigSource.parse(text, "x.yaml"), OrderSources.builtIn, catalogue);
  const signal = new AbortController().signal;
  const client = new FakeBackend(pretence);
  const record = new RunRecord(join(temporaryDirectory(), "run"), { orders: "full", signals: "last" });
  record.start({
    arm: "frozen",
    seed: 0,
    configHash: "",
    config: config.arms.frozen,
    ibatchVersion: "",
    state: "running",
  });
  const order = OrderSources.builtIn.start(config.arms.frozen.order, 0, {
    signal,
    limit: { seconds: 60 },
    say: () => {},
  });
  const stop = vi.spyOn(order, "stop");
  const rest = { seed: 0, batches, dataDir: null, record, signal, note };
  const driving = drive({ client, config: runConfig(config, "frozen"), order, ...rest });
  return { client, stop, outcome: await driving.catch((error: unknown) => error) };
}

test("all batches of the run: rates along its whole schedule, and none past its end", async () => {
  const { client, outcome } = await driven(10);
  expect(outcome).toMatchObject({ batchSizes: [5, 5, 5, 5, 4, 5, 5, 5, 5, 4] });
  const rates = client.sentOf("train").flatMap(({ arrays }) => [...arrays.learningRates]);
  const samplesBefore = Array.from({ length: 10 }, (_, step) => 24 * Math.floor(step / 5) + 5 * (step % 5));
  const cosine = samplesBefore.map((samples) => 0.05 * (1 + Math.cos((Math.PI * samples) / 48)));
  expect(rates.map((rate, step) => Math.abs(rate - cosine[step]) < 1e-12)).toEqual(new Array(10).fill(true));
});

test("chunks are those of a run, cut where weights are compared; weights are asked for between them, nothing waits", async () => {
  const { client, outcome } = await driven(10);
  const asked = client.sent.flatMap((message) => {
    if (message.type === "train") return [`train ${message.fields.firstStep}+${message.arrays.learningRates.length}`];
    return message.type === "weights" ? ["weights"] : [];
  });
  expect(asked).toEqual([
    ...["weights", "train 0+1", "weights", "train 1+1", "weights", "train 2+3"],
    ...["train 5+3", "train 8+2", "weights"],
  ]);
  expect(client.mostUnderWay).toBe(2);
  expect(outcome).toMatchObject({ weights: [{ step: 0 }, { step: 1 }, { step: 2 }, { step: 10 }] });
});

test("the epochs between are evaluated, and the next plan is made meanwhile, as in a run", async () => {
  const { client } = await driven(10);
  const types = client.sent.map(({ type }) => type);
  expect(types.filter((type) => type === "evaluate")).toHaveLength(3); // two after the first epoch, and the last look
});

test("a run that diverges: there is nothing to compare, and it says so", async () => {
  const { outcome } = await driven(10, { loss: (_, step) => (step === 7 ? Number.NaN : 1) });
  expect(outcome).toMatchObject({ kind: "run", message: expect.stringMatching(/^the run diverged at step 7, /) });
});

test("more batches than the run has: refused with how many there are, not trained past the end of its schedule", async () => {
  const { client, stop, outcome } = await driven(11);
  expect(outcome).toMatchObject({
    kind: "usage",
    message: "--batches 11: the run ends after 10 (epochs: 2); take 10 at most",
  });
  expect(client.sentOf("train").flatMap(({ arrays }) => [...arrays.learningRates])).toHaveLength(10);
  expect(client.sentOf("close")).toHaveLength(1);
  expect(stop).toHaveBeenCalled();
});

test("a session that cannot be opened stops the order all the same", async () => {
  const { stop, outcome } = await driven(1, {
    before({ type }) {
      if (type === "open") throw new Error("no");
    },
  });
  expect(outcome).toMatchObject({ message: "no" });
  expect(stop).toHaveBeenCalled();
});

test("what the backend says of the session is told", async () => {
  const said: string[] = [];
  await driven(1, { opened: { notices: ["channels_last does not fit", "3 test images are in train"] } }, (line) =>
    said.push(line),
  );
  expect(said).toEqual(["channels_last does not fit", "3 test images are in train"]);
});
