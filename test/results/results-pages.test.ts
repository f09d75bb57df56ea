import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { ConfigSource } from "../../src/config/config-source.js";
import { packageRoot } from "../../src/package-root.js";
import { epochMetrics, measured, withinPoint } from "../../src/record/epoch-metrics.js";
import { comparisonTables } from "../../src/results/comparison-table.js";
import { whole } from "../../src/results/layout.js";
import { averagedWeightsOf, recencyColumns, withinLastEpochOf } from "../../src/results/recency.js";
import { readResults } from "../../src/results/recorded-results.js";
import { isPythonMissing } from "../warm-python/missing.js";
import { type Asked, findingsOfAll } from "./findings-of-all.js";
import { asking, run } from "./made-runs.js";

/** Experiments whose small files are kept beside the page that tells of them. */

const results = join(packageRoot, "docs", "results");
const kept = readdirSync(results).filter((name) => existsSync(join(results, name, "experiment.json")));
const signal = new AbortController().signal;

test("there are some", () => {
  expect(kept.length).toBeGreaterThan(1);
});

describe.each(kept)("docs/results/%s.md", (name) => {
  const page = readFileSync(join(results, `${name}.md`), "utf8");

  test("shows the table that its command makes of the recorded metrics", async () => {
    const { table } = await readResults(join(results, name), { python: undefined, signal });
    expect(page).toContain(table);
  });

  test("names that command, the one that made the runs, the commit and the machine", () => {
    const { commit } = JSON.parse(readFileSync(join(results, name, "experiment.json"), "utf8"));
    expect(page).toContain(`npx ibatch export docs/results/${name} --to markdown`);
    expect(page).toContain(`npx ibatch run configs/${name}.yaml`);
    expect(page).toContain(commit.slice(0, 7));
    expect(page).toMatch(/\| machine \|/);
  });

  test("shows pictures that are there", () => {
    const pictures = [...page.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, path]) => join(results, path));
    expect(pictures.length).toBeGreaterThan(0);
    expect(pictures.filter((path) => !existsSync(path))).toEqual([]);
  });
});

// --- experiments of which the page keeps each run's last epoch

const spread = z.object({ mean: z.number(), sd: z.number() });
const lastRun = z.object({ seed: z.int(), state: z.literal("done"), test: measured });
const lastEpochs = z.object({
  name: z.string(),
  seeds: z.array(z.int()),
  arms: z.array(z.object({ arm: z.string(), testAccuracy: spread, testLoss: spread, runs: z.array(lastRun) })),
});
type LastEpochs = z.infer<typeof lastEpochs>;
const lastEpochsIn = (name: string): LastEpochs =>
  lastEpochs.parse(JSON.parse(readFileSync(join(results, name), "utf8")));
const summaries = readdirSync(results).filter((name) => name.endsWith(".json"));
const linking = readdirSync(results)
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(join(results, name), "utf8") }));

test("there are some of these, too", () => {
  expect(summaries.length).toBeGreaterThan(1);
});

test.each(summaries)("%s: the page that links to it shows the means that it has", (name) => {
  const { arms } = lastEpochsIn(name);
  const pages = linking.filter(({ text }) => text.includes(`(${name})`));
  expect(pages).toHaveLength(1);
  const shown = pages[0].text.split("\n").filter((line) => line.startsWith("| "));
  const missing = arms.filter(({ arm, testAccuracy, testLoss }) => {
    const accuracy = `${(100 * testAccuracy.mean).toFixed(2)} ± ${(100 * testAccuracy.sd).toFixed(2)}`;
    const loss = `${testLoss.mean.toFixed(4)} ± ${testLoss.sd.toFixed(4)}`;
    return !shown.some((line) => line.startsWith(`| ${arm} `) && line.includes(accuracy) && line.includes(loss));
  });
  expect(missing.map(({ arm }) => arm)).toEqual([]);
});

const recent = z.object({
  arms: z.array(
    z.object({
      arm: z.string(),
      runs: z.array(lastRun.extend({ within: z.array(withinPoint), averaged: epochMetrics.shape.averaged })),
    }),
  ),
});

test("recency.json: the page's table of recency is that of its runs", async () => {
  const page = readFileSync(join(results, "recency.md"), "utf8");
  const { arms } = recent.parse(JSON.parse(readFileSync(join(results, "recency.json"), "utf8")));
  const found = arms.map(({ arm, runs }) => {
    const timed = runs.map(({ seed, test, within, averaged }) => {
      const made = run(arm, seed, { test: [test.accuracy] });
      return { ...made, metrics: made.metrics.map((line) => ({ ...line, test, within, averaged })) };
    });
    return { arm, withinLastEpoch: withinLastEpochOf(timed), averagedWeights: averagedWeightsOf(timed) };
  });
  const columns = recencyColumns(found);
  const rows = page.split("\n").map((line) => cellsOf(line).join(" | "));
  const titles = columns.map(({ title }) => title);
  expect(rows).toContain(["arm", ...titles].join(" | "));
  const expected = found.map((arm) => [arm.arm, ...columns.map(({ cell }) => cell(arm))].join(" | "));
  expect(expected.filter((row) => !rows.includes(row))).toEqual([]);
});

