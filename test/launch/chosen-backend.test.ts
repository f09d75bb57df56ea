// Who is told that a backend of the user's own is waited for.
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type { BackendOptions } from "../../src/backend/backend.js";
import { BackendLost } from "../../src/backend/errors.js";
import { backendSection } from "../../src/config/common-schema.js";
import { supplyChosenBackend } from "../../src/launch/chosen-backend.js";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { temporaryDirectory } from "../experiment/scene.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
afterEach(() => {
  vi.resetAllMocks();
});

const URL = "tcp://there:5555";
const { startSeconds } = backendSection.parse({});
const WAITING = `waiting up to ${startSeconds} s for a backend at ${URL}: start it again there`;

type Opening = Pick<BackendOptions, "onWaiting">;

/** Opens a backend, and another one; what is said of it. `isThere`: at once. */
async function saidOfAnother(isThere: boolean): Promise<string[]> {
  opened.openBackend.mockImplementation(async ({ onWaiting }: Opening) => {
    if (!isThere) onWaiting?.();
    return { client: {}, stop: async () => {} };
  });
  const said: string[] = [];
  const { signal } = new AbortController();
  const backends = supplyChosenBackend({ backend: URL }, { signal, note: (line) => said.push(line) });
  await backends.get();
  expect(said).toEqual([]);
  await backends.discard();
  await backends.get();
  expect(opened.openBackend.mock.calls.map(([{ mayComeBack }]) => mayComeBack)).toEqual([false, true]);
  return said;
}

test("of one that was lost and is not there yet", async () => {
  expect(await saidOfAnother(false)).toEqual([WAITING]);
});

test("not of one that is there again", async () => {
  expect(await saidOfAnother(true)).toEqual([]);
});

test("what a backend at an endpoint has to allow is what the config imports", async () => {
  opened.openBackend.mockImplementation(async () => ({ client: {}, stop: async () => {} }));
  const { signal } = new AbortController();
  const imports = ["net:Net", "team.data:load", "net:Wide"];
  await supplyChosenBackend({ backend: URL }, { signal, imports }).get();
  const { userCode }: Pick<BackendOptions, "userCode"> = opened.openBackend.mock.calls[0][0];
  expect(userCode).toEqual({ allowImport: ["net", "team.data"], pythonPath: [] });
});

test("an experiment's observer is told of it", async () => {
  let isLost = false;
  const client = () =>
    new FakeBackend({
      before: ({ type }) => {
        if (isLost || type !== "train") return;
        isLost = true;
        throw new BackendLost("it was silent");
      },
    });
  opened.openBackend.mockImplementation(async ({ onWaiting }: Opening) => {
    onWaiting?.();
    return { client: client(), stop: async () => {} };
  });
  const said: string[] = [];
  const config = {
    ...{ name: "small", dataset: "digits", model: "mnist-cnn", optimizer: "sgd", epochs: 1, seeds: 1 },
    schedule: { name: "constant", learningRate: 0.1 },
    batching: { name: "constant", size: 5 },
    evaluation: { trainSample: 4 },
    arms: { frozen: { order: "frozen" }, shuffled: { order: "shuffled" } },
  };
  await runExperiment(config, {
    out: join(temporaryDirectory(), "run"),
    backend: URL,
    observe: () => ({ noted: (line) => said.push(line) }),
  });
  expect(said).toContain(WAITING);
});
