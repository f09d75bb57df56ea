// docs/ORDERS.md says what the contract in src/orders/contract.ts says.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
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
  const examples = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  expect(examples.length).toBe(3);
  for (const [at, code] of examples.entries()) {
    writeFileSync(join(directory, `${at}.mjs`), code);
    const listening = { signal: new AbortController().signal, say: () => {} };
    const file = await OrderFile.import(`./${at}.mjs`, directory, "docs/ORDERS.md", listening);
    const checked = await file.check({}, { seconds: 60 });
    await file.stop();
    expect(checked).toMatchObject({ tried: 1, findings: [] });
  }
});

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
