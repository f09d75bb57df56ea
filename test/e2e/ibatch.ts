/** Runs the built command as a user would. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packageRoot } from "../../src/package-root.js";
import { warmPython } from "../warm-python/python.js";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `ibatch` with these arguments; `env` on top of this process's own, with a warm Python. */
export function startIbatch(args: readonly string[], env: Record<string, string> = {}, cwd = process.cwd()): Started {
  const child = spawn(process.execPath, [join(packageRoot, "dist/cli/main.js"), ...args], {
    env: { ...process.env, IBATCH_PYTHON: warmPython, ...env },
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

export const ibatch = (args: readonly string[], env: Record<string, string> = {}, cwd?: string): Promise<Ended> =>
  startIbatch(args, env, cwd).ended;

/** A folder that goes when the tests of a file are over. */
export class Scratch {
  readonly directory = mkdtempSync(join(tmpdir(), "ibatch-test-"));

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  write(name: string, text: string): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Digits, small: 2 arms, 2 epochs of 20 batches, with dropout and augmentation. */
export const smallConfig = `name: small
dataset: { name: digits, subset: 315, validation: 100 }
model: mnist-cnn
optimizer: { name: sgd, momentum: 0.9, weightDecay: 5.0e-4 }
schedule: { name: cosine, learningRate: 0.02, warmupEpochs: 0.5 }
batching: { name: constant, size: 16 }
augmentation: { crop: 2, flip: true }
epochs: 2
seeds: 1
evaluation: { trainSample: 100 }
backend: { threads: 1, device: cpu }
arms:
  shuffled: { order: shuffled }
  heterogeneous: { order: heterogeneous }
`;
