// One draw from the whole population, by the rule alone.
import { median } from "../report.mjs";

const CALLS = 300;

/** Medians of milliseconds, by the options of `weighted`. */
export async function drawMilliseconds(n, count) {
  const { default: weighted } = await import("../../dist/orders/rules/weighted.js");
  const { batchContext, emptyLedger } = await import("../../dist/orders/context.js");
  const ledger = emptyLedger(n);
  for (let sample = 0; sample < n; sample++) ledger.loss[sample] = -Math.log((sample + 0.5) / n);
  const inputs = {
    ...{ seed: 0, epoch: 0, labels: new Uint32Array(n), classCount: 1, size: count, ledger },
    eligible: Uint32Array.from(ledger.loss, (_, sample) => sample),
  };
  const drawn = { indices: new Uint32Array(), times: new Uint32Array(n) };
  return [{}, { unbiased: true }, { cover: true }, { weights: "rank" }].map((given) => {
    const options = weighted.options.parse({ per: "batch", ...given });
    const times = Array.from({ length: CALLS }, (_, step) => {
      const began = performance.now();
      weighted.nextBatch(batchContext({ ...inputs, options }, { batch: 0, step, count, drawn }));
      return performance.now() - began;
    });
    return { options: JSON.stringify(given), milliseconds: median(times) };
  });
}
