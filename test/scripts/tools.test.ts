import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runTool } from "../../scripts/setup/tools.mjs";

const node = (source: string, options = {}) => runTool(process.execPath, ["-e", source], options);

test("a tool's exit code, and both its outputs, also as they come", async () => {
  const parts: string[] = [];
  const onData = (text: string) => void parts.push(text);
  const result = await node("console.log('out'); console.error('err'); process.exitCode = 3", { onData });
  expect(result).toMatchObject({ code: 3, signal: null, errno: null });
  expect(result.output.split("\n").sort()).toEqual(["", "err", "out"]);
  expect(parts.join("")).toBe(result.output);
});

test("arguments reach the tool as they are: there is no shell", async () => {
  const { output } = await runTool(process.execPath, ["-p", "process.argv[1]", "a b; $HOME *"]);
  expect(output).toBe("a b; $HOME *\n");
});

test("a tool that is not there has an errno", async () => {
  expect(await runTool("/no/such/tool", [])).toMatchObject({ code: null, errno: "ENOENT" });
});

test("a tool that takes too long is ended", async () => {
  expect(await node("setInterval(() => {}, 1000)", { timeout: 300 })).toMatchObject({ code: null, errno: "ABORT_ERR" });
});

test("a tool is given up once its output says so", async () => {
  const giveUp = (output: string) => output.includes("hopeless");
  const result = await node("console.log('hopeless'); setInterval(() => {}, 1000)", { giveUp });
  expect(result).toMatchObject({ code: null, signal: "SIGTERM", output: "hopeless\n" });
});

test("a time limit does not outlive a tool that could not be started", () => {
  const module = JSON.stringify(join(import.meta.dirname, "../../scripts/setup/tools.mjs"));
  const source = `import(${module}).then(({ runTool }) => runTool("/no/such/tool", [], { timeout: 20000 }))`;
  expect(spawnSync(process.execPath, ["-e", source], { timeout: 10_000 }).status).toBe(0);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the tool with us, in a line", async (signal, code) => {
  const module = JSON.stringify(join(import.meta.dirname, "../../scripts/setup/tools.mjs"));
  const tool = "console.log(process.pid); setInterval(() => {}, 1000)";
  const source = `import(${module}).then(({ runTool }) =>
    runTool(process.execPath, ["-e", ${JSON.stringify(tool)}], { onData: (text) => process.stdout.write(text) }))`;
  const us = spawn(process.execPath, ["-e", source]);
  let stderr = "";
  us.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [pid] = await once(us.stdout, "data");
  us.kill(signal);
  expect(await once(us, "close")).toEqual([code, null]);
  expect(stderr).toBe("\ninterrupted; give the same command again to go on\n");
  expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
});
