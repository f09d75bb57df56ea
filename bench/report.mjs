// What the pages of all benchmarks have in common.
import { execFileSync } from "node:child_process";
import os from "node:os";

/** Markdown; the first column is words, the others are figures. */
export const table = (head, rows) =>
  [head, head.map((_, at) => (at === 0 ? "---" : "--:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** "abcd123", or "abcd123 with changes" where these paths have some. */
export function commitOf(root, ...paths) {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  try {
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain", "--", ...paths) ? " with changes" : ""}`;
  } catch {
    return "unknown";
  }
}

export const machine = () =>
  `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores, ${os.platform()} ${os.arch()}; Node ${process.versions.node}`;
