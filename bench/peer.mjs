// A Python process with numpy and torch: a line of JSON in, a line of JSON out.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Read by their libraries when Python starts. */
const threadsOf = (count) => ({ OMP_NUM_THREADS: count, MKL_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count });

/** `script`: its path; `given`: what stands behind that on its command line. */
export function startPeer(python, script, given, threads = 1) {
  const child = spawn(python, [script, ...given], {
    env: { ...process.env, ...threadsOf(String(threads)) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${script} ended at ${JSON.stringify(question)}: what it said is above`);
      return JSON.parse(value);
    },
    stop() {
      child.stdin.end();
    },
  };
}
