// A state is plain data, so a checkpoint holds all of it: whatever is added to it goes out and comes back.
import { expect, test } from "vitest";
import { fromSafetensors, toSafetensors } from "../../src/record/safetensors.js";
import { noSeconds } from "../../src/training/clock.js";
import { nothingWatched } from "../../src/training/monitors.js";
import { beginEpoch, endEpoch, joinState, newRunState, splitState } from "../../src/training/run-state.js";

const HASHES = { orderSha256: "a".repeat(64), planSha256: "b".repeat(64) };

/** In its second epoch, with something in every place. */
function underWay() {
  const state = newRunState(5, ["margin"]);
  endEpoch(state, {
    memory: { seen: Float64Array.of(1 / 3, -0), places: Uint32Array.of(4) },
    before: Uint32Array.of(3, 1),
  });
  const seconds = { ...noSeconds(), total: 0.1 + 0.2 };
  const begun = beginEpoch(state, {
    scored: 5,
    ledger: state.ledger,
    hashes: HASHES,
    decided: {
      ...{ batches: 1, indices: Uint32Array.of(3, 0, 0, 0), weights: Float32Array.of(0.5, 0, 0, 0) },
      memory: { turns: Int32Array.of(-1) },
      watched: { ...nothingWatched(), inverseInclusion: 0.1 + 0.2 },
    },
    keepsLedger: true,
    extras: ["margin"],
    seconds,
  });
  state.step = 7;
  state.samples = 2 ** 40;
  state.ledger.loss.set([0.1, Number.NaN, Number.POSITIVE_INFINITY]);
  begun.tally.loss = 0.1 + 0.7;
  begun.history.predictions[2] = 9;
  state.hardSamples.loss[4] = Math.PI;
  return state;
}

/** As it is after it was written down and read. */
function roundTrip(state: ReturnType<typeof underWay>, n = 5) {
  const { numbers, arrays } = splitState(state);
  const read = fromSafetensors(toSafetensors(arrays));
  return joinState({ numbers: JSON.parse(JSON.stringify(numbers)), arrays: read, step: state.step }, n);
}

test("a state comes back as it was, to the bit", () => {
  expect(roundTrip(underWay())).toEqual({ taken: underWay() });
  const fresh = newRunState(3, []);
  expect(joinState({ ...splitState(fresh), step: 0 }, 3)).toEqual({ taken: fresh });
});

test("no field is missed: what nobody knows is refused, as is what is lacking, at any depth", () => {
  const { numbers, arrays } = splitState(underWay());
  const changed = (change: (state: Record<string, Record<string, unknown>>) => void) => {
    const copy = JSON.parse(JSON.stringify(numbers));
    change(copy);
    return joinState({ numbers: copy, arrays, step: 7 }, 5);
  };
  expect(changed(() => {})).toEqual({ taken: underWay() });
  for (const name of Object.keys(numbers as object))
    expect(
      changed((state) => delete state[name]),
      name,
    ).toMatchObject({ fault: expect.any(String) });
  for (const name of ["firstStep", "scored", "hashes", "ledger", "history", "tally", "seconds"]) {
    expect(
      changed((state) => delete state.underWay[name]),
      name,
    ).toMatchObject({ fault: expect.any(String) });
  }
  expect(changed((state) => Object.assign(state, { added: 1 }))).toMatchObject({
    fault: expect.stringContaining("added"),
  });
  expect(changed((state) => Object.assign(state.underWay, { added: 1 }))).toMatchObject({
    fault: expect.stringContaining("added"),
  });
});

test("of other data, or of another step: refused", () => {
  expect(roundTrip(underWay(), 6)).toEqual({ fault: "it is not of 6 samples" });
  expect(joinState({ ...splitState(underWay()), step: 8 }, 5)).toEqual({ fault: "its state is of step 7" });
});

test("what JSON cannot hold is no number of a state", () => {
  const state = underWay();
  state.samples = Number.NaN;
  expect(() => splitState(state)).toThrow("samples is NaN");
});

test("a checkpoint from before there were batches that are decided one after another is read", () => {
  const old = splitState(underWay());
  const copy: { underWay: { decided?: unknown } } = JSON.parse(JSON.stringify(old.numbers));
  delete copy.underWay.decided;
  const joined = joinState({ numbers: copy, arrays: old.arrays, step: 7 }, 5);
  expect(joined).toMatchObject({ taken: { underWay: { decided: null, hashes: HASHES } } });
});
