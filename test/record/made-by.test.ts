import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type MadeBy, readMadeBy } from "../../src/record/made-by.js";
import { filesOf } from "../../src/record/recorded-orders.js";
import type { RunDocument } from "../../src/record/run-document.js";
import { RunRecord } from "../../src/record/run-record.js";
import { mistake } from "../mistake.js";

function madeBy(config: RunDocument["config"]): MadeBy {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-made-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const record = new RunRecord(directory, { orders: "full", signals: "full" });
  record.start({ arm: "a", seed: 0, configHash: "abc", config, ibatchVersion: "0", state: "running" });
  return readMadeBy(filesOf(directory));
}

const dataset = { name: "digits" };

test("its config's hash, its dataset, and whether its order was of another objective", () => {
  expect(madeBy({ epochs: 1, dataset, order: { changesObjective: true } })).toEqual({
    state: "running",
    configHash: "abc",
    dataset: "digits",
    part: undefined,
    changesObjective: true,
    data: undefined,
  });
});

test("a run that does not say is refused: nothing is assumed of what is to be trained on", () => {
  expect(mistake(() => madeBy({ epochs: 1, dataset, order: {} }))).toMatch(
    /run\.json is damaged \(config\.order: it does not say .*\): take another run, or do that run again$/,
  );
  expect(mistake(() => madeBy({ epochs: 1, order: { changesObjective: false } }))).toMatch(
    /run\.json is damaged \(config\.dataset: it names none\)/,
  );
});
