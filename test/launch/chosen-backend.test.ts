// Who is told that a backend of the user's own is waited for.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { BackendOptions } from "../../src/backend/backend.js";
import { BackendLost, NothingListens } from "../../src/backend/errors.js";
import { backendSection } from "../../src/config/common-schema.js";
import { surroundingsError, usageError } from "../../src/errors.js";
import { greet, openToAsk, supplyChosenBackend, supplyPool } from "../../src/launch/chosen-backend.js";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { temporaryDirectory } from "../experiment/scene.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
afterEach(() => {
  vi.resetAllMocks();
});

const URL = "ipc:///there";
const { startSeconds } = backendSection.parse({});
const WAITING = `waiting up to ${startSeconds} s for a backend at ${URL}: start it again there`;

let instances = 0;
const ofInstance = (instance = `${++instances}`) => new FakeBackend({ introduction: { instance } });

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

describe("a pool", () => {
  const { signal } = new AbortController();
  /** On what device and with how many threads each of the pool is started, and as what its lines are told. */
  async function started(section: object, choice = {}) {
    opened.openBackend.mockImplementation(async ({ onOutput }: BackendOptions) => {
      onOutput?.("hello");
      return { client: {}, stop: async () => {} };
    });
    const told: number[] = [];
    const onOutput = (_line: string, job: number) => told.push(job);
    for (const backends of supplyPool(choice, { config: backendSection.parse(section), signal, onOutput }))
      await backends.get();
    const calls = opened.openBackend.mock.calls.map(([options]): BackendOptions => options);
    return { told, asked: calls.map(({ device, threads }) => [device, threads]) };
  }
  const cores = availableParallelism();

  test("is one backend with all cores, where nothing is said", async () => {
    expect(await started({})).toEqual({ told: [0], asked: [["auto", cores]] });
  });

  test("shares cores out among jobs, one each at least", async () => {
    const shared = Math.max(1, Math.floor(cores / 3));
    expect(await started({ jobs: 3 })).toEqual({ told: [0, 1, 2], asked: Array(3).fill(["auto", shared]) });
    opened.openBackend.mockReset();
    expect((await started({ jobs: cores + 1 })).asked).toEqual(Array(cores + 1).fill(["auto", 1]));
  });

  test("takes threads as they are said, of each job", async () => {
    expect((await started({ jobs: 2, threads: 5, device: "cpu" })).asked).toEqual(Array(2).fill(["cpu", 5]));
  });

  test("has a job for each device, and more jobs take them in turn", async () => {
    const devices = ["cuda:0", "cuda:1"];
    expect((await started({ devices, threads: 1 })).asked).toEqual([
      ["cuda:0", 1],
      ["cuda:1", 1],
    ]);
    opened.openBackend.mockReset();
    const { asked } = await started({ devices, jobs: 3, threads: 1 });
    expect(asked.map(([device]) => device)).toEqual(["cuda:0", "cuda:1", "cuda:0"]);
  });

  test("is none of a backend that runs already", () => {
    const ofTwo = { config: backendSection.parse({ jobs: 2 }), signal };
    expect(() => supplyPool({ backend: URL }, ofTwo)).toThrow(
      `--backend ${URL} is one backend, which trains one run at a time each, and backend.jobs are 2: leave one out`,
    );
    expect(supplyPool({ backend: URL }, { ...ofTwo, config: backendSection.parse({}) })).toHaveLength(1);
  });

  test("begins with the first one that can be started", async () => {
    const missing = surroundingsError("there is no cuda:9 here");
    opened.openBackend.mockImplementation(async ({ device }: BackendOptions) => {
      if (device !== "cpu") throw missing;
      return { client: ofInstance(), stop: async () => {} };
    });
    const poolOf = (...devices: string[]) =>
      supplyPool({}, { config: backendSection.parse({ devices, threads: 1 }), signal });
    const { pool } = await greet(poolOf("cuda:9", "cpu", "cuda:8"), {});
    expect(pool.map(({ name }) => name)).toEqual(["backend 2", "backend 3", "backend 1"]);
    await expect(greet(poolOf("cuda:9", "cuda:8"), {})).rejects.toBe(missing);
  });

  test("does not listen at one port", () => {
    const listening = (listen: string, jobs: number) => backendSection.safeParse({ listen, jobs }).success;
    expect([listening("tcp://127.0.0.1:5555", 2), listening("tcp://127.0.0.1:5555", 1)]).toEqual([false, true]);
    expect([listening("tcp://127.0.0.1:0", 2), listening("ipc", 2)]).toEqual([true, true]);
  });

  describe("of backends that run already", () => {
    const config = backendSection.parse({});
    const [A, B, C] = ["ipc:///a", "ipc:///b", "ipc:///c"];
    const poolOf = (backend: string | string[], section = {}) =>
      supplyPool({ backend }, { config: { ...config, ...section }, signal });

    test.each([
      ["with commas", `${A},${B}, ${C}`],
      ["as a list", [A, B, C]],
      ["as both", [`${A},${B}`, C]],
    ])("has a supply for each, %s", async (_how, backend) => {
      opened.openBackend.mockImplementation(async () => ({ client: ofInstance(), stop: async () => {} }));
      const pool = poolOf(backend, { jobs: 3 });
      expect(pool.map(({ name }) => name)).toEqual([A, B, C]);
      for (const supply of pool) await supply.get();
      const asked = opened.openBackend.mock.calls.map(([{ url, threads }]) => [url, threads]);
      expect(asked).toEqual([A, B, C].map((url) => [url, "auto"]));
    });

    test("leaves a comma in a path alone", () => {
      expect(poolOf("ipc:///tmp/a,b,ipc:///tmp/c").map(({ name }) => name)).toEqual(["ipc:///tmp/a,b", "ipc:///tmp/c"]);
    });

    test("has as many jobs as backends, each named once", () => {
      expect(() => poolOf([A, B], { jobs: 3 })).toThrow(
        `--backend ${A},${B} are 2 backends, which train one run at a time each, and backend.jobs are 3: leave one out`,
      );
      expect(() => poolOf([A, B], { devices: ["cpu"] })).toThrow("backend.devices are 1: leave one out");
      expect(() => poolOf([A, B, A])).toThrow(`--backend ${A} is named twice: name each backend once`);
    });

    test("is refused by what asks one", async () => {
      const choice = { backend: [A, B] };
      const refusal = `--backend ${A},${B}: one backend is asked here, and only \`ibatch run\` takes several; name one`;
      await expect(openToAsk(choice, signal)).rejects.toThrow(refusal);
      expect(() => supplyChosenBackend(choice, { signal })).toThrow(refusal);
    });

    test("knows one backend by two endpoints, and lets the second one go", async () => {
      const stop = vi.fn();
      opened.openBackend.mockImplementation(async () => ({ client: ofInstance("same"), stop }));
      const [first, second] = poolOf([A, B]);
      await first.get();
      await first.discard();
      await first.get(); // again: it is the same one that was there before
      expect(stop).toHaveBeenCalledTimes(1);
      await expect(second.get()).rejects.toThrow(`${A} and ${B} lead to one backend: name it once`);
      expect(stop).toHaveBeenCalledTimes(2);
    });

    test("begins with those that are there, in their sequence", async () => {
      const missing = new NothingListens("nothing listens there");
      const busy = usageError("computes on cpu, cuda was asked for");
      const away = new Map<string, Error>();
      opened.openBackend.mockImplementation(async ({ url }: BackendOptions) => {
        const error = away.get(url ?? "");
        if (error !== undefined) throw error;
        return { client: ofInstance(), stop: async () => {} };
      });
      const greeted = async () => (await greet(poolOf([A, B, C]), { backend: [A, B, C] })).pool.map(({ name }) => name);
      expect(await greeted()).toEqual([A, B, C]);
      away.set(A, missing);
      expect(await greeted()).toEqual([B, C, A]);
      away.set(C, busy);
      await expect(greeted()).rejects.toBe(busy);
      for (const url of [A, B, C]) away.set(url, new NothingListens(`nothing listens at ${url}`));
      await expect(greeted()).rejects.toThrow(
        `none of these backends is there: ${[A, B, C].map((url) => `nothing listens at ${url}`).join("; ")}`,
      );
    });
  });

  test("of devices and a device is refused", () => {
    const { error } = backendSection.safeParse({ devices: ["cuda:0"], device: "cpu" });
    expect(error?.issues).toMatchObject([{ path: ["devices"], message: "names the devices: leave `device` out" }]);
  });
});
