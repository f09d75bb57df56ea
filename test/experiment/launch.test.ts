// What a program can do: an experiment from a value or a file, on a backend that only pretends.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Interrupted } from "../../src/errors.js";
import { runExperiment } from "../../src/launch/launch.js";
import { FakeBackend } from "./fake-backend.js";
import { BACKWARDS, orderModule } from "./own-order.js";
import { CONFIG, temporaryDirectory } from "./scene.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
afterEach(() => vi.resetAllMocks());

function pretend() {
  const client = new FakeBackend();
  const stop = vi.fn(async () => {});
  opened.openBackend.mockImplementation(async () => ({ client, stop }));
  return { client, stop };
}

/** CONFIG as a program would hold it. */
const value = {
  name: "small",
  dataset: "digits",
  model: "mnist-cnn",
  optimizer: "sgd",
  schedule: { name: "constant", learningRate: 0.1 },
  batching: { name: "constant", size: 5 },
  evaluation: { trainSample: 4 },
  backend: { chunkBatches: 2 },
  epochs: 3,
  seeds: 2,
  arms: { frozen: { order: "frozen" }, shuffled: { order: "shuffled" } },
};

describe("runExperiment", () => {
  test("with a value or with a file that says the same: the same summary, the table of it, all on record", async () => {
    const { stop } = pretend();
    const directory = temporaryDirectory();
    const path = join(directory, "small.yaml");
    writeFileSync(path, CONFIG);
    const [fromFile, fromValue] = [join(directory, "a"), join(directory, "b")];
    const first = await runExperiment(path, { out: fromFile });
    const second = await runExperiment(value, { out: fromValue });
    expect(second.summary).toEqual({ ...first.summary, directory: fromValue });
    expect(first.summary.arms.map(({ arm, done }) => [arm, done])).toEqual([
      ["frozen", 2],
      ["shuffled", 2],
    ]);
    expect(second.table).toBe(first.table);
    expect(readFileSync(join(fromValue, "table.md"), "utf8")).toBe(second.table);
    expect(second.directory).toBe(fromValue);
    expect(JSON.parse(readFileSync(join(fromValue, "experiment.json"), "utf8"))).toMatchObject({
      command: "runExperiment",
    });
    expect(stop).toHaveBeenCalledTimes(2);
  });

  test("leaves the value as it was", async () => {
    pretend();
    const before = structuredClone(value);
    await runExperiment(value, { out: join(temporaryDirectory(), "run") });
    expect(value).toEqual(before);
  });

  test("finds a user's order from the file's folder", async () => {
    const { client } = pretend();
    const directory = temporaryDirectory();
    const path = join(directory, "small.yaml");
    writeFileSync(join(directory, "mine.mjs"), orderModule(BACKWARDS));
    writeFileSync(path, CONFIG.replace("order: frozen", "order: ./mine.mjs"));
    await runExperiment(path, { out: join(directory, "run") });
    expect(client.sentOf("train")[0].arrays.indices[0]).toBe(23);
  });

  test("tells of a mistake in a value before a backend is started", async () => {
    pretend();
    const onChecked = vi.fn();
    const wrong = { ...value, arms: { frozen: { order: { name: "frozen", sequenc: 1 } } } };
    await expect(runExperiment(wrong, { onChecked })).rejects.toMatchObject({
      kind: "usage",
      message: "config: arms.frozen.order.sequenc: unknown key; did you mean `sequence`?",
    });
    expect(onChecked).not.toHaveBeenCalled();
    expect(opened.openBackend).not.toHaveBeenCalled();
  });

  test("tells its observer of every run, and ends where the signal says; the backend is stopped", async () => {
    const { stop } = pretend();
    const abort = new AbortController();
    const ended: string[] = [];
    const running = runExperiment(value, {
      out: join(temporaryDirectory(), "run"),
      signal: abort.signal,
      observe: () => ({
        runEnded: ({ arm, seed }) => {
          ended.push(`${arm} ${seed}`);
          if (ended.length === 2) abort.abort();
        },
      }),
    });
    await expect(running).rejects.toBeInstanceOf(Interrupted);
    expect(ended).toEqual(["frozen 0", "shuffled 0"]);
    expect(stop).toHaveBeenCalledOnce();
  });
});
