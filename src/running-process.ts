/** Which process something belongs to, and whether that one still runs: a number alone is given again, to another. */
import { readFileSync, readlinkSync } from "node:fs";

/** Undefined where the system does not say: not Linux, or no /proc. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's ticks since boot. */
  readonly startTicks?: number | undefined;
  readonly bootId?: string | undefined;
  /** Containers have one each, with numbers of their own. */
  readonly pidNamespace?: string | undefined;
}

export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    startTicks: statusOf("self")?.startTicks,
    bootId: orUndefined(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pidNamespace: orUndefined(() => readlinkSync("/proc/self/ns/pid")),
  };
}

/** Whether both are counted by the same numbers: one boot of one machine, and one namespace of it. */
export const countedAlike = (a: ProcessIdentity, b: ProcessIdentity): boolean =>
  a.bootId === b.bootId && a.pidNamespace === b.pidNamespace;

/** Of a process that is counted as this one is. */
export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  const status = statusOf(pid);
  if (status?.isZombie) return false;
  if (status !== undefined && startTicks !== undefined) return status.startTicks === startTicks;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Undefined where the system does not say. */
export const parentOf = (pid: number): number | undefined => statusOf(pid)?.parent;

/** The command line; empty where the system does not say. */
export const wordsOf = (pid: number): readonly string[] =>
  orUndefined(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")) ?? [];

interface Status {
  /** It has ended, and nobody has asked how. */
  readonly isZombie: boolean;
  readonly parent: number;
  readonly startTicks: number;
}

/** Undefined where there is no such process, or none of our own numbers in /proc (a namespace without a /proc of its own). */
function statusOf(pid: number | "self"): Status | undefined {
  return orUndefined(() => {
    if (pid !== "self" && readlinkSync("/proc/self") !== String(process.pid)) return undefined;
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // from the third on: a name may hold anything
    return { isZombie: "ZXx".includes(fields[0]), parent: Number(fields[1]), startTicks: Number(fields[19]) };
  });
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
