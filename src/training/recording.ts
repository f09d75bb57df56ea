/** The listener that records a run in its directory. */
import type { RunRecord } from "../record/run-record.js";
import type { Listener } from "./run-event.js";
import { columnsOf } from "./sample-signals.js";

/** Whatever is told is on disk when this returns. */
export const recordIn =
  (record: RunRecord): Listener =>
  (event) => {
    switch (event.type) {
      case "scored":
        for (const [signal, values] of columnsOf(event.history)) {
          record.writeSignal(`scored-${signal}`, event.epoch, values);
        }
        break;
      case "decided":
        record.writeDecided(event.epoch, event.from, event);
        break;
      case "planned":
        record.writePlan(event.epoch, event.plan, event.hashes);
        break;
      case "epochTrained":
        for (const [signal, values] of columnsOf(event.history)) record.writeSignal(signal, event.epoch, values);
        record.writePredictions(event.epoch, event.history.predictions);
        break;
      case "evaluated":
        if (event.testPredictions !== undefined) record.writeTestPredictions(event.testPredictions);
        break;
      case "epochEnded":
        record.appendMetrics(event.metrics);
        record.appendTimings(event.timings);
        break;
      case "scoredAll":
        record.writeFinalLosses(event.losses);
        break;
      case "pictured":
        record.writeImages(event.images);
        break;
    }
  };
