import { dataDirectory, openToAsk } from "../launch/chosen-backend.js";
import type { OrderOptions } from "./order-command.js";
import type { Labelled } from "./order-epochs.js";
import { openProbe } from "./probe-session.js";

/** The labels of a real dataset: only the backend opens data files, so it is asked. */
export async function datasetLabels(name: string, options: OrderOptions, signal: AbortSignal): Promise<Labelled> {
  const backend = await openToAsk(options, signal);
  try {
    const session = await openProbe(backend.client, name, dataDirectory(options), signal);
    const { labels, opened } = session;
    await session.close();
    return {
      what: `${name}: ${labels.length} samples, ${opened.classNames.length} classes`,
      labels,
      classNames: opened.classNames,
    };
  } finally {
    await backend.stop();
  }
}
