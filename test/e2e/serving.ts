/** Backends that are started by hand, over tcp. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { packageRoot } from "../../src/package-root.js";
import { warmPython } from "../warm-python/python.js";

export interface Serving {
  readonly control: string;
  readonly work: string;
  /** What it said on standard error, so far. */
  readonly said: () => string;
  readonly end: () => Promise<void>;
}

/** At a free port of this machine, once it listens. */
export async function serve(args: readonly string[], env: Record<string, string> = {}): Promise<Serving> {
  const fixed = ["-m", "py_backend", "--listen", "tcp://127.0.0.1:0", "--device", "cpu", "--threads", "1"];
  const child: ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } = spawn(
    warmPython,
    [...fixed, ...args],
    { cwd: packageRoot, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const closed = once(child, "close");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [line]: string[] = await Promise.race([
    once(createInterface(child.stdout), "line"),
    closed.then(() => Promise.reject(new Error(`it ended: ${said}`))),
  ]);
  const { control, work } = JSON.parse(String(line));
  const end = async () => {
    child.kill("SIGTERM");
    await closed;
  };
  return { control, work, said: () => said, end };
}
