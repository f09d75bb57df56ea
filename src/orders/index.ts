import { findNamed } from "../nearest.js";
import type { OrderDefinition } from "./contract.js";
import curriculum from "./rules/curriculum.js";
import el2nSubset from "./rules/el2n-subset.js";
import forgettingSubset from "./rules/forgetting-subset.js";
import frozen from "./rules/frozen.js";
import heterogeneous from "./rules/heterogeneous.js";
import homogeneous from "./rules/homogeneous.js";
import importance from "./rules/importance.js";
import infobatch from "./rules/infobatch.js";
import loshchilovHutter from "./rules/loshchilov-hutter.js";
import lossGlobal from "./rules/loss-global.js";
import lossPerClass from "./rules/loss-per-class.js";
import pool from "./rules/pool.js";
import randomSubset from "./rules/random-subset.js";
import rhoLoss from "./rules/rho-loss.js";
import selectiveBackprop from "./rules/selective-backprop.js";
import shuffled from "./rules/shuffled.js";
import topLoss from "./rules/top-loss.js";
import weighted from "./rules/weighted.js";

/** Every order there is, in the sequence `ibatch list orders` shows them. A test holds this and the folder equal. */
export const ORDERS: readonly OrderDefinition[] = [
  frozen,
  shuffled,
  homogeneous,
  heterogeneous,
  lossGlobal,
  lossPerClass,
  topLoss,
  weighted,
  loshchilovHutter,
  infobatch,
  pool,
  selectiveBackprop,
  rhoLoss,
  importance,
  curriculum,
  el2nSubset,
  forgettingSubset,
  randomSubset,
];

/** The order with this name, or a usage error that names the nearest. */
export function findOrder(name: string): OrderDefinition {
  return findNamed("order", ORDERS, name);
}
