// Modules as a user would write them. They import zod by its address: "importance-batching" would be the built package.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../src/package-root.js";

const zod = pathToFileURL(join(packageRoot, "node_modules", "zod", "index.js")).href;

/** A module whose order takes the eligible samples as they come, but for these members of its definition. */
export const orderModule = (members = ""): string => `import { z } from ${JSON.stringify(zod)};
const offsetsOf = (count, size) => {
  const offsets = [0];
  while (offsets.at(-1) < count) offsets.push(Math.min(count, offsets.at(-1) + size(offsets.length - 1)));
  return Uint32Array.from(offsets);
};
export default {
  name: "mine", summary: "s", whenToChoose: "w", readsLedger: false, deviation: "as the file has it",
  options: z.strictObject({}), coverage: () => "each-once", changesEachEpoch: () => false, dependsOnSeed: () => false,
  order: ({ eligible, size }) => ({ indices: eligible.slice(), offsets: offsetsOf(eligible.length, size) }),
  ${members}
};
`;

/** Takes the samples backwards. */
export const BACKWARDS = `order: ({ eligible, size }) =>
    ({ indices: eligible.slice().reverse(), offsets: offsetsOf(eligible.length, size) }),`;
