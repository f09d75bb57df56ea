import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readTuning, TUNING, type TunedArm, writeTuning } from "../../src/record/tuning-record.js";
import { mistake } from "../mistake.js";

const cost = { runs: 0, samples: 0, scored: 0 };
const tuned = (arm: string, rate: number): TunedArm => ({ arm, rate, trials: [], cost });
const document = (...arms: readonly TunedArm[]) => ({
  measure: "loss" as const,
  seeds: [1],
  validation: { share: 0.5, samples: null },
  arms,
});

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("what was written is read; arms of another command stay, and of the same arm the newest counts", () => {
  const directory = temporary();
  expect(readTuning(directory)).toBeUndefined();
  writeTuning(directory, document(tuned("a", 1), tuned("b", 1)));
  writeTuning(directory, document(tuned("c", 2), tuned("b", 2)));
  expect(readTuning(directory)).toEqual(document(tuned("c", 2), tuned("b", 2), tuned("a", 1)));
});

test("one that was changed is not taken: the same command writes it anew", () => {
  const directory = temporary();
  writeTuning(directory, document(tuned("a", 1)));
  const path = join(directory, TUNING);
  writeFileSync(path, readFileSync(path, "utf8").replace('"rate": 1', '"rate": 2'));
  expect(mistake(() => readTuning(directory), "usage")).toMatch(
    /tuning\.json is damaged \(it was changed after it was written\).*give the `ibatch run` again that made it/,
  );
  writeTuning(directory, document(tuned("b", 1)));
  expect(readTuning(directory)).toEqual(document(tuned("b", 1)));
});
