/** What the controller and an order's thread say to each other: both are ours, on a port of their own. */
import type { MessagePort } from "node:worker_threads";
import type { Candidates } from "../../orders/candidates.js";
import type { Finding } from "../../orders/conformance.js";
import type { PoolPlace } from "../../orders/context.js";
import type { LedgerView, MemoryArray } from "../../orders/contract.js";
import type { Row } from "../../orders/kept-outside.js";
import type { Ordered } from "../../orders/ordered.js";
import type { Checked } from "../check-order.js";
import type { Choice } from "../choose-options.js";
import type { BatchInputs, EpochInputs } from "../run-order.js";
import type { GraphFile } from "./graph.js";

export interface ThreadData {
  /** The order's file. */
  readonly entry: string;
  /** Files as another thread loaded them. */
  readonly files: readonly GraphFile[];
  readonly port: MessagePort;
  /** Gets what the user's code writes. */
  readonly output: MessagePort;
}

type Options = Readonly<Record<string, unknown>>;
type Memory = Readonly<Record<string, MemoryArray>>;

/** What can be asked, and what the answer is. */
export interface Exchanges {
  readonly choose: { readonly asked: { readonly given: Options }; readonly answer: Choice };
  /** `underWay`, in memory that both threads see: the place of the case that is tried, from 1; 0 before the first. */
  readonly check: {
    readonly asked: { readonly fixed: Options | undefined; readonly underWay: Int32Array<SharedArrayBuffer> };
    readonly answer: Checked;
  };
  /** As `rowsOf`. */
  readonly rows: { readonly asked: { readonly fixed: Options | undefined }; readonly answer: readonly Row[] };
  /** As `checkAlone`. */
  readonly alone: { readonly asked: { readonly rows: readonly Row[] }; readonly answer: readonly Finding[] };
  readonly memory: { readonly asked: { readonly n: number }; readonly answer: Memory };
  readonly order: {
    readonly asked: { readonly options: Options; readonly inputs: EpochInputs };
    readonly answer: { readonly ordered: Ordered; readonly memory: Memory; readonly files: readonly GraphFile[] };
  };
  /** Begins an epoch that is decided batch by batch; `inputs.memory` lies in memory that both threads see. */
  readonly begin: {
    readonly asked: { readonly options: Options; readonly inputs: EpochInputs; readonly drawn: Readonly<Uint32Array> };
    readonly answer: Options;
  };
  /** The candidates of a batch of it. */
  readonly candidates: {
    readonly asked: { readonly place: PoolPlace };
    readonly answer: { readonly named: Candidates; readonly files: readonly GraphFile[] };
  };
  /** The next batch of it; `values`: what the ledger has of the samples that were learned of. */
  readonly next: {
    readonly asked: { readonly batch: BatchInputs; readonly values: LedgerView };
    readonly answer: { readonly ordered: Ordered; readonly files: readonly GraphFile[] };
  };
  /** Answered when nothing is left that would fail at once; with what was imported since. */
  readonly end: { readonly asked: Options; readonly answer: { readonly files: readonly GraphFile[] } };
}
export type Subject = keyof Exchanges;
export type Question = { readonly [S in Subject]: { readonly subject: S } & Exchanges[S]["asked"] }[Subject];

/** What an order says of itself before its options are chosen. */
export interface Description {
  readonly name: string;
  readonly summary: string;
  readonly readsLedger: boolean;
  readonly readsScores: boolean;
  readonly optionNames: readonly string[];
}

export type Imported =
  | { readonly description: Description; readonly files: readonly GraphFile[] }
  /** Why the file cannot be used. */
  | { readonly refused: string };

/** `failed`: what the user's code threw. */
export type Answer<S extends Subject> = { readonly answer: Exchanges[S]["answer"] } | { readonly failed: string };
