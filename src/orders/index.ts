import { findNamed } from "../nearest.js";
import type { OrderDefinition } from "./contract.js";
import frozen from "./frozen.js";
import heterogeneous from "./heterogeneous.js";
import homogeneous from "./homogeneous.js";
import lossGlobal from "./loss-global.js";
import lossPerClass from "./loss-per-class.js";
import randomSubset from "./random-subset.js";
import shuffled from "./shuffled.js";
import weighted from "./weighted.js";

/** Every order there is, in the sequence `ibatch list orders` shows them. A test holds this and the folder equal. */
export const ORDERS: readonly OrderDefinition[] = [
  frozen,
  shuffled,
  homogeneous,
  heterogeneous,
  lossGlobal,
  lossPerClass,
  weighted,
  randomSubset,
];

/** The order with this name, or a usage error that names the nearest. */
export function findOrder(name: string): OrderDefinition {
  return findNamed("order", ORDERS, name);
}
