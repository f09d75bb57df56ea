/**
 * The same rate for every batch.
 *
 * Choose it for short runs and to keep the schedule out of a comparison. Common practice; the 2019 study's own.
 */
import { z } from "zod";
import { defineSchedule } from "./contract.js";

export default defineSchedule({
  name: "constant",
  summary: "The same learning rate for every batch.",
  whenToChoose: "Short runs, or to keep the schedule out of a comparison. The 2019 study's own.",
  options: z.strictObject({}),

  factor: () => 1,
});