// --- what these pages claim of differences

interface Row {
  readonly [title: string]: string;
}

interface Differences {
  readonly rows: readonly Row[];
  /** Where Holm's correction is over them; else each is by itself. */
  readonly isPlanned: boolean;
}

const cellsOf = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

/** Every table of differences in accuracy in a text. */
function differencesIn(text: string): Differences[] {
  return [...text.matchAll(/^(\| difference .*)\n\|[-:| ]+\n((?:\|.*\n)+)/gm)].map(([, head, body]) => {
    const titles = cellsOf(head);
    const rows = body
      .trimEnd()
      .split("\n")
      .map((line) => Object.fromEntries(cellsOf(line).map((cell, at) => [titles[at], cell])));
    return { rows, isPlanned: titles.some((title) => title.includes("Holm")) };
  });
}

const differencesOf = (name: string): Differences[] => {
  const [{ text }] = linking.filter((page) => page.text.includes(`(${name})`));
  const end = text.indexOf(`(${name})`);
  const before = summaries.map((other) => text.indexOf(`(${other})`)).filter((at) => at >= 0 && at < end);
  return differencesIn(text.slice(Math.max(0, ...before), end));
};

const armsOf = ({ difference }: Row): readonly string[] => difference.split(" − ");

/** In points of accuracy, seed by seed, as the page rounds it. */
function meanOf({ arms }: LastEpochs, row: Row): string {
  const [own, theirs] = armsOf(row).map((name) => arms.find(({ arm }) => arm === name)?.runs ?? []);
  const bySeed = new Map(theirs.map(({ seed, test }) => [seed, test.accuracy]));
  const differences = own.map(({ seed, test }) => test.accuracy - (bySeed.get(seed) ?? Number.NaN));
  const mean = (100 * differences.reduce((sum, one) => sum + one, 0)) / differences.length;
  const text = Math.abs(mean).toFixed(2);
  return Number(text) === 0 ? text : `${mean < 0 ? "−" : "+"}${text}`;
}

test.each(summaries)("%s: the page's differences are those of its runs, seed by seed", (name) => {
  const recorded = lastEpochsIn(name);
  const rows = differencesOf(name).flatMap((table) => table.rows);
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.map((row) => [row.difference, row.mean])).toEqual(
    rows.map((row) => [row.difference, meanOf(recorded, row)]),
  );
});

/** The columns that the page's table has, of those of the tool's. */
const shownIn = (page: Row, tool: Row): Row =>
  Object.fromEntries(Object.keys(page).map((title) => [title, tool[title] ?? "no such column"]));

/** As the config of that name says; it is in no record of last epochs. */
function marginOf({ name }: LastEpochs): number | null {
  const path = join(packageRoot, "configs", `${name}.yaml`);
  if (!existsSync(path)) return null;
  return z.object({ equivalenceMargin: z.number().nullable().default(null) }).parse(ConfigSource.read(path).value)
    .equivalenceMargin;
}

/** What the tool would be asked for the rows of a table, with nothing but last epochs known. */
function askedFor(recorded: LastEpochs, rows: readonly Row[]): Asked {
  const runs = recorded.arms.flatMap(({ arm, runs }) =>
    runs.map(({ seed, test }) => run(arm, seed, { test: [test.accuracy], loss: test.loss })),
  );
  const comparisons = rows.map(armsOf).map(([arm, other]) => ({ arm, with: other }));
  const { seeds } = recorded;
  const planned = asking(runs, { seeds, baseline: undefined, comparisons, equivalenceMargin: marginOf(recorded) });
  return { runs, planned };
}

/** Each table with what it would be asked; a row that no correction was for by itself. */
const askedOn = (name: string) => {
  const recorded = lastEpochsIn(name);
  const tables = differencesOf(name).flatMap(({ rows, isPlanned }) => (isPlanned ? [rows] : rows.map((row) => [row])));
  return tables.map((rows) => ({ name, rows, asked: askedFor(recorded, rows) }));
};

describe("the statistics of the tool", () => {
  beforeEach(({ skip }) => skip(isPythonMissing, "no Python for the statistics"));

  test("give the intervals, p and verdicts of these pages", async () => {
    const tables = summaries.flatMap(askedOn);
    const found = await findingsOfAll(tables.map(({ asked }) => asked));
    for (const [at, { name, rows }] of tables.entries()) {
      const [made] = differencesIn(`${comparisonTables(found[at], whole).join("\n\n")}\n`);
      expect({ name, rows }).toEqual({ name, rows: made.rows.map((row, i) => shownIn(rows[i], row)) });
    }
  }, 120_000);
});
