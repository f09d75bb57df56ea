import { readdirSync } from "node:fs";

/** What the folder holds beside orders. */
const OTHERS = [
  "conformance-cases",
  "conformance",
  "context",
  "contract",
  "declared",
  "definition-check",
  "fraction",
  "index",
  "likelier-samples",
  "option-combinations",
  "ordered",
  "result-check",
  "sample-weights",
  "signal",
  "sorted-batches",
];

/** The names of all files of src/orders that are orders, without `.ts`. */
export function orderFiles(): string[] {
  return readdirSync(new URL("../../src/orders", import.meta.url))
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((name) => !OTHERS.includes(name))
    .sort();
}
