// A backend that is started by hand, and stays for all runs.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export async function startBackend(python, { root, modules, threads }) {
  const child = spawn(
    python,
    [
      ...["-m", "py_backend", "--listen", "tcp://127.0.0.1:0", "--device", "cpu", "--threads", String(threads)],
      ...["--allow-import", "noise", "--python-path", modules],
    ],
    { cwd: root, env: { ...process.env, OMP_NUM_THREADS: String(threads) }, stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value, done } = await lines.next();
  if (done) throw new Error("the backend ended before it listened: what it said is above");
  return {
    endpoint: JSON.parse(value).control,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
