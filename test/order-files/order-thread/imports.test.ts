// What an order's file imports is part of the order; and TypeScript is taken as it is.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { armHash } from "../../../src/config/config.js";
import { CONFIG, resolved, Scene, temporaryDirectory } from "../../experiment/scene.js";
import { BACKWARDS, orderModule } from "../own-order.js";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A folder with these files, and the arm whose order is the first of them. */
function folder(files: Readonly<Record<string, string>>) {
  const directory = temporaryDirectory();
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const config = () =>
    resolved(CONFIG.replace("order: frozen", `order: ./${Object.keys(files)[0]}`), join(directory, "x.yaml"));
  const arm = async () => (await config()).arms.frozen;
  const hash = async () => armHash(await arm(), (await config()).evaluation);
  return { directory, write, arm, hash };
}

describe("the hash of an order", () => {
  const files = {
    "deep/mine.mjs": `import "./one.mjs"; import data from "../data.json" with { type: "json" };\n${orderModule()}`,
    "deep/one.mjs":
      'import { createRequire } from "node:module"; createRequire(import.meta.url)("./two.cjs"); import "some-package";',
    "deep/two.cjs": "module.exports = require('./three.cjs');",
    "deep/three.cjs": "module.exports = 3;",
    "data.json": "[1]",
    "node_modules/some-package/package.json": '{"name":"some-package","type":"module","exports":"./index.js"}',
    "node_modules/some-package/index.js": "",
  };
  const imports = {
    "../data.json": sha256("[1]"),
    "one.mjs": sha256(files["deep/one.mjs"]),
    "three.cjs": sha256(files["deep/three.cjs"]),
    "two.cjs": sha256(files["deep/two.cjs"]),
  };

  test("covers all that it imports from beside it, however that is imported; of itself it is as ever", async () => {
    const { arm } = folder(files);
    expect((await arm()).order.file).toEqual({
      path: "./deep/mine.mjs",
      sha256: sha256(files["deep/mine.mjs"]),
      imports,
    });
  });

  test("changes with each of these files, and with no package", async () => {
    const { hash, write } = folder(files);
    const first = await hash();
    write("node_modules/some-package/index.js", "// another version");
    expect(await hash()).toBe(first);
    for (const name of ["deep/one.mjs", "deep/three.cjs", "data.json"] as const) {
      write(name, `${files[name]} `);
      expect(await hash(), name).not.toBe(first);
      write(name, files[name]);
    }
    expect(await hash()).toBe(first);
  });

  test("is that of the file alone where it imports nothing: what was recorded before is still the same arm", async () => {
    const { arm } = folder({ "mine.mjs": orderModule() });
    expect((await arm()).order.file).toEqual({ path: "./mine.mjs", sha256: sha256(orderModule()) });
  });
});

describe("a file that changes while the experiment runs", () => {
  const settings = ["arms={a: {order: ./mine.mjs}}", "seeds=2", "epochs=1"];
  const reversing = (on: boolean) => `export const reversing = ${on};`;
  const mine = `import { reversing } from "./way.mjs";\n${orderModule(
    "order: ({ eligible, size }) => ({ indices: reversing ? eligible.slice().reverse() : eligible.slice(), offsets: offsetsOf(eligible.length, size) }),",
  )}`;

  test("is not trained by: all runs have what was there when it began, and was hashed", async () => {
    const scene = new Scene();
    scene.write("mine.mjs", mine);
    scene.write("way.mjs", reversing(true));
    const observer = {
      runEnded: () => {
        scene.write("way.mjs", reversing(false));
        scene.write("mine.mjs", "not even JavaScript");
      },
    };
    const { results } = await scene.run({ settings, observer });
    expect(results).toMatchObject([{ state: "done" }, { state: "done" }]);
    for (const seed of [0, 1]) expect(scene.words(`a/seed-${seed}/orders/0000.u32`)[0]).toBe(23);
    const { file } = Object(Reflect.get(Object(scene.document("a", 1).config), "order"));
    expect(file.imports).toEqual({ "way.mjs": sha256(reversing(true)) });
  });

  test("a changed import beside recorded runs is another arm, and refused", async () => {
    const scene = new Scene();
    scene.write("mine.mjs", mine);
    scene.write("way.mjs", reversing(true));
    await scene.run({ settings });
    scene.write("way.mjs", reversing(false));
    const { error } = await scene.run({ settings: [...settings, "seeds=3"] });
    expect(error).toMatchObject({ kind: "usage", message: expect.stringMatching(/holds arm a with other settings/) });
  });

  test("what Node loads by itself is refused by the run that finds it changed", async () => {
    const scene = new Scene();
    scene.write("mine.mjs", `import way from "./way.cjs";\n${orderModule()}`);
    const way = scene.write("way.cjs", "module.exports = 1;");
    const observer = { runEnded: () => writeFileSync(way, "module.exports = 2;") };
    const { results } = await scene.run({ settings, observer });
    const error = `the memory of order mine failed: ${way} has changed since the experiment began`;
    expect(results).toMatchObject([{ state: "done" }, { state: "failed", error }]);
  });
});

