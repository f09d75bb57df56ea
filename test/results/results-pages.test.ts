import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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
