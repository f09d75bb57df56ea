/** What is asked of one backend before runs begin, and of another one where that lacks something for it. */
import { BackendLost } from "../backend/errors.js";
import { IbatchError, Interrupted } from "../errors.js";
import type { WorkClient } from "../training/session.js";
import type { Backends } from "./backends.js";
import { isOfMachine } from "./whose-fault.js";

/** None of the backends can be had. */
export class NoneThere extends Error {
  /** `why`: of the first one. */
  constructor(readonly why: IbatchError) {
    super(why.message);
  }
}

/**
 * What the first backend says that is there and lacks nothing for it.
 * @throws NoneThere; what the first one lacks, where all do; whatever else is thrown by `ask`, at once.
 */
export async function atOneOf<T>(pool: readonly Backends[], ask: (client: WorkClient) => Promise<T>): Promise<T> {
  let away: IbatchError | undefined;
  let lacks: unknown;
  for (const backends of pool) {
    const client = await clientOf(backends, { waits: pool.length === 1 });
    if (client instanceof IbatchError) {
      away ??= client;
      continue;
    }
    try {
      return await ask(client);
    } catch (error) {
      if (error instanceof BackendLost) await backends.discard();
      if (!isOfMachine(error)) throw error;
      lacks ??= error;
    }
  }
  if (lacks === undefined && away !== undefined) throw new NoneThere(away);
  throw lacks;
}

/** Why there is none, where that is. @throws Interrupted; an error that another backend would not mend. */
async function clientOf(backends: Backends, asking: { readonly waits: boolean }): Promise<WorkClient | IbatchError> {
  try {
    return await backends.get(asking);
  } catch (error) {
    if (!(error instanceof IbatchError) || error instanceof Interrupted || error.kind === "usage") throw error;
    return error;
  }
}
