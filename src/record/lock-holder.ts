/** What a lock says of the process that holds it, and whether that one still lives. */
import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { countedAlike, isRunning, type ProcessIdentity, thisProcess } from "../running-process.js";
import { codeOf } from "./disk-refusal.js";
import { PARTIAL } from "./write-file.js";

/** Its name in the directory that it is for. */
export const LOCK = "lock";

/** After so much silence a holder that cannot be asked counts as gone. */
export const SILENCE_SECONDS = 60;
/** Likewise of one that holds it for a few writes, and says nothing meanwhile. */
export const BRIEF_SILENCE_SECONDS = 20;

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  startTicks: z.number().optional(),
  bootId: z.string().optional(),
  pidNamespace: z.string().optional(),
  /** Whether it says every few seconds that it lives; locks of before did not. */
  beats: z.boolean().default(false),
  /** It is held for a few writes alone. */
  brief: z.boolean().default(false),
  /** Hash of the experiment that it works on. */
  experiment: z.string().optional(),
});
export type Holder = z.infer<typeof holderSchema>;

/** Who works in a directory. */
export type LockHolder = Pick<Holder, "pid" | "host">;

/** What this process writes of itself. */
export const thisHolder = (): Partial<Holder> => ({ ...thisProcess(), host: hostname(), beats: true });

export const holderText = ({ pid, host }: LockHolder): string => `process ${pid} on ${host}`;

/** Undefined where there is none. Throws the system's own errors. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Undefined of a lock that names nobody, or is gone. Throws the system's own errors. */
export function readHolder(path: string): Holder | undefined {
  const text = textOf(path);
  try {
    return holderSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

/**
 * Whether a living process wrote this lock, or may have: one that cannot be read is left alone.
 * @param now in milliseconds, by the clock of the file system.
 */
export function isHeld(path: string, now: number): boolean {
  try {
    return livingHolder(path, now) !== undefined;
  } catch {
    return true;
  }
}

/** Undefined of a lock that nobody holds who lives. `now`: as above; where it is left out, that clock is read. Throws the system's own errors. */
export function livingHolder(path: string, now?: number): Holder | undefined {
  const holder = readHolder(path);
  return holder !== undefined && isAlive(holder, path, now) ? holder : undefined;
}

/** @param path of the lock that it wrote. */
function isAlive(holder: Holder, path: string, now: number | undefined): boolean {
  if (askable(holder)) return isRunning(holder) && !isNamesake(holder);
  if (!holder.beats) return true;
  const heard = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  const most = holder.brief ? BRIEF_SILENCE_SECONDS : SILENCE_SECONDS;
  return heard !== undefined && (now ?? clockOf(dirname(path))) - heard < most * 1000;
}

/**
 * What a file says that is made there now, in milliseconds: another machine may keep it, by another clock than ours. Its name is
 * that of a lock on its way, which is nothing of the user's to anybody; whoever takes the lock meanwhile removes it.
 */
function clockOf(directory: string): number {
  const probe = join(directory, `${LOCK}.${randomUUID()}${PARTIAL}`);
  try {
    const file = openSync(probe, "wx");
    try {
      return fstatSync(file).mtimeMs;
    } finally {
      closeSync(file);
      rmSync(probe, { force: true });
    }
  } catch {
    return Date.now(); // it cannot be written there
  }
}

/** Whether the system here can say if it runs. Locks of before, and other systems, tell the host alone. */
export function askable(holder: Holder): boolean {
  return holder.bootId === undefined ? holder.host === hostname() : countedAlike(holder, thisProcess());
}

/** An earlier process that had the number that is ours now, and did not say when it started. */
const isNamesake = ({ pid, startTicks }: ProcessIdentity): boolean =>
  pid === process.pid && startTicks === undefined && thisProcess().startTicks !== undefined;
