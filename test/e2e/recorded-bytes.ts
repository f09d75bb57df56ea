/** What two runs of the same config have equal to the byte. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const recordedBytes = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(u32|f32|u8)$|metrics\.jsonl$|orders\/.*json$/.test(file))
      .map((file) => [file, readFileSync(join(directory, file), "hex")]),
  );

/** What follows in the table has seconds. */
export const tableOf = (directory: string): string | undefined =>
  readFileSync(join(directory, "table.md"), "utf8").split("Cost to reach")[0];
