import { expect, test } from "vitest";
import { OrderSources } from "../../src/config/order-sources.js";
import { runConfig } from "../../src/config/run-config.js";
import { Interrupted } from "../../src/errors.js";
import { openRequest } from "../../src/training/open-request.js";
import { Session } from "../../src/training/session.js";
import { trainRun } from "../../src/training/train-run.js";
import { firstState, prepareTraining } from "../../src/training/training.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { CONFIG, resolved } from "../experiment/scene.js";

test("a run that is stopped while it plans has no scores in its state: going on scores once, not twice", async () => {
  const order = "{ name: weighted, by: mean-loss, signal: rescore, start: scored }";
  const config = runConfig(await resolved(CONFIG.replace("{ order: frozen }", `{ order: ${order} }`)), "frozen");
  const { signal } = new AbortController();
  const request = openRequest({ config, seed: 0, dataDir: null });
  const session = await Session.open(new FakeBackend(), request, signal, () => {});
  const asked = OrderSources.builtIn.start(config.order, 0, { signal, limit: { seconds: 60 }, say: () => {} });
  const told: string[] = [];
  const training = await prepareTraining(
    {
      ...{ config, seed: 0 },
      order: { ...asked, order: () => Promise.reject(new Interrupted()) },
      listen: ({ type }) => told.push(type),
    },
    session,
  );
  const state = firstState(training);
  await expect(trainRun(state, training)).rejects.toBeInstanceOf(Interrupted);
  expect(told).toEqual(["scored"]);
  expect(state).toEqual(firstState(training));
});
