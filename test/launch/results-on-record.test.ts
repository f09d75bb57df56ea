// Table, summary and page of a directory in which another command ends a run while they are made.
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { parse } from "yaml";
import { makeResultsOnRecord } from "../../src/launch/results-on-record.js";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { ReportedRecord } from "../../src/record/results-record.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";

vi.mock("../../src/backend/backend.js", () => ({
  openBackend: async () => ({ client: new FakeBackend(), stop: async () => {} }),
}));

const value = { ...parse(CONFIG), epochs: 1, arms: { frozen: { order: "frozen" } } };

const SOMEBODY = { pid: 1, host: "elsewhere", beats: true, brief: false };

/** As one sees it beside whom others work, the last of whose runs ends just before anything is written. */
class Beside extends ReportedRecord {
  writes = 0;
  readonly #endRun: () => void;

  constructor(directory: string, endRun: () => void) {
    super(directory);
    this.#endRun = endRun;
  }

  override get others() {
    return [SOMEBODY];
  }

  override exclusively<T>(act: () => T): T {
    if (this.writes++ === 0) this.#endRun();
    return super.exclusively(act);
  }
}

test("what was read before another command's run ended is written over nothing: it is read again", async () => {
  const directory = join(temporaryDirectory(), "run");
  await runExperiment(value, { out: directory, python: "/nowhere/python" });
  const [run, aside] = [join(directory, "frozen/seed-1"), join(directory, "../aside")];
  renameSync(run, aside);
  const record = new Beside(directory, () => renameSync(aside, run));
  const { signal } = new AbortController();
  const { summary } = await makeResultsOnRecord(record, { signal, python: "/nowhere/python", onWarning: () => {} });
  expect(summary.arms[0]).toMatchObject({ done: 2, missing: [] });
  const onDisk = JSON.parse(readFileSync(join(directory, "summary.json"), "utf8"));
  expect(onDisk.arms[0]).toMatchObject({ done: 2, missing: [] });
});
