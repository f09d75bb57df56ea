// A state is plain data, so a checkpoint holds all of it: whatever is added to it goes out and comes back.
import { expect, test } from "vitest";
import { fromSafetensors, toSafetensors } from "../../src/record/safetensors.js";
import { noSeconds } from "../../src/training/clock.js";
import { nothingWatched } from "../../src/training/monitors.js";
import {
  beginEpoch,
  endEpoch,
  joinState,
  newRunState,
  type RunState,
  splitState,
} from "../../src/training/run-state.js";

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
    batches: {
      ...{ count: 7, lag: 0, indices: new Uint32Array(9).fill(3), weights: new Float32Array(9).fill(0.5) },
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
  const written = Object.keys(numbers as object).filter((name) => name !== "scored"); // states of before lack it
  for (const name of written)
    expect(
      changed((state) => delete state[name]),
      name,
    ).toMatchObject({ fault: expect.any(String) });
  for (const name of ["firstStep", "scored", "batches", "ledger", "history", "tally", "seconds"]) {
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

test("batches that are fewer than what was trained on, or of other lengths: refused", () => {
  const fault = { fault: "the batches that it was to be trained on next are not all there" };
  const changed = (change: Record<string, unknown>) => {
    const state = underWay();
    Object.assign(state.underWay?.batches ?? {}, change);
    return roundTrip(state);
  };
  expect(changed({ count: 8 })).toMatchObject({ taken: {} });
  expect(changed({ lag: 1 })).toEqual(fault);
  expect(changed({ weights: new Float32Array(3) })).toEqual(fault);
  expect(changed({ count: 6 })).toEqual(fault); // seven were trained on
  const fresh = underWay();
  if (fresh.underWay !== null) fresh.underWay.firstStep = 7;
  Object.assign(fresh.underWay?.batches ?? {}, { count: 0, lag: 3 });
  expect(roundTrip(fresh), "none of this epoch was").toMatchObject({ taken: {} });
  expect(changed({ lag: 1, watched: { ...nothingWatched(), samples: 9 } })).toMatchObject({ taken: {} }); // all there are
});

test("a checkpoint from before there were batches that are decided one after another is read", () => {
  const { batches: _, ...rest } = underWay().underWay ?? {};
  const state = { ...underWay(), underWay: { ...rest, hashes: HASHES, decided: null } };
  const { numbers, arrays } = splitState(state as unknown as RunState);
  expect(joinState({ numbers, arrays, step: 7 }, 5)).toMatchObject({
    taken: { underWay: { batches: { hashes: HASHES } } },
  });
});
