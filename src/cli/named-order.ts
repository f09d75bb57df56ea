/** The order that `ibatch order` is about: one of ours, or one in a user's file. */
import { existsSync } from "node:fs";
import { IbatchError, usageError } from "../errors.js";
import { type Checked, checkAll } from "../order-files/check-order.js";
import { type Choice, chooseOptions } from "../order-files/choose-options.js";
import { isFilePath } from "../order-files/find-order-file.js";
import { OrderFile } from "../order-files/order-file.js";
import type { Limit } from "../order-files/order-thread/order-thread.js";
import { REPLAY } from "../order-files/replay-options.js";
import { ownOrder, type RunOrder } from "../order-files/run-order.js";
import type { OrderDefinition } from "../orders/contract.js";
import { type Declared, thrownText } from "../orders/declared.js";
import { findOrder, ORDERS } from "../orders/index.js";
import { type Reads, readsOf } from "../orders/ledger-options.js";
import { note } from "./note.js";

type Options = Readonly<Record<string, unknown>>;

export interface NamedOrder {
  readonly description: Pick<OrderDefinition, "name" | "summary"> & Reads;
  choose(given: Options): Promise<Choice>;
  check(fixed: Options): Promise<Checked>;
  start(options: Options, declared: Declared): RunOrder;
  stop(): Promise<void>;
}

interface Opening {
  readonly signal: AbortSignal;
  /** For an epoch that is shown, and for a check, of an order in a file. */
  readonly limit: Limit;
}

/** Whether a text names an order rather than a file with sequences of indices. */
export const isOrder = (name: string): boolean =>
  isModule(name) || isOurs(name) || !(isFilePath(name) || name.includes(".") || existsSync(name));

const NOTHING_OF_ITS_OWN = `${REPLAY.name} draws nothing of its own: it takes what a run recorded, which a config names (order: { replay: DIR }), and which lies in that run's orders/`;

const isOurs = (name: string): boolean => ORDERS.some((order) => order.name === name);

const isModule = (name: string): boolean => /\.[cm]?[jt]s$/.test(name);

export async function openOrder(name: string, opening: Opening): Promise<NamedOrder> {
  if (name === REPLAY.name) throw usageError(NOTHING_OF_ITS_OWN);
  return isFilePath(name) ? await inFile(name, opening) : ours(findOrder(name));
}

const ours = (definition: OrderDefinition): NamedOrder => ({
  description: { name: definition.name, summary: definition.summary, ...readsOf(definition) },
  choose: async (given) => chooseOptions(definition, given),
  async check(fixed) {
    try {
      return checkAll(definition, fixed);
    } catch (error) {
      throw new IbatchError("run", `order ${definition.name} cannot be checked: ${thrownText(error)}`, {
        cause: error,
      });
    }
  },
  start: (options) => ownOrder(definition, options),
  stop: async () => {},
});

async function inFile(path: string, { signal, limit }: Opening): Promise<NamedOrder> {
  const listening = { signal, say: note };
  const file = await OrderFile.import(path, ".", path, listening);
  const started: RunOrder[] = [];
  return {
    description: file.description,
    choose: (given) => file.choose(given),
    check: (fixed) => file.check(fixed, limit),
    start(options, declared) {
      const order = file.start(options, declared, { ...listening, limit });
      started.push(order);
      return order;
    },
    async stop() {
      await Promise.all([file.stop(), ...started.map((order) => order.stop())]);
    },
  };
}
