/** Which order makes an epoch: the one that the config names, or a shuffle in the place of its last one. */
import { ownOrder, type RunOrder } from "../order-files/run-order.js";
import shuffledOrder from "../orders/rules/shuffled.js";
import type { Before, RunLength } from "./run-length.js";

const SHUFFLED = ownOrder(shuffledOrder, {});

/** `order`: what the config names; `before`: what was done before the epoch. */
export const orderIn = (length: RunLength, order: RunOrder, before: Before): RunOrder =>
  length.isShuffled(before) ? SHUFFLED : order;
