/** Sections of a config that may be a name alone. */
import { WholeFloat } from "../exact-json.js";

/** `order: frozen` is short for `order: { name: frozen }`. */
const NAMED_SECTIONS = ["dataset", "model", "optimizer", "schedule", "batching", "order"] as const;

/** `order: frozen` spelled out as `order: { name: frozen }`, `order: ./mine.mjs` as `order: { file: ./mine.mjs }`. */
export function spellNamed(key: string, value: unknown): unknown {
  if (!isNamedSection(key) || typeof value !== "string") return value;
  return key === "order" && isFilePath(value) ? { file: value } : { name: value };
}

/** Whether a text names a file, and nothing of ours. */
export const isFilePath = (text: string): boolean => /^\.{0,2}[\\/]|^[A-Za-z]:[\\/]|\.[cm]?[jt]s$/.test(text);

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof WholeFloat);

const isNamedSection = (key: string): boolean => NAMED_SECTIONS.some((section) => section === key);
