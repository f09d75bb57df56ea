import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.js";

const module = pathToFileURL(join(packageRoot, "dist/cli/npm-gone.js")).href;

/** Says when it looks, and what it saw; when its own parent and the one of that have been others for some looks, that too. */
const watcher = `
  import { readFileSync } from "node:fs";
  import { whenNpmIsGone } from ${JSON.stringify(module)};
  const above = (pid) => readFileSync("/proc/" + pid + "/stat", "latin1").split(") ")[1].split(" ")[1];
  const chain = () => process.ppid + " " + above(process.ppid);
  const before = chain();
  let looks = 0;
  whenNpmIsGone(() => process.stdout.write("gone", () => process.exit()), process.env, 1);
  setInterval(() => {
    if (chain() !== before) looks += 1;
    if (looks === 20) process.stdout.write("goes on", () => process.exit());
  }, 5);
  process.stdout.write("looks ");
`;
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What the watcher says when the one that stands for npm is killed. `through`: the words of what npm begins it with. */
async function said(lifecycle: Record<string, string>, through: (command: string) => string[]): Promise<string> {
  const command = `${quoted(process.execPath)} --input-type=module -e ${quoted(watcher)}`;
  const begins = `
    const [name, ...rest] = ${JSON.stringify(through(command))};
    require("node:child_process").spawn(name, rest, { stdio: "inherit" });
  `;
  const { npm_lifecycle_script: _, ...env } = process.env;
  const npm = spawn(process.execPath, ["-e", begins], {
    env: { ...env, ...lifecycle },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  npm.stdout.setEncoding("utf8").on("data", (more: string) => {
    if (text === "") npm.kill("SIGKILL");
    text += more;
  });
  await once(npm.stdout, "end");
  return text;
}

const straight = () => [process.execPath, "--input-type=module", "-e", watcher];
const byShell = (command: string) => ["sh", "-c", `${command}; exit $?`]; // it stays, as dash does anyway

describe.skipIf(process.platform !== "linux")("a command sees that npm is gone", () => {
  const npx = { npm_lifecycle_script: "'ibatch'" };

  test("which was its parent", async () => {
    expect(await said(npx, straight)).toBe("looks gone");
  });

  test("which began it with a shell that stays", async () => {
    expect(await said(npx, byShell)).toBe("looks gone");
  });

  test.each([
    ["nobody's script began it", {}],
    ["a script that began something else did", { npm_lifecycle_script: "'bash'" }],
  ])("but not where %s", async (_, lifecycle) => {
    expect(await said(lifecycle, straight)).toBe("looks goes on");
    expect(await said(lifecycle, byShell)).toBe("looks goes on");
  });

  test("but not of who began npm", async () => {
    // The one that is killed stands for the shell that npm was begun in: npm, which is another process, stays.
    const begins = `require("node:child_process").spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(watcher)}], { stdio: "inherit" });`;
    expect(await said(npx, () => [process.execPath, "-e", begins])).toBe("looks goes on");
  });
});
