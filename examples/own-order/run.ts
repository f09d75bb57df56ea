// Runs the experiment from a program, and looks at what was recorded.
import { join } from "node:path";
import { readOrder, readSignal, runExperiment } from "importance-batching";

const { directory, summary, table } = await runExperiment("config.yaml", {
  observe: ({ log }) => ({
    epochEnded: ({ arm, seed }, { epoch, test }) => {
      const line = `${arm}, seed ${seed}, epoch ${epoch + 1}: ${(100 * (test?.accuracy ?? Number.NaN)).toFixed(2)} %`;
      log(line);
      console.error(line);
    },
  }),
});
console.log(table);

// The losses that were seen in the first epoch made the second epoch's order.
const run = join(directory, "easy-then-hard", "seed-0");
const losses = readSignal(run, "loss", 0);
const { indices } = readOrder(run, 1);
const mean = (part: Uint32Array) => part.reduce((sum, index) => sum + losses[index], 0) / part.length;
const half = indices.length >> 1;
console.log(`mean loss of the first half: ${mean(indices.subarray(0, half)).toFixed(4)}`);
console.log(`mean loss of the second half: ${mean(indices.subarray(half)).toFixed(4)}`);
if (summary.arms.some(({ failed }) => failed > 0)) process.exitCode = 3;
