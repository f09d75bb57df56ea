/** Which order makes an epoch: the one that the config names, or a shuffle in the place of its last one. */
import type { ArmConfig } from "../config/config.js";
import { ownOrder, type RunOrder } from "../order-files/run-order.js";
import { isScoringDue } from "../orders/ledger-options.js";
import shuffledOrder from "../orders/rules/shuffled.js";

type Ordering = Pick<ArmConfig, "order" | "epochs">;

const SHUFFLED = ownOrder(shuffledOrder, {});

const isShuffled = ({ order, epochs }: Ordering, epoch: number): boolean =>
  order.shuffledLastEpoch === true && epoch + 1 === epochs;

/** `order`: what the config names. */
export const orderIn = (config: Ordering, order: RunOrder, epoch: number): RunOrder =>
  isShuffled(config, epoch) ? SHUFFLED : order;

/** Whether a scoring pass is due before the epoch. */
export const isScored = (config: Ordering, epoch: number): boolean =>
  !isShuffled(config, epoch) && isScoringDue(config.order.ledger, epoch);
