// What readers make of runs that are under way, or that a kill ended.
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderPage } from "../../src/page/page.js";
import { readReportData } from "../../src/page/read.js";
import { readRunsOnRecord } from "../../src/results/recorded-experiment.js";
import { readResults } from "../../src/results/recorded-results.js";
import { make, SMALL } from "../page/scene.js";

/** The second run of `sorted`, as it is on disk while the first epoch's line is being written. */
function underWay(): { directory: string; run: string } {
  const directory = make(SMALL);
  const run = join(directory, "sorted", "seed-1");
  const document = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  writeFileSync(join(run, "run.json"), JSON.stringify({ ...document, state: "running", checksums: undefined }));
  const [line] = readFileSync(join(run, "metrics.jsonl"), "utf8").split("\n");
  writeFileSync(join(run, "metrics.jsonl"), line.slice(0, 40));
  return { directory, run };
}

const states = (directory: string) =>
  readRunsOnRecord(directory, []).runs.map(
    ({ arm, seed, state, metrics }) => `${arm} ${seed} ${state} ${metrics.length}`,
  );

test("a line of metrics that is being written is not read yet", () => {
  const { directory, run } = underWay();
  expect(states(directory)).toEqual([
    "shuffled 0 done 3",
    "shuffled 1 done 3",
    "sorted 0 done 3",
    "sorted 1 running 0",
  ]);
  const [line] = readFileSync(join(directory, "sorted", "seed-0", "metrics.jsonl"), "utf8").split("\n");
  writeFileSync(join(run, "metrics.jsonl"), `${line}\n`);
  appendFileSync(join(run, "metrics.jsonl"), line.slice(0, 40));
  expect(states(directory)).toContain("sorted 1 running 1");
});

test("a run without its files yet is under way, too", () => {
  const { directory, run } = underWay();
  for (const name of ["metrics.jsonl", "timings.jsonl"]) rmSync(join(run, name), { force: true });
  expect(states(directory)).toContain("sorted 1 running 0");
});

test("a run that has no run.json yet is none: table and page are made of the others", async () => {
  const directory = make(SMALL);
  for (const name of ["seed-2", "seed-3"]) mkdirSync(join(directory, "sorted", name, "orders"), { recursive: true });
  writeFileSync(join(directory, "sorted", "seed-3", "run.json.partial"), "{");
  expect(states(directory)).toHaveLength(4);
  const { signal } = new AbortController();
  const { findings, table } = await readResults(directory, { python: "/nowhere/python", signal });
  expect(table).toContain("2 of 2");
  expect(renderPage(readReportData(directory), findings)).toMatch(/^<!doctype html>/);
});
