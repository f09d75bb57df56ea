// Table, summary and page of a directory in which another command ends a run while they are made.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
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

/** As one sees it beside whom others end runs, and write results of them, just before a write of one's own. */
class Beside extends ReportedRecord {
  #writes = 0;
  #isWithin = false;
  readonly #before: readonly (() => void)[];

  constructor(directory: string, before: readonly (() => void)[]) {
    super(directory);
    this.#before = before;
  }

  override exclusively<T>(act: () => T): T {
    if (this.#isWithin) return super.exclusively(act);
    this.#before[this.#writes++]?.();
    this.#isWithin = true;
    try {
      return super.exclusively(act);
    } finally {
      this.#isWithin = false;
    }
  }
}

test("others end runs and write results again and again meanwhile: nothing is written over what was read later", async () => {
  const directory = join(temporaryDirectory(), "run");
  await runExperiment({ ...value, seeds: 5 }, { out: directory, python: "/nowhere/python" });
  const summary = join(directory, "summary.json");
  const whole = readFileSync(summary, "utf8");
  const seeds = [1, 2, 3, 4];
  const place = (seed: number) => join(directory, `frozen/seed-${seed}`);
  const aside = (seed: number) => join(directory, `../aside-${seed}`);
  for (const seed of seeds) renameSync(place(seed), aside(seed));
  const before = seeds.map((seed) => () => {
    renameSync(aside(seed), place(seed));
    rmSync(summary);
    writeFileSync(summary, whole.padEnd(whole.length + seed));
  });
  const { signal } = new AbortController();
  const options = { signal, python: "/nowhere/python", onWarning: () => {} };
  const made = await makeResultsOnRecord(new Beside(directory, before), options);
  expect(made.summary.arms[0]).toMatchObject({ done: 5, missing: [] });
  const onDisk = JSON.parse(readFileSync(summary, "utf8"));
  expect(onDisk.arms[0]).toMatchObject({ done: 5, missing: [] });
  expect(readFileSync(join(directory, "table.md"), "utf8")).toBe(made.table);
});

test("others write a page before ours is: it is made anew with theirs", async () => {
  const directory = join(temporaryDirectory(), "run");
  await runExperiment(value, { out: directory, python: "/nowhere/python" });
  const file = join(directory, "report.html");
  const page = readFileSync(file, "utf8");
  const [run, aside] = [join(directory, "frozen/seed-1"), join(directory, "../aside")];
  renameSync(run, aside);
  const others = () => {
    renameSync(aside, run);
    rmSync(file);
    writeFileSync(file, "theirs");
  };
  const { signal } = new AbortController();
  const options = { signal, python: "/nowhere/python", onWarning: () => {} };
  const made = await makeResultsOnRecord(new Beside(directory, [() => {}, others]), options);
  expect(made.summary.arms[0]).toMatchObject({ done: 2, missing: [] });
  expect(readFileSync(file, "utf8")).toBe(page);
});

test("others write results whenever the page is made, and a page after them: nothing is made anew", async () => {
  const directory = join(temporaryDirectory(), "run");
  await runExperiment(value, { out: directory, python: "/nowhere/python" });
  const summary = join(directory, "summary.json");
  let written = 0;
  const others = () => {
    rmSync(summary);
    writeFileSync(summary, "{}".padEnd(++written));
  };
  const { signal } = new AbortController();
  const options = { signal, python: "/nowhere/python", onWarning: () => {} };
  const alternating = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? () => {} : others));
  await makeResultsOnRecord(new Beside(directory, alternating), options);
  expect(written).toBe(1);
});

test("others still have runs to do: the page is left to them, and summary and table are written", async () => {
  const directory = join(temporaryDirectory(), "run");
  const theirs = join(directory, "frozen/seed-7");
  mkdirSync(theirs, { recursive: true });
  writeFileSync(join(theirs, "lock"), JSON.stringify({ pid: process.ppid, host: hostname(), beats: true }));
  const noted: string[] = [];
  const options = {
    out: directory,
    python: "/nowhere/python",
    observe: () => ({ noted: (line) => noted.push(line) }),
  } satisfies Parameters<typeof runExperiment>[1];
  expect((await runExperiment(value, options)).page).toBeUndefined();
  expect(noted).toEqual(["report.html is left to the command that ends last here: others still have runs to do"]);
  expect(existsSync(join(directory, "table.md"))).toBe(true);
  expect(existsSync(join(directory, "report.html"))).toBe(false);
  rmSync(theirs, { recursive: true });
  expect((await runExperiment(value, options)).page).toBe(join(directory, "report.html"));
});
