/** What a config names by reference: its checks, its hashes, what may be imported, and what is tried before the first run. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BackendError, BackendLost } from "../../src/backend/errors.js";
import type { FieldsOf } from "../../src/backend/messages.js";
import { armHash, experimentHash, resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { runConfig } from "../../src/config/run-config.js";
import { isAllowed, refuseImports, unusedImports } from "../../src/launch/allowed-imports.js";
import { packageRoot } from "../../src/package-root.js";
import { hashValue } from "../../src/record/hash.js";
import { refuseTooSmall } from "../../src/training/least-batch.js";
import { openRequest } from "../../src/training/open-request.js";
import { catalogue } from "../config/fake-catalogue.js";
import { mistake } from "../mistake.js";
import type { Pretence } from "./fake-backend.js";
import { Scene } from "./scene.js";

const SMALL = `name: small
dataset: { reference: team.data:load, args: { root: x }, subset: 100 }
model: { reference: "team.models:Net", args: { num_classes: 10, inChannels: 3 } }
optimizer: { name: sgd, momentum: 0.9 }
schedule: { name: constant, learningRate: 0.1 }
batching: { name: constant, size: 10 }
order: shuffled
epochs: 2
seeds: 2
arms:
  plain:
  focal: { loss: { reference: "team.losses:focal", args: { gamma: 2 } } }
  wide: { model: { args: { width: 2 } } }
  small: { model: mnist-cnn }
`;

function resolve(text: string) {
  return resolveConfig(ConfigSource.parse(text, "x.yaml"), OrderSources.builtIn, catalogue);
}

describe("a config", () => {
  test("says of a loss of ours what differs from plain cross-entropy; an arm may take it in place of one of yours", () => {
    const lossOf = (base: string, arm: string) => {
      const config = resolve(`${SMALL}${base}\n`.replace("  plain:\n", `  plain: { loss: ${arm} }\n`));
      return openRequest({ config: runConfig(config, "plain"), seed: 3, dataDir: null }).loss;
    };
    const smooth = { origin: "catalogue", name: "cross-entropy", options: { labelSmoothing: 0.25 } };
    expect(lossOf("", "{ name: cross-entropy, labelSmoothing: 0.25 }")).toEqual(smooth);
    expect(lossOf("loss: { reference: a:b }", "{ name: cross-entropy, labelSmoothing: 0.25 }")).toEqual(smooth);
    expect(lossOf("loss: { name: cross-entropy, labelSmoothing: 0.25 }", "{ name: cross-entropy }")).toEqual(smooth);
    expect(lossOf("loss: { name: cross-entropy, labelSmoothing: 0.25 }", "{ reference: a:b }")?.name).toBe("a:b");
    expect(lossOf("loss: { reference: a:b }", "cross-entropy")).toBeNull();
  });

  test("says of the user's what the backend is to be asked for; keys of args stay as they are", () => {
    const config = resolve(SMALL);
    const { plain, wide, small } = config.arms;
    const opening = { seed: 3, dataDir: null };
    expect(openRequest({ config: runConfig(config, "focal"), ...opening })).toMatchObject({
      dataset: {
        origin: "import",
        name: "team.data:load",
        options: { args: '{"root":"x"}', testArgs: null, load: "auto", workers: 2 },
      },
      model: { origin: "import", name: "team.models:Net", options: { args: '{"num_classes":10,"inChannels":3}' } },
      loss: { origin: "import", name: "team.losses:focal", options: { args: '{"gamma":2}' } },
    });
    expect(openRequest({ config: runConfig(config, "plain"), ...opening }).loss).toBeNull();
    expect(wide.model).toEqual({ origin: "import", name: "team.models:Net", options: { args: { width: 2 } } });
    expect(small.model).toMatchObject({ name: "mnist-cnn" });
    expect(small.model.origin).toBeUndefined();
    expect(plain.dataset.subset).toBe(100);
  });

  test("sends the numbers of args as they are written, and hashes each kind apart", () => {
    const sent = (args: string) => {
      const config = resolve(SMALL.replace("args: { width: 2 }", `args: { x: ${args} }`));
      const { model } = openRequest({ config: runConfig(config, "wide"), seed: 0, dataDir: null });
      return { text: model.options.args, wide: config.arms.wide };
    };
    const written = [
      ["1", "1"],
      ["1.0", "1.0"],
      ["1e3", "1000.0"],
      ["-0.0", "-0.0"],
      ["0.5", "0.5"],
      ["18446744073709551617", "18446744073709551617"],
      ["0x10", "16"],
      [".inf", "Infinity"],
      ["-.inf", "-Infinity"],
      [".nan", "NaN"],
      ["null", "null"],
      ['"1.0"', '"1.0"'],
    ] as const;
    expect(written.map(([yaml]) => sent(yaml).text)).toEqual(written.map(([, json]) => `{"x":${json}}`));
    expect(new Set(written.map(([yaml]) => hashValue(sent(yaml).wide))).size).toBe(written.length);
  });

  test("outside of args a whole number is a number, however it is written", () => {
    const { plain } = resolve(
      SMALL.replace("learningRate: 0.1", "learningRate: 1.0").replace("subset: 100", "subset: 1e2"),
    ).arms;
    expect(plain.schedule.options.learningRate).toBe(1);
    expect(plain.dataset.subset).toBe(100);
  });

  test.each([
    [
      "model: { reference: team.models }",
      /x\.yaml:3: model\.reference: expected package\.module:callable, not "team\.models"/,
    ],
    ["model: { reference: ../net:Net }", /x\.yaml:3: model\.reference: expected package\.module:callable/],
    ["model: { reference: 3 }", /x\.yaml:3: model\.reference: expected package\.module:callable, not 3/],
    ["model: { reference: a:b, name: mnist-cnn }", /x\.yaml:3: model: expected exactly one of name and reference/],
    ["model: { reference: a:b, arg: {} }", /x\.yaml:3: model\.arg: unknown key; did you mean `args`\?/],
    ["model: { reference: a:b, args: [1] }", /x\.yaml:3: model\.args: /],
    ["loss: { name: focal }", /loss\.name: expected cross-entropy, not "focal"/],
    ["backend: { equalBits: yes please }", /backend\.equalBits/],
  ])("%s", (line, expected) => {
    const [key] = line.split(":");
    const text = SMALL.includes(`\n${key}:`)
      ? SMALL.replace(new RegExp(`^${key}: .*$`, "m"), line)
      : `${SMALL}${line}\n`;
    expect(mistake(() => resolve(text))).toMatch(expected);
  });

  test("that names nothing of the user's has the hashes of before there was a choice", () => {
    // Printed by the commit before references, without a catalogue.
    const before = {
      digits: [
        "8308df962d77e20927f608bc5793935674840be9d6bdf2ab3c84302550289577",
        "6d5040774b5a08e12cfe940c9cf99f9cf4a7d141567980e0a28413c236632416",
      ],
      cifar10: [
        "861df9d4503036bbd485d8647f79400a4c6b4879359d638256aa921efec0c640",
        "d45d643d094de4c8897c9bdbd83cd8da82a7950dcaa2894e9d255e7470601737",
      ],
    };
    for (const [name, hashes] of Object.entries(before)) {
      const source = ConfigSource.read(join(packageRoot, `configs/${name}.yaml`));
      const config = resolveConfig(source, OrderSources.builtIn, undefined);
      expect([experimentHash(config), armHash(config.arms.shuffled, config.evaluation)]).toEqual(hashes);
    }
  });
});

describe("imports", () => {
  test("a module is allowed by its name or that of a package above it, and by nothing else", () => {
    expect(isAllowed("team.models:Net", ["team"])).toBe(true);
    expect(isAllowed("team.models:Net", ["other", "team.models"])).toBe(true);
    expect(isAllowed("team.models:Net", ["team.model", "models", "team.models.Net"])).toBe(false);
    expect(isAllowed("teams:Net", ["team"])).toBe(false);
    expect(unusedImports(["team.models:Net"], ["team", "timm"])).toEqual(["timm"]);
  });

  test("all that are not allowed are named at once, with their places and the flags", () => {
    const source = ConfigSource.parse(SMALL, "x.yaml");
    const refused = (...allowed: string[]) => mistake(() => refuseImports(source, resolve(SMALL), allowed));
    expect(refused("team.models", "team.losses")).toBe(
      "x.yaml:2: dataset: team.data:load runs code of yours: allow it with --allow-import team.data",
    );
    expect(refused("team.losses")).toBe(
      "x.yaml:2: dataset: team.data:load, x.yaml:3: model: team.models:Net run code of yours: " +
        "allow it with --allow-import team.data --allow-import team.models",
    );
    expect(refused("team.models", "team.data")).toBe(
      "x.yaml:12: arms.focal.loss: team.losses:focal runs code of yours: allow it with --allow-import team.losses",
    );
    expect(() => refuseImports(source, resolve(SMALL), ["team"])).not.toThrow();
  });
});

describe("batches that are too small", () => {
  const plan = { indices: new Uint32Array(9), offsets: Uint32Array.of(0, 4, 8, 9), learningRates: new Float64Array(3) };

  test("are told with what to change", () => {
    expect(mistake(() => refuseTooSmall(plan, { leastBatchSize: 2, microBatch: null }, "order a in epoch 1"))).toMatch(
      /^order a in epoch 1: batch 2 has 1 sample; the model's BatchNorm needs 2 .*batching\.size/,
    );
    expect(mistake(() => refuseTooSmall(plan, { leastBatchSize: 2, microBatch: 3 }, "order a"))).toMatch(
      /batch 0 has 1 sample, of whose 4 samples microBatch 3 leaves 1 over/,
    );
    expect(() => refuseTooSmall(plan, { leastBatchSize: 1, microBatch: 3 }, "a")).not.toThrow();
  });
});

const OWN = ["model={reference: 'team.models:Net', args: {}}"];
const SHA = "a".repeat(64);
const IMPORTED = { reference: "team.models:Net", file: "/t/models.py", version: null, sha256: SHA };

describe("before the first run", () => {
  const opens = (client: { sentOf(type: "open"): readonly { fields: FieldsOf<"open"> }[] }) =>
    client.sentOf("open").map(({ fields }) => fields.model.name);

  test("nothing is tried where all is ours", async () => {
    const { client } = await new Scene().run();
    expect(opens(client)).toHaveLength(4); // 2 arms × 2 seeds
  });

  test("each combination is opened once, and what is imported is told once and recorded", async () => {
    const scene = new Scene();
    const noted: string[] = [];
    const { client } = await scene.run({
      settings: OWN,
      pretence: { opened: { imports: [IMPORTED], notices: ["draws noise"] } },
      observer: { noted: (line) => noted.push(line) },
    });
    expect(opens(client)).toHaveLength(3 + 4); // tried twice with one seed, once with the other
    expect(noted).toEqual(["draws noise", "imports team.models:Net from /t/models.py (sha256 aaaaaaaa)"]);
    expect(scene.document("frozen", 0)).toMatchObject({ surroundings: { imports: [IMPORTED] } });
    const again = await scene.run({ settings: OWN });
    expect(opens(again.client)).toHaveLength(1); // all runs are kept: looked at, and not trained
    expect(again.client.sentOf("train")).toEqual([]);
  });

  const unfit = "team.models:Net: returned [2, 4]; expected logits [2, 10]";
  const refusingNet: Pretence = {
    before(message) {
      if (message.type !== "open" || message.fields.model.name !== "team.models:Net") return;
      throw new BackendError("bad_reference", unfit);
    },
  };

  test("what fits no arm is told before anything is recorded", async () => {
    const scene = new Scene();
    const { client, error } = await scene.run({ settings: OWN, pretence: refusingNet });
    expect(error).toMatchObject({ kind: "usage", message: `arm frozen: ${unfit}` });
    expect(client.sentOf("train")).toEqual([]);
    expect(existsSync(join(scene.directory, "frozen"))).toBe(false);
  });

  test("what does not fit one arm is told before training; its runs are failed ones, the others are done", async () => {
    const heard: string[] = [];
    const scene = new Scene();
    const { results, error } = await scene.run({
      settings: ["arms.shuffled.model={reference: 'team.models:Net'}"],
      observer: { noted: (line) => heard.push(line), runStarted: ({ arm }) => heard.push(arm) },
      pretence: refusingNet,
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state, error: why }) => why ?? state)).toEqual(["done", unfit, "done", unfit]);
    expect(heard[0]).toBe(`arm shuffled is not trained: ${unfit}`);
    expect(scene.document("shuffled", 1)).toMatchObject({ state: "failed", error: unfit });
  });

  test("a model that ends the backend is told with its arm; its runs fail, those of others have another backend", async () => {
    const noted: string[] = [];
    const { results, clients, error } = await new Scene().run({
      settings: ["arms.shuffled.model={reference: 'team.models:Net'}"],
      observer: { noted: (line) => noted.push(line) },
      pretence: {
        before(message) {
          if (message.type !== "open" || message.fields.model.name !== "team.models:Net") return;
          throw new BackendLost("the backend ended: exit code 3");
        },
      },
    });
    const said = "the backend ended: exit code 3; under way: opening dataset digits and model team.models:Net";
    expect(error).toBeUndefined();
    expect(noted).toEqual([`arm shuffled, when it was tried: ${said}`]);
    expect(results.map(({ state, error: why }) => why ?? state)).toEqual(["done", said, "done", said]);
    expect(clients).toHaveLength(3);
  });

  test("a batch of one is refused where the model takes none", async () => {
    const { client, error } = await new Scene().run({
      settings: [...OWN, "batching.size=23"],
      pretence: { opened: { leastBatchSize: 2 } },
    });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/^arm frozen: order frozen in epoch 1: batch 1 has 1 sample; /),
    });
    expect(client.sentOf("train")).toEqual([]);
  });

  test("runs of other code are not put beside those on record", async () => {
    const scene = new Scene();
    await scene.run({ settings: [...OWN, "seeds=1"], pretence: { opened: { imports: [IMPORTED] } } });
    const { error } = await scene.run({
      settings: OWN,
      pretence: { opened: { imports: [{ ...IMPORTED, sha256: "b".repeat(64) }] } },
    });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/other code of yours: \/t\/models\.py, which team\.models:Net names, is another/),
    });
    const moved = await scene.run({
      settings: OWN,
      pretence: { opened: { imports: [{ ...IMPORTED, file: "/elsewhere/models.py" }] } },
    });
    expect(moved.error).toBeUndefined();
  });

  const other = { ...IMPORTED, sha256: "b".repeat(64) };

  test("nor left beside it where all runs are finished: refused, and nothing is written", async () => {
    const scene = new Scene();
    await scene.run({ settings: OWN, pretence: { opened: { imports: [IMPORTED] } } });
    const before = Object.fromEntries(scene.files().map((file) => [file, scene.text(file)]));
    const { error, results } = await scene.run({
      settings: OWN,
      pretence: { opened: { imports: [other] } },
      log: () => {},
    });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/^arm frozen: .*other code of yours: .*SHA-256 bbbbbbbb, then aaaaaaaa/),
    });
    expect(results).toEqual([]);
    expect(Object.fromEntries(scene.files().map((file) => [file, scene.text(file)]))).toEqual(before);
    const same = await scene.run({ settings: OWN, pretence: { opened: { imports: [IMPORTED] } } });
    expect(same.results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  });

  test("also where only another arm, of ours alone, has runs to be done", async () => {
    const scene = new Scene();
    const shuffled = "shuffled: {order: shuffled, model: {reference: 'team.models:Net'}}";
    const arms = (frozen: string) => [`arms={${frozen}${shuffled}}`, "seeds=1"];
    const made = (sha256: string): Pretence => ({
      openedFor: ({ model }) => (model.origin === "import" ? { imports: [{ ...IMPORTED, sha256 }] } : {}),
    });
    await scene.run({ settings: arms(""), pretence: made(SHA) });
    const { client, error } = await scene.run({
      settings: arms("frozen: {order: frozen}, "),
      pretence: made(other.sha256),
    });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/^arm shuffled: .*other code of yours/),
    });
    expect(client.sentOf("train")).toEqual([]);
  });

  test("results of one's own code are shown wherever they are asked for, as those of ours are", async () => {
    const scene = new Scene();
    await scene.run({ settings: OWN, pretence: { opened: { imports: [IMPORTED], threads: 1 } } });
    const { results, error } = await scene.run({
      settings: OWN,
      pretence: { opened: { imports: [IMPORTED], threads: 2 } },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  });

  test("a backend that runs already, and imported it before it was edited, is named there, too", async () => {
    const scene = new Scene();
    await scene.run({ settings: OWN, pretence: { opened: { imports: [IMPORTED] } } });
    const { error } = await scene.run({
      settings: OWN,
      pretence: { opened: { imports: [IMPORTED], edited: ["/t/models.py"] } },
    });
    expect(error).toMatchObject({ kind: "surroundings", message: expect.stringMatching(/models\.py changed after/) });
  });

  const LAYERS = { module: "team.layers", file: "/t/layers.py", sha256: SHA };
  const otherLayers = { ...LAYERS, sha256: "b".repeat(64) };
  const madeWith = (code: FieldsOf<"open_ok">["code"], more: Partial<FieldsOf<"open_ok">> = {}): Pretence => ({
    opened: { imports: [IMPORTED], code, ...more },
  });

  test("a helper that changed is named, and another arm is not put beside it, before anything is trained", async () => {
    const scene = new Scene();
    await scene.run({ settings: [...OWN, "seeds=1", "arms={frozen: {order: frozen}}"], pretence: madeWith([LAYERS]) });
    expect(scene.document("frozen", 0)).toMatchObject({ surroundings: { code: [LAYERS] } });
    const { client, error } = await scene.run({
      settings: [...OWN, "seeds=1", "arms={shuffled: {order: shuffled}}"],
      pretence: madeWith([otherLayers]),
    });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(
        /frozen\/seed-0 was made with other code of yours: \/t\/layers\.py is another \(SHA-256 bbbbbbbb, then aaaaaaaa\)/,
      ),
    });
    expect(client.sentOf("train")).toEqual([]);
  });

  test("runs of before, which know the named file alone, go on beside such that know all of them", async () => {
    const scene = new Scene();
    await scene.run({ settings: [...OWN, "seeds=1"], pretence: { opened: { imports: [IMPORTED] } } });
    const { results, error } = await scene.run({ settings: OWN, pretence: madeWith([LAYERS]) });
    expect({ error, count: results.length }).toEqual({ error: undefined, count: 4 });
  });

  test("a file that changed after the backend imported it is named, and nothing is trained", async () => {
    const { client, error } = await new Scene().run({
      settings: OWN,
      pretence: madeWith([LAYERS], { edited: ["/t/layers.py"] }),
    });
    expect(error).toMatchObject({
      kind: "surroundings",
      message: expect.stringMatching(/\/t\/layers\.py changed after the backend imported it.*restart the backend/),
    });
    expect(client.sentOf("train")).toEqual([]);
  });
});

describe("where training starts", () => {
  test("parameters or weights that differ between arms of one model and one seed are refused", async () => {
    for (const [difference, says] of [
      [{ parameterCount: 50890 }, /50890 parameters, then 10/],
      [{ initialWeightsSha256: "f".repeat(64) }, /initial weights of seed 0 with SHA-256 ffffffff, then eeeeeeee/],
    ] as const) {
      const scene = new Scene();
      await scene.run({ settings: [...OWN, "seeds=1", "arms={frozen: {order: frozen}}"] });
      const { client, error } = await scene.run({
        settings: [...OWN, "seeds=1", "arms={shuffled: {order: shuffled}}"],
        pretence: { opened: difference },
      });
      expect(error).toMatchObject({ kind: "usage", message: expect.stringMatching(says) });
      expect(client.sentOf("train")).toEqual([]);
    }
  });

  test("another start is no mistake where the config gives another model, or another seed", async () => {
    const scene = new Scene();
    const { error, results } = await scene.run({
      settings: [...OWN, "arms.shuffled.model.args={wide: true}"],
      pretence: {
        openedFor: ({ model, seed }) =>
          String(model.options.args).includes("wide")
            ? { parameterCount: 99, initialWeightsSha256: `${seed}`.padStart(64, "a") }
            : {},
      },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  });

  test("a model that starts one seed from other weights each time is refused before training, also alone", async () => {
    let opens = 0;
    const { client, error } = await new Scene().run({
      settings: [...OWN, "seeds=1", "arms={frozen: {order: frozen}}"],
      pretence: { openedFor: () => ({ initialWeightsSha256: `${opens++}`.repeat(64) }) },
    });
    expect(error).toMatchObject({
      kind: "usage",
      message:
        "arm frozen: team.models:Net was made twice with seed 0, and started from other weights (SHA-256 11111111, " +
        "then 00000000): draw them from torch's default generator alone",
    });
    expect(client.sentOf("train")).toEqual([]);
  });

  test("where only one arm's model does so, its runs fail and the others go on", async () => {
    let opens = 0;
    const { results, error } = await new Scene().run({
      settings: ["arms.shuffled.model={reference: 'team.models:Net'}"],
      pretence: {
        openedFor: ({ model }) => (model.origin === "import" ? { initialWeightsSha256: `${opens++}`.repeat(64) } : {}),
      },
    });
    expect(error).toBeUndefined();
    expect(results.map(({ state }) => state)).toEqual(["done", "failed", "done", "failed"]);
  });

  test.each<[string, string[]]>([
    ["went without one arm's last seeds", ["shuffled/seed-0", "frozen/seed-1", "shuffled/seed-1"]],
    ["lost one arm's first seed, and another arm's second", ["frozen/seed-0", "shuffled/seed-1"]],
  ])("nothing is said of weights, and none are refused, where an experiment %s", async (_, lost) => {
    const scene = new Scene();
    await scene.run({ settings: OWN });
    for (const run of lost) rmSync(join(scene.directory, run), { recursive: true });
    const noted: string[] = [];
    const { results, error } = await scene.run({ settings: OWN, observer: { noted: (line) => noted.push(line) } });
    expect({ error, noted }).toEqual({ error: undefined, noted: [] });
    expect(results.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  });

  test("a model that starts every seed from equal weights is told before training, once", async () => {
    const noted: string[] = [];
    const { error } = await new Scene().run({
      settings: OWN,
      pretence: { opened: { initialWeightsSha256: "c".repeat(64) } },
      observer: { noted: (line) => noted.push(line) },
    });
    expect(error).toBeUndefined();
    expect(noted).toEqual([
      "team.models:Net: all seeds start from equal weights (the model seeds itself, or loads them): they differ in " +
        "order and noise alone",
    ]);
  });
});
