// What commands print of themselves fits a terminal of 80 columns.
import { describe, expect, test } from "vitest";
import { renderChoices } from "../../src/cli/list.js";
import { backendChoices, ownChoices } from "../../src/config/choices.js";
import { catalogue } from "../config/fake-catalogue.js";
import { ibatch } from "./run-main.js";

const COLUMNS = 80;
const tooLong = (text: string) => text.split("\n").filter((line) => line.length > COLUMNS);

test("--help of ibatch and of each of its commands", async () => {
  const { stdout: root } = await ibatch("--help");
  const commands = [...root.matchAll(/^ {2}([a-z]+) (?=.* {2})/gm)].map(([, name]) => name);
  expect(commands).toEqual(expect.arrayContaining(["run", "status", "list", "order", "data", "report", "trust"]));
  expect(root).toMatch(/Exit codes: 0 done;[\s\S]*interrupted\.\n/);
  expect(tooLong(root)).toEqual([]);
  for (const name of commands.filter((command) => command !== "help")) {
    const { stdout } = await ibatch(name, "--help");
    expect(stdout).toContain(`Usage: ibatch ${name}`);
    expect(stdout).toContain("\nExamples:\n");
    expect(tooLong(stdout), name).toEqual([]);
  }
});

describe("ibatch list", () => {
  const all = { ...ownChoices(), ...backendChoices(catalogue) };

  test("on a terminal lines are broken between words, and say what they say without a limit", () => {
    const [narrow, wide] = [renderChoices(all, COLUMNS), renderChoices(all, Number.POSITIVE_INFINITY)];
    expect(tooLong(narrow)).toEqual([]);
    expect(tooLong(wide).length).toBeGreaterThan(0);
    expect(narrow.replace(/\s+/g, " ")).toBe(wide.replace(/\s+/g, " "));
  });

  test("texts are sentences, and no option has a colon after a colon", () => {
    const choices = Object.values(all).flat();
    for (const { summary, whenToChoose } of choices) {
      expect(summary).toMatch(/^[^a-z].*\.$/);
      expect(whenToChoose).toMatch(/^[^a-z].*\.$/);
    }
    const twice = choices.flatMap(({ options }) => options).filter(({ help }) => /: [\w-]+: /.test(help));
    expect(twice.map(({ help }) => help)).toEqual([]);
  });
});
