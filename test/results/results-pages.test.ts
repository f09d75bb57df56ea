import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { packageRoot } from "../../src/package-root.js";
import { readResults } from "../../src/results/recorded-results.js";

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
const lastEpochs = z.object({
  arms: z.array(z.object({ arm: z.string(), testAccuracy: spread, testLoss: spread })),
});
const summaries = readdirSync(results).filter((name) => name.endsWith(".json"));
const linking = readdirSync(results)
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(join(results, name), "utf8") }));

test("there are some of these, too", () => {
  expect(summaries.length).toBeGreaterThan(1);
});

test.each(summaries)("%s: the page that links to it shows the means that it has", (name) => {
  const { arms } = lastEpochs.parse(JSON.parse(readFileSync(join(results, name), "utf8")));
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
