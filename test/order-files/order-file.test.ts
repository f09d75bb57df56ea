// Orders that a user brings along: a file beside the config, or a package.
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { armHash } from "../../src/config/config.js";
import { OrderFile } from "../../src/order-files/order-file.js";
import { OrderThread } from "../../src/order-files/order-thread/order-thread.js";
import { CONFIG, resolved, Scene, temporaryDirectory } from "../experiment/scene.js";
import { BACKWARDS, orderModule } from "./own-order.js";

/** A folder with these files, and what a config in it says of its arm's order. */
function folder(files: Readonly<Record<string, string>> = {}) {
  const directory = temporaryDirectory();
  const write = (name: string, text: string) => {
    mkdirSync(join(directory, name, ".."), { recursive: true });
    writeFileSync(join(directory, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const config = (order: string, base = "") =>
    resolved(`${CONFIG.replace("order: frozen", `order: ${order}`)}${base}`, join(directory, "x.yaml"));
  const orderOf = async (order: string, base?: string) => (await config(order, base)).arms.frozen.order;
  return { directory, write, config, orderOf };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const WITH_OPTION = orderModule(`options: z.strictObject({ share: z.number().min(0).max(1).default(0.5) }),`);

describe("a file of one's own", () => {
  test("its path alone, or as `file` with its options: resolved as any order, with the file's SHA-256", async () => {
    const { orderOf } = folder({ "mine.mjs": WITH_OPTION });
    const mine = { name: "mine", file: { path: "./mine.mjs", sha256: sha256(WITH_OPTION) }, changesObjective: false };
    expect(await orderOf("./mine.mjs")).toEqual({ ...mine, options: { share: 0.5 } });
    expect(await orderOf("{ file: ./mine.mjs, share: 0.25 }")).toEqual({ ...mine, options: { share: 0.25 } });
  });

  test("is found from the config's folder, wherever the command is given; an absolute path is taken as it is", async () => {
    const { orderOf, directory } = folder({ "deep/down/mine.mjs": orderModule() });
    expect((await orderOf("./deep/down/mine.mjs")).name).toBe("mine");
    expect((await orderOf(join(directory, "deep", "down", "mine.mjs"))).name).toBe("mine");
  });

  test("what its options refuse is a sentence at the place in the config, also an option that it does not have", async () => {
    const { orderOf, directory } = folder({
      "mine.mjs": WITH_OPTION,
      "loose.mjs": WITH_OPTION.replaceAll("z.strictObject", "z.object"),
    });
    const at = `${directory}/x.yaml:12: arms.frozen.order`;
    const refused = (order: string, message: string) =>
      expect(orderOf(order)).rejects.toMatchObject({ kind: "usage", message: `${at}.${message}` });
    await refused("{ file: ./mine.mjs, share: 2 }", "share: expected at most 1, not 2");
    await refused("{ file: ./mine.mjs, shar: 1 }", "shar: unknown key; did you mean `share`?");
    await refused("{ file: ./mine.mjs, placebo: true }", "placebo: unknown key; known: share");
    await refused("{ file: ./loose.mjs, shar: 1 }", "shar: unknown key; did you mean `share`?");
  });

  test("one that reads the ledger has the ledger's options beside its own", async () => {
    const { orderOf } = folder({ "mine.mjs": orderModule("readsLedger: true, signals: () => ['margin'],") });
    expect(await orderOf("{ file: ./mine.mjs, start: scored }")).toMatchObject({ ledger: { start: "scored" } });
  });

  describe("checked", () => {
    const opened = async (text: string) => {
      const { directory } = folder({ "mine.mjs": text });
      const listening = { signal: new AbortController().signal, say: () => {} };
      const file = await OrderFile.import("./mine.mjs", directory, "order", listening);
      onTestFinished(() => file.stop());
      return file;
    };

    test.each([
      [0, "4 epochs of 61 samples in a row, batches of 8"],
      [3, "4 epochs of 61 samples in a row, batches of 8, each made by itself"],
    ])("names the case where a fresh thread ends that is asked for epoch %i first", async (first, name) => {
      const order = `order({ eligible, size, epoch, labels }) {
        if (asked++ === 0 && labels.length === 61 && epoch === ${first}) process.exit(3);
        return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
      },`;
      const file = await opened(`let asked = 0; ${orderModule(order)}`);
      await expect(file.check({}, { seconds: 60 })).rejects.toThrow(
        new RegExp(`called process\\.exit\\(3\\); the case under way: ${name}$`),
      );
    });

    test("has its time for all that it is asked together", async () => {
      const ask = vi.spyOn(OrderThread.prototype, "ask");
      onTestFinished(() => ask.mockRestore());
      await (await opened(orderModule())).check({}, { seconds: 60 });
      const limits = ask.mock.calls.map(([{ subject }, { until }]) => [subject, until]);
      const [[, until]] = limits;
      expect(until).toBeGreaterThan(0);
      expect(limits).toEqual([
        ["check", until],
        ["rows", until],
        ["alone", until],
      ]);
    });

    test("a time that is over by then is said as it was given", async () => {
      const file = await opened(orderModule(`coverage() { for (;;); },`));
      const clock = vi.spyOn(performance, "now").mockReturnValueOnce(-60_000); // when the check began
      onTestFinished(() => clock.mockRestore());
      await expect(file.check({}, { seconds: 60 })).rejects.toThrow("mine.mjs gave no answer within 60 s");
    });
  });

  test("trains", async () => {
    const scene = new Scene();
    scene.write("mine.mjs", orderModule(BACKWARDS));
    const { client, results } = await scene.run({ settings: ["arms={a: {order: ./mine.mjs}}", "seeds=1", "epochs=1"] });
    expect(results).toMatchObject([{ state: "done" }]);
    expect(client.sentOf("train").flatMap(({ arrays }) => [...arrays.indices])).toEqual(
      Array.from({ length: 24 }, (_, at) => 23 - at),
    );
  });

  test("what it prints does not go to the disk line by line, but to who may take its time with it", async () => {
    const scene = new Scene();
    const printing = "order({ epoch, eligible }) { if (epoch === 0) console.log('one\\ntwo'); return eligible; },";
    scene.write("mine.mjs", orderModule(printing));
    const heard: string[] = [];
    await scene.run({ settings: ["arms={a: {order: ./mine.mjs}}", "seeds=1"], log: (line) => heard.push(line) });
    expect(heard).toEqual(["order ./mine.mjs: one", "order ./mine.mjs: two"]);
    expect(scene.has("log.txt")).toBe(false);
  });

  test("that goes wrong in an epoch fails its run by name, and the others go on", async () => {
    const scene = new Scene();
    scene.write("mine.mjs", orderModule("order({ epoch }) { return epoch === 0 ? missing() : undefined; },"));
    const { results } = await scene.run({ settings: ["arms={a: {order: ./mine.mjs}, b: {order: frozen}}", "seeds=1"] });
    expect(results).toMatchObject([
      { state: "failed", error: "order mine in epoch 1 failed: ReferenceError: missing is not defined (mine.mjs:11)" },
      { state: "done" },
    ]);
  });
});

describe("a package", () => {
  const packaged = (exported: string, more: Readonly<Record<string, string>> = {}) =>
    folder({
      "node_modules/some-order/package.json": JSON.stringify({
        name: "some-order",
        type: "module",
        ...JSON.parse(exported),
      }),
      "node_modules/some-order/index.js": orderModule(),
      ...more,
    });

  test("is found by name, as Node finds it from the config's folder", async () => {
    for (const exported of [
      '{"exports":"./index.js"}',
      '{"main":"index.js"}',
      '{"exports":{"default":"./index.js"}}',
    ]) {
      const { orderOf } = packaged(exported);
      expect(await orderOf("{ file: some-order }")).toEqual({
        name: "mine",
        file: { path: "some-order", sha256: sha256(orderModule()) },
        options: {},
        changesObjective: false,
      });
    }
  });

  test("that is not installed, or does not let itself be found, is told as such", async () => {
    const { orderOf, directory } = packaged('{"exports":{"import":"./index.js"}}');
    const at = `${directory}/x.yaml:12: arms.frozen.order`;
    await expect(orderOf("{ file: other-order }")).rejects.toMatchObject({
      kind: "usage",
      message: `${at}: no package other-order is installed at ${directory}; a file's path starts with ./, ../ or /`,
    });
    await expect(orderOf("{ file: some-order }")).rejects.toMatchObject({
      kind: "usage",
      message: `${at}: package some-order exports nothing by that name: its package.json needs an entry "default" in "exports"`,
    });
  });
});

describe("what is no order is refused before anything runs, at the place in the config", () => {
  test.each<[string, string, RegExp | string]>([
    ["a message of several lines", "throw new Error('one\\n  two');", "importing PATH failed: one two (mine.mjs:1)"],
    ["a module that throws", "throw new Error('out of order');", "importing PATH failed: out of order (mine.mjs:1)"],
    [
      "a mistake in the syntax, with its line",
      "\nexport default { a b };\n",
      /^importing PATH failed: .+ \(mine\.mjs:2\)$/,
    ],
    [
      "no default export",
      "export const order = 1;",
      "PATH has no default export, expected export default defineOrder({ … })",
    ],
    [
      "a function",
      "export default () => 1;",
      "PATH exports a function as its default, expected export default defineOrder({ … })",
    ],
    [
      "members that are missing",
      orderModule("coverage: undefined, summary: '',"),
      "the default export of PATH is no order: summary, coverage missing or of the wrong type " +
        "(options is a z.strictObject of the z that importance-batching exports)",
    ],
    [
      "options of another library",
      orderModule("options: { shape: {}, parse: (x) => x, safeParse: (x) => ({ success: true, data: x }) },"),
      "the default export of PATH is no order: options missing or of the wrong type " +
        "(options is a z.strictObject of the z that importance-batching exports)",
    ],
    [
      "an option whose name says where an order is",
      orderModule("options: z.strictObject({ file: z.string().default('x') }),"),
      "option file of PATH stands for something else beside an order: rename it",
    ],
    [
      "an option named from, in an order that reads earlier runs",
      orderModule("scores: () => undefined, options: z.strictObject({ from: z.string().default('x') }),"),
      "option from of PATH stands for something else beside an order: rename it",
    ],
    [
      "an option with a name of the ledger's, in an order that reads it",
      orderModule("readsLedger: true, options: z.strictObject({ start: z.int().default(3) }),"),
      "option start of PATH stands for something else beside an order: rename it",
    ],
  ])("%s", async (_, text, expected) => {
    const { orderOf, directory } = folder({ "mine.mjs": text });
    const error: unknown = await orderOf("./mine.mjs").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "usage" });
    const at = `${directory}/x.yaml:12: arms.frozen.order: `;
    const message = error instanceof Error ? error.message : "";
    expect(message.slice(0, at.length)).toBe(at);
    const said = message.slice(at.length).replace(join(directory, "mine.mjs"), "PATH");
    if (typeof expected === "string") expect(said).toBe(expected);
    else expect(said).toMatch(expected);
  });

  test("a file that is not there, and a folder", async () => {
    const { orderOf, directory } = folder({ "mine/index.mjs": orderModule() });
    const at = `${directory}/x.yaml:12: arms.frozen.order`;
    await expect(orderOf("./yours.mjs")).rejects.toThrow(`${at}: there is no file ${directory}/yours.mjs`);
    await expect(orderOf("./mine")).rejects.toMatchObject({
      kind: "usage",
      message: `${at}: ${directory}/mine is a directory: name a file in it`,
    });
  });

  test("an option `start` is free in an order that does not read the ledger", async () => {
    const { orderOf } = folder({ "mine.mjs": orderModule("options: z.strictObject({ start: z.int().default(3) }),") });
    expect((await orderOf("{ file: ./mine.mjs, start: 4 }")).options).toEqual({ start: 4 });
  });
});

describe("a file that changes", () => {
  test("is another order, also to a program that has imported the old one, and another hash", async () => {
    const scene = new Scene();
    const path = scene.write("mine.mjs", orderModule());
    const settings = ["arms={a: {order: ./mine.mjs}}", "seeds=1", "epochs=1"];
    await scene.run({ settings });
    expect((await scene.run({ settings })).results, "unchanged, it is kept").toMatchObject([{ state: "done" }]);

    writeFileSync(path, orderModule(BACKWARDS));
    const { error } = await scene.run({ settings });
    expect(error).toMatchObject({ kind: "usage", message: expect.stringMatching(/holds arm a with other settings/) });

    const other = new Scene();
    other.write("mine.mjs", orderModule(BACKWARDS.replace(".reverse()", ".toSorted((a, b) => b - a)")));
    const { client } = await other.run({ settings });
    expect(client.sentOf("train")[0].arrays.indices[0]).toBe(23);
  });

  test("after its runs failed: they are named, of all arms at once, and are trained anew once they are removed", async () => {
    const scene = new Scene();
    const throwing = orderModule('order: () => { throw new Error("not yet"); },');
    for (const name of ["a.mjs", "b.mjs"]) scene.write(name, throwing);
    const arms = "frozen: {order: frozen}, a: {order: ./a.mjs}, b: {order: ./b.mjs}";
    const settings = [`arms={${arms}}`, "seeds=1", "epochs=1"];
    const states = (results: readonly { state: string }[]) => results.map(({ state }) => state);
    expect(states((await scene.run({ settings })).results)).toEqual(["done", "failed", "failed"]);

    for (const name of ["a.mjs", "b.mjs"]) scene.write(name, orderModule());
    const [a, b] = ["a", "b"].map((arm) => join(scene.directory, arm, "seed-0"));
    const { error } = await scene.run({ settings });
    expect(error).toMatchObject({
      kind: "usage",
      message: expect.stringMatching(
        new RegExp(
          `^${a} holds arm a with other settings .*; ${b} holds arm b with other settings .*: ` +
            `remove ${a} ${b} to train those runs anew, name another directory with --out, or give the arms other names$`,
        ),
      ),
    });
    for (const directory of [a, b]) rmSync(directory, { recursive: true });
    expect(states((await scene.run({ settings })).results)).toEqual(["done", "done", "done"]);
  });

  test("in its place: the new one is trained on", async () => {
    const scene = new Scene();
    const settings = (arm: string) => [`arms={${arm}: {order: ./mine.mjs}}`, "seeds=1", "epochs=1"];
    scene.write("mine.mjs", orderModule());
    const first = await scene.run({ settings: settings("a") });
    scene.write("mine.mjs", orderModule(BACKWARDS));
    const second = await scene.run({ settings: settings("b") });
    expect([first, second].map(({ client }) => client.sentOf("train")[0].arrays.indices[0])).toEqual([0, 23]);
    const { file } = Object(Reflect.get(Object(scene.document("b", 0).config), "order"));
    expect(file).toEqual({ path: "./mine.mjs", sha256: sha256(orderModule(BACKWARDS)) });
  });

  test("changes the arm's hash by its content alone", async () => {
    const { config, write } = folder({ "mine.mjs": orderModule() });
    const hash = async () => {
      const { arms, evaluation } = await config("./mine.mjs");
      return armHash(arms.frozen, evaluation);
    };
    const first = await hash();
    expect(await hash()).toBe(first);
    write("mine.mjs", `${orderModule()}// a comment is a change, too\n`);
    expect(await hash()).not.toBe(first);
  });
});

describe("an arm over a common order", () => {
  const file = { path: "./mine.mjs", sha256: sha256(WITH_OPTION) };
  const base = "order: { file: ./mine.mjs, share: 0.75 }\n";
  const { stringify } = JSON;

  test.each([
    ["of the same file completes it", "{ file: ./mine.mjs }", { file, options: { share: 0.75 } }],
    ["that says an option alone completes it", "{ share: 0.1 }", { file, options: { share: 0.1 } }],
    ["of a name replaces it", "frozen", { name: "frozen", options: { sequence: "file" } }],
    ["of another file replaces it", "./other.mjs", { name: "other", options: { share: 0.5 } }],
  ])("%s", async (_, order, expected) => {
    const { orderOf } = folder({
      "mine.mjs": WITH_OPTION,
      "other.mjs": WITH_OPTION.replace(stringify("mine"), stringify("other")),
    });
    expect(await orderOf(order, base)).toMatchObject(expected);
  });

  test("of a file replaces one of a name, options and all", async () => {
    const { orderOf } = folder({ "mine.mjs": WITH_OPTION });
    const order = await orderOf("./mine.mjs", "order: { name: frozen, sequence: shuffled }\n");
    expect(order).toEqual({ name: "mine", file, options: { share: 0.5 }, changesObjective: false });
  });
});

describe("an order from a file that changes what it is shown", () => {
  const run = async (order: string) => {
    const scene = new Scene();
    scene.write(
      "mine.mjs",
      orderModule(`readsLedger: true, order: ({ eligible, labels, ledger, size, epoch }) => {
      ${order}
      return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
    },`),
    );
    const settings = ["arms={a: {order: ./mine.mjs}}", "seeds=1", "dataset.subset=20"];
    const { results } = await scene.run({ settings });
    return results[0];
  };

  test("harms itself alone: the next epoch finds all as it was", async () => {
    const order = `if (eligible.some((index, at) => at > 0 && index <= eligible[at - 1])) throw "eligible was changed";
      if (labels.every((label) => label === 0)) throw "labels were changed";
      if (eligible.some((index) => ledger.draws[index] !== epoch)) throw "draws were changed";
      eligible.reverse(); labels.fill(0); ledger.draws.fill(7); ledger.loss.fill(1);`;
    expect(await run(order)).toMatchObject({ state: "done" });
  });

  test("its options as its inputs: the next epoch and run.json have them as the config says", async () => {
    const scene = new Scene();
    const members = `options: z.strictObject({ shares: z.array(z.number()).default([0.5]) }),
      order({ options, eligible, size }) {
        if (options.shares.length > 1) throw "options were changed";
        options.shares.push(9);
        return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
      },`;
    scene.write("mine.mjs", orderModule(members));
    const { results } = await scene.run({ settings: ["arms={a: {order: ./mine.mjs}}"] });
    expect(results).toMatchObject([{ state: "done" }, { state: "done" }]);
    expect(scene.document("a", 1).config).toMatchObject({ order: { options: { shares: [0.5] } } });
  });

  test("gains no sample that is held out", async () => {
    const order = "eligible[0] = labels.findIndex((_, index) => !eligible.includes(index));";
    const { state, error } = await run(order);
    expect([state, error]).toEqual(["failed", expect.stringMatching(/which is not eligible/)]);
  });
});
