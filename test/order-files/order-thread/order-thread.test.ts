// What a user's order does to itself, it does in a thread of its own: one run fails, and the experiment goes on.
import { getEventListeners } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ConfigSource } from "../../../src/config/config-source.js";
import { OrderSources } from "../../../src/config/order-sources.js";
import { Interrupted } from "../../../src/errors.js";
import { CONFIG, Scene, type SceneOptions, temporaryDirectory } from "../../experiment/scene.js";
import { orderModule } from "../own-order.js";

/** An order that takes the samples as they come, once it has done this. */
const doing = (statements: string, before = "", members = "") =>
  before +
  orderModule(`${members} order: ({ eligible, size, epoch, memory, options }) => {
    ${statements}
    return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
  },`);

const SETTINGS = ["arms={a: {order: ./mine.mjs}, b: {order: frozen}}", "seeds=1"];

async function run(module: string, { settings = [], ...options }: SceneOptions = {}) {
  const scene = new Scene();
  const path = scene.write("mine.mjs", module);
  const ran = await scene.run({ ...options, settings: [...SETTINGS, ...settings] });
  return { scene, path, ...ran };
}

const FOREVER = "for (;;);";

describe("is a failure of its run, which names the file, and the others go on", () => {
  // Whether the thread's end or its last answer is heard first is as it comes.
  const late = (epoch: number, error: string) => (path: string) =>
    new RegExp(
      `^order mine (in epoch [${epoch + 1}${epoch + 2}] failed|failed after its last epoch): nobody caught ${error} \\(mine\\.mjs:\\d+\\) in ${path}$`,
    );

  test.each<[string, string, string, (path: string) => string | RegExp]>([
    [
      "process.exit(0)",
      "if (epoch === 1) process.exit(0);",
      "",
      (path) => `in epoch 2 failed: ${path} called process.exit(0)`,
    ],
    [
      "an array that lost its memory",
      "",
      "order({ eligible }) { const indices = eligible.slice(); structuredClone(indices, { transfer: [indices.buffer] }); return { indices, offsets: Uint32Array.of(0, 24) }; },",
      () =>
        "in epoch 1 breaks a law of orders (the result has the right types): seen indices: detached, its memory was " +
        "transferred away, expected indices: a Uint32Array",
    ],
    [
      "a rejection that nobody catches",
      "if (epoch === 0) Promise.reject(new Error('late'));",
      "",
      late(0, "Error: late"),
    ],
    [
      "a rejection after the last epoch's order",
      "if (epoch === 2) Promise.reject(new RangeError('late'));",
      "",
      late(2, "RangeError: late"),
    ],
    [
      "an error of a timer, after the last epoch's order",
      "if (epoch === 2) { setTimeout(() => { throw new Error('late'); }); const end = Date.now() + 50; while (Date.now() < end); }",
      "",
      late(2, "Error: late"),
    ],
    [
      "an error of a timer that is due, where the end is asked before its turn has come",
      // Busy after the answer has left: the question for the end is there when the thread looks up again.
      "if (epoch === 2) { setTimeout(() => { throw new Error('late'); }); let turns = 100; const busy = () => { if (turns-- > 0) return Promise.resolve().then(busy); const end = Date.now() + 200; while (Date.now() < end); }; busy(); }",
      "",
      late(2, "Error: late"),
    ],
    [
      "an error that has no text",
      "throw Object.create(null);",
      "",
      () => "in epoch 1 failed: [Object: null prototype] {}",
    ],
  ])("%s", async (_, statements, members, expected) => {
    const module = members === "" ? doing(statements) : orderModule(members);
    const { scene, path, results, error } = await run(module);
    expect(error).toBeUndefined();
    expect(results).toMatchObject([{ state: "failed" }, { state: "done" }]);
    const message = expected(path);
    if (message instanceof RegExp) expect(results[0].error).toMatch(message);
    else expect(results[0].error).toBe(`order mine ${message}`);
    expect(scene.document("a", 0)).toMatchObject({ state: "failed" });
  });

  test("an endless loop: when its time is over, and all that it wrote before is in the log", async () => {
    const writing = "for (const n of [1, 2, 3]) { console.log('out', n); console.error('err', n); }";
    const { path, results, scene } = await run(doing(`if (epoch === 1) { ${writing} ${FOREVER} }`), {
      settings: ["backend.orderSeconds=1"],
    });
    const told = [...scene.text("log.txt").matchAll(/order \.\/mine\.mjs: (.*)/g)].map(([, line]) => line);
    expect(told.sort()).toEqual(["err 1", "err 2", "err 3", "out 1", "out 2", "out 3"]);
    const message = `order mine in epoch 2 failed: ${path} gave no answer within 1 s (backend.orderSeconds)`;
    expect(results).toMatchObject([{ state: "failed", error: message }, { state: "done" }]);
  });
});

