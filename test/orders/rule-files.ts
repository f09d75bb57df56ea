import { readdirSync } from "node:fs";

/** The names of all files of src/orders/rules, without `.ts`. */
export const ruleFiles = (): string[] =>
  readdirSync(new URL("../../src/orders/rules", import.meta.url))
    .map((file) => file.replace(/\.ts$/, ""))
    .sort();
