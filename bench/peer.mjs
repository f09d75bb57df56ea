// The Python process with numpy and torch: a line of JSON in, a line of JSON out.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("peer.py", import.meta.url));
// Read by their libraries when Python starts.
const ONE_THREAD = { OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };

export function startPeer(python, endpoint) {
  const child = spawn(python, [SCRIPT, endpoint], {
    env: { ...process.env, ...ONE_THREAD },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${SCRIPT} ended at ${JSON.stringify(question)}: what it said is above`);
      return JSON.parse(value);
    },
    stop() {
      child.stdin.end();
    },
  };
}