describe("an endless loop ends at once when the user stops it", () => {
  test("in an epoch", async () => {
    const abort = new AbortController();
    const stop = () => setImmediate(() => abort.abort());
    const { error, scene } = await run(doing(`if (epoch === 1) ${FOREVER}`), { abort, observer: { epochEnded: stop } });
    expect(error).toBeInstanceOf(Interrupted);
    expect(scene.document("a", 0)).toMatchObject({ state: "interrupted" });
  });

  test.each([
    ["while it is imported", FOREVER, ""],
    ["in what it says of its options", "", `coverage() { ${FOREVER} },`],
  ])("%s", async (_, before, members) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "mine.mjs"), `console.log("begun");${before}${orderModule(members)}`);
    const source = ConfigSource.parse(CONFIG.replace("order: frozen", "order: ./mine.mjs"), join(directory, "x.yaml"));
    const abort = new AbortController();
    const loading = OrderSources.load(source, { signal: abort.signal, say: () => abort.abort() });
    await expect(loading).rejects.toBeInstanceOf(Interrupted);
  });
});

test("however many files a config names, the user's signal has one listener meanwhile, and none afterwards", async () => {
  const directory = temporaryDirectory();
  for (const name of ["a", "b"]) writeFileSync(join(directory, `${name}.mjs`), `console.log("begun");${orderModule()}`);
  const arms = CONFIG.replace("order: frozen", "order: ./a.mjs").replace("order: shuffled", "order: ./b.mjs");
  const { signal } = new AbortController();
  const listeners: number[] = [];
  const say = () => listeners.push(getEventListeners(signal, "abort").length);
  await OrderSources.load(ConfigSource.parse(arms, join(directory, "x.yaml")), { signal, say });
  expect(listeners).toEqual([1, 1]);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("process.exit at its import: told as its mistake, before anything runs", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "mine.mjs"), "process.exit(0);");
  const source = ConfigSource.parse(CONFIG.replace("order: frozen", "order: ./mine.mjs"), join(directory, "x.yaml"));
  const path = join(directory, "mine.mjs");
  await expect(OrderSources.load(source)).rejects.toMatchObject({
    kind: "usage",
    message: `${directory}/x.yaml:12: arms.frozen.order: importing ${path} failed: ${path} called process.exit(0)`,
  });
});

test("what it writes goes into log.txt, line by line and bounded, and nothing to standard output", async () => {
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const { scene, results } = await run(
    doing("if (epoch === 0) { console.log('first\\nsecond'); console.error('third'); console.log('x'.repeat(5000)); }"),
  );
  expect(written).not.toHaveBeenCalled();
  written.mockRestore();
  expect(results).toMatchObject([{ state: "done" }, { state: "done" }]);
  const log = scene.text("log.txt");
  for (const line of ["first", "second", "third", `${"x".repeat(2000)} … \\(3000 characters more\\)`]) {
    expect(log).toMatch(new RegExp(`order \\./mine\\.mjs: ${line}$`, "m"));
  }
});

test("arrays that it changes later: what it returned is trained and recorded", async () => {
  const { scene, results } = await run(
    orderModule(`order({ eligible, size }) {
      const kept = new Uint32Array(new SharedArrayBuffer(4 * eligible.length));
      kept.set(eligible);
      queueMicrotask(() => kept.fill(0));
      setImmediate(() => kept.fill(1));
      return { indices: kept, offsets: offsetsOf(kept.length, size) };
    },`),
  );
  expect(results).toMatchObject([{ state: "done" }, { state: "done" }]);
  expect(scene.words("a/seed-0/orders/0002.u32")).toEqual([...Array(24).keys()]);
});

test("its memory lasts from epoch to epoch; what it keeps in its module ends with the run", async () => {
  const module = doing(
    `memory.seen[0] += 1; calls += 1;
     if (memory.seen[0] !== epoch + 1 || calls !== epoch + 1) throw "memory " + memory.seen[0] + ", calls " + calls;`,
    "let calls = 0;\n",
    "memory: { seen: { dtype: 'u32', length: () => 1 } },",
  );
  const { results } = await run(module, { settings: ["seeds=2"] });
  expect(results.map(({ state, error }) => [state, error])).toEqual(Array(4).fill(["done", undefined]));
});

test("a definition that nobody can change is taken", async () => {
  const module = doing("")
    .replace("export default {", "export default Object.freeze({")
    .replace(/\};\s*$/, "});\n");
  const { results, error } = await run(module);
  expect([error, results.map(({ state }) => state)]).toEqual([undefined, ["done", "done"]]);
});
