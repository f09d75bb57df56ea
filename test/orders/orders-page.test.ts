// docs/ORDERS.md says what the contract in src/orders/contract.ts says.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as api from "../../src/index.js";
import { random } from "../../src/kernels/random.js";
import { OrderFile } from "../../src/order-files/order-file.js";
import { madeUpPool } from "../../src/orders/candidates.js";
import { batchContext, emptyLedger, orderContext, poolContexts } from "../../src/orders/context.js";
import { EXTRA_SIGNALS, MEMORY_DTYPES, SCORE_KINDS } from "../../src/orders/contract.js";
import { COVERAGES } from "../../src/orders/declared.js";
import { missingMembers } from "../../src/orders/definition-check.js";
import { ledgerOptions } from "../../src/orders/ledger-options.js";
import { ARRAYS } from "../../src/orders/result-check.js";
import { packageRoot } from "../../src/package-root.js";
import { temporaryDirectory } from "../experiment/scene.js";

const page = readFileSync(join(packageRoot, "docs", "ORDERS.md"), "utf8");

/** The names in code in the first cells of the table with this in its head, without what stands in brackets. */
function firstCells(head: string): string[] {
  const [, table] = page.split(`| ${head} |`);
  const rows = table.split("\n\n")[0].split("\n").slice(2);
  return rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([\w-]+)/g)].map(([, name]) => name));
}

test("its examples are orders, and keep the laws", async () => {
  const directory = temporaryDirectory();
  const examples = [...page.matchAll(/```js\n(import .*?)```/gs)].map(([, code]) => code);
  expect(examples.length).toBe(3);
  examples.push(drawByLoss());
  for (const [at, code] of examples.entries()) {
    writeFileSync(join(directory, `${at}.mjs`), code);
    const listening = { signal: new AbortController().signal, say: () => {} };
    const file = await OrderFile.import(`./${at}.mjs`, directory, "docs/ORDERS.md", listening);
    const checked = await file.check({}, { seconds: 60 });
    await file.stop();
    expect(checked).toMatchObject({ tried: 1, findings: [] });
  }
});

/** The lines about weightedSample, in an order around them. */
function drawByLoss(): string {
  const [, lines] = page.match(/```js\n(const weights = .*?)```/s) ?? [];
  return `import { cut, defineOrder, weightedSample, z } from "importance-batching";
    export default defineOrder({
      name: "by-loss", summary: "s", whenToChoose: "w", options: z.strictObject({}), deviation: "d",
      coverage: () => "at-most-once", changesObjective: () => true, readsLedger: true,
      changesEachEpoch: () => true, dependsOnSeed: () => true,
      order({ eligible, ledger, random, size }) {
        ${lines}
        return { indices, offsets: cut(indices.length, size) };
      },
    });`;
}

test("every member of a definition has its row, and no other", () => {
  const wrong = Object.fromEntries(
    [
      ...[
        "deviation",
        "epochShare",
        "ignoresLedger",
        "signals",
        "scores",
        "changesObjective",
        "memory",
        "ownSizes",
        "unknownProbabilities",
      ],
      ...["nextBatch", "decidesEachBatch", "candidates", "scoresCandidates", "candidatesPerSample"],
    ].map((optional) => [optional, 7]),
  );
  expect(firstCells("member | says").sort()).toEqual(missingMembers(wrong).sort());
});

test("and every word for coverage", () => {
  expect(firstCells("`coverage` | an epoch holds each eligible sample")).toEqual(COVERAGES);
});

test("and all of the context", () => {
  const context = orderContext({ options: {}, seed: 0, epoch: 0, labels: Uint32Array.of(0), classCount: 1, size: 1 });
  expect(firstCells("`context` | is").sort()).toEqual(Object.keys(context).sort());
});

test("and what of it is another one for each batch", () => {
  const inputs = { options: {}, seed: 0, epoch: 0, labels: Uint32Array.of(0), classCount: 1, size: 1 };
  const drawn = { indices: new Uint32Array(), times: Uint32Array.of(0), pending: new Uint32Array() };
  const ofEpoch = orderContext(inputs);
  const ofBatch = batchContext(inputs, { batch: 0, step: 3, count: 1, drawn, share: 0 });
  const others = Object.keys(ofBatch).filter((name) => !Object.hasOwn(ofEpoch, name));
  expect(firstCells("`context`, for a batch | is").sort()).toEqual(
    [...others, "step", "progress", "random", "pool"].sort(),
  );
  const ofCandidates = poolContexts(inputs, 1)({ batch: 0, step: 3, count: 1, first: 0 });
  const ofTheirs = Object.keys(ofCandidates).filter((name) => !Object.hasOwn(ofBatch, name));
  expect(firstCells("`context`, for candidates | is").sort()).toEqual([...ofTheirs, "random"].sort());
  expect(Object.keys(ofBatch).filter((name) => !Object.hasOwn(ofCandidates, name))).toEqual([
    "ledger",
    "memory",
    "drawn",
  ]);
  const known = { ledger: emptyLedger(1, EXTRA_SIGNALS), labels: Uint32Array.of(0), classCount: 1 };
  expect(firstCells("`pool` | is").sort()).toEqual(Object.keys(madeUpPool(Uint32Array.of(0), known)).sort());
});

