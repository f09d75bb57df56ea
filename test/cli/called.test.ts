// What is shown to be copied is called as the command was: `npx ibatch` where that is how it is found.
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Call, nameOfCall, thisCall } from "../../src/cli/called.js";
import { packageRoot } from "../../src/package-root.js";
import { ibatch } from "./run-main.js";

const ENTRY = join(packageRoot, "dist", "cli", "main.js");

describe("a command that was called", () => {
  test.each<[string, Partial<Call>, string]>([
    ["by npx, or a script of npm", { script: "/mine/node_modules/.bin/ibatch" }, "npx ibatch"],
    ["by npx from elsewhere", { script: "/usr/bin/ibatch", environment: { npm_command: "exec" } }, "npx ibatch"],
    ["from PATH", { script: "/usr/local/bin/ibatch" }, "ibatch"],
    ["by npm start", { script: ENTRY, environment: { npm_command: "start" } }, "npx ibatch"],
    ["by its file in a clone", { script: ENTRY, directory: packageRoot }, "npx ibatch"],
    ["by its file from elsewhere", { script: "/a b/dist/cli/main.js" }, "node '../a b/dist/cli/main.js'"],
    ["from a program", { script: "/mine/program.mjs", environment: { npm_command: "exec" } }, "ibatch"],
    [
      "by the program of a packed archive",
      { script: ENTRY, environment: { IBATCH_CALLED_AS: "./ibatch" } },
      "./ibatch",
    ],
    ["from nowhere", {}, "ibatch"],
  ])("%s", (_, call, expected) => {
    expect(nameOfCall({ script: undefined, environment: {}, directory: "/mine", ...call })).toBe(expected);
  });
});

describe("called by npx", () => {
  const argv = process.argv;
  afterEach(() => {
    process.argv = argv;
  });
  const calledWith = (...words: string[]) => {
    process.argv = ["node", "/mine/node_modules/.bin/ibatch", ...words];
  };

  test("the command that is recorded is what a shell takes", () => {
    calledWith("run", "x.yaml", "--set", "model={reference: net:Net}", "--out", "it's");
    expect(thisCall()).toBe("npx ibatch run x.yaml --set 'model={reference: net:Net}' --out 'it'\\''s'");
  });

  test("examples and advice say npx", async () => {
    calledWith();
    expect((await ibatch("--help")).stdout).toContain("\n  npx ibatch run configs/digits.yaml\n");
    expect((await ibatch("data", "--help")).stdout).toContain("NODE_USE_ENV_PROXY=1 npx ibatch data mnist");
    expect((await ibatch("run")).stderr).toContain("; `npx ibatch run --help` shows what there is\n");
    const { stderr } = await ibatch("trust", "--no-such");
    expect(stderr).toContain("`npx ibatch trust --help`");
  });
});
