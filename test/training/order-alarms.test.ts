import { expect, test } from "vitest";
import type { OrderMonitors } from "../../src/record/epoch-metrics.js";
import { type OrderAlarm, orderAlarms, orderAlarmText } from "../../src/training/order-alarms.js";
import type { Pretence } from "../experiment/fake-backend.js";
import { Scene } from "../experiment/scene.js";

const alarms = (order: Partial<OrderMonitors>, epoch = 1) =>
  orderAlarms({ epoch, samples: 1000, order: { distinct: 1000, mostDrawn: 1, ...order } });

test.each<[Partial<OrderMonitors>, OrderAlarm[]]>([
  [{}, []],
  [{ distinct: 50 }, []],
  [{ distinct: 49 }, ["few samples"]],
  [{ effectiveDataSize: 50 }, []],
  [{ effectiveDataSize: 49.9 }, ["few likely"]],
  [{ effectiveSampleSize: 1000, meanWeight: 1 }, ["weights of 1"]],
  [{ effectiveSampleSize: 999, meanWeight: 1 }, []],
  [{ effectiveSampleSize: 1000, meanWeight: 0.5 }, []],
])("%j of 1,000 samples: %j; never in the first epoch, before losses are known", (order, expected) => {
  expect(alarms(order)).toEqual(expected);
  expect(alarms(order, 0)).toEqual([]);
});

test("each says what was seen", () => {
  const seen = { samples: 2000, order: { distinct: 108, mostDrawn: 40, effectiveDataSize: 12.34 } };
  expect(orderAlarmText("few samples", seen)).toBe(
    "has collapsed: only 108 different samples among the 2,000 of an epoch",
  );
  expect(orderAlarmText("few likely", seen)).toBe(
    "has collapsed: drawn as if from 12.3 samples (1/Σp²), for 2,000 an epoch",
  );
});

test("the log of a run that collapses says so, epoch by epoch", async () => {
  const scene = new Scene();
  const pretence: Pretence = { n: 400, loss: (index) => index };
  const order = "arms={a: {order: {name: top-loss, take: lowest, lag: 0}}}";
  await scene.run({ settings: [order, "seeds=[4]", "batching.size=10"], pretence });
  const told = [...scene.text("log.txt").matchAll(/a, seed 4: (epoch \d: the order .*)/g)].map(([, line]) => line);
  expect(told).toEqual(
    [2, 3].map(
      (epoch) => `epoch ${epoch}: the order has collapsed: only 10 different samples among the 400 of an epoch`,
    ),
  );
});