test("and every column of the ledger, the signals among them", () => {
  expect(firstCells("`ledger` | a value for each of the n samples").sort()).toEqual(
    Object.keys(emptyLedger(1, EXTRA_SIGNALS)).sort(),
  );
  const row = page.split("\n").find((line) => line.startsWith("| `signals(options)`"));
  expect([...(row ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual([...EXTRA_SIGNALS]);
});

test("and every array of the result, with its type", () => {
  expect(firstCells("`result` | is")).toEqual([...Object.keys(ARRAYS), "effectiveDataSize"]);
  for (const [name, { name: type }] of Object.entries(ARRAYS)) {
    expect(page).toMatch(new RegExp(`\\| \`${name}\` \\| a ${type}[,:]`));
  }
});

test("the types of memory, and the options of orders that read the ledger", () => {
  const row = (name: string) => page.split("\n").find((line) => line.startsWith(`| \`${name}\``)) ?? "";
  const [, dtypes] = row("memory").split("one of");
  expect([...dtypes.matchAll(/`(\w\d+)`/g)].map(([, dtype]) => dtype)).toEqual([...MEMORY_DTYPES]);
  const [, taken] = row("readsLedger").split("takes");
  expect([...taken.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(Object.keys(ledgerOptions.shape));
});

test("and what scores of earlier runs can be of", () => {
  const row = page.split("\n").find((line) => line.startsWith("| `scores(options)`")) ?? "";
  const [, kinds] = row.split("one of");
  expect([...kinds.split(";")[0].matchAll(/`(\w+)`/g)].map(([, kind]) => kind)).toEqual([...SCORE_KINDS]);
});

test("and every member of random numbers", () => {
  const members = Object.getOwnPropertyNames(Object.getPrototypeOf(random(0, "order", 0)));
  expect(firstCells("`random` | gives").sort()).toEqual(members.filter((name) => name !== "constructor").sort());
});

/** Exported for something else than the work of an order. */
const NOT_FOR_ORDERS = [
  ...["checkOrder", "emptyLedger", "orderContext", "defineOrder", "z", "random", "STREAMS"],
  ...["IbatchError", "Interrupted", "runExperiment", "readOrder", "readSignal"],
];

test("and every function that the package exports for orders, with its parameters and what it gives", () => {
  const [, table] = page.split("| function | gives | |");
  const rows = table.split("\n\n")[0].split("\n").slice(2);
  const shown = rows.map((row) => {
    const [, name, parameters, gives] = row.match(/^\| `(\w+)\((.*?)\)` \| `(\w+)` \|/) ?? [];
    return { name, parameters: parameters.split(", "), gives };
  });
  const exported: Readonly<Record<string, unknown>> = api;
  const names = Object.keys(exported).filter((name) => !NOT_FOR_ORDERS.includes(name));
  expect(shown.map(({ name }) => name).sort()).toEqual(names.sort());
  for (const { name, parameters, gives } of shown) expect(signatureOf(name), name).toEqual({ parameters, gives });
});

/** As its declaration has it: each parameter's name, with `?` where it may be left out, and the type of what it gives. */
function signatureOf(name: string) {
  const folder = join(packageRoot, "src", "kernels");
  const files = [...readdirSync(folder), "../orders/contract.ts"].filter((file) => file.endsWith(".ts"));
  const source = files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
  const declared =
    source.match(new RegExp(`^export function ${name}\\((.*?)\\): (\\w+) \\{$`, "ms")) ??
    source.match(new RegExp(`^export const ${name} = \\((.*?)\\): (\\w+) =>`, "ms"));
  const [, list = "", gives] = declared ?? [];
  const flat = list.replaceAll(/\{.*?\}|<.*?>|\([^()]*\)/gs, "");
  const parameters = flat
    .split(",")
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== "")
    .map((parameter) => `${parameter.match(/^\w+/)?.[0]}${/^\w+\?|=(?!>)/.test(parameter) ? "?" : ""}`);
  return { parameters, gives };
}
