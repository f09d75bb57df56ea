import { expect, test } from "vitest";
import { OrderSources } from "../../src/config/order-sources.js";
import { runConfig } from "../../src/config/run-config.js";
import { Interrupted } from "../../src/errors.js";
import type { RunOrder } from "../../src/order-files/run-order.js";
import { openRequest } from "../../src/training/open-request.js";
import { Session } from "../../src/training/session.js";
import { trainRun } from "../../src/training/train-run.js";
import { firstState, prepareTraining, type TrainingInputs } from "../../src/training/training.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { CONFIG, resolved } from "../experiment/scene.js";

/** A run of arm `frozen` on a backend that pretends, and the kinds of what it tells. */
async function training(text: string, more: (asked: RunOrder) => Partial<TrainingInputs>) {
  const config = runConfig(await resolved(text), "frozen");
  const { signal } = new AbortController();
  const request = openRequest({ config, seed: 0, dataDir: null });
  const session = await Session.open(new FakeBackend(), request, signal, () => {});
  const order = OrderSources.builtIn.start(config.order, 0, { signal, limit: { seconds: 60 }, say: () => {} });
  const told: string[] = [];
  const listen: TrainingInputs["listen"] = ({ type }) => told.push(type);
  return { told, prepared: await prepareTraining({ config, seed: 0, order, listen, ...more(order) }, session) };
}

test("a run that is stopped while it plans has no scores in its state: going on scores once, not twice", async () => {
  const order = "{ name: weighted, by: mean-loss, signal: rescore, start: scored }";
  const { told, prepared } = await training(CONFIG.replace("{ order: frozen }", `{ order: ${order} }`), (asked) => ({
    order: { ...asked, order: () => Promise.reject(new Interrupted()) },
  }));
  const state = firstState(prepared);
  await expect(trainRun(state, prepared)).rejects.toBeInstanceOf(Interrupted);
  expect(told).toEqual(["scored"]);
  expect(state).toEqual(firstState(prepared));
});

test.each([
  [undefined, 1],
  [4, 0],
])("with record.scoreAll a run of at most %s batches scores all samples %d times", async (mostBatches, times) => {
  const { told, prepared } = await training(`${CONFIG}record: { scoreAll: true }\n`, () => ({ mostBatches }));
  await trainRun(firstState(prepared), prepared);
  expect(told.filter((type) => type === "scoredAll")).toHaveLength(times);
});
