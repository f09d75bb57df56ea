/** Pictures of a run's hardest samples, for the report. */
import { BackendError, BackendLost } from "../backend/errors.js";
import { chooseHardest } from "./hard-samples.js";
import type { RunState } from "./run-state.js";
import type { Training } from "./training.js";

/** A run is not lost for want of them. */
export async function picture({ hardSamples }: RunState, { config, session, listen }: Training): Promise<void> {
  const { classNames, inputShape } = session.opened;
  const each = { classCount: classNames.length, count: config.record.images };
  const indices = chooseHardest(hardSamples, session.labels, each);
  if (indices.length === 0) return;
  const [channels, height, width] = inputShape;
  try {
    const pixels = await session.images("train", indices);
    listen({ type: "pictured", images: { indices, shape: [height, width, channels], pixels } });
  } catch (error) {
    if (!(error instanceof BackendError) || error instanceof BackendLost) throw error;
    listen({ type: "logged", line: `no images for the report: ${error.message}` });
  }
}
