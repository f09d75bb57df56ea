/** Sections of a config that may be a name alone. */
import { isFilePath } from "../order-files/find-order-file.js";

/** `order: frozen` is short for `order: { name: frozen }`. */
const NAMED_SECTIONS = ["dataset", "model", "optimizer", "schedule", "batching", "order", "loss"] as const;

/** `order: frozen` spelled out as `order: { name: frozen }`, `order: ./mine.mjs` as `order: { file: ./mine.mjs }`. */
export function spellNamed(key: string, value: unknown): unknown {
  if (!isNamedSection(key) || typeof value !== "string") return value;
  return key === "order" && isFilePath(value) ? { file: value } : { name: value };
}

const isNamedSection = (key: string): boolean => NAMED_SECTIONS.some((section) => section === key);
