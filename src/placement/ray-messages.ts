/** What is asked of py_ray, and what it says: a line of JSON each (py_ray/talk.py). */
import { z } from "zod";
import { IbatchError } from "../errors.js";

/** What a node has to have free for a backend. */
export interface Demand {
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryBytes: number | null;
}

/** How a backend is started there. */
export interface Order {
  /** Ours: nobody else is let in. */
  readonly clientKey: string;
  /** Of `python -m py_backend`, beside where it listens and for whom. */
  readonly arguments: readonly string[];
  readonly startSeconds: number;
}

export const placeRequest = (id: number, demand: Demand, order: Order): string =>
  JSON.stringify({
    type: "place",
    id,
    demand: { cpus: demand.cpus, gpus: demand.gpus, memory_bytes: demand.memoryBytes },
    order: { client_key: order.clientKey, arguments: order.arguments, start_seconds: order.startSeconds },
  });

export const releaseRequest = (id: number): string => JSON.stringify({ type: "release", id });

const id = z.int();
const news = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("connected"), version: z.string() }),
  /** No node has room for it now. */
  z.strictObject({ type: z.literal("waiting"), id, what: z.string() }),
  /** It listens at `control`; `key` is its own public one. */
  z.strictObject({ type: z.literal("placed"), id, node: z.string(), control: z.string(), key: z.string() }),
  z.strictObject({ type: z.literal("said"), id, line: z.string() }),
  /** Backend, actor or node is gone. */
  z.strictObject({ type: z.literal("lost"), id, why: z.string() }),
  /** Nor would it be another time. `usage`: for what was asked. */
  z.strictObject({ type: z.literal("refused"), id, why: z.string(), usage: z.boolean() }),
  z.strictObject({ type: z.literal("released"), id }),
]);

/** What py_ray says. */
export type News = z.infer<typeof news>;
/** What it says of one backend. */
export type NewsOfOne = Exclude<News, { readonly type: "connected" }>;

/** @throws IbatchError: only our own program writes them. */
export function readNews(line: string): News {
  try {
    return news.parse(JSON.parse(line));
  } catch (cause) {
    throw new IbatchError("bug", `py_ray said something else than was expected: ${line}`, { cause });
  }
}