test.each([
  ["", /^order mine (in epoch [23] failed|failed after its last epoch): /], // when it is heard of is as it comes
  ["if (epoch === 2) ", /^order mine failed after its last epoch: /],
])("an import that comes only as it runs is refused: no hash covers it (%s)", async (condition, where) => {
  const scene = new Scene();
  const mine = scene.write(
    "mine.mjs",
    orderModule(`order({ eligible, size, epoch }) {
    ${condition}import("./late.mjs");
    return { indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) };
  },`),
  );
  const late = scene.write("late.mjs", "export default 1;");
  const { results } = await scene.run({ settings: ["arms={a: {order: ./mine.mjs}}", "seeds=1"] });
  expect(results).toMatchObject([{ state: "failed" }]);
  expect(results[0].error).toContain(`${mine} imports ${late} only as it runs: import it at the top`);
  expect(results[0].error).toMatch(where);
});

describe("an order in TypeScript", () => {
  const typed = (order: string) =>
    orderModule(order).replace("(count, size) =>", "(count: number, size: (batch: number) => number) =>");
  const TYPED = `import { type Way, way } from "./way.js";
import type { OrderContext } from "importance-batching";
enum Sequence { Forward, Backward }
const wanted: Way = way(Sequence.Backward);
const backwards = <T extends Uint32Array>(values: T): Uint32Array => values.slice().reverse();
${typed(`order: ({ eligible, size }: OrderContext<unknown>) =>
  ({ indices: wanted === "backward" ? backwards(eligible) : eligible.slice(), offsets: offsetsOf(eligible.length, size) }),`)}`;
  const WAY =
    'export type Way = "forward" | "backward";\nexport const way = (n: number): Way => (n === 1 ? "backward" : "forward");';

  test("trains, with what it imports; its hashes are of the files as they are written", async () => {
    const scene = new Scene();
    scene.write("mine.ts", TYPED);
    scene.write("way.ts", WAY);
    const { results } = await scene.run({ settings: ["arms={a: {order: ./mine.ts}}", "seeds=1", "epochs=1"] });
    expect(results).toMatchObject([{ state: "done" }]);
    expect(scene.words("a/seed-0/orders/0000.u32")[0]).toBe(23);
    const { file } = Object(Reflect.get(Object(scene.document("a", 0).config), "order"));
    expect(file).toEqual({ path: "./mine.ts", sha256: sha256(TYPED), imports: { "way.ts": sha256(WAY) } });
  });

  test("by its other name", async () => {
    const { arm } = folder({ "mine.mts": typed(BACKWARDS) });
    expect((await arm()).order.name).toBe("mine");
  });

  test("throws in a line of its own, not of what it is compiled to", async () => {
    const scene = new Scene();
    const throwing = "order() {\n    throw new Error('way ' + Way.Back);\n  },";
    const source = `interface Unused {\n  a: 1;\n}\nenum Way {\n  Back,\n}\n${typed(throwing)}`;
    scene.write("mine.ts", source);
    const { results } = await scene.run({ settings: ["arms={a: {order: ./mine.ts}}", "seeds=1", "epochs=1"] });
    const line = 1 + source.split("\n").findIndex((text) => text.includes("throw"));
    expect(results[0].error).toBe(`order mine in epoch 1 failed: way 0 (mine.ts:${line})`);
  });

  test("with a mistake in the syntax is told with its line", async () => {
    const { arm, directory } = folder({ "mine.ts": "const a: number = 1;\nconst b: = 2;\n" });
    await expect(arm()).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(
        `importing ${directory}/mine.ts failed: Unexpected token .* \\(${directory}/mine.ts:2:10\\)$`,
      ),
    });
  });
});
